//! What git and the kernel say is read as far as it goes.

use std::path::Path;

use housecall::probes::git::Changes;
use housecall::probes::mounts::Mounts;

use crate::terminal::assert_harmless;

/// Each record of `git status --porcelain=v2 -z` is one file at most, and its name can be shown.
///
/// # Panics
/// Where that does not hold.
pub fn git_status(data: &[u8]) {
    let changes = Changes::parse(data);
    let records = data.split(|&byte| byte == 0).count();
    assert!(changes.tracked.len() + changes.untracked.len() <= records, "more files than records");
    assert_eq!(changes.corrupt, None);
    for name in changes.tracked.iter().chain(&changes.untracked) {
        assert!(!name.contains(|it: char| it.is_control()), "a name that steers the terminal: {name:?}");
    }
    assert_harmless(&housecall::report::words::clean(&changes.tracked.join("\n")));
}

/// Whatever the mount table: a path is on a volume whose mount point it begins with.
///
/// # Panics
/// Where that does not hold.
pub fn mountinfo(data: &[u8]) {
    let mounts = Mounts::parse(data);
    for path in ["/", "/nobody/home/worktree", "/mnt/a b/c", "relative"].map(Path::new) {
        let mount = mounts.holding(path);
        let from_root = Path::new("/").join(path);
        assert!(from_root.starts_with(&mount.point), "{} is not on {mount:?}", path.display());
    }
}
