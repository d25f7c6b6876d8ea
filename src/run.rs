//! Looks at every unit at once, then judges what each look is worth.

mod crowd;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use crate::config::Accepted;
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::selection::Selection;
use crate::unit::{Examined, Pace, Unit, UnitId};
use crate::verdict::{Finding, Outcome, Verdict};

use crowd::Crowd;

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
    let units = &selection.units;
    let (send, receive) = mpsc::channel();
    let mut crowd = Crowd::new(units, cx, send);
    let mut seen: Vec<Option<(Outcome, Duration)>> = vec![None; units.len()];
    let mut gate = Gate::new(units);
    for (at, unit) in units.iter().enumerate() {
        if unit.pace != Pace::After || unit.needs.is_empty() {
            crowd.look(at, unit);
        }
    }
    // What judging and telling need in any case is read and made while they look.
    let _ = cx.state();
    cx.config().redactor.prepare();
    let silence = longest(cx) + GRACE;
    let mut left = units.len();
    // As long as answers come, others may still be waiting for their turn.
    while left > 0
        && let Ok((at, outcome, took)) = receive.recv_timeout(silence)
    {
        let mut arrived = vec![(at, outcome, took)];
        while let Some((at, outcome, took)) = arrived.pop() {
            on_look(&units[at]);
            seen[at] = Some((accept(&units[at], outcome, cx), took));
            left -= 1;
            for at in gate.opened_by(at) {
                match gate.broken(at, units, &seen) {
                    None => crowd.look(at, &units[at]),
                    Some(by) => {
                        arrived.push((at, Outcome::NotRun { by: units[by].id.clone() }, Duration::ZERO));
                    }
                }
            }
        }
    }
    let examined = units.iter().zip(seen).map(|(unit, seen)| {
        let given_up = || {
            let what = format!("the look of {}", unit.id);
            (Outcome::Unknown(ProbeError::TimedOut { what, after: silence }), silence)
        };
        let (outcome, took) = seen.unwrap_or_else(given_up);
        Examined { unit: unit.clone(), outcome, took }
    });
    judge(settle(examined.collect(), cx))
}

/// The longest that any one look may take: several probes in a row, or what a declared check says.
fn longest(cx: &Cx) -> Duration {
    let declared = cx.config().declared.iter().filter_map(|it| it.timeout).max();
    declared.unwrap_or_default().max(cx.config().limits.timeout * 4)
}

/// The units that wait for what they need.
struct Gate {
    /// For each of them, all that it rests on, in chain order.
    beneath: HashMap<usize, Vec<usize>>,
    /// How much of that has not answered yet.
    open: HashMap<usize, usize>,
    /// For each unit, those that wait for it.
    waiting: HashMap<usize, Vec<usize>>,
}

impl Gate {
    fn new(units: &[Unit]) -> Self {
        let mut gate = Self { beneath: HashMap::new(), open: HashMap::new(), waiting: HashMap::new() };
        for (at, _) in units.iter().enumerate().filter(|(_, unit)| unit.pace == Pace::After) {
            let beneath: Vec<usize> = all_beneath(units, at).into_iter().collect();
            for &need in &beneath {
                gate.waiting.entry(need).or_default().push(at);
            }
            gate.open.insert(at, beneath.len());
            gate.beneath.insert(at, beneath);
        }
        gate
    }

    /// Those for which that was the last answer they waited for.
    fn opened_by(&mut self, at: usize) -> Vec<usize> {
        let waiting = self.waiting.remove(&at).unwrap_or_default();
        let opened = waiting.into_iter().filter(|waiting| match self.open.get_mut(waiting) {
            Some(open) => {
                *open -= 1;
                *open == 0
            }
            None => false,
        });
        opened.collect()
    }

    /// The first of those beneath it that does not hold, if any.
    fn broken(&self, at: usize, units: &[Unit], seen: &[Option<(Outcome, Duration)>]) -> Option<usize> {
        let beneath = self.beneath.get(&at).map(Vec::as_slice).unwrap_or_default();
        let holds = |need: &usize| seen[*need].as_ref().is_some_and(|(outcome, _)| is_settled(outcome));
        let root = beneath.iter().find(|need| !holds(need) && all_beneath(units, **need).iter().all(holds));
        root.or_else(|| beneath.iter().find(|need| !holds(need))).copied()
    }
}

/// Whether what rests on it may go on.
const fn is_settled(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Judged(Verdict::Pass(_) | Verdict::NotApplicable(_)) | Outcome::Accepted { .. }
    )
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
        let mended_now = it.unit.fix.as_ref().is_some_and(|fix| holder.doing != "sync" || fix.id() == "sync");
        if it.outcome.is_failure() && mended_now {
            let why = format!("{} is at work on it (pid {})", holder.doing, holder.pid);
            it.outcome = Outcome::Judged(Verdict::pending(why, until));
        }
    }
    examined
}

/// A failure that the user lives with, until its day is over; what nobody looks at, and is named so, may be one.
fn accept(unit: &Unit, outcome: Outcome, cx: &Cx) -> Outcome {
    let finding = match &outcome {
        Outcome::Judged(Verdict::Fail(finding)) => finding.clone(),
        Outcome::Unknown(gap @ ProbeError::Unchecked { .. }) => {
            Finding { message: gap.to_string(), evidence: Vec::new(), repeats: &[] }
        }
        _ => return outcome,
    };
    let named = |it: &&Accepted| {
        *unit.id.check == it.unit || unit.id.subject.is_some() && unit.id.to_string() == it.unit
    };
    let mut accepted = cx.config().accepted.iter().filter(named);
    if let Some(Accepted { reason, until, .. }) = accepted.clone().find(|it| it.holds(cx.now())) {
        return Outcome::Accepted { finding, reason: reason.clone(), until: *until };
    }
    match (outcome, accepted.next()) {
        (Outcome::Judged(failure), Some(over)) => {
            let over = format!("until {}, which is over: {}", over.until, over.reason);
            Outcome::Judged(failure.with("accepted", over))
        }
        (outcome, _) => outcome,
    }
}

/// Says what each look is worth, given what became of all it rests on.
///
/// A failure beneath blocks whatever was seen. Something unknown or unsettled beneath blocks all but failures.
/// What does not apply, or is accepted, is looked through to its own requirements. The blocker named is the first
/// in chain order.
#[must_use]
pub fn judge(mut examined: Vec<Examined>) -> Vec<Examined> {
    let units: Vec<&Unit> = examined.iter().map(|it| &it.unit).collect();
    let mut beneath: Vec<BTreeSet<usize>> = (0..units.len()).map(|at| all_beneath(&units, at)).collect();
    repeat(&examined, &mut beneath);
    let failed: Vec<bool> = examined.iter().map(|it| it.outcome.is_failure()).collect();
    let unsettled: Vec<bool> =
        examined.iter().map(|it| !is_settled(&it.outcome) && !it.outcome.is_failure()).collect();
    let ids: Vec<_> = examined.iter().map(|it| it.unit.id.clone()).collect();
    for (at, it) in examined.iter_mut().enumerate() {
        if matches!(it.outcome, Outcome::Judged(Verdict::NotApplicable(_)) | Outcome::NotRun { .. }) {
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

/// A failure that only repeats another one rests on that, with all that rests on it; on one that is a cause itself.
fn repeat(examined: &[Examined], beneath: &mut [BTreeSet<usize>]) {
    for (at, it) in examined.iter().enumerate() {
        let Outcome::Judged(Verdict::Fail(Finding { repeats, .. })) = &it.outcome else { continue };
        let is_named = |id: &UnitId| repeats.iter().any(|it| *it == id.check || *it == id.to_string());
        let is_cause = |other: &usize| {
            let mut lower = beneath[*other].iter();
            is_named(&examined[*other].unit.id)
                && examined[*other].outcome.is_failure()
                && !lower.any(|&lower| lower == at || examined[lower].outcome.is_failure())
        };
        let Some(cause) = (0..examined.len()).find(|other| *other != at && is_cause(other)) else { continue };
        let mut lower = beneath[cause].clone();
        lower.insert(cause);
        for rests in beneath.iter_mut().enumerate().filter(|(above, _)| !lower.contains(above)) {
            if rests.0 == at || rests.1.contains(&at) {
                rests.1.extend(&lower);
            }
        }
    }
}

/// Every unit that one rests on, in chain order.
fn all_beneath<U: std::borrow::Borrow<Unit>>(units: &[U], at: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut pending = units[at].borrow().needs.clone();
    while let Some(need) = pending.pop() {
        if found.insert(need) {
            pending.extend(&units[need].borrow().needs);
        }
    }
    found
}
