//! What was set aside: the refs, files and directories that a mend left behind.
#![expect(clippy::disallowed_methods, reason = "probes are where files are read")]

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::config::{Config, Mirror};
use crate::error::ProbeError;
use crate::git;
use crate::probes::program;

/// Where the refs of what was set aside are.
pub const REFS: &str = "refs/housecall/rescued";

/// Lists the refs of what was set aside, oldest first.
///
/// # Errors
/// git cannot say.
pub fn rescued(config: &Config, mirror: &Mirror) -> Result<Vec<String>, ProbeError> {
    let arguments = ["for-each-ref", "--format=%(refname)", REFS];
    let output = program::run(&git::command(config, &mirror.repository, &arguments))?;
    if output.succeeded() {
        return Ok(git::said(&output).lines().map(str::to_owned).collect());
    }
    Err(ProbeError::failed("list what was set aside", &git::complaint(&output)))
}

/// Lists the files and directories that were moved away or copied before they were replaced, by name: repositories
/// found in the mirror, own versions of carried files, whatever was at the worktree's place, torn state files.
///
/// # Errors
/// A directory that is there and may not be read.
pub fn places(config: &Config) -> Result<Vec<PathBuf>, ProbeError> {
    let is_directory = |path: &PathBuf| path.is_dir();
    let is_aside = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.as_encoded_bytes().windows(7).any(|part| part == b".aside-"))
    };
    let mut found: Vec<PathBuf> = entries(&config.state.join("rescued"))?;
    found.retain(is_directory);
    let worktree = config.mirror.as_ref().and_then(|mirror| mirror.worktree.parent());
    let beside = worktree.filter(|place| *place != config.state);
    for place in [Some(config.state.as_path()), beside].into_iter().flatten() {
        found.extend(entries(place)?.into_iter().filter(is_aside));
    }
    found.sort();
    Ok(found)
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, ProbeError> {
    let failed = |error: std::io::Error| ProbeError::failed(format!("read {}", directory.display()), &error);
    match std::fs::read_dir(directory) {
        Ok(entries) => entries.map(|entry| entry.map(|it| it.path()).map_err(failed)).collect(),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failed(error)),
    }
}
