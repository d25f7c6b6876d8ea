//! Indexes of submodules whose files are gone: git deletes such an index as it links the files again, though it may be all
//! that knows what a person staged.
#![expect(clippy::disallowed_methods, reason = "hands write")]

use std::fs;
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::error::StepError;
use crate::fixes::hands::git::git_path;
use crate::fixes::hands::index;
use crate::probes::git::submodules::named;

/// The name of the copy, in the repository of the submodule.
const SAVED: &str = "index.housecall";

/// Copies the indexes of those submodules that are cloned and have no files; the repositories that have a copy now.
///
/// # Errors
/// git's words, or the disk's.
pub(super) fn save(
    config: &Config,
    top: &Path,
    wanted: &[(PathBuf, String)],
) -> Result<Vec<PathBuf>, StepError> {
    let modules = git_path(config, top, "modules")?;
    let mut saved = Vec::new();
    for (path, name) in named(config, top)? {
        let repository = modules.join(name);
        let is_missing = wanted.iter().any(|(it, _)| *it == path) && !top.join(&path).join(".git").exists();
        if !is_missing {
            continue;
        }
        put_back(&repository)?;
        let own = repository.join("index");
        if own.exists() {
            index::copy(&own, &repository.join(SAVED)).map_err(|error| failed(&own, &error))?;
            saved.push(repository);
        }
    }
    Ok(saved)
}

/// Puts the copy back where git deleted the index; else it is removed.
///
/// # Errors
/// The disk's own words.
pub(in crate::fixes::hands) fn put_back(repository: &Path) -> Result<(), StepError> {
    let (own, saved) = (repository.join("index"), repository.join(SAVED));
    if !saved.exists() {
        return Ok(());
    }
    let done = if own.exists() { fs::remove_file(&saved) } else { fs::rename(&saved, &own) };
    done.map_err(|error| failed(&own, &error))
}

fn failed(own: &Path, error: &std::io::Error) -> StepError {
    StepError::failed(format!("keep the index {}", own.display()), error)
}
