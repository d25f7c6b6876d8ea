//! Aligning: HEAD, index and files come to a commit, and whatever a person left or leaves meanwhile is kept.
#![expect(clippy::disallowed_methods, reason = "hands look where they write")]

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::config::{Config, Mirror};
use crate::error::StepError;
use crate::fixes::hands::aside::{self, operation};
use crate::fixes::hands::git::{Tell, as_os, commit, git_path, must, run, succeeded};
use crate::fixes::hands::tree::Tree;
use crate::fixes::hands::worktree::{not_elsewhere, own_files, room};
use crate::fixes::hands::{refs, submodules, swap};
use crate::probes;
use crate::probes::git::unchanged;

/// How often it is begun again where somebody saves, commits or stages something meanwhile.
pub(super) const PERSISTENT: u32 = 5;

/// Which differences of submodules count as differences of the worktree that they are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inner {
    /// That they are on another commit.
    Commits,
    /// None.
    Nothing,
}

/// Brings HEAD, index and files to that commit, after all that a person left there is safe.
///
/// # Errors
/// Refused where the branch is checked out elsewhere; failed where anything differs at the end.
pub fn align(
    config: &Config,
    mirror: &Mirror,
    sha: &str,
    tell: Tell<'_>,
) -> Result<Option<String>, StepError> {
    let top = &mirror.worktree;
    if commit(config, top, sha)?.is_none() {
        return Err(StepError::Refused(format!("the commit {sha} is not there")));
    }
    not_elsewhere(config, mirror, top)?;
    room(top)?;
    let mut kept = Vec::new();
    let mut last = Vec::new();
    // The plan sets aside in a step of its own; this finds something only if it came about since.
    for _ in 0..PERSISTENT {
        let snapshot = aside::snapshot(config, mirror, tell)?;
        kept.extend(snapshot.told.clone());
        submodules::fetch(config, mirror, sha, tell)?;
        kept.extend(submodules::leave(config, mirror, Path::new(""), sha)?);
        operation::forget_autostash(config, top)?;
        quit(config, top)?;
        let tree = Tree::of_mirror(config, mirror)?;
        let (is_done, saved) = move_files(&tree, &snapshot, sha, tell)?;
        kept.extend(saved);
        if !is_done || !move_branch(config, mirror, &snapshot.tips, sha)? {
            // Somebody committed or staged something meanwhile: it is set aside too.
            continue;
        }
        end_operations(config, top, sha)?;
        if git_path(config, top, "BISECT_LOG")?.exists() {
            // It needs an index, and on the branch that HEAD is on now it moves nothing.
            must(config, top, "end the bisect", &["bisect", "reset", "HEAD"])?;
        }
        kept.extend(submodules::follow(config, mirror, tell)?);
        look_afterwards(config, top, sha)?;
        let same;
        (last, same) = differing(config, top, &own_files(config, mirror)?, Inner::Commits)?;
        if last.is_empty() {
            kept.extend(as_checked_out(&same, &snapshot.as_checked_out));
            return Ok(kept.into_iter().reduce(|all, one| format!("{all}; {one}")));
        }
    }
    Err(gave_up("align the worktree", &last))
}

/// Why it was begun again and again.
pub(super) fn gave_up(what: &str, last: &[String]) -> StepError {
    let why = match last {
        [] => "somebody commits or stages something there all the time".to_owned(),
        [one] => format!("{one} differs again and again"),
        [one, rest @ ..] => format!("{one} and {} more differ again and again", rest.len()),
    };
    StepError::failed(what, &why)
}

/// Brings files and index to that commit. The files come first: until the index follows, an interrupted exchange can be
/// distinguished from a person's edits. Returns whether the index was unchanged meanwhile, and what was saved meanwhile.
pub(super) fn move_files(
    tree: &Tree<'_>,
    snapshot: &aside::Snapshot,
    sha: &str,
    tell: Tell<'_>,
) -> Result<(bool, Option<String>), StepError> {
    let (own, seen) = &snapshot.own;
    let trees = [snapshot.tree.as_os_str(), OsStr::new(sha)];
    let waiting = swap::Waiting::begin(tree, &snapshot.index, trees, tell)?;
    let done = waiting.exchange(trees).and_then(|()| swap::install_index(&waiting.index(), own, *seen));
    if done.is_err() {
        waiting.put_back()?;
    }
    let saved = waiting.end()?;
    let is_done = done?;
    if is_done {
        // The files were moved, which changes their times.
        run(tree.config, &tree.top, &["update-index", "-q", "--refresh"])?;
    }
    Ok((is_done, saved))
}

/// Moves the mirror's branch to that commit and HEAD to the branch, where both are what they were.
fn move_branch(
    config: &Config,
    mirror: &Mirror,
    [head, tip]: &[Option<String>; 2],
    sha: &str,
) -> Result<bool, StepError> {
    let top = mirror.worktree.as_path();
    let branch = format!("refs/heads/{}", mirror.branch);
    if commit(config, top, "HEAD")? != *head {
        return Ok(false);
    }
    refs::none_symbolic(config, mirror)?;
    let none = "0".repeat(sha.len());
    let arguments =
        ["update-ref", "--no-deref", "-m", "housecall: align", &branch, sha, tip.as_deref().unwrap_or(&none)];
    let moved = run(config, top, &arguments)?;
    if !moved.succeeded() && commit(config, top, &branch)? != *tip {
        return Ok(false);
    }
    succeeded("move the mirror's branch", moved)?;
    must(config, top, "put HEAD on its branch", &["symbolic-ref", "HEAD", &branch])?;
    Ok(true)
}

/// Has git forget an operation that was under way, where it still remembers one.
pub(super) fn end_operations(config: &Config, top: &Path, sha: &str) -> Result<(), StepError> {
    const MARKS: [&str; 8] = [
        "MERGE_HEAD",
        "MERGE_MSG",
        "MERGE_MODE",
        "MERGE_RR",
        "SQUASH_MSG",
        "AUTO_MERGE",
        "CHERRY_PICK_HEAD",
        "REVERT_HEAD",
    ];
    let administration = git_path(config, top, "HEAD")?;
    if MARKS.iter().any(|mark| administration.with_file_name(mark).exists()) {
        must(config, top, "end what was under way", &["reset", "--quiet", "--mixed", sha])?;
    }
    Ok(())
}

/// Ends each operation that was under way; what it had in hand is set aside by now.
pub(super) fn quit(config: &Config, top: &Path) -> Result<(), StepError> {
    for operation in ["rebase", "merge", "cherry-pick", "revert", "am"] {
        quit_one(config, top, operation)?;
    }
    Ok(())
}

fn quit_one(config: &Config, top: &Path, operation: &str) -> Result<(), StepError> {
    let marks: &[&str] = match operation {
        "rebase" => &["rebase-merge", "rebase-apply"],
        "am" => &["rebase-apply/applying"],
        "merge" => &["MERGE_HEAD"],
        "cherry-pick" => &["CHERRY_PICK_HEAD", "sequencer"],
        _ => &["REVERT_HEAD", "sequencer"],
    };
    for mark in marks {
        if git_path(config, top, mark)?.exists() {
            // What cannot be quit is ended by the reset, or found by the look that follows.
            run(config, top, &[operation, "--quit"])?;
            return Ok(());
        }
    }
    Ok(())
}

/// Tells of files that git calls modified though it has just checked them out, where it is news.
fn as_checked_out(now: &[OsString], before: &[OsString]) -> Option<String> {
    let new: Vec<&OsString> = now.iter().filter(|path| !before.contains(path)).collect();
    let which = match new[..] {
        [] => return None,
        [one] => format!("{} is as committed, and git calls it", one.display()),
        [one, ref rest @ ..] => {
            format!("{} and {} more are as committed, and git calls them", one.display(), rest.len())
        }
    };
    Some(format!("{which} modified: the attributes do not fit what is committed"))
}

/// Fails where HEAD is not on that commit, or a submodule is missing.
fn look_afterwards(config: &Config, top: &Path, sha: &str) -> Result<(), StepError> {
    let head = commit(config, top, "HEAD")?;
    if head.as_deref() != Some(sha) {
        return Err(StepError::failed("align the worktree", &format!("HEAD is {head:?} afterwards")));
    }
    if let Some(path) = probes::git::submodules::missing(config, top)?.first() {
        let why = format!("afterwards the submodule {} is not checked out", path.display());
        return Err(StepError::failed("align the worktree", &why));
    }
    Ok(())
}

/// What differs from HEAD afterwards, by its path: what was saved in the meantime, and what git did not do. Then what git
/// only calls modified. Files of ours do not count.
pub(super) fn differing(
    config: &Config,
    top: &Path,
    own: &[PathBuf],
    inner: Inner,
) -> Result<(Vec<String>, Vec<OsString>), StepError> {
    let what = "look at the worktree afterwards";
    let inner = match inner {
        Inner::Commits => "--ignore-submodules=dirty",
        Inner::Nothing => "--ignore-submodules=all",
    };
    let tracked = ["diff", "--raw", "--no-abbrev", "--no-renames", "-z", "--no-ext-diff"];
    let tracked = must(config, top, what, &[&tracked[..], &[inner, "HEAD"]].concat())?;
    let untracked = must(config, top, what, &["ls-files", "--others", "--exclude-standard", "-z"])?;
    let names = tracked.stdout.split(|byte| *byte == 0).skip(1).step_by(2);
    let names = names.chain(untracked.stdout.split(|byte| *byte == 0)).filter(|path| !path.is_empty());
    let mut paths: Vec<PathBuf> = names.map(|path| PathBuf::from(as_os(path))).collect();
    if paths.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let same = unchanged::as_checked_out(config, top, &unchanged::edited(&tracked.stdout))?;
    paths.retain(|path| !same.contains(path.as_os_str()));
    paths.retain(|path| !own.iter().any(|own| path.starts_with(own)));
    for path in &paths {
        match std::fs::symlink_metadata(top.join(path)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StepError::failed(format!("look at {}", path.display()), &error));
            }
            _ => {}
        }
    }
    let mut same: Vec<OsString> = same.into_iter().collect();
    same.sort();
    Ok((paths.iter().map(|path| path.display().to_string()).collect(), same))
}
