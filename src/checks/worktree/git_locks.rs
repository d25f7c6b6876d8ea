//! `git-locks`: nothing stands in the way of git in the worktree, neither a lock nor half an operation.

use std::time::Duration;

use crate::check::{Check, CheckId, Group, Look, Needs, Severity};
use crate::checks::worktree::worktree_exists;
use crate::config::Mirror;
use crate::cx::Cx;
use crate::error::human_duration;
use crate::fixes::sync;
use crate::verdict::{Fact, Seen, Verdict};

/// A lock younger than this is that of a git at work.
const AT_WORK: Duration = Duration::from_secs(30);

/// No lock and no operation is in the way.
pub static CHECK: Check = Check {
    id: CheckId("git-locks"),
    group: Group::Worktree,
    summary: "no lock and no operation in progress is in git's way",
    docs: include_str!("git_locks.md"),
    severity: Severity::Error,
    requires: &[Needs::all(&worktree_exists::CHECK)],
    fix: Some(&sync::FIX),
    look: Look::Mirror(look),
};

fn look(cx: &Cx, _: &Mirror) -> Seen {
    let checkout = cx.checkout()?;
    let oldest = checkout.locks.iter().min_by_key(|lock| lock.made);
    let verdict = match (&checkout.operation, oldest) {
        (Some(operation), _) => {
            Verdict::fail(format!("{} is in progress in the worktree", article(operation)))
                .with("operation", operation.as_str())
        }
        (None, None) => return Ok(Verdict::pass()),
        (None, Some(lock)) if lock.made > cx.now() + AT_WORK => {
            let name = lock.path.file_name().unwrap_or_default().to_string_lossy();
            Verdict::fail(format!("git is locked by `{name}`, whose time is in the future"))
                .with("made", lock.made)
        }
        (None, Some(lock)) if cx.since(lock.made) < AT_WORK => {
            return Ok(Verdict::pending("git is at work in the worktree", lock.made + AT_WORK));
        }
        (None, Some(lock)) => {
            let name = lock.path.file_name().unwrap_or_default().to_string_lossy();
            let age = human_duration(cx.since(lock.made));
            Verdict::fail(format!("git is locked by `{name}`, left {age} ago"))
        }
    };
    Ok(checkout.locks.iter().fold(verdict, |verdict, lock| {
        verdict
            .with("lock", lock.path.as_path())
            .with("age", cx.since(lock.made))
            .with("size", Fact::Bytes(lock.bytes))
    }))
}

fn article(operation: &str) -> String {
    let article = if operation.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {operation}")
}
