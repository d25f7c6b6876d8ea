//! Looks at every unit at once, then judges what each look is worth.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use crate::cx::Cx;
use crate::error::ProbeError;
use crate::probes::clock;
use crate::selection::Selection;
use crate::unit::{Examined, Unit};
use crate::verdict::{Outcome, Verdict};

/// Probes have deadlines of their own. This one is for a look that hangs where none should: the run ends all the same.
const GRACE: Duration = Duration::from_secs(2);

/// How long a mend may hold the mirror's lock before a failure is a failure again: a first install takes minutes.
const MENDING: Duration = Duration::from_mins(15);

/// Examines a selection: everything is looked at at once, so it takes as long as the slowest probe.
#[must_use]
pub fn run(selection: &Selection, cx: &Arc<Cx>) -> Vec<Examined> {
    run_observed(selection, cx, &mut |_| ())
}

/// The same, telling of each unit as soon as its look is back, for a progress line.
#[must_use]
pub fn run_observed(selection: &Selection, cx: &Arc<Cx>, on_look: &mut dyn FnMut(&Unit)) -> Vec<Examined> {
    let (send, receive) = mpsc::channel();
    for (at, unit) in selection.units.iter().enumerate() {
        let (look, cx, sender) = (Arc::clone(&unit.look), Arc::clone(cx), send.clone());
        let work = move || {
            let start = clock::instant();
            let outcome = match catch_unwind(AssertUnwindSafe(|| look(&cx))) {
                Ok(Ok(verdict)) => Outcome::Judged(verdict),
                Ok(Err(error)) => Outcome::Unknown(error),
                Err(panic) => Outcome::Crashed(panic_message(&*panic)),
            };
            // The receiver is gone only after the run gave this look up.
            let _ = sender.send((at, outcome, start.elapsed()));
        };
        if let Err(error) = thread::Builder::new().name(format!("look {}", unit.id)).spawn(work) {
            let unknown = Outcome::Unknown(ProbeError::failed("start a thread", &error));
            let _ = send.send((at, unknown, Duration::ZERO));
        }
    }
    drop(send);

    let deadline = cx.config().limits.timeout * 4 + GRACE;
    let start = clock::instant();
    let mut seen: Vec<Option<(Outcome, Duration)>> = vec![None; selection.units.len()];
    while let Ok((at, outcome, took)) = receive.recv_timeout(deadline.saturating_sub(start.elapsed())) {
        on_look(&selection.units[at]);
        seen[at] = Some((outcome, took));
    }
    let examined = selection.units.iter().zip(seen).map(|(unit, seen)| {
        let given_up = || {
            let what = format!("the look of {}", unit.id);
            (Outcome::Unknown(ProbeError::TimedOut { what, after: deadline }), deadline)
        };
        let (outcome, took) = seen.unwrap_or_else(given_up);
        Examined { unit: unit.clone(), outcome, took }
    });
    judge(settle(examined.collect(), cx))
}

/// A failure that somebody is mending right now has not settled: the mirror's lock is held by a live process.
///
/// A sync mends only what the fix `sync` mends; any other holder mends whatever has a fix. Our own process holds
/// the lock while it verifies, and is no excuse; neither is a holder that has been at it for too long.
fn settle(mut examined: Vec<Examined>, cx: &Cx) -> Vec<Examined> {
    let Some(holder) = cx.state().ok().and_then(|state| state.holder.clone()) else {
        return examined;
    };
    let until = holder.since.saturating_add(MENDING).unwrap_or(holder.since);
    if holder.pid == std::process::id() || until < cx.now() {
        return examined;
    }
    for it in &mut examined {
        let mended_now = it.unit.fix.is_some_and(|fix| holder.doing != "sync" || fix.id == "sync");
        if it.outcome.is_failure() && mended_now {
            let why = format!("{} is at work on it (pid {})", holder.doing, holder.pid);
            it.outcome = Outcome::Judged(Verdict::pending(why, until));
        }
    }
    examined
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

/// Says what each look is worth, given what became of all it rests on.
///
/// A failure beneath blocks whatever was seen. Something unknown or unsettled beneath blocks all but failures.
/// What does not apply is looked through to its own requirements. The blocker named is the first in chain order.
#[must_use]
pub fn judge(mut examined: Vec<Examined>) -> Vec<Examined> {
    let beneath: Vec<Vec<usize>> = (0..examined.len()).map(|at| all_beneath(&examined, at)).collect();
    let failed: Vec<bool> = examined.iter().map(|it| it.outcome.is_failure()).collect();
    let unsettled: Vec<bool> = examined
        .iter()
        .map(|it| {
            !matches!(
                it.outcome,
                Outcome::Judged(Verdict::Pass(_) | Verdict::Fail(_) | Verdict::NotApplicable(_))
            )
        })
        .collect();
    let ids: Vec<_> = examined.iter().map(|it| it.unit.id.clone()).collect();
    for (at, it) in examined.iter_mut().enumerate() {
        if matches!(it.outcome, Outcome::Judged(Verdict::NotApplicable(_))) {
            continue;
        }
        let root = |&&need: &&usize| failed[need] && !beneath[need].iter().any(|&lower| failed[lower]);
        let by = beneath[at].iter().find(root).or_else(|| {
            let first = beneath[at].iter().find(|&&need| unsettled[need]);
            first.filter(|_| !failed[at])
        });
        if let Some(&by) = by {
            let seen = Box::new(std::mem::replace(&mut it.outcome, Outcome::Crashed(String::new())));
            it.outcome = Outcome::Blocked { by: ids[by].clone(), seen };
        }
    }
    examined
}

/// Every unit that one rests on, in chain order.
fn all_beneath(examined: &[Examined], at: usize) -> Vec<usize> {
    let mut found = vec![false; examined.len()];
    let mut pending = examined[at].unit.needs.clone();
    while let Some(need) = pending.pop() {
        if !std::mem::replace(&mut found[need], true) {
            pending.extend(&examined[need].unit.needs);
        }
    }
    (0..examined.len()).filter(|&need| found[need]).collect()
}
