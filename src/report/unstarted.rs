//! What stands in the place of a report where nothing can be examined (exit code 2), in the formats of which silence would
//! be taken for health.

use std::fmt::Write as _;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::words::{clean, clean_line};
use super::{Format, github, markdown, prometheus};

/// Why nothing can be examined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// One sentence.
    pub why: String,
    /// Where in the configuration, if it is there.
    pub place: Option<Place>,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, as its reader finds it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The character in it, from 1.
    pub column: usize,
}

/// Writes a whole, small document that is red; nothing in a format that people or programs read with the exit code.
///
/// `whole` is all that people are told of it.
#[must_use]
pub fn render(format: Format, obstacles: &[Obstacle], whole: &str) -> String {
    let first = obstacles.first().map(ToString::to_string).unwrap_or_default();
    match format {
        Format::Prometheus => prometheus::cannot_start(),
        Format::Github => obstacles.iter().map(github::cannot_start).collect(),
        Format::Tap => format!("TAP version 14\nBail out! {}\n", clean_line(&first)),
        Format::Junit => junit(&first, whole),
        Format::Markdown => markdown::cannot_start(whole),
        Format::Human | Format::Json | Format::Ndjson => String::new(),
    }
}

impl std::fmt::Display for Obstacle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.why)?;
        match &self.place {
            Some(Place { file, line, column }) => write!(f, " ({file}:{line}:{column})"),
            None => Ok(()),
        }
    }
}

/// One case, which is an error.
fn junit(first: &str, whole: &str) -> String {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_message(clean_line(first)).set_type("misconfigured").set_description(clean(whole));
    let mut case = TestCase::new("configuration", status);
    case.set_classname("housecall");
    let mut suite = TestSuite::new("housecall");
    suite.add_test_case(case);
    let mut document = quick_junit::Report::new("housecall");
    document.add_test_suite(suite);
    let mut text = String::new();
    match document.to_string() {
        Ok(document) => text.push_str(&document),
        // Nothing is written but to memory, which cannot fail; if it does, it is no empty, green document.
        Err(_) => {
            let _ = writeln!(text, "<testsuites errors=\"1\"/>");
        }
    }
    text
}
