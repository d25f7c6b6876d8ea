//! Each format is read back by a parser that is not ours, or a strict one by the format's own specification, and says what
//! the JSON says. Nothing of what writes it helps to read it.

mod github;
mod junit;
mod markdown;
mod ndjson;
mod prometheus;
mod tap;

use std::sync::LazyLock;

use housecall::check::Severity;
use housecall::report::{CheckReport, Report};

use regex::{Captures, Regex};

use super::chance::{each, each_hostile};

/// What controls, hides or turns text, or is no character at all, in Unicode's own words.
static STEERS: LazyLock<Regex> = LazyLock::new(|| {
    let classes = r"\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}";
    Regex::new(&format!(r"[{classes}&&[^\n\t]]")).expect("a pattern")
});

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
        let odd: String = text.chars().filter(|it| !matches!(it, ' '..='~' | '\n')).collect();
        assert!(!odd.contains('\t') && !STEERS.is_match(&odd), "{text:?}");
        let mut read = read(&text, report);
        read.units.sort();
        assert_eq!(read, expected(report), "{text}");
    };
    each(|_, report| one(report));
    each_hostile(one);
}

fn expected(report: &Report) -> Read {
    let name = |check: &CheckReport| match &check.subject {
        Some(subject) => shown(&format!("{}:{subject}", check.id)),
        None => shown(&check.id),
    };
    let mut units: Vec<_> = report.checks.iter().map(|it| (name(it), it.status.to_string())).collect();
    units.sort();
    Read { units, exit: report.exit().code() }
}

/// A name as docs/report.md has it: what steers is written escaped; it stands on one line, one space between its words.
pub(crate) fn shown(name: &str) -> String {
    let escape = |it: &Captures<'_>| {
        let character = it[0].chars().next().map_or(0, u32::from);
        format!("\\u{{{character:x}}}")
    };
    let words = STEERS.replace_all(name.trim_end(), escape);
    words.split_whitespace().collect::<Vec<_>>().join(" ")
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
