//! Who else is at work in the repository: another git of a person's, wherever it was started.
#![expect(clippy::disallowed_methods, reason = "hands look at processes before they remove a file of theirs")]

use std::path::{Path, PathBuf};

use crate::config::Mirror;

/// Every place from where a git may be at work in the repository: its own, and those of all its worktrees.
fn places(common: &Path, mirror: &Mirror) -> Vec<PathBuf> {
    let known = std::fs::read_dir(common.join("worktrees")).into_iter().flatten().filter_map(Result::ok);
    let linked = known.filter_map(|entry| {
        let content = std::fs::read(entry.path().join("gitdir")).ok()?;
        Some(entry.path().join(super::git::as_os(content.trim_ascii_end())).parent()?.to_owned())
    });
    let own = [common.to_owned(), mirror.repository.clone(), mirror.worktree.clone()];
    let places = own.into_iter().chain(linked);
    places.filter_map(|place| std::fs::canonicalize(place).ok()).collect()
}

/// A git that is at work in the repository, or may be: one of which nobody can say where it is at work may be here.
///
/// What this process itself started only looks, or has ended.
#[cfg(target_os = "linux")]
pub(super) fn somebody(common: &Path, mirror: &Mirror) -> Option<u32> {
    use std::os::unix::ffi::OsStrExt as _;
    let places = places(common, mirror);
    let names = |text: Vec<u8>| {
        let common = common.as_os_str().as_bytes();
        text.windows(common.len()).any(|part| part == common)
    };
    let is_here = |process: &Path| {
        let said = ["cmdline", "environ"].iter().any(|it| std::fs::read(process.join(it)).is_ok_and(names));
        let open = std::fs::read_dir(process.join("fd")).into_iter().flatten().filter_map(Result::ok);
        let mut open = open.filter_map(|file| std::fs::read_link(file.path()).ok());
        said || open.any(|file| file.starts_with(common))
            || match std::fs::read_link(process.join("cwd")) {
                Ok(cwd) => super::locks::within(&cwd, &places),
                // Gone by now, or another user's.
                Err(error) => error.kind() != std::io::ErrorKind::NotFound,
            }
    };
    let processes = std::fs::read_dir("/proc").ok()?.filter_map(Result::ok);
    processes
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        .find(|(_, process): &(u32, PathBuf)| {
            let stat = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
            super::locks::is_git(&std::fs::read_to_string(process.join("comm")).unwrap_or_default())
                && parent(&stat) != Some(std::process::id())
                && is_here(process)
        })
        .map(|(pid, _)| pid)
}

/// The parent that a `/proc/<pid>/stat` names: the second word after the name in brackets.
#[cfg(target_os = "linux")]
fn parent(stat: &str) -> Option<u32> {
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

/// A git that is at work in the repository, or may be.
#[cfg(not(target_os = "linux"))]
pub(super) fn somebody(common: &Path, mirror: &Mirror) -> Option<u32> {
    super::locks::in_use(common, &places(common, mirror))
}
