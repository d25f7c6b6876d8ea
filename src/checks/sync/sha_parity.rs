//! `sha-parity`: the worktree is on the very commit that the remote's branch is on.

use std::time::Duration;

use crate::check::{Check, CheckId, Group, Look, Needs, Severity};
use crate::checks::repository::remote_reachable;
use crate::checks::worktree::{git_locks, worktree_branch, worktree_clean, worktree_exists};
use crate::config::Mirror;
use crate::cx::Cx;
use crate::error::{ProbeError, human_duration};
use crate::fixes::sync;
use crate::probes::git::{Canonical, Remote};
use crate::probes::state::SyncStatus;
use crate::verdict::{Fact, Seen, Verdict};

/// How long after its period a sync may begin before that says anything.
const GRACE: Duration = Duration::from_secs(15);

/// HEAD is the upstream's commit; that the files are too, and nothing is in the way, is what it rests on.
pub static CHECK: Check = Check {
    id: CheckId("sha-parity"),
    group: Group::Sync,
    summary: "the worktree is on its upstream's commit",
    docs: include_str!("sha_parity.md"),
    severity: Severity::Error,
    requires: &[
        Needs::all(&worktree_exists::CHECK),
        Needs::all(&worktree_branch::CHECK),
        Needs::all(&worktree_clean::CHECK),
        Needs::all(&git_locks::CHECK),
        Needs::all(&remote_reachable::CHECK),
    ],
    fix: Some(&sync::FIX),
    look: Look::Mirror(look),
};

/// The upstream's commit, and how old that knowledge is where it is not of now.
struct Upstream {
    sha: String,
    age: Option<Duration>,
}

fn look(cx: &Cx, mirror: &Mirror) -> Seen {
    let name = mirror.upstream_name();
    let checkout = cx.checkout()?;
    let Some(upstream) = upstream(cx, mirror)? else {
        return Ok(Verdict::fail(format!("{name} was never fetched"))
            .with("expected", mirror.tracking_ref())
            .with("actual", "no such ref"));
    };
    let asked =
        upstream.age.map(|age| format!(" as fetched {} ago", human_duration(age))).unwrap_or_default();
    let expected = Fact::Sha(upstream.sha.clone());
    let Some(head) = &checkout.head else {
        return Ok(Verdict::fail("the worktree's HEAD names no commit")
            .with("expected", expected)
            .with("actual", "no such commit"));
    };
    if *head == upstream.sha {
        return Ok(Verdict::pass_with(format!("{} is {name}{asked}", short(head))).with("commit", expected));
    }
    if let Some(left) = until_next_sync(cx, mirror, head) {
        let why = format!("{name} has moved to {}, and the next sync is due", short(&upstream.sha));
        return Ok(Verdict::pending(why, cx.now() + left));
    }
    let distance = cx.distance().ok().filter(|it| it.of == upstream.sha);
    let message = match distance.as_deref() {
        Some(it) if it.ahead == 0 => format!("the worktree is {} behind {name}{asked}", commits(it.behind)),
        Some(it) if it.behind == 0 => format!("the worktree is {} ahead of {name}{asked}", commits(it.ahead)),
        Some(it) => format!(
            "the worktree has {} of its own and is {} behind {name}{asked}",
            commits(it.ahead),
            it.behind
        ),
        None => format!("the worktree is not on the commit of {name}{asked}"),
    };
    Ok(Verdict::fail(message).with("expected", expected).with("actual", Fact::Sha(head.clone())))
}

fn upstream(cx: &Cx, mirror: &Mirror) -> Result<Option<Upstream>, ProbeError> {
    if !cx.config().limits.offline {
        let name = mirror.upstream_name();
        return match &*cx.remote()? {
            Remote::At { sha, .. } => Ok(Some(Upstream { sha: sha.clone(), age: None })),
            Remote::NoSuchRef => Err(ProbeError::failed(format!("compare with {name}"), &"it is not there")),
            Remote::Refused(why) | Remote::Unreachable(why) => {
                Err(ProbeError::failed(format!("compare with {name}"), why))
            }
        };
    }
    let Canonical::Present(repository) = &*cx.canonical()? else {
        return Err(ProbeError::failed("compare with the last fetch", &"the repository is not there"));
    };
    let age = repository.fetched.map(|fetched| cx.since(fetched));
    Ok(repository.tracking.clone().map(|sha| Upstream { sha, age }))
}

/// How long the next sync still has to come; `None` where none is to be expected.
///
/// Being behind is no fault while HEAD is what the last sync wrote and the next one is not overdue.
fn until_next_sync(cx: &Cx, mirror: &Mirror, head: &str) -> Option<Duration> {
    let state = cx.state().ok().filter(|state| state.stopped.is_none())?;
    let last = state.last_sync.as_ref().filter(|last| last.status != SyncStatus::Failed)?;
    let age = state.last_sync_age.unwrap_or_else(|| cx.since(last.at));
    let left = (mirror.every + GRACE).checked_sub(age)?;
    (last.sha.as_deref() == Some(head) && !left.is_zero()).then_some(left)
}

fn commits(count: usize) -> String {
    if count == 1 { "1 commit".to_owned() } else { format!("{count} commits") }
}

fn short(sha: &str) -> &str {
    sha.get(..7).unwrap_or(sha)
}
