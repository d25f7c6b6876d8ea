//! `--wait`: looks again at what is not yet green until all is, or until the time is over.

use std::collections::HashSet;
use std::thread;
use std::time::Duration;

use crate::probes::clock;
use crate::progress::Progress;
use crate::report::weight::Weight;
use crate::report::{CheckReport, Report, Status, Verdict};
use crate::selection::Selection;
use crate::unit::UnitId;

/// The first pause between two looks.
const FIRST: Duration = Duration::from_millis(100);
/// The longest one.
const LONGEST: Duration = Duration::from_secs(1);

/// A fresh look at some units, with the progress line of the whole wait.
pub(super) type Again<'a> = dyn FnMut(&Selection, &mut Progress) -> Report + 'a;

/// Waits. The report is always of one whole look: what was green early is looked at once more in the end, and is waited
/// for again where it no longer is. What the user stopped is not waited for,
/// and neither is what is not looked at before `housecall trust`, or by any check at all.
pub(super) fn until_healthy(
    first: Report,
    selection: &Selection,
    time: Duration,
    progress: &mut Progress,
    look: &mut Again<'_>,
) -> Report {
    let start = clock::instant();
    let (mut report, mut looked, mut pause) = (first, selection.clone(), FIRST);
    loop {
        let is_settled = match report.verdict {
            Verdict::Healthy | Verdict::Stopped => true,
            Verdict::Unhealthy | Verdict::Undetermined => start.elapsed() >= time || is_in_vain(&report),
        };
        let is_whole = looked.units.len() == selection.units.len();
        if is_settled && is_whole {
            return report;
        }
        let mut next = not_yet_green(&report, &looked, selection);
        if is_settled || next.units.is_empty() {
            next = selection.clone();
            progress.again(&next);
        } else {
            progress.again(&next);
            thread::sleep(pause.min(time.saturating_sub(start.elapsed())));
            pause = (pause * 3 / 2).min(LONGEST);
            if start.elapsed() >= time {
                next = selection.clone();
            }
        }
        report = look(&next, progress);
        looked = next;
    }
}

/// Whether something is not looked at before the configuration is trusted, or nothing is left but what no check looks at:
/// that does not come by waiting.
fn is_in_vain(report: &Report) -> bool {
    let needs_trust = |check: &CheckReport| {
        check.status == Status::Unknown
            && check.message.as_deref().is_some_and(|it| it.contains("`housecall trust`"))
    };
    let mut open = report.checks.iter().filter(|check| check.weight(report.fail_on) != Weight::Nothing);
    let is_gap = |check: &CheckReport| check.status == Status::Unknown && check.is_unchecked();
    open.clone().next().is_some() && open.clone().all(is_gap)
        || open.any(|check| needs_trust(check) && check.weight(report.fail_on) == Weight::Open)
}

/// What keeps it from being healthy, and all that this rests on. Where nothing passes though nothing fails, that is
/// everything; of a part in which nothing is left to wait for, it is nothing.
fn not_yet_green(report: &Report, looked: &Selection, whole: &Selection) -> Selection {
    let weighs = |check: &CheckReport| match check.weight(report.fail_on) {
        Weight::Fails | Weight::Open => true,
        Weight::Nothing => false,
    };
    // A report has its units in the order of its selection; its names may be redacted.
    let open: HashSet<&UnitId> = looked
        .units
        .iter()
        .zip(&report.checks)
        .filter_map(|(unit, check)| weighs(check).then_some(&unit.id))
        .collect();
    if open.is_empty() && looked.units.len() == whole.units.len() {
        return whole.clone();
    }
    whole.part(|unit| open.contains(&unit.id))
}
