//! From what the engine found to what is promised: statuses, counts, causes and the verdict.

use std::time::Duration;

use jiff::Timestamp;

use super::weight::Weight;
use super::{
    About, AcceptedReport, CheckReport, Counts, EvidenceReport, FactReport, MirrorName, Report, SCHEMA,
    SeenReport, Status, ToolName, Verdict, redact, repair,
};
use crate::check::Severity;
use crate::config::{Config, Trust};
use crate::fixes::Repair;
use crate::probes::machine;
use crate::unit::Examined;
use crate::verdict::{self, Evidence, Fact, Outcome};

pub(super) fn report(
    config: &Config,
    fail_on: Severity,
    examined: &[Examined],
    repairs: &[Repair],
    stopped: Option<Timestamp>,
    at: Timestamp,
    took: Duration,
) -> Report {
    let checks: Vec<CheckReport> = examined.iter().map(check).collect();
    let is_cause = |check: &&CheckReport| check.status == Status::Fail && check.accepted.is_none();
    let mut report = Report {
        schema: SCHEMA.to_owned(),
        tool: ToolName { name: "housecall".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        mirror: MirrorName {
            name: config.name.clone(),
            config: config.file.display().to_string(),
            host: machine::host_name(),
            os: std::env::consts::OS.to_owned(),
        },
        at,
        took_ms: milliseconds(took),
        verdict: if stopped.is_some() { Verdict::Stopped } else { verdict(&checks, fail_on) },
        fail_on,
        counts: counts(&checks),
        causes: checks.iter().filter(is_cause).map(CheckReport::unit).collect(),
        checks,
        repairs: repairs.iter().map(repair::repair).collect(),
        about: About {
            url: config.server.as_ref().map(|server| format!("http://{}", server.listen)),
            worktree: config.mirror.as_ref().map(|mirror| mirror.worktree.clone()),
            upstream: config.mirror.as_ref().map(|mirror| mirror.upstream_name()),
            stopped,
            home: config.home.clone(),
            risky: Vec::new(),
            idle: Vec::new(),
            untrusted: config.trust == Trust::Untrusted,
            unasked: false,
            command: "housecall".to_owned(),
        },
    };
    redact::report(&mut report, &config.redactor);
    report
}

/// What the looks come to. What was *seen* counts: no block hides a failure at or above `fail_on`.
fn verdict(checks: &[CheckReport], fail_on: Severity) -> Verdict {
    let weighs = |what| checks.iter().any(|check| check.weight(fail_on) == what);
    if weighs(Weight::Fails) {
        return Verdict::Unhealthy;
    }
    let anything_passed = checks.iter().any(|check| check.status == Status::Pass);
    // A failure of lesser severity is settled too; only what could not be seen leaves the question open.
    if anything_passed && !weighs(Weight::Open) { Verdict::Healthy } else { Verdict::Undetermined }
}

fn counts(checks: &[CheckReport]) -> Counts {
    let mut counts = Counts::default();
    for check in checks {
        let count = match (check.status, check.severity) {
            (Status::Pass, _) => &mut counts.pass,
            (Status::Fail, _) if check.accepted.is_some() => &mut counts.accepted,
            (Status::Fail, Severity::Error) => &mut counts.fail,
            (Status::Fail, Severity::Warning) => &mut counts.warn,
            (Status::Fail, Severity::Info) => &mut counts.info,
            (Status::Skip, _) => &mut counts.skip,
            (Status::Pending, _) => &mut counts.pending,
            (Status::Blocked, _) => &mut counts.blocked,
            (Status::Unknown, _) => &mut counts.unknown,
        };
        *count += 1;
    }
    counts
}

fn check(examined: &Examined) -> CheckReport {
    let unit = &examined.unit;
    let mut blocked_by = None;
    let mut seen = None;
    let (status, message, evidence) = match &examined.outcome {
        Outcome::Blocked { by, seen: beneath } => {
            let (status, message, evidence) = said(beneath.seen());
            blocked_by = Some(by.to_string());
            if status != Status::Blocked {
                seen = Some(SeenReport { status, message, evidence });
            }
            let why = format!("what it saw is worth nothing before `{by}` passes");
            (Status::Blocked, Some(why), Vec::new())
        }
        Outcome::NotRun { by } => {
            blocked_by = Some(by.to_string());
            (Status::Blocked, Some(format!("not looked at before `{by}` passes")), Vec::new())
        }
        other => said(other),
    };
    CheckReport {
        id: unit.id.check.to_string(),
        subject: unit.id.subject.clone(),
        group: unit.group.to_string(),
        tags: unit.tags.to_vec(),
        summary: unit.summary.to_string(),
        severity: unit.severity,
        status,
        seen,
        message,
        evidence,
        accepted: accepted(&examined.outcome),
        blocked_by,
        fix: unit.fix.as_ref().map(|fix| fix.id().to_owned()),
        took_ms: milliseconds(examined.took),
    }
}

/// Why its failure counts for nothing, if it does.
fn accepted(outcome: &Outcome) -> Option<AcceptedReport> {
    match outcome.seen() {
        Outcome::Accepted { reason, until, .. } => {
            Some(AcceptedReport { reason: reason.clone(), until: *until })
        }
        _ => None,
    }
}

/// What became of a unit, for the repairs that touched it.
pub(super) fn status(outcome: &Outcome) -> Status {
    match outcome {
        Outcome::Blocked { .. } => Status::Blocked,
        other => said(other).0,
    }
}

/// The status, sentence and facts of a look, any block taken away.
fn said(outcome: &Outcome) -> (Status, Option<String>, Vec<EvidenceReport>) {
    use verdict::Verdict as Said;
    match outcome {
        Outcome::Judged(Said::Pass(facts)) => (Status::Pass, facts.note.clone(), all(&facts.evidence)),
        Outcome::Judged(Said::Fail(finding)) | Outcome::Accepted { finding, .. } => {
            (Status::Fail, Some(finding.message.clone()), all(&finding.evidence))
        }
        Outcome::Judged(Said::NotApplicable(why)) => (Status::Skip, Some(why.to_string()), Vec::new()),
        Outcome::Judged(Said::Pending { why, until }) => {
            let until = EvidenceReport { label: "until".to_owned(), fact: FactReport::Time(*until) };
            (Status::Pending, Some(why.to_string()), vec![until])
        }
        Outcome::Unknown(error) => (Status::Unknown, Some(error.to_string()), Vec::new()),
        Outcome::Crashed(panic) => (Status::Unknown, Some(format!("the check crashed: {panic}")), Vec::new()),
        Outcome::Blocked { seen, .. } => said(seen),
        Outcome::NotRun { .. } => (Status::Blocked, None, Vec::new()),
    }
}

fn all(evidence: &[Evidence]) -> Vec<EvidenceReport> {
    let one = |it: &Evidence| EvidenceReport { label: it.label.to_string(), fact: fact(&it.fact) };
    evidence.iter().map(one).collect()
}

fn fact(fact: &Fact) -> FactReport {
    match fact {
        Fact::Path(path) => FactReport::Path(path.display().to_string()),
        Fact::Pid(pid) => FactReport::Pid(*pid),
        Fact::Sha(sha) => FactReport::Sha(sha.clone()),
        Fact::Age(age) => FactReport::Age(milliseconds(*age) / 1_000.0),
        Fact::Bytes(bytes) => FactReport::Bytes(*bytes),
        Fact::Version(version) => FactReport::Version(version.clone()),
        Fact::Url(url) => FactReport::Url(url.clone()),
        Fact::Time(time) => FactReport::Time(*time),
        Fact::Command(command) => FactReport::Command(command.clone()),
        Fact::Text(text) => FactReport::Text(text.clone()),
    }
}

/// Milliseconds with three places: what a clock can tell, and no more digits than a reader wants.
#[expect(clippy::cast_precision_loss, reason = "2^53 microseconds are 285 years")]
pub(super) fn milliseconds(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1_000.0
}
