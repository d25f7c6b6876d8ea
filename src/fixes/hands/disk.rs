//! What the disk says when a step failed: git often names only the last thing that went wrong for it, or something else.

use std::path::Path;

use rustix::fs::{StatVfs, StatVfsMountFlags, statvfs};

use crate::config::Config;
use crate::probes::git::barred;

/// With less than this free, nothing that is worth anything can be written.
const NOTHING: u64 = 64 << 10;

/// The place that takes no more, where one of ours is full or read-only, or that may not be read.
#[must_use]
pub fn trouble(config: &Config) -> Option<String> {
    let mirror = config.mirror.as_deref();
    let worktree = mirror.and_then(|it| {
        [Some(it.worktree.as_path()), it.worktree.parent()]
            .into_iter()
            .flatten()
            .find(|it| statvfs(*it).is_ok())
    });
    let places = [Some(config.state.as_path()), worktree, mirror.map(|it| it.repository.as_path())];
    let full = places.into_iter().flatten().find_map(|place| told(config, place, &statvfs(place).ok()?));
    full.or_else(|| {
        let (part, error) = barred(&mirror?.repository)?;
        Some(format!("cannot look into {}: {error}", config.tilde(&part)))
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
