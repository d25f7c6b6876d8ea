//! What the disk says when a step failed: git often names only the last thing that went wrong for it, or something else.

use std::io;
use std::path::Path;

use rustix::fs::{Access, StatVfs, StatVfsMountFlags, access, statvfs};
use rustix::io::Errno;

use crate::config::Config;
use crate::probes::git::barred;

/// With less than this free, nothing that is worth anything can be written.
const NOTHING: u64 = 64 << 10;

/// The place that takes no more, where one of ours is full or read-only, or that may not be read; or written, where git
/// only says that it made no directory.
#[must_use]
pub fn trouble(config: &Config, why: &str) -> Option<String> {
    let mirror = config.mirror.as_deref();
    let worktree = mirror.and_then(|it| {
        [Some(it.worktree.as_path()), it.worktree.parent()]
            .into_iter()
            .flatten()
            .find(|it| statvfs(*it).is_ok())
    });
    let places = [Some(config.state.as_path()), worktree, mirror.map(|it| it.repository.as_path())];
    let full = places.into_iter().flatten().find_map(|place| told(config, place, &statvfs(place).ok()?));
    let full = full.or_else(|| {
        let (part, error) = barred(&mirror?.repository)?;
        Some(format!("cannot look into {}: {error}", config.tilde(&part)))
    });
    full.or_else(|| {
        let git = mirror?.repository.join(".git");
        let path = git.join(why.split_once("unable to create directory for ")?.1.rsplit_once(".git/")?.1);
        // What is above the first one that is not there is where it was to be made.
        let there = |path: &Path| match access(path, Access::WRITE_OK) {
            Err(Errno::NOENT | Errno::NOTDIR) => None,
            found => Some((path.to_owned(), found)),
        };
        let (parent, found) = path.ancestors().find_map(there)?;
        let error = found.err()?;
        Some(format!("cannot write in {}: {}", config.tilde(&parent), io::Error::from(error)))
    })
}

fn told(config: &Config, place: &Path, found: &StatVfs) -> Option<String> {
    let place = config.tilde(place);
    if found.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Some(format!("{place} is on a read-only file system"));
    }
    let is_full = found.f_bavail.saturating_mul(found.f_frsize) < NOTHING;
    is_full.then(|| format!("no space is left at {place}"))
}
