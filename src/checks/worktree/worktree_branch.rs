//! `worktree-branch`: the worktree is on the mirror's own branch.

use crate::check::{Check, CheckId, Group, Look, Needs, Severity};
use crate::checks::worktree::worktree_exists;
use crate::config::Mirror;
use crate::cx::Cx;
use crate::fixes::sync;
use crate::probes::git::Canonical;
use crate::verdict::{Fact, Seen, Verdict};

/// The worktree is on the mirror's branch.
pub static CHECK: Check = Check {
    id: CheckId("worktree-branch"),
    group: Group::Worktree,
    summary: "the worktree is on the mirror's branch",
    docs: include_str!("worktree_branch.md"),
    severity: Severity::Error,
    requires: &[Needs::all(&worktree_exists::CHECK)],
    fix: Some(&sync::FIX),
    look: Look::Mirror(look),
};

fn look(cx: &Cx, mirror: &Mirror) -> Seen {
    let checkout = cx.checkout()?;
    let wanted = &mirror.branch;
    let verdict = match &checkout.branch {
        Some(branch) if branch == wanted => {
            return Ok(Verdict::pass_with(format!("{} on {branch}", cx.config().tilde(&mirror.worktree))));
        }
        Some(branch) => Verdict::fail(format!("the worktree is on `{branch}`, not on `{wanted}`"))
            .with("expected", wanted.as_str())
            .with("actual", branch.as_str()),
        None => {
            let verdict = Verdict::fail(format!("the worktree is on no branch, not on `{wanted}`"))
                .with("expected", wanted.as_str());
            match &checkout.head {
                Some(head) => verdict.with("actual", Fact::Sha(head.clone())),
                None => verdict.with("actual", "HEAD names no commit"),
            }
        }
    };
    Ok(match &*cx.canonical()? {
        Canonical::Present(repository) => match &repository.branch_worktree {
            Some(elsewhere) if *elsewhere != checkout.top => {
                verdict.with(format!("{wanted} is at"), elsewhere.as_path())
            }
            _ => verdict,
        },
        _ => verdict,
    })
}
