//! Each format is read back by a parser that is not ours, or a strict one, and says what the JSON says.

mod github;
mod junit;
mod markdown;
mod ndjson;
mod prometheus;
mod tap;

use housecall::check::Severity;
use housecall::report::words::{clean_line, is_dangerous};
use housecall::report::{CheckReport, Report};

use crate::chance::{each, each_hostile};

/// What a format said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Read {
    /// Each unit and its status.
    pub(crate) units: Vec<(String, String)>,
    /// The exit code that follows from what it said, and not from where it says it.
    pub(crate) exit: u8,
}

/// Holds a format against many reports: `read` takes its text apart, and fails where that is torn.
pub(crate) fn agrees(write: fn(&Report) -> String, read: fn(&str, &Report) -> Read) {
    let one = |report: &Report| {
        let text = write(report);
        let bad = text.chars().find(|it| *it != '\n' && is_dangerous(*it));
        assert_eq!(bad, None, "{text:?}");
        let mut read = read(&text, report);
        read.units.sort();
        assert_eq!(read, expected(report), "{text}");
    };
    each(|_, report| one(report));
    each_hostile(one);
}

fn expected(report: &Report) -> Read {
    let name = |check: &CheckReport| clean_line(&check.unit());
    let mut units: Vec<_> = report.checks.iter().map(|it| (name(it), it.status.to_string())).collect();
    units.sort();
    Read { units, exit: report.exit().code() }
}

/// The exit code that follows from units: severity, status, and whether a failure was seen.
pub(crate) fn exit_of(units: &[(String, String, bool)], fail_on: &str) -> u8 {
    let rank = |severity: &str| match severity {
        "info" => Severity::Info,
        "warning" => Severity::Warning,
        "error" => Severity::Error,
        other => panic!("{other} is no severity"),
    };
    let counted = || units.iter().filter(|(severity, ..)| rank(severity) >= rank(fail_on));
    let is_open = |status: &str| matches!(status, "pending" | "blocked" | "unknown");
    if counted().any(|(_, status, saw)| status == "fail" || *saw) {
        1
    } else if counted().any(|(_, status, _)| is_open(status)) || units.iter().all(|it| it.1 != "pass") {
        3
    } else {
        0
    }
}
