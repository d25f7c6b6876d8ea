//! A unit in plain lines, without colour or width, for the formats that carry text.

use super::human::{self, View, problem};
use super::style::Styles;
use super::words::{clean_line, took};
use super::{CheckReport, RepairReport, RepairResult, Report, Status, plan};

/// How far the human format indents what stands beneath a unit.
const INDENT: &str = "        ";

/// Writes the parts of one report.
#[derive(Debug)]
pub(super) struct Plain<'a> {
    report: &'a Report,
    view: View,
    hidden: problem::Hidden<'a>,
}

impl<'a> Plain<'a> {
    pub(super) fn new(report: &'a Report) -> Self {
        let view = View { width: Some(100_000), ..View::default() };
        Self { report, view, hidden: problem::hidden(report) }
    }

    /// What a unit comes to, in one sentence on one line.
    pub(super) fn sentence(&self, check: &CheckReport) -> String {
        let sentence = problem::sentence(check, self.report);
        match &check.accepted {
            Some(it) => format!("{sentence} (accepted until {}: {})", it.until, clean_line(&it.reason)),
            None => sentence,
        }
    }

    /// Why what is not well does not count.
    pub(super) fn lesser(&self, check: &CheckReport) -> String {
        match &check.accepted {
            Some(it) => format!("accepted until {}", it.until),
            None => format!("below --fail-on {}", self.report.fail_on),
        }
    }

    /// What proves it, what it hides or saw, and the way out: labelled lines, each ended.
    pub(super) fn body(&self, check: &CheckReport) -> String {
        let text = match check.status {
            Status::Blocked => human::saw(check, self.report, &self.view),
            Status::Pass | Status::Skip | Status::Fail | Status::Pending | Status::Unknown => {
                problem::body(check, self.report, &self.view, &self.hidden)
            }
        };
        let lines = text.lines().map(|line| format!("{}\n", line.strip_prefix(INDENT).unwrap_or(line)));
        lines.collect()
    }

    /// The sentence and what stands beneath it.
    pub(super) fn whole(&self, check: &CheckReport) -> String {
        format!("{}\n{}", self.sentence(check), self.body(check)).trim_end().to_owned()
    }

    /// The plan, where nothing was done; else what came of it. Empty where no mend was asked for.
    pub(super) fn repairs(&self) -> String {
        let repairs = &self.report.repairs;
        if repairs.is_empty() {
            return String::new();
        }
        if repairs.iter().all(|repair| repair.result == RepairResult::Proposed) {
            return plan::plan(repairs, &self.view);
        }
        plan::outcome(self.report, &self.view)
    }

    /// One repair: the commands that it would type, where nothing was done; else what came of it.
    pub(super) fn repair(&self, repair: &RepairReport) -> String {
        let lines = match repair.result {
            RepairResult::Proposed => repair.steps.iter().flat_map(plan::commands).collect(),
            RepairResult::Verified
            | RepairResult::StillFailing
            | RepairResult::Unverified
            | RepairResult::Refused
            | RepairResult::Failed => plan::told(repair, self.report),
        };
        lines.join("\n")
    }

    /// The verdict in one line, with its counts.
    pub(super) fn verdict(&self) -> String {
        human::last_line(self.report, Styles::default())
    }

    /// How a unit is told in one line.
    pub(super) fn line(&self, check: &CheckReport) -> String {
        format!("{} · {}", self.sentence(check), took(check.took_ms))
    }
}
