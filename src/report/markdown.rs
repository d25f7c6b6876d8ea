//! Markdown, to be pasted into an issue: the verdict, what is not well with its evidence, the rest folded.
//!
//! Whatever comes from outside stands in a code span or a fenced block whose fence is longer than any in it: there
//! neither HTML, links, mentions, tables nor lists mean anything.

use std::fmt::Write as _;

use super::plain::Plain;
use super::weight::Weight;
use super::words::{clean, clean_line};
use super::{CheckReport, Report, Status};

/// The most that one step's summary may have at GitHub, in bytes; a little is left for what says that it was cut.
pub const SUMMARY: usize = 1024 * 1024 - 1024;

/// Writes a report.
#[must_use]
pub fn render(report: &Report) -> String {
    render_within(report, usize::MAX)
}

/// What stands in the place of a report where nothing can be examined.
#[must_use]
pub fn cannot_start(whole: &str) -> String {
    format!("## misconfigured: nothing was examined\n\n{}", fenced(whole, ""))
}

/// Writes a report in about that many bytes: what is not well first, and how much was left out.
#[must_use]
pub fn render_within(report: &Report, most: usize) -> String {
    let plain = Plain::new(report);
    let mut text = format!("## {}\n\n", plain.verdict());
    let _ = writeln!(text, "- mirror {}", span(&report.mirror.name));
    let (tool, at, fail_on) = (&report.tool, report.at, report.fail_on);
    let _ = writeln!(
        text,
        "- {} {} on {}, {at:.0}, fail on {fail_on}",
        tool.name,
        span(&tool.version),
        span(&report.mirror.os)
    );
    if let Some(why) = report.beside_the_units() {
        let _ = writeln!(text, "- {why}");
    }
    let repairs = plain.repairs();
    if !repairs.is_empty() {
        let _ = write!(text, "\n### Repairs\n\n{}", fenced(&repairs, ""));
    }
    let (told, calm): (Vec<&CheckReport>, Vec<&CheckReport>) =
        report.checks.iter().partition(|check| match check.status {
            Status::Fail | Status::Pending | Status::Unknown => true,
            Status::Blocked => check.weight(report.fail_on) == Weight::Fails,
            Status::Pass | Status::Skip => false,
        });
    let (mut left_out, all) = (0, told.is_empty());
    if !told.is_empty() {
        text.push_str("\n### Not well\n\n");
    }
    for check in told {
        let block = problem(check, &plain);
        if text.len() + block.len() > most {
            left_out += 1;
        } else {
            text.push_str(&block);
        }
    }
    if !calm.is_empty() {
        let _ = write!(
            text,
            "\n<details>\n<summary>{} {}</summary>\n\n",
            if all { "All" } else { "The other" },
            calm.len()
        );
        for check in calm {
            let line = format!("- {} {}\n", head(check), span(&plain.line(check)));
            if text.len() + line.len() > most {
                left_out += 1;
            } else {
                text.push_str(&line);
            }
        }
        text.push_str("\n</details>\n");
    }
    if left_out > 0 {
        let _ = write!(text, "\n{left_out} more are left out here, for want of room.\n");
    }
    text
}

fn problem(check: &CheckReport, plain: &Plain<'_>) -> String {
    format!("- {}\n\n{}\n", head(check), fenced(&plain.whole(check), "  "))
}

/// Its status, name and weight.
fn head(check: &CheckReport) -> String {
    let (status, unit, severity) = (check.status, span(&check.unit()), check.severity);
    let by = check.blocked_by.as_deref().map(|by| format!(", blocked by {}", span(by)));
    let accepted = if check.accepted.is_some() { ", accepted" } else { "" };
    format!("**{status}** {unit} ({severity}{accepted}{})", by.unwrap_or_default())
}

/// One line as code.
fn span(text: &str) -> String {
    let text = clean_line(text);
    let fence = "`".repeat(longest_run(&text) + 1);
    if text.is_empty() {
        return String::new();
    }
    // A space is taken away at both ends; without it a backtick there would join the fence.
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// Several lines as code, each indented to stand in its list.
fn fenced(text: &str, indent: &str) -> String {
    let text = clean(text);
    let fence = "`".repeat((longest_run(&text) + 1).max(3));
    let mut block = format!("{indent}{fence}text\n");
    for line in text.lines() {
        let _ = writeln!(block, "{}", format!("{indent}{line}").trim_end());
    }
    let _ = writeln!(block, "{indent}{fence}");
    block
}

/// How many backticks stand side by side at most.
fn longest_run(text: &str) -> usize {
    text.split(|it| it != '`').map(str::len).max().unwrap_or(0)
}
