//! What must still hold when a step is done: looked at immediately before it.
#![expect(clippy::disallowed_methods, reason = "hands look again before they act")]

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::error::StepError;
use crate::fixes::Guard;
use crate::fixes::hands::git;
use crate::probes::processes;

impl Guard {
    /// The guard that this file is still what it is now.
    #[must_use]
    pub fn same_file(path: &Path) -> Self {
        // A file that cannot be looked at has an identity that no file has.
        Self::SameFile(path.to_owned(), identity(path).unwrap_or((u64::MAX, u64::MAX, u64::MAX, -1)))
    }

    /// Refuses where the world is no longer what the plan was made for.
    ///
    /// # Errors
    /// Refused, with what is different; or it cannot be looked at.
    pub fn check(&self, config: &Config) -> Result<(), StepError> {
        match self {
            Self::None => Ok(()),
            Self::OwnWorktree => own_worktree(config),
            Self::SameProcess { pid, identity } => match processes::read(*pid)? {
                Some(process) if process.identity == *identity => Ok(()),
                Some(_) => Err(StepError::Refused(format!("pid {pid} is another process now"))),
                None => Err(StepError::Refused(format!("pid {pid} has ended"))),
            },
            Self::SameFile(path, seen) => match identity(path) {
                Some(now) if now == *seen => Ok(()),
                Some(_) => Err(StepError::Refused(format!("{} changed since", config.tilde(path)))),
                None => Err(StepError::Refused(format!("{} is gone", config.tilde(path)))),
            },
            Self::Vacant(path) => vacant(config, path),
        }
    }
}

/// Device, inode, size and time of change in nanoseconds; of a link itself, not of what it leads to.
#[must_use]
pub fn identity(path: &Path) -> Option<(u64, u64, u64, i128)> {
    let found = fs::symlink_metadata(path).ok()?;
    let changed = i128::from(found.mtime()) * 1_000_000_000 + i128::from(found.mtime_nsec());
    Some((found.dev(), found.ino(), found.len(), changed))
}

/// Whether an open file is still the one at that path.
#[must_use]
pub fn is_at(file: &fs::File, path: &Path) -> bool {
    let open = file.metadata().map(|it| (it.dev(), it.ino()));
    let there = fs::symlink_metadata(path).map(|it| (it.dev(), it.ino()));
    matches!((open, there), (Ok(open), Ok(there)) if open == there)
}

/// git searches upwards: without this, a reset could destroy the repository of a parent directory.
fn own_worktree(config: &Config) -> Result<(), StepError> {
    let mirror = config.mirror.as_deref().ok_or_else(super::no_mirror)?;
    let worktree = git::real(&mirror.worktree)?;
    let what = "find the top of the worktree";
    let arguments = ["rev-parse", "--path-format=absolute", "--show-toplevel"];
    let output = git::must(config, &worktree, what, &arguments)?;
    let top = git::real(&PathBuf::from(git::as_os(git::trimmed(&output.stdout))))?;
    if top != worktree {
        return Err(StepError::Refused(format!(
            "git takes {} for a part of {}",
            config.tilde(&worktree),
            config.tilde(&top)
        )));
    }
    let common = git::common_directory(config, &worktree)?;
    if common != git::common_directory(config, &mirror.repository)? {
        return Err(StepError::Refused(format!(
            "{} is a worktree of {}",
            config.tilde(&worktree),
            config.tilde(&common)
        )));
    }
    Ok(())
}

fn vacant(config: &Config, path: &Path) -> Result<(), StepError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(StepError::failed(format!("look at {}", config.tilde(path)), &error)),
        Ok(found) => {
            let empty = found.is_dir() && fs::read_dir(path).is_ok_and(|mut it| it.next().is_none());
            if empty {
                return Ok(());
            }
            Err(StepError::Refused(format!("something is at {} now", config.tilde(path))))
        }
    }
}
