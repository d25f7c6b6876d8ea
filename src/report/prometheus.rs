//! Metrics for the textfile collector of Prometheus' node exporter: one whole, valid file.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::words::is_dangerous;
use super::{RepairReport, RepairResult, Report, SafetyReport, Status, Verdict};

const HEALTHY: &str = "Whether the mirror is healthy: 1, else 0.";
const EXIT_CODE: &str = "The exit code of the examination.";

/// Every verdict, so that each is a series that is 0 or 1.
const VERDICTS: [Verdict; 4] =
    [Verdict::Healthy, Verdict::Unhealthy, Verdict::Undetermined, Verdict::Stopped];

/// What stands in the place of a report where nothing can be examined: an empty file would end the alarm.
#[must_use]
pub fn cannot_start() -> String {
    let mut text = String::new();
    for (name, help, value) in [("housecall_healthy", HEALTHY, 0), ("housecall_exit_code", EXIT_CODE, 2)] {
        family(&mut text, name, help);
        let _ = writeln!(text, "{name}{{mirror=\"\"}} {value}");
    }
    text
}

/// Writes a report. Each series carries the mirror's name, so that files of several mirrors stand side by side.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut text = String::new();
    let mirror = format!("mirror={}", quoted(&report.mirror.name));
    let mut one = |name: &str, help: &str, value: &dyn std::fmt::Display| {
        family(&mut text, name, help);
        let _ = writeln!(text, "{name}{{{mirror}}} {value}");
    };
    one("housecall_healthy", HEALTHY, &u8::from(report.verdict == Verdict::Healthy));
    one("housecall_exit_code", EXIT_CODE, &report.exit().code());
    one("housecall_took_seconds", "How long the examination took.", &(report.took_ms / 1_000.0));
    one("housecall_timestamp_seconds", "When the examination began, in Unix time.", &report.at.as_second());

    let name = "housecall_info";
    family(&mut text, name, "The program that examined; always 1.");
    let version = quoted(&report.tool.version);
    let fail_on = report.fail_on;
    let _ = writeln!(text, "{name}{{{mirror},version={version},fail_on=\"{fail_on}\"}} 1");

    let name = "housecall_verdict";
    family(&mut text, name, "What the examination comes to: 1 for the verdict that holds, else 0.");
    for verdict in VERDICTS {
        let holds = u8::from(report.verdict == verdict);
        let _ = writeln!(text, "{name}{{{mirror},verdict=\"{verdict}\"}} {holds}");
    }

    let name = "housecall_checks";
    family(
        &mut text,
        name,
        "How many checks ended how; fail, warn and info are failures by severity that nobody accepted.",
    );
    let it = report.counts;
    for (status, count) in [
        ("pass", it.pass),
        ("fail", it.fail),
        ("warn", it.warn),
        ("info", it.info),
        ("accepted", it.accepted),
        ("skip", it.skip),
        ("pending", it.pending),
        ("blocked", it.blocked),
        ("unknown", it.unknown),
    ] {
        let _ = writeln!(text, "{name}{{{mirror},status=\"{status}\"}} {count}");
    }

    let name = "housecall_check_status";
    family(
        &mut text,
        name,
        "What became of a check, named by its labels; always 1. What a blocked one saw is seen.",
    );
    for check in &report.checks {
        let (id, group) = (unit(check), quoted(&check.group));
        let seen = check.seen.as_ref().map(|it| it.status.to_string()).unwrap_or_default();
        let (severity, status) = (check.severity, check.status);
        let accepted = check.accepted.is_some();
        let _ = writeln!(
            text,
            "{name}{{{mirror},{id},group={group},severity=\"{severity}\",status=\"{status}\",seen=\"{seen}\",accepted=\"{accepted}\"}} 1"
        );
    }
    let name = "housecall_check_took_seconds";
    family(&mut text, name, "How long the look of a check took.");
    for check in report.checks.iter().filter(|check| was_looked_at(check.status, check.seen.is_some())) {
        let _ = writeln!(text, "{name}{{{mirror},{}}} {}", unit(check), check.took_ms / 1_000.0);
    }
    repairs(&mut text, &mirror, &report.repairs);
    text
}

/// How many repairs of each fix ended how.
fn repairs(text: &mut String, mirror: &str, repairs: &[RepairReport]) {
    if repairs.is_empty() {
        return;
    }
    let name = "housecall_repairs";
    family(text, name, "How many repairs ended how.");
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for repair in repairs {
        let safety = match repair.safety {
            SafetyReport::Safe => "safe",
            SafetyReport::Risky => "risky",
        };
        let result = match repair.result {
            RepairResult::Proposed => "proposed",
            RepairResult::Verified => "verified",
            RepairResult::StillFailing => "still-failing",
            RepairResult::Unverified => "unverified",
            RepairResult::Refused => "refused",
            RepairResult::Failed => "failed",
        };
        let labels = format!("fix={},safety=\"{safety}\",result=\"{result}\"", quoted(&repair.fix));
        *counted.entry(labels).or_default() += 1;
    }
    for (labels, count) in counted {
        let _ = writeln!(text, "{name}{{{mirror},{labels}}} {count}");
    }
}

fn family(text: &mut String, name: &str, help: &str) {
    let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n");
}

fn unit(check: &super::CheckReport) -> String {
    let subject = check.subject.as_deref().unwrap_or_default();
    format!("id={},subject={}", quoted(&check.id), quoted(subject))
}

fn was_looked_at(status: Status, saw_something: bool) -> bool {
    match status {
        Status::Pass | Status::Fail | Status::Skip | Status::Pending | Status::Unknown => true,
        Status::Blocked => saw_something,
    }
}

/// A label's value: a backslash, a quote and a line break are escaped, whatever steers a terminal is shown. All else
/// stays as it is, so that two subjects are never one series.
fn quoted(text: &str) -> String {
    let mut label = "\"".to_owned();
    for character in text.chars() {
        match character {
            '\n' => label.push_str("\\n"),
            '\t' => label.push(' '),
            '\\' | '"' => label.extend(['\\', character]),
            other if is_dangerous(other) => {
                let _ = write!(label, "\\\\u{{{:x}}}", u32::from(other));
            }
            other => label.push(other),
        }
    }
    label + "\""
}
