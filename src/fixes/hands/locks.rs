//! Removing a lock of git's: only an old one, that nobody alive holds or could be about to use.
#![expect(clippy::disallowed_methods, reason = "hands write")]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::config::{Config, Mirror};
use crate::error::StepError;
use crate::fixes::Guard;
use crate::fixes::hands::git;
use crate::probes::clock;
use crate::probes::git::Repository;

/// A lock younger than this may be in use by a git that has only just begun.
const SAFE_AGE: Duration = Duration::from_secs(10);

/// How long somebody who holds an old lock is waited for: the git of a mend that was killed ends by itself.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often is looked again.
const EVERY: Duration = Duration::from_millis(100);

/// Removes it, once it is old enough; waits for whoever still holds it.
///
/// # Errors
/// Refused where it is none of this repository's, somebody has it open, or a git is at work there.
pub fn remove(config: &Config, mirror: &Mirror, path: &Path) -> Result<(), StepError> {
    let common = git::common_directory(config, &mirror.repository)?;
    let parent = git::real(path.parent().unwrap_or(path))?;
    let found = fs::symlink_metadata(path)
        .map_err(|error| StepError::failed(format!("look at {}", config.tilde(path)), &error))?;
    if !parent.starts_with(&common) || path.extension().is_none_or(|it| it != "lock") || !found.is_file() {
        return Err(StepError::Refused(format!("{} is no lock of this repository", config.tilde(path))));
    }
    let places = [&mirror.worktree, &mirror.repository, &common];
    let places: Vec<PathBuf> = places.into_iter().filter_map(|it| fs::canonicalize(it).ok()).collect();
    let real = parent.join(path.file_name().unwrap_or_default());
    let start = clock::instant();
    let first = made(path);
    loop {
        let Ok(found) = fs::symlink_metadata(path) else {
            // Whoever held it has ended, as they should.
            return Ok(());
        };
        let age = found.modified().ok().and_then(|made| SystemTime::now().duration_since(made).ok());
        // One of the future says nothing of its age: it is as old as it was seen to be.
        let age = age.or_else(|| (made(path) == first).then(|| start.elapsed()));
        let holder = in_use(&real, &places);
        let same = Guard::same_file(path);
        match (holder, age.is_some_and(|age| age >= SAFE_AGE)) {
            (None, true) => {
                same.check(config)?;
                let failed = |error| StepError::failed(format!("remove {}", config.tilde(path)), &error);
                return fs::remove_file(path).map_err(failed);
            }
            (Some(pid), true) if start.elapsed() > PATIENCE => {
                return Err(StepError::Refused(format!("{} may be in use by pid {pid}", config.tilde(path))));
            }
            _ if start.elapsed() > SAFE_AGE + PATIENCE => {
                return Err(StepError::Refused(format!("{} is made again and again", config.tilde(path))));
            }
            _ => std::thread::sleep(EVERY),
        }
    }
}

/// Which file it is, and of when.
fn made(path: &Path) -> Option<(u64, SystemTime)> {
    let found = fs::symlink_metadata(path).ok()?;
    Some((found.ino(), found.modified().ok()?))
}

/// The lock of the tracking ref, if there is one: no fetch succeeds while it is there.
#[must_use]
pub fn of_tracking(mirror: &Mirror, repository: &Repository) -> Option<PathBuf> {
    let path = repository.common_dir.join(format!("{}.lock", mirror.tracking_ref()));
    path.is_file().then_some(path)
}

/// A live process that has the lock open, or a git at work in one of those places.
#[cfg(target_os = "linux")]
pub(super) fn in_use(lock: &Path, places: &[PathBuf]) -> Option<u32> {
    let processes = fs::read_dir("/proc").ok()?.filter_map(Result::ok);
    processes
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        .find(|(_, process): &(u32, PathBuf)| {
            let open = fs::read_dir(process.join("fd")).is_ok_and(|files| {
                files.filter_map(Result::ok).any(|file| fs::read_link(file.path()).is_ok_and(|it| it == lock))
            });
            open || is_git(&fs::read_to_string(process.join("comm")).unwrap_or_default())
                && fs::read_link(process.join("cwd")).is_ok_and(|cwd| within(&cwd, places))
        })
        .map(|(pid, _)| pid)
}

/// A git at work in one of those places.
#[cfg(not(target_os = "linux"))]
pub(super) fn in_use(_lock: &Path, places: &[PathBuf]) -> Option<u32> {
    // Where nobody can say who is at work, somebody may be: 0 names nobody, and keeps the lock.
    let Ok(mut system) = sysinfo::System::new() else { return Some(0) };
    system.refresh_processes_specifics(
        sysinfo::ProcessesToUpdate::All,
        true,
        sysinfo::ProcessRefreshKind::nothing().with_cwd(sysinfo::UpdateKind::Always),
    );
    let at_work = |process: &&sysinfo::Process| {
        is_git(&process.name().to_string_lossy()) && process.cwd().is_some_and(|cwd| within(cwd, places))
    };
    system.processes().values().find(at_work).map(|process| process.pid().as_u32())
}

pub(super) fn is_git(name: &str) -> bool {
    name.trim() == "git" || name.starts_with("git-")
}

pub(super) fn within(directory: &Path, places: &[PathBuf]) -> bool {
    places.iter().any(|place| directory.starts_with(place))
}
