//! What may not be shown, taken out of a report's values once: every format is made of what is left.
//!
//! Structure stays: ids, statuses, groups, commits, numbers and times. A name that units are addressed by loses
//! only what has the shape of a secret, everywhere alike.

use super::{CheckReport, EvidenceReport, FactReport, RepairReport, Report};
use crate::redact::Redactor;

pub(super) fn report(report: &mut Report, redactor: &Redactor) {
    text(&mut report.mirror.name, redactor);
    text(&mut report.mirror.config, redactor);
    report.causes.iter_mut().for_each(|unit| name(unit, redactor));
    report.checks.iter_mut().for_each(|it| check(it, redactor));
    report.repairs.iter_mut().for_each(|it| repair(it, redactor));
}

fn check(check: &mut CheckReport, redactor: &Redactor) {
    check.subject.iter_mut().for_each(|it| name(it, redactor));
    check.blocked_by.iter_mut().for_each(|it| name(it, redactor));
    text(&mut check.summary, redactor);
    check.accepted.iter_mut().for_each(|it| text(&mut it.reason, redactor));
    check.message.iter_mut().for_each(|it| text(it, redactor));
    evidence(&mut check.evidence, redactor);
    if let Some(seen) = &mut check.seen {
        seen.message.iter_mut().for_each(|it| text(it, redactor));
        evidence(&mut seen.evidence, redactor);
    }
}

fn evidence(evidence: &mut [EvidenceReport], redactor: &Redactor) {
    for it in evidence {
        match &mut it.fact {
            FactReport::Command(command) => *command = redactor.command(command),
            FactReport::Path(value) | FactReport::Url(value) | FactReport::Text(value) => {
                text(value, redactor);
            }
            FactReport::Pid(_)
            | FactReport::Sha(_)
            | FactReport::Age(_)
            | FactReport::Bytes(_)
            | FactReport::Version(_)
            | FactReport::Time(_) => {}
        }
    }
}

fn repair(repair: &mut RepairReport, redactor: &Redactor) {
    repair.for_units.iter_mut().for_each(|it| name(it, redactor));
    repair.units = std::mem::take(&mut repair.units)
        .into_iter()
        .map(|(unit, status)| (redactor.name(&unit), status))
        .collect();
    repair.reason.iter_mut().for_each(|it| text(it, redactor));
    repair.later.iter_mut().for_each(|it| text(it, redactor));
    for step in &mut repair.steps {
        step.note.iter_mut().for_each(|it| text(it, redactor));
        step.commands.iter_mut().for_each(|it| *it = redactor.command(it));
    }
}

fn text(value: &mut String, redactor: &Redactor) {
    *value = redactor.text(value);
}

fn name(value: &mut String, redactor: &Redactor) {
    *value = redactor.name(value);
}
