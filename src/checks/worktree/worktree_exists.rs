//! `worktree-exists`: the mirror's directory is a worktree of the canonical repository, by real path.

use crate::check::{Check, CheckId, Group, Look, Needs, Severity};
use crate::checks::repository::canonical_repo;
use crate::checks::worktree::worktree_place;
use crate::config::Mirror;
use crate::cx::Cx;
use crate::fixes::sync;
use crate::git;
use crate::probes::git::{Canonical, Worktree};
use crate::verdict::{Seen, Verdict};

/// The worktree is there, and is the canonical repository's.
pub static CHECK: Check = Check {
    id: CheckId("worktree-exists"),
    group: Group::Worktree,
    summary: "the worktree is there, and is the canonical repository's",
    docs: include_str!("worktree_exists.md"),
    severity: Severity::Error,
    requires: &[Needs::all(&worktree_place::CHECK), Needs::all(&canonical_repo::CHECK)],
    fix: Some(&sync::FIX),
    look: Look::Mirror(look),
};

fn look(cx: &Cx, mirror: &Mirror) -> Seen {
    let found = cx.worktree()?;
    let expected = |message: &str| Verdict::fail(message).with("expected", mirror.worktree.as_path());
    let verdict = match &*found {
        Worktree::Present(checkout) => return Ok(Verdict::pass().with("worktree", checkout.top.as_path())),
        Worktree::Absent => expected("the mirror's worktree is not there"),
        Worktree::NotGit(why) if why.contains(git::DUBIOUS) => {
            expected("git does not read the mirror's directory, since it belongs to another user")
                .with("actual", why.as_str())
        }
        Worktree::NotGit(why) => {
            expected("the mirror's directory is not a git worktree").with("actual", why.as_str())
        }
        Worktree::Foreign { top, common_dir } if common_dir.starts_with(&mirror.worktree) => {
            expected("the mirror's directory is a clone of its own, not a worktree of the repository")
                .with("actual", common_dir.as_path())
                .with("top", top.as_path())
        }
        Worktree::Foreign { top, common_dir } => {
            expected("the mirror's directory belongs to another repository")
                .with("actual", common_dir.as_path())
                .with("top", top.as_path())
        }
    };
    Ok(match &*cx.canonical()? {
        Canonical::Present(repository) => match &repository.branch_worktree {
            Some(elsewhere) if *elsewhere != mirror.worktree => {
                verdict.with(format!("{} is at", mirror.branch), elsewhere.as_path())
            }
            _ => verdict,
        },
        _ => verdict,
    })
}
