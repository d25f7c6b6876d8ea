//! How the worktree and the repository know of each other: the `.git` file there, the administration here.
#![expect(clippy::disallowed_methods, reason = "probes are where files are read")]

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::plain;
use crate::probes::git::Repository;

/// What stands between a directory at the worktree's place and being the mirror's worktree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// The repository knows this worktree: they can be linked again.
    Mendable,
    /// The `.git` file leads to an administration that the repository no longer has.
    Orphaned,
    /// It is something else: a clone, a directory of files, a worktree of another repository.
    Foreign,
}

/// Reads how a directory at the worktree's place and the repository know of each other.
#[must_use]
pub fn read(repository: &Repository, worktree: &Path) -> Link {
    let git = worktree.join(".git");
    if fs::symlink_metadata(&git).is_ok_and(|it| !it.is_file()) {
        return Link::Foreign;
    }
    // A link that leads to a directory of files without a `.git`: those are somebody else's.
    if fs::symlink_metadata(worktree).is_ok_and(|it| it.is_symlink()) && !git.exists() {
        return Link::Foreign;
    }
    let points = plain::read(&git).ok().and_then(|content| points_to(&content));
    let known = administration(&repository.common_dir, worktree);
    match (points, known) {
        (None, Some(_)) => Link::Mendable,
        (Some(points), Some(known)) if points.file_name() == known.file_name() => Link::Mendable,
        // It leads nowhere, and nobody but this repository knows of the place.
        (Some(points), Some(_)) if !worktree.join(&points).exists() => Link::Mendable,
        (Some(points), None) if points.starts_with(repository.common_dir.join("worktrees")) => Link::Orphaned,
        _ => Link::Foreign,
    }
}

/// Where the repository keeps what it knows of that worktree, if it does.
#[must_use]
pub fn administration(common_dir: &Path, worktree: &Path) -> Option<PathBuf> {
    let wanted = real_as_far_as_it_goes(&worktree.join(".git"));
    let entries = fs::read_dir(common_dir.join("worktrees")).ok()?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|directory| {
            let content = plain::read(&directory.join("gitdir")).unwrap_or_default();
            if is_torn(&content) {
                // Then only the worktree's own word counts.
                let points = plain::read(&worktree.join(".git")).ok().and_then(|it| points_to(&it));
                return points.is_some_and(|it| real_as_far_as_it_goes(&worktree.join(it)) == *directory);
            }
            let path = Path::new(std::ffi::OsStr::from_bytes(content.trim_ascii_end()));
            real_as_far_as_it_goes(&directory.join(path)) == wanted
        })
        .collect();
    found.sort();
    found.into_iter().next()
}

/// Whether a file of an administration says nothing: emptied by a power cut, or never written.
#[must_use]
pub fn is_torn(content: &[u8]) -> bool {
    content.iter().all(|byte| *byte == 0 || byte.is_ascii_whitespace())
}

fn points_to(content: &[u8]) -> Option<PathBuf> {
    let path = content.trim_ascii_end().strip_prefix(b"gitdir: ")?;
    Some(PathBuf::from(std::ffi::OsStr::from_bytes(path)))
}

/// The path with links resolved in the part of it that exists.
fn real_as_far_as_it_goes(path: &Path) -> PathBuf {
    match (fs::canonicalize(path), path.parent(), path.file_name()) {
        (Ok(real), _, _) => real,
        (Err(_), Some(parent), Some(name)) => real_as_far_as_it_goes(parent).join(name),
        _ => path.to_owned(),
    }
}
