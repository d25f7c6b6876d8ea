//! GitHub Actions: an annotation for all that is not well, the rest in a folded group, the verdict last.

use std::fmt::Write as _;

use super::plain::Plain;
use super::unstarted::{Obstacle, Place};
use super::weight::Weight;
use super::words::clean_line;
use super::{CheckReport, RepairReport, RepairResult, Report, Status};
use crate::check::Severity;

/// Writes a report. There is an `::error` exactly where the exit code is not 0. A step shows its first ten of each kind
/// only, so what counts stands first, and what is merely blocked last.
#[must_use]
pub fn render(report: &Report) -> String {
    let plain = Plain::new(report);
    let (mut told, calm): (Vec<&CheckReport>, Vec<&CheckReport>) =
        report.checks.iter().partition(|check| match check.status {
            Status::Fail | Status::Pending | Status::Blocked | Status::Unknown => true,
            Status::Pass | Status::Skip => false,
        });
    told.sort_by_key(|check| order(check, report));
    let mut text = String::new();
    if let Some(why) = report.beside_the_units() {
        text.push_str(&annotation("error", &format!("{} verdict", report.verdict), why));
    }
    for check in told {
        let title = format!("{} {}", check.status, clean_line(&check.unit()));
        text.push_str(&annotation(level(check, report), &title, &plain.whole(check)));
    }
    for repair in &report.repairs {
        text.push_str(&annotation(
            level_of(repair),
            &format!("repair {}", repair.fix),
            &plain.repair(repair),
        ));
    }
    if !calm.is_empty() {
        let (pass, skip) = (report.counts.pass, report.counts.skip);
        let _ = writeln!(text, "::group::{pass} pass, {skip} skipped");
        for check in calm {
            let line = format!("{} {}  {}", check.status, clean_line(&check.unit()), plain.line(check));
            let _ = writeln!(text, "{}", harmless(&line));
        }
        text.push_str("::endgroup::\n");
    }
    let _ = writeln!(text, "{}", harmless(&plain.verdict()));
    text
}

/// What stands in the place of a report where nothing can be examined.
#[must_use]
pub fn cannot_start(obstacle: &Obstacle) -> String {
    let place = obstacle.place.as_ref().map(|Place { file, line, column }| {
        format!("file={},line={line},col={column},", property(&clean_line(file)))
    });
    let properties = format!("{}title=misconfigured", place.unwrap_or_default());
    command("error", &properties, &clean_line(&obstacle.why))
}

/// What counts, then what is warned of; within each, roots before what they block.
fn order(check: &CheckReport, report: &Report) -> (u8, bool) {
    let rank = match (check.weight(report.fail_on), check.severity) {
        (Weight::Fails, _) => 0,
        (Weight::Open, _) => 1,
        (Weight::Nothing, Severity::Error | Severity::Warning) => 2,
        (Weight::Nothing, Severity::Info) => 3,
    };
    (rank, check.status == Status::Blocked)
}

fn level(check: &CheckReport, report: &Report) -> &'static str {
    match (check.weight(report.fail_on), check.severity) {
        (Weight::Fails | Weight::Open, _) => "error",
        (Weight::Nothing, Severity::Error | Severity::Warning) => "warning",
        (Weight::Nothing, Severity::Info) => "notice",
    }
}

/// What a mend came to is no verdict: the look after it is.
fn level_of(repair: &RepairReport) -> &'static str {
    match repair.result {
        RepairResult::Proposed | RepairResult::Verified => "notice",
        RepairResult::StillFailing
        | RepairResult::Unverified
        | RepairResult::Refused
        | RepairResult::Failed => "warning",
    }
}

/// A workflow command, escaped as the runner takes it apart.
fn annotation(level: &str, title: &str, message: &str) -> String {
    command(level, &format!("title={}", property(title)), message)
}

fn command(level: &str, properties: &str, message: &str) -> String {
    format!("::{level} {properties}::{}\n", data(message.trim_end()))
}

fn data(text: &str) -> String {
    harmless(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// The runner's older commands begin with this anywhere in a line.
fn harmless(text: &str) -> String {
    text.replace("##[", "\\u{23}#[")
}
