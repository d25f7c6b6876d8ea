//! The plan of a mend, and what came of it.

use std::fmt::Write as _;

use super::human::View;
use super::words::{self, clean_line, wrap};
use super::{RepairReport, RepairResult, Report, SafetyReport, Status, StepReport, StepResult};

/// How wide the column of the fixes' names is at least, with the space behind them, and at most.
const NAMES: [usize; 2] = [8, 24];

/// The steps known now, before anything is done.
#[must_use]
pub fn plan(repairs: &[RepairReport], view: &View) -> String {
    if repairs.iter().all(|repair| repair.steps.is_empty() && repair.later.is_none()) {
        let what = if repairs.is_empty() { "nothing to mend" } else { "nothing that a mend may do" };
        return format!("plan: {what}\n");
    }
    let risky = repairs.iter().any(|repair| repair.safety == SafetyReport::Risky);
    let mut text = if risky {
        "plan (in part risky: only with --risky)\n".to_owned()
    } else {
        "plan (safe)\n".to_owned()
    };
    let width = column(repairs);
    for (number, repair) in repairs.iter().enumerate() {
        let mut lead = format!("  {}  {:<width$} ", number + 1, clean_line(&repair.fix));
        for step in &repair.steps {
            for (at, command) in commands(step).iter().enumerate() {
                let risky = if at == 0 && step.safety == SafetyReport::Risky { "risky: " } else { "" };
                hang(&mut text, &mut lead, 6 + width, &format!("{risky}{command}"), view);
            }
        }
        if let Some(later) = &repair.later {
            hang(&mut text, &mut lead, 6 + width, &format!("… {}", clean_line(later)), view);
        }
        if let Some(reason) = &repair.reason {
            hang(
                &mut text,
                &mut lead,
                6 + width,
                &format!("{}: {}", name(repair.result), clean_line(reason)),
                view,
            );
        }
    }
    text
}

/// What came of each fix, one paragraph each.
#[must_use]
pub fn outcome(report: &Report, view: &View) -> String {
    let mut text = String::new();
    let width = column(&report.repairs);
    for repair in &report.repairs {
        let mut lead = view.styles.unit.paint(format!("{:<width$} ", clean_line(&repair.fix)));
        for sentence in told(repair, report) {
            hang(&mut text, &mut lead, width + 1, &sentence, view);
        }
    }
    text
}

/// How wide the names of these fixes are: a fix of a check of the user's own is called as that.
fn column(repairs: &[RepairReport]) -> usize {
    let [least, most] = NAMES;
    let longest = repairs.iter().map(|repair| repair.fix.chars().count()).max();
    longest.unwrap_or_default().clamp(least - 1, most - 1)
}

/// What came of one fix, sentence by sentence.
pub(super) fn told(repair: &RepairReport, report: &Report) -> Vec<String> {
    let mut told: Vec<String> = repair.steps.iter().filter_map(done).collect();
    told.extend(ending(repair, report));
    told
}

/// What came of a step, in one phrase; nothing of a step that was only shown.
#[must_use]
pub fn done(step: &StepReport) -> Option<String> {
    let what = step.note.as_deref().map_or_else(|| phrase(step), clean_line);
    match step.result {
        StepResult::Proposed => None,
        StepResult::Done => {
            let took =
                step.took_ms.filter(|took| *took >= 100.0).map(|took| format!(" in {}", words::took(took)));
            Some(format!("{what}{}", took.unwrap_or_default()))
        }
        StepResult::Refused => Some(format!("refused: {}: {what}", step.action)),
        StepResult::Failed => Some(format!("failed: {}: {what}", phrase(step))),
        StepResult::Undone => Some(format!("taken back: {}", phrase(step))),
    }
}

fn phrase(step: &StepReport) -> String {
    commands(step).into_iter().next().unwrap_or_else(|| in_words(&step.action))
}

pub(super) fn commands(step: &StepReport) -> Vec<String> {
    if step.commands.is_empty() {
        return vec![in_words(&step.action)];
    }
    step.commands.iter().map(|command| clean_line(command)).collect()
}

/// A step that no command stands for.
fn in_words(action: &str) -> String {
    match action {
        "record" => "write down that the mirror is aligned, and when".to_owned(),
        other => other.replace('-', " "),
    }
}

/// How a repair ended: what it proved, or why not.
fn ending(repair: &RepairReport, report: &Report) -> Vec<String> {
    let with = |status: fn(Status) -> bool| {
        let named = repair.units.iter().filter(|(_, it)| status(**it)).map(|(unit, _)| clean_line(unit));
        named.collect::<Vec<_>>().join(", ")
    };
    let reason = repair.reason.as_deref().map_or_else(String::new, |why| format!(": {}", clean_line(why)));
    let told = match repair.result {
        RepairResult::Verified => format!("verified: {}", with(|status| status == Status::Pass)),
        RepairResult::StillFailing => {
            format!(
                "still failing: {}{reason}",
                with(|status| matches!(status, Status::Fail | Status::Blocked))
            )
        }
        RepairResult::Unverified => {
            format!("done, and not seen to hold: {}{reason}", with(|status| status != Status::Pass))
        }
        RepairResult::Refused => format!("refused{reason}"),
        RepairResult::Failed => format!("failed{reason}"),
        RepairResult::Proposed if repair.safety == SafetyReport::Risky => {
            let yes = if report.about.unasked { " --yes" } else { "" };
            let steps: Vec<String> = repair.steps.iter().flat_map(commands).collect();
            return vec![
                format!("not done, since it is risky: {}", steps.join("; ")),
                format!("to allow it: {} --fix --risky{yes}", report.about.command),
            ];
        }
        RepairResult::Proposed => format!("not done{reason}"),
    };
    vec![told]
}

fn name(result: RepairResult) -> &'static str {
    match result {
        RepairResult::Proposed => "proposed",
        RepairResult::Verified => "verified",
        RepairResult::StillFailing => "still failing",
        RepairResult::Unverified => "unverified",
        RepairResult::Refused => "refused",
        RepairResult::Failed => "failed",
    }
}

/// One paragraph beside its lead; the lead stands on the first line only.
fn hang(text: &mut String, lead: &mut String, indent: usize, told: &str, view: &View) {
    for line in wrap(told, view.room().saturating_sub(indent).max(24)) {
        let _ = writeln!(text, "{lead}{line}");
        *lead = " ".repeat(indent);
    }
}
