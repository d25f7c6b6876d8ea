//! Submodules: what a person left inside is kept in their own repository and as a patch, then they follow upstream.
#![expect(clippy::disallowed_methods, reason = "hands write")]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{commit_tree, is_kept, is_kept_tree, message, patched, reference, write_patch};
use crate::config::Config;
use crate::error::StepError;
use crate::fixes::hands::files::stamp;
use crate::fixes::hands::git::{Tell, as_os, command, commit, must, run, succeeded};
use crate::fixes::hands::index::Index;
use crate::git;
use crate::probes::program;

/// How git lists a submodule: its mode.
const LINK: &[u8] = b"160000 ";

/// Keeps what a person left in the submodules that are checked out; says where, if there was anything.
pub(super) fn keep(config: &Config, top: &Path, time: Timestamp) -> Result<Option<String>, StepError> {
    let mut told = Vec::new();
    for path in linked(config, top)? {
        let inner = top.join(&path);
        told.extend(keep(config, &inner, time)?);
        let Some(head) = commit(config, &inner, "HEAD")? else { continue };
        let recorded = run(config, top, &[OsStr::new("rev-parse"), &at_head(&path)])?;
        let recorded = recorded.succeeded().then(|| git::said(&recorded)).filter(|it| !it.is_empty());
        let base = match &recorded {
            Some(recorded) => commit(config, &inner, recorded)?,
            None => None,
        };
        let directory = tempfile::Builder::new()
            .prefix(".housecall-index-")
            .tempdir_in(&config.state)
            .map_err(|error| StepError::failed("make a temporary index", &error))?;
        let index = Index { config, top: &inner, file: directory.path().join("index") };
        index.start(Some(&head))?;
        index.add_all(Some(&head), &[])?;
        let tree = index.write_tree()?;
        let is_edited = !index.differs_from_all(&tree, &[OsStr::new(&head)])?.is_empty();
        let is_theirs = recorded.as_ref() != Some(&head)
            && !is_kept(config, &inner, &head, &base.iter().cloned().collect::<Vec<_>>())?;
        let is_new = is_theirs || is_edited && !is_kept_tree(config, &inner, &tree, None)?;
        if !is_new {
            continue;
        }
        let kept = commit_tree(config, &inner, &tree, std::slice::from_ref(&head), &message(None))?;
        let plain = |it: char| if it.is_ascii_alphanumeric() || it == '_' { it } else { '-' };
        let name: String = path.to_string_lossy().chars().map(plain).collect();
        let name = reference(config, &inner, &format!("{}-{name}", stamp(time)), &kept)?;
        let lies =
            patched(config, write_patch(&index, &name, Some(base.as_deref().unwrap_or(&head)), &kept))?;
        told.push(format!("what was left in {} set aside as its {name} and {lies}", path.display()));
    }
    Ok((!told.is_empty()).then(|| told.join("; ")))
}

/// Brings the submodules that the repository has active to what the commit records. What they have is set aside.
///
/// # Errors
/// git's words, such as those of a remote that is away.
pub(in crate::fixes::hands) fn update(config: &Config, top: &Path, tell: Tell<'_>) -> Result<(), StepError> {
    for path in linked(config, top)? {
        let inner = top.join(&path);
        must(config, &inner, "reset a submodule", &["reset", "--hard", "--quiet"])?;
        must(config, &inner, "clean a submodule", &["clean", "-ffd", "--quiet"])?;
    }
    if !top.join(".gitmodules").exists() {
        return Ok(());
    }
    // Without `--init`: which ones are wanted is the repository's to say, and its configuration is not written to.
    let mut update = command(config, top, &["submodule", "update", "--progress", "--recursive"]);
    update.environment.remove(OsStr::new("GIT_LITERAL_PATHSPECS"));
    git::never_ask_over_ssh(config, top, &mut update);
    succeeded("update the submodules", program::run_observed(&update, tell)?).map(drop)
}

/// The submodules of a worktree that are checked out, by their path in it.
fn linked(config: &Config, top: &Path) -> Result<Vec<PathBuf>, StepError> {
    if !top.join(".gitmodules").exists() {
        return Ok(Vec::new());
    }
    let mut listed = run(config, top, &["ls-files", "--stage", "-z"])?;
    if !listed.succeeded() {
        // The index is corrupt.
        listed = must(config, top, "list the submodules", &["ls-tree", "-r", "-z", "HEAD"])?;
    }
    let of_one = |entry: &[u8]| {
        let path =
            entry.starts_with(LINK).then(|| entry.splitn(2, |byte| *byte == b'\t').nth(1)).flatten()?;
        Some(PathBuf::from(as_os(path)))
    };
    let mut found: Vec<PathBuf> = listed.stdout.split(|byte| *byte == 0).filter_map(of_one).collect();
    found.dedup();
    found.retain(|path| top.join(path).join(".git").exists());
    Ok(found)
}

fn at_head(path: &Path) -> std::ffi::OsString {
    let mut name = std::ffi::OsString::from("HEAD:");
    name.push(path);
    name
}
