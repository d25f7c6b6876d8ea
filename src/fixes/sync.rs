//! The fix `sync`: rounds that end with the worktree aligned, its files carried, its dependencies installed.

use crate::checks::sync::build_fresh;
use crate::checks::worktree::{worktree_clean, worktree_locked};
use crate::config::Mirror;
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::fixes::{Action, Fix, Guard, OnFailure, Safety, Step, Turn};
use crate::probes::built::FailedBuild;
use crate::probes::git::{Canonical, Checkout, Remote, Repository, Worktree};
use crate::probes::link::{self, Link};
use crate::unit::Examined;
use crate::verdict::Outcome;

/// Align the worktree with its upstream.
pub static FIX: Fix =
    Fix { id: "sync", title: "align the worktree with its upstream", plan, but: &[], turn: Turn::InOrder };

fn plan(cx: &Cx, broken: &[&Examined]) -> Result<Vec<Step>, ProbeError> {
    let Some(mirror) = cx.config().mirror.as_deref() else {
        return Ok(Vec::new());
    };
    let canonical = cx.canonical()?;
    // The repository is a person's: where it is not there, nothing is made and nothing pruned.
    let Canonical::Present(repository) = &*canonical else {
        return Ok(Vec::new());
    };
    match &*cx.worktree()? {
        Worktree::Absent => Ok(make(cx, mirror, repository)),
        Worktree::NotGit(_) | Worktree::Foreign { .. } => Ok(clear(mirror, repository)),
        Worktree::Present(checkout) => {
            let mut steps = unlock(checkout);
            if names(broken, worktree_locked::CHECK.id.0) {
                steps.push(safe(Action::LockWorktree, Guard::OwnWorktree));
            }
            steps.extend(align(cx, mirror, repository, checkout)?);
            if steps.is_empty() {
                steps.extend(complete(cx, mirror, broken)?);
            }
            if steps.is_empty() {
                steps.extend(record(cx, checkout, broken));
            }
            Ok(steps)
        }
    }
}

/// There is no worktree: the newest commit is fetched, if the remote answers, and checked out.
fn make(cx: &Cx, mirror: &Mirror, repository: &Repository) -> Vec<Step> {
    let mut steps = Vec::new();
    if must_fetch(cx, repository) {
        steps.push(safe(Action::Fetch, Guard::None));
    }
    steps.push(safe(Action::AddWorktree, Guard::Vacant(mirror.worktree.clone())));
    steps
}

/// Something is at its place that git does not take for it.
fn clear(mirror: &Mirror, repository: &Repository) -> Vec<Step> {
    let away = |safety| Step {
        action: Action::MoveAside(mirror.worktree.clone()),
        safety,
        guard: Guard::same_file(&mirror.worktree),
        on_failure: OnFailure::Keep,
        undo: None,
    };
    match link::read(repository, &mirror.worktree) {
        Link::Mendable => vec![safe(Action::Relink, Guard::same_file(&mirror.worktree))],
        Link::Orphaned => vec![away(Safety::Safe)],
        Link::Foreign => vec![away(Safety::Risky)],
    }
}

/// Locks in the way: the hands know whether somebody holds them.
fn unlock(checkout: &Checkout) -> Vec<Step> {
    checkout.locks.iter().map(|lock| safe(Action::RemoveLock(lock.path.clone()), Guard::None)).collect()
}

/// HEAD, index and files are brought to the upstream, after what a person left there is set aside.
fn align(
    cx: &Cx,
    mirror: &Mirror,
    repository: &Repository,
    checkout: &Checkout,
) -> Result<Vec<Step>, ProbeError> {
    if must_fetch(cx, repository) {
        return Ok(vec![safe(Action::Fetch, Guard::None)]);
    }
    let Some(target) = &repository.tracking else {
        return Ok(Vec::new());
    };
    let edited = match cx.changes() {
        Ok(changes) => {
            let theirs = |file: &String| !worktree_clean::is_ours(mirror, file);
            changes.corrupt.is_some()
                || !changes.missing.is_empty()
                || !changes.tracked.is_empty()
                || !changes.hidden.is_empty()
                || changes.untracked.iter().any(theirs)
        }
        // An index that git cannot read hides what was edited: the hands look with one of their own.
        Err(ProbeError::Failed { .. } | ProbeError::Unreadable { .. }) => true,
        Err(error) => return Err(error),
    };
    let on_branch = checkout.branch.as_deref() == Some(mirror.branch.as_str());
    let at_target = checkout.head.as_ref() == Some(target);
    if on_branch && at_target && !edited && checkout.operation.is_none() {
        return Ok(Vec::new());
    }
    let ours =
        cx.state().ok().and_then(|state| state.last_sync.as_ref().and_then(|last| last.aligned.clone()));
    let may_be_theirs = !at_target && (checkout.head.is_none() || checkout.head != ours);
    let mut steps = Vec::new();
    if edited || may_be_theirs || !on_branch || checkout.operation.is_some() {
        steps.push(safe(Action::SetAside, Guard::OwnWorktree));
    }
    steps.push(safe(Action::Align(target.clone()), Guard::OwnWorktree));
    Ok(steps)
}

/// What git does not bring: carried files, then the dependencies and the build where their units say so.
fn complete(cx: &Cx, mirror: &Mirror, broken: &[&Examined]) -> Result<Vec<Step>, ProbeError> {
    let mut steps = Vec::new();
    if !mirror.carry.is_empty() {
        let carried = cx.carried()?;
        let differs = carried.iter().filter(|it| !it.tracked).filter(|it| match (&it.source, &it.copy) {
            (Some(source), Some(copy)) => source.digest != copy.digest || copy.mode & 0o777 != 0o600,
            (Some(_), None) => true,
            (None, _) => false,
        });
        steps.extend(differs.map(|it| safe(Action::Carry(it.file.clone()), Guard::OwnWorktree)));
    }
    // Blocked by the runtime, it is not a failure of its own: with a wrong node nothing is installed.
    if names(broken, "dependencies") && !mirror.install.is_empty() {
        steps.push(safe(Action::Install(mirror.install.clone()), Guard::OwnWorktree));
    }
    // What is built from comes first.
    if steps.is_empty() && names(broken, "build-fresh") && !is_left_alone(cx, mirror)? {
        steps.push(safe(Action::Build(mirror.build.clone()), Guard::OwnWorktree));
    }
    Ok(steps)
}

/// Whether nobody waits, and the same build failed a while ago: it is tried again later.
fn is_left_alone(cx: &Cx, mirror: &Mirror) -> Result<bool, ProbeError> {
    let failed = build_fresh::failed(cx, mirror)?;
    let is_early = |it: &FailedBuild| it.at <= cx.now() && cx.now() < it.again(mirror.every);
    Ok(cx.config().limits.patient && failed.as_ref().is_some_and(is_early))
}

/// All is aligned, and the state does not say so yet.
fn record(cx: &Cx, checkout: &Checkout, broken: &[&Examined]) -> Vec<Step> {
    let last = cx.state().ok().and_then(|state| state.last_sync.as_ref().and_then(|last| last.sha.clone()));
    if names(broken, "sync-recent") {
        return vec![safe(Action::Fetch, Guard::None), safe(Action::Record, Guard::None)];
    }
    if last == checkout.head { Vec::new() } else { vec![safe(Action::Record, Guard::None)] }
}

/// Whether the remote has a commit that is not fetched, as far as it answers.
fn must_fetch(cx: &Cx, repository: &Repository) -> bool {
    match cx.remote().as_deref() {
        Ok(Remote::At { sha, .. }) => repository.tracking.as_ref() != Some(sha),
        _ => false,
    }
}

fn names(broken: &[&Examined], id: &str) -> bool {
    broken.iter().any(|it| it.unit.id.check == id && matches!(it.outcome, Outcome::Judged(_)))
}

fn safe(action: Action, guard: Guard) -> Step {
    Step { action, safety: Safety::Safe, guard, on_failure: OnFailure::Keep, undo: None }
}
