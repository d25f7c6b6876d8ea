//! A JSON document a line: the report as a stream, for tools that read line by line.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CheckReport, Counts, MirrorName, RepairReport, Report, ToolName, Verdict, json};
use crate::check::Severity;

/// The version of these lines, as the first one says it.
pub const SCHEMA: &str = "housecall.lines/1";

/// One line: `type` says which. A stream that does not end with a `summary` is torn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Line {
    /// The first line: what is examined, by whom, and when.
    Report(Opening),
    /// A unit, after judgement; in chain order.
    Unit(UnitLine),
    /// What was mended, or could be.
    Repair(RepairReport),
    /// The last line: what it comes to.
    Summary(Closing),
}

/// What is examined, by whom, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Opening {
    /// `housecall.lines/1`.
    pub schema: String,
    /// Who says so.
    pub tool: ToolName,
    /// What was examined.
    pub mirror: MirrorName,
    /// When the examination began.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// The severity from which a failure makes the mirror unhealthy.
    pub fail_on: Severity,
}

/// A unit, with its whole name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UnitLine {
    /// `id`, or `id:subject`.
    pub unit: String,
    /// All that the JSON report says of it.
    #[serde(flatten)]
    pub check: CheckReport,
}

/// What it comes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Closing {
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// What it comes to.
    pub verdict: Verdict,
    /// The exit code.
    pub exit: u8,
    /// How many units ended how.
    pub counts: Counts,
    /// The failed units that no other failed unit explains, in chain order.
    pub causes: Vec<String>,
}

/// Writes a report.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut text = line(&Line::Report(Opening {
        schema: SCHEMA.to_owned(),
        tool: report.tool.clone(),
        mirror: report.mirror.clone(),
        at: report.at,
        fail_on: report.fail_on,
    }));
    for check in &report.checks {
        text.push_str(&line(&Line::Unit(UnitLine { unit: check.unit(), check: check.clone() })));
    }
    for repair in &report.repairs {
        text.push_str(&line(&Line::Repair(repair.clone())));
    }
    text + &line(&Line::Summary(Closing {
        took_ms: report.took_ms,
        verdict: report.verdict,
        exit: report.exit().code(),
        counts: report.counts,
        causes: report.causes.clone(),
    }))
}

/// One document on one line, harmless to a terminal.
fn line(line: &Line) -> String {
    let text = serde_json::to_string(line).unwrap_or_else(|error| {
        // Every part is a plain tree of texts and numbers, which cannot fail; if it does, it is said.
        serde_json::json!({ "type": "error", "error": error.to_string() }).to_string()
    });
    json::safe(&text)
}

/// The JSON schema of one line.
#[must_use]
pub fn schema() -> String {
    format!("{:#}\n", schemars::schema_for!(Line).to_value())
}
