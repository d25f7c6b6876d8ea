//! The one public, versioned shape; every format is a pure function of it.

pub mod github;
pub mod human;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod ndjson;
pub mod page;
pub mod plan;
pub mod prometheus;
pub mod style;
pub mod tap;
pub mod unstarted;
pub mod weight;
pub mod words;

mod plain;
mod redact;
mod repair;
mod translate;

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::Severity;
use crate::cli::Format;
use crate::config::Config;
use crate::exit::Exit;
use crate::fixes::Repair;
use crate::unit::Examined;

pub use repair::{RepairReport, RepairResult, SafetyReport, StepReport, StepResult};

/// The version of this shape, as its first key says it.
pub const SCHEMA: &str = "housecall.report/1";

/// All that one examination found, without secrets: `[redacted:WHAT]` stands for one, `~` for home. Keys and checks keep their order; keys may be added, none is taken away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// `housecall.report/1`.
    pub schema: String,
    /// Who says so.
    pub tool: ToolName,
    /// What was examined.
    pub mirror: MirrorName,
    /// When the examination began.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// What it comes to.
    pub verdict: Verdict,
    /// The severity from which a failure makes the mirror unhealthy.
    pub fail_on: Severity,
    /// How many checks ended how; they add up to the number of `checks`.
    pub counts: Counts,
    /// The failed units that no other failed unit explains, in chain order.
    pub causes: Vec<String>,
    /// Every unit, in chain order.
    pub checks: Vec<CheckReport>,
    /// What was mended, or could be.
    pub repairs: Vec<RepairReport>,
    /// What the human format says besides; no part of the promise.
    #[serde(skip)]
    pub about: About,
}

/// The program that wrote the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ToolName {
    /// `housecall`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The mirror that was examined, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MirrorName {
    /// Its name.
    pub name: String,
    /// Its configuration file.
    pub config: String,
    /// The name of this machine.
    pub host: String,
    /// Its system: `linux`, `macos`.
    pub os: String,
}

/// What an examination comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing failed at or above `fail_on`, and everything of that severity was seen.
    Healthy,
    /// Something failed at or above `fail_on`.
    Unhealthy,
    /// Nothing such failed, but something of that severity could not be seen or has not settled.
    Undetermined,
    /// The user stopped the mirror.
    Stopped,
}

/// How many units ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// They hold.
    pub pass: usize,
    /// Failures of severity `error`.
    pub fail: usize,
    /// Failures of severity `warning`.
    pub warn: usize,
    /// Failures of severity `info`.
    pub info: usize,
    /// They do not apply here.
    pub skip: usize,
    /// They are changing, within their own deadline.
    pub pending: usize,
    /// Something they rest on is broken, unknown or pending.
    pub blocked: usize,
    /// They could not be looked at.
    pub unknown: usize,
    /// Failures that the user lives with for now; they are counted nowhere else.
    #[serde(default)]
    pub accepted: usize,
}

/// One unit: a check about one subject.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckReport {
    /// The check's id, kept for ever.
    pub id: String,
    /// What it was looked at for, where the check has several subjects.
    pub subject: Option<String>,
    /// The link of the chain it belongs to, or the group that the configuration names.
    pub group: String,
    /// What holds when it passes.
    pub summary: String,
    /// How much a failure of it matters.
    pub severity: Severity,
    /// What became of it.
    pub status: Status,
    /// What a blocked unit saw all the same; `null` for all others, and where it was not looked at.
    pub seen: Option<SeenReport>,
    /// One sentence: the finding, the reason, or what a passing look learned.
    pub message: Option<String>,
    /// The facts behind it.
    pub evidence: Vec<EvidenceReport>,
    /// The unit that takes away its worth, for a blocked one.
    pub blocked_by: Option<String>,
    /// The fix that mends it.
    pub fix: Option<String>,
    /// How long the look took, in milliseconds.
    pub took_ms: f64,
    /// Names that the configuration gives it, by which several are selected.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Why its failure counts for nothing, and how long, where the configuration accepts it.
    #[serde(default)]
    pub accepted: Option<AcceptedReport>,
}

/// Why a failure counts for nothing, and how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AcceptedReport {
    /// Why the user lives with it.
    pub reason: String,
    /// The last day on which it counts for nothing, in UTC: `2026-12-31`.
    #[schemars(with = "String", extend("format" = "date"))]
    pub until: Date,
}

/// What became of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It holds.
    Pass,
    /// It does not hold.
    Fail,
    /// The question does not arise here.
    Skip,
    /// It is changing, within its own deadline.
    Pending,
    /// Something it rests on is broken, unknown or pending.
    Blocked,
    /// It could not be looked at, or the look crashed.
    Unknown,
}

/// What a blocked unit saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeenReport {
    /// What it would have been; never `blocked`.
    pub status: Status,
    /// What it would have said.
    pub message: Option<String>,
    /// The facts it saw.
    pub evidence: Vec<EvidenceReport>,
}

/// One fact with its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EvidenceReport {
    /// "expected", "actual", "who" …
    pub label: String,
    /// The fact: `kind` says how to read `value`.
    #[serde(flatten)]
    pub fact: FactReport,
}

/// A typed value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", content = "value", rename_all = "lowercase")]
pub enum FactReport {
    /// A file or directory, absolute; `~/…` beneath the home directory.
    Path(String),
    /// A process id.
    Pid(u32),
    /// A commit, full length.
    Sha(String),
    /// How long ago, or how long, in seconds.
    Age(f64),
    /// A size in bytes.
    Bytes(u64),
    /// A version, as the tool writes it.
    Version(String),
    /// An address.
    Url(String),
    /// A moment, ISO 8601 in UTC.
    Time(#[schemars(with = "String", extend("format" = "date-time"))] Timestamp),
    /// A command line that can be pasted.
    Command(String),
    /// Anything else.
    Text(String),
}

/// What the human format says besides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// Where the mirror answers.
    pub url: Option<String>,
    /// The worktree.
    pub worktree: Option<PathBuf>,
    /// What it follows: "origin/main".
    pub upstream: Option<String>,
    /// Since when the user has it stopped.
    pub stopped: Option<Timestamp>,
    /// The home directory, written `~`.
    pub home: PathBuf,
    /// The fixes whose next steps would need `--risky`.
    pub risky: Vec<&'static str>,
    /// The fixes that can do nothing now about what failed.
    pub idle: Vec<&'static str>,
    /// Whether nobody has allowed this configuration to run programs.
    pub untrusted: bool,
    /// Whether `--risky` was said where nobody can be asked.
    pub unasked: bool,
    /// How this program is called for this mirror: "housecall", or with `-C` or `--config`.
    pub command: String,
}

/// Writes a report in a format. The same findings are in each; the view counts for people only.
#[must_use]
pub fn render(report: &Report, format: Format, view: &human::View) -> String {
    match format {
        Format::Human => human::render(report, view),
        Format::Json => json::render(report),
        Format::Ndjson => ndjson::render(report),
        Format::Junit => junit::render(report),
        Format::Tap => tap::render(report),
        Format::Prometheus => prometheus::render(report),
        Format::Github => github::render(report),
        Format::Markdown => markdown::render(report),
    }
}

impl Report {
    /// Translates what the engine found. Severity overrides were applied when the units were selected.
    #[must_use]
    pub fn new(
        config: &Config,
        fail_on: Severity,
        examined: &[Examined],
        repairs: &[Repair],
        stopped: Option<Timestamp>,
        at: Timestamp,
        took: Duration,
    ) -> Self {
        translate::report(config, fail_on, examined, repairs, stopped, at, took)
    }

    /// The exit code: the same for every format and verb.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self.verdict {
            Verdict::Healthy => Exit::Healthy,
            Verdict::Unhealthy | Verdict::Stopped => Exit::Unhealthy,
            Verdict::Undetermined => Exit::Undetermined,
        }
    }
}

impl CheckReport {
    /// The unit's name: `id` or `id:subject`.
    #[must_use]
    pub fn unit(&self) -> String {
        self.subject.as_ref().map_or_else(|| self.id.clone(), |subject| format!("{}:{subject}", self.id))
    }

    /// Whether it saw a failure that counts, blocked or not.
    #[must_use]
    pub fn saw_failure(&self) -> bool {
        self.accepted.is_none() && self.found_failure()
    }

    /// Whether nothing that was looked at is against it, and not all of it is looked at, by its own words.
    #[must_use]
    pub fn is_unchecked(&self) -> bool {
        self.message.as_deref().is_some_and(|it| it.starts_with("its `unchecked` is not looked at: "))
    }

    /// Whether it saw a failure, accepted or not.
    fn found_failure(&self) -> bool {
        self.status == Status::Fail || self.seen.as_ref().is_some_and(|seen| seen.status == Status::Fail)
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Undetermined => "undetermined",
            Self::Stopped => "stopped",
        })
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Skip => "skip",
            Self::Pending => "pending",
            Self::Blocked => "blocked",
            Self::Unknown => "unknown",
        })
    }
}
