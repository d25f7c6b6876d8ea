//! The Test Anything Protocol, version 14: a point a unit, and not ok exactly where the exit code is not 0.

use std::fmt::Write as _;

use serde::Serialize;

use super::plain::Plain;
use super::weight::Weight;
use super::words::{clean, clean_line};
use super::{CheckReport, Report, Status, json};

/// Writes a report. What matters less than `fail_on` is `not ok … # TODO`, which harnesses show and do not count.
#[must_use]
pub fn render(report: &Report) -> String {
    let plain = Plain::new(report);
    let beside = report.beside_the_units();
    let points = report.checks.len() + usize::from(beside.is_some());
    let mut text = format!("TAP version 14\n1..{points}\n");
    for (at, check) in report.checks.iter().enumerate() {
        point(&mut text, at + 1, check, report, &plain);
    }
    if let Some(why) = beside {
        let _ = write!(text, "not ok {points} - verdict\n  ---\n");
        diagnostic(&mut text, "status", &report.verdict);
        diagnostic(&mut text, "message", why);
        text.push_str("  ...\n");
    }
    for line in plain.repairs().lines().chain([&*plain.verdict()]) {
        let _ = writeln!(text, "# {line}");
    }
    text
}

fn point(text: &mut String, number: usize, check: &CheckReport, report: &Report, plain: &Plain<'_>) {
    let (ok, directive) = match (check.weight(report.fail_on), check.status) {
        (Weight::Fails | Weight::Open, _) => ("not ok", String::new()),
        (Weight::Nothing, Status::Pass) => ("ok", String::new()),
        (Weight::Nothing, Status::Skip) => ("ok", format!(" # SKIP {}", escaped(&plain.sentence(check)))),
        (Weight::Nothing, Status::Fail | Status::Pending | Status::Blocked | Status::Unknown) => {
            ("not ok", format!(" # TODO it is {}", plain.lesser(check)))
        }
    };
    let _ = write!(text, "{ok} {number} - {}{directive}\n  ---\n", escaped(&clean_line(&check.unit())));
    diagnostic(text, "status", &check.status);
    diagnostic(text, "severity", &check.severity);
    diagnostic(text, "group", &check.group);
    diagnostic(text, "message", &plain.sentence(check));
    if let Some(by) = &check.blocked_by {
        diagnostic(text, "blocked_by", &clean_line(by));
    }
    if let Some(seen) = &check.seen {
        diagnostic(text, "seen", &seen.status);
    }
    if let Some(accepted) = &check.accepted {
        diagnostic(text, "accepted_until", &accepted.until);
    }
    let body = plain.body(check);
    if !body.is_empty() {
        diagnostic(text, "told", &clean(&body).lines().collect::<Vec<_>>());
    }
    diagnostic(text, "duration_ms", &check.took_ms);
    text.push_str("  ...\n");
}

/// A key and its value on one line: JSON, which is YAML as well.
fn diagnostic(text: &mut String, key: &str, value: &(impl Serialize + ?Sized)) {
    let value = serde_json::to_string(value).unwrap_or_else(|error| format!("{:?}", error.to_string()));
    let _ = write!(text, "  {key}: {}", json::safe(&value));
}

/// A `#` would open a directive.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('#', "\\#")
}
