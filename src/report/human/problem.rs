//! What is wrong, could not be seen, or has not settled: one block each, the worst first.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::{View, facts, labelled};
use crate::check::Severity;
use crate::fixes;
use crate::report::style::Look;
use crate::report::words::{self, clean_line, hang, wrap};
use crate::report::{CheckReport, RepairReport, RepairResult, Report, SafetyReport, Status, Verdict};

/// How wide a mark is, with the space behind it.
const MARK: usize = 6;

/// What is blocked, by the name of what blocks it.
pub(in crate::report) type Hidden<'a> = HashMap<&'a str, Vec<&'a CheckReport>>;

/// Finds all that is blocked, once for a report.
pub(in crate::report) fn hidden(report: &Report) -> Hidden<'_> {
    let mut hidden = Hidden::new();
    for check in &report.checks {
        if let Some(by) = &check.blocked_by {
            hidden.entry(by).or_default().push(check);
        }
    }
    hidden
}

/// Every block, a blank line between those that have a body.
pub(super) fn all(report: &Report, view: &View) -> String {
    let mut problems: Vec<(u8, &CheckReport)> =
        report.checks.iter().filter_map(|check| rank(check).map(|rank| (rank, check))).collect();
    problems.sort_by_key(|(rank, _)| *rank);
    let hidden = hidden(report);
    let mut text = String::new();
    let mut body_before = false;
    for (_, check) in problems {
        let (head, body) = (head(check, report, view), body(check, report, view, &hidden));
        if !text.is_empty() && (body_before || !body.is_empty()) {
            text.push('\n');
        }
        body_before = !body.is_empty();
        text.push_str(&head);
        text.push_str(&body);
    }
    text
}

/// The order of the blocks; none for what is well, and for what a block of its own names as hidden.
fn rank(check: &CheckReport) -> Option<u8> {
    if check.accepted.is_some() {
        return None;
    }
    match (check.status, check.severity) {
        (Status::Fail, Severity::Error) => Some(0),
        (Status::Fail, Severity::Warning) => Some(1),
        (Status::Fail, Severity::Info) => Some(2),
        (Status::Unknown, _) => Some(3),
        (Status::Pending, _) => Some(4),
        (Status::Pass | Status::Skip | Status::Blocked, _) => None,
    }
}

fn mark(check: &CheckReport, view: &View) -> (&'static str, Look) {
    match (check.status, check.severity) {
        (Status::Fail, Severity::Error) => ("FAIL", view.styles.fail),
        (Status::Fail, Severity::Warning) => ("warn", view.styles.warn),
        (Status::Fail, Severity::Info) => ("info", view.styles.quiet),
        (Status::Pending, _) => ("…", view.styles.unknown),
        _ => ("?", view.styles.unknown),
    }
}

/// What a unit comes to, in one sentence on one line.
pub(in crate::report) fn sentence(check: &CheckReport, report: &Report) -> String {
    let message = check.message.as_deref().map_or_else(|| clean_line(&check.summary), clean_line);
    let message = words::tilde_within(&message, &report.about.home);
    match check.status {
        Status::Unknown if !message.starts_with("the check crashed") && !check.is_unchecked() => {
            format!("could not look: {message}")
        }
        _ => message,
    }
}

fn head(check: &CheckReport, report: &Report, view: &View) -> String {
    let message = sentence(check, report);
    let unit = clean_line(&check.unit());
    let (mark, look) = mark(check, view);
    let (mark, name) = (look.paint(format!("{mark:<MARK$}")), view.styles.unit.paint(&unit));
    let room = view.room().saturating_sub(MARK + unit.chars().count() + 2);
    if message.chars().count() <= room {
        return format!("{mark}{name}  {message}\n");
    }
    let mut text = format!("{mark}{name}\n");
    for line in wrap(&message, view.room().saturating_sub(MARK).max(24)) {
        let _ = writeln!(text, "{:MARK$}{line}", "");
    }
    text
}

/// What proves it, what it hides, and the way out: labelled lines.
pub(in crate::report) fn body(
    check: &CheckReport,
    report: &Report,
    view: &View,
    hidden: &Hidden<'_>,
) -> String {
    let mut text = facts(&check.evidence, report, view);
    let mut line = |label: &str, told: &str, look: Look| {
        if !told.is_empty() {
            text.push_str(&labelled(8, 10, label, told, view, look));
        }
    };
    let quiet = view.styles.quiet;
    line("hides", &hides(check, report, hidden), quiet);
    if check.status == Status::Fail {
        let (command, what) = remedy(check, report);
        if !command.is_empty() {
            text.push_str(&pasted("fix", &command, what, view));
        }
    }
    if check.status == Status::Fail || check.is_unchecked() {
        let more = format!("{} explain {}", report.about.command, clean_line(&check.id));
        text.push_str(&pasted("more", &more, "", view));
    }
    // Painted last, so that the looks count for nothing where lines are broken.
    let command = format!("{} --fix", report.about.command);
    text.replacen(&command, &view.styles.command.paint(&command), 1)
}

/// A command to paste, which is never broken, and what it does: beside it, or beneath it where there is no room.
fn pasted(label: &str, command: &str, what: &str, view: &View) -> String {
    let label = view.styles.quiet.paint(format!("{label:<10}"));
    let length = 18 + command.chars().count() + 5 + what.chars().count();
    match what {
        "" => format!("        {label}{command}\n"),
        what if length <= view.room() => format!("        {label}{command}     {what}\n"),
        what => {
            format!("        {label}{command}\n")
                + &hang(&format!("{:18}", ""), 18, what, Some(view.room()), Look::default())
        }
    }
}

/// The units that this one takes the worth from.
fn hides(check: &CheckReport, report: &Report, hidden: &Hidden<'_>) -> String {
    let called = |other: &CheckReport| {
        // Where the block is of lesser weight than the verdict, the failure it hides decides: say so.
        let decides =
            check.severity < report.fail_on && other.severity >= report.fail_on && other.saw_failure();
        if decides { format!("{} (fails too)", other.unit()) } else { other.unit() }
    };
    let names: Vec<String> = hidden.get(&*check.unit()).into_iter().flatten().map(|it| called(it)).collect();
    clean_line(&names.join(", "))
}

/// The command that mends it, and what it does; none where it could do nothing, or the user has the mirror stopped.
fn remedy(check: &CheckReport, report: &Report) -> (String, &'static str) {
    let Some(fix) = check.fix.as_ref().filter(|_| report.verdict != Verdict::Stopped) else {
        return Default::default();
    };
    if report.about.untrusted {
        let command = format!("{} trust", report.about.command);
        return (command, "allows what this configuration runs; then --fix");
    }
    let is_idle = |repair: &RepairReport| {
        repair.fix == *fix && repair.steps.is_empty() && repair.result == RepairResult::StillFailing
    };
    if report.about.idle.contains(&fix.as_str()) || report.repairs.iter().any(is_idle) {
        return Default::default();
    }
    let unit = check.unit();
    let proposed = |repair: &&RepairReport| {
        repair.fix == *fix && repair.result == RepairResult::Proposed && repair.for_units.contains(&unit)
    };
    let safety = report.repairs.iter().find(proposed).map(|repair| repair.safety);
    let is_risky = safety == Some(SafetyReport::Risky) || report.about.risky.contains(&fix.as_str());
    let risky = if is_risky { " --risky" } else { "" };
    let title = fixes::ALL.iter().find(|known| known.id == fix).map_or("", |known| known.title);
    (format!("{} --fix{risky}", report.about.command), title)
}
