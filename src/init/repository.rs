//! The repository: its top level, what it follows, and what git does not carry into a worktree.
#![expect(clippy::disallowed_methods, reason = "what is inferred is read at the edge")]

use std::path::{Path, PathBuf};

use super::InitError;
use crate::config::Surroundings;

/// A repository to mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Its top level: the main worktree's, wherever in it this was called.
    pub top: PathBuf,
    /// The remote.
    pub remote: String,
    /// Its branch.
    pub branch: String,
    /// What says so.
    pub from: String,
    /// Settings that git ignores and a fresh worktree would lack.
    pub carry: Vec<PathBuf>,
    /// Every worktree of it, the main one first.
    pub worktrees: Vec<PathBuf>,
}

impl Repository {
    /// "origin/main".
    #[must_use]
    pub fn upstream(&self) -> String {
        format!("{}/{}", self.remote, self.branch)
    }
}

/// Reads the repository around the directory.
pub(super) fn read(surroundings: &Surroundings) -> Result<Repository, InitError> {
    let here = || surroundings.tilde(&surroundings.directory);
    let found = git2::Repository::discover(&surroundings.directory).map_err(|error| match error.code() {
        git2::ErrorCode::NotFound => InitError::NoRepository(here()),
        _ => InitError::Unreadable(error.message().to_owned()),
    })?;
    let top = main_top(&found);
    let git =
        git2::Repository::open(&top).map_err(|error| InitError::Unreadable(error.message().to_owned()))?;
    let remote = remote(&git).ok_or_else(|| InitError::NoRemote(surroundings.tilde(&top)))?;
    let (branch, from) = branch(&git, &remote).ok_or_else(|| InitError::NoBranch(remote.clone()))?;
    let carry = carry(&git, &top);
    let worktrees = std::iter::once(top.clone()).chain(linked(&git)).collect();
    Ok(Repository { top, remote, branch, from, carry, worktrees })
}

/// The main worktree of a repository, also from a linked one; a bare repository is its own.
fn main_top(found: &git2::Repository) -> PathBuf {
    let common = found.commondir();
    let common = common.canonicalize().unwrap_or_else(|_| common.to_owned());
    match common.parent() {
        Some(top) if common.ends_with(".git") => top.to_owned(),
        _ => match found.workdir() {
            Some(workdir) if !found.is_worktree() => {
                workdir.canonicalize().unwrap_or_else(|_| workdir.to_owned())
            }
            _ => common,
        },
    }
}

/// `origin`, else the remote of the branch that is checked out, else the only one.
fn remote(git: &git2::Repository) -> Option<String> {
    let names: Vec<String> =
        git.remotes().ok()?.iter().filter_map(|name| name.ok().flatten().map(str::to_owned)).collect();
    if names.iter().any(|name| name == "origin") {
        return Some("origin".to_owned());
    }
    let of_branch = || {
        let head = git.head().ok()?;
        let name = git.branch_upstream_remote(head.name().ok()?).ok()?;
        name.as_str().ok().map(str::to_owned)
    };
    of_branch().or_else(|| names.first().cloned())
}

/// What the remote calls its default, else `main` or `master`, else the only branch.
fn branch(git: &git2::Repository, remote: &str) -> Option<(String, String)> {
    let prefix = format!("refs/remotes/{remote}/");
    let head = format!("{prefix}HEAD");
    if let Ok(reference) = git.find_reference(&head)
        && let Ok(Some(target)) = reference.symbolic_target()
        && let Some(branch) = target.strip_prefix(&prefix)
    {
        return Some((branch.to_owned(), format!("{remote}/HEAD")));
    }
    for name in ["main", "master"] {
        if git.find_reference(&format!("{prefix}{name}")).is_ok() {
            return Some((name.to_owned(), format!("{remote} has a branch of that name")));
        }
    }
    let names: Vec<String> = git
        .references_glob(&format!("{prefix}*"))
        .ok()?
        .flatten()
        .filter_map(|it| it.name().ok().and_then(|name| name.strip_prefix(&prefix)).map(str::to_owned))
        .collect();
    let only = names.first().filter(|_| names.len() == 1)?;
    Some((only.clone(), format!("the only branch of {remote}")))
}

/// Settings such as `.env.local`: there, not tracked, and ignored.
fn carry(git: &git2::Repository, top: &Path) -> Vec<PathBuf> {
    let Ok(index) = git.index() else { return Vec::new() };
    let mut files: Vec<PathBuf> = std::fs::read_dir(top)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|it| it.is_file()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| is_setting(name))
        .map(PathBuf::from)
        .filter(|file| index.get_path(file, 0).is_none() && git.is_path_ignored(file).unwrap_or(false))
        .collect();
    files.sort();
    files
}

fn is_setting(name: &str) -> bool {
    let is_sample = ["example", "sample", "template", "dist"].iter().any(|it| name.ends_with(it));
    (name == ".env" || name.starts_with(".env.") || name == ".dev.vars" || name == ".npmrc") && !is_sample
}

fn linked(git: &git2::Repository) -> Vec<PathBuf> {
    let Ok(names) = git.worktrees() else { return Vec::new() };
    let places = names.iter().filter_map(|name| name.ok().flatten());
    places.filter_map(|name| Some(git.find_worktree(name).ok()?.path().to_owned())).collect()
}
