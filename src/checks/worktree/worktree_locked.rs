//! `worktree-locked`: nobody's `git worktree prune` takes the mirror away.

use crate::check::{Check, CheckId, Group, Look, Needs, Severity};
use crate::checks::worktree::worktree_exists;
use crate::config::Mirror;
use crate::cx::Cx;
use crate::fixes::sync;
use crate::verdict::{Seen, Verdict};

/// The worktree is locked.
pub static CHECK: Check = Check {
    id: CheckId("worktree-locked"),
    group: Group::Worktree,
    summary: "the worktree is locked, so that git does not prune it",
    docs: include_str!("worktree_locked.md"),
    severity: Severity::Warning,
    requires: &[Needs::all(&worktree_exists::CHECK)],
    fix: Some(&sync::FIX),
    look: Look::Mirror(look),
};

fn look(cx: &Cx, _: &Mirror) -> Seen {
    let checkout = cx.checkout()?;
    // The repository's own worktree is never pruned, and cannot be locked.
    if checkout.git_dir == checkout.common_dir {
        return Ok(Verdict::not_applicable("it is the repository's main worktree"));
    }
    Ok(match checkout.kept.as_deref() {
        None => Verdict::fail("git may prune the worktree while its volume is away"),
        Some("") => Verdict::pass_with("locked"),
        Some(reason) => Verdict::pass_with("locked").with("reason", reason),
    })
}
