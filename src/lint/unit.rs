//! systemd's units, as `systemd-analyze verify` judges them.
//!
//! systemd knows its own keys best, so nothing is judged twice: its lines become findings. What it ignores is
//! a warning, what it refuses an error. A program that is not on this machine counts for installed units only.

use std::path::Path;

use super::{Finding, Severity};
use crate::selection::nearest;

/// What systemd calls its units' files.
const KINDS: [&str; 8] = ["service", "timer", "socket", "path", "target", "mount", "automount", "slice"];

/// Keys that are often written, for "did you mean".
const KEYS: [&str; 48] = [
    "Description",
    "Documentation",
    "After",
    "Before",
    "Requires",
    "Wants",
    "PartOf",
    "BindsTo",
    "Conflicts",
    "OnFailure",
    "StartLimitIntervalSec",
    "StartLimitBurst",
    "ConditionPathExists",
    "Type",
    "ExecStart",
    "ExecStartPre",
    "ExecStartPost",
    "ExecStop",
    "ExecStopPost",
    "ExecReload",
    "Restart",
    "RestartSec",
    "TimeoutStartSec",
    "TimeoutStopSec",
    "RuntimeMaxSec",
    "RemainAfterExit",
    "KillMode",
    "KillSignal",
    "PIDFile",
    "User",
    "Group",
    "UMask",
    "Nice",
    "WorkingDirectory",
    "Environment",
    "EnvironmentFile",
    "StandardInput",
    "StandardOutput",
    "StandardError",
    "SyslogIdentifier",
    "SuccessExitStatus",
    "WantedBy",
    "RequiredBy",
    "OnCalendar",
    "OnBootSec",
    "OnUnitActiveSec",
    "Persistent",
    "AccuracySec",
];

/// Whether a file of this name is a systemd unit.
#[must_use]
pub fn is_unit(path: &Path) -> bool {
    path.extension().and_then(|it| it.to_str()).is_some_and(|it| KINDS.contains(&it))
}

/// Whether systemd loads units from where this one lies.
#[must_use]
pub fn is_installed(path: &Path, home: &Path) -> bool {
    let system =
        ["/etc/systemd", "/run/systemd", "/usr/lib/systemd", "/lib/systemd", "/usr/local/lib/systemd"];
    let user = [".config/systemd/user", ".local/share/systemd/user"];
    system.iter().any(|it| path.starts_with(it)) || user.iter().any(|it| path.starts_with(home.join(it)))
}

/// Makes findings of what `systemd-analyze verify` said of this file.
#[must_use]
pub fn findings(path: &Path, is_installed: bool, said: &str) -> Vec<Finding> {
    let (whole, name) = (path.to_string_lossy(), path.file_name().unwrap_or_default().to_string_lossy());
    let mut findings: Vec<Finding> = said.lines().filter_map(|line| finding(&whole, &name, line)).collect();
    findings.retain(|it| is_installed || it.code != "program-missing");
    if findings.is_empty() && said.contains(&format!("Unit {name} has a bad unit file setting")) {
        findings.push(plain(Severity::Error, "bad-unit", None, "systemd refuses this unit".into()));
    }
    findings.sort_by_key(|it| (it.line, std::cmp::Reverse(it.severity)));
    findings.dedup();
    findings
}

fn finding(whole: &str, name: &str, line: &str) -> Option<Finding> {
    if let Some(rest) = line.strip_prefix(whole).and_then(|it| it.strip_prefix(':')) {
        let (number, message) = rest.split_once(':')?;
        let message = message.trim().trim_end_matches('.');
        let mut found = plain(Severity::Warning, "bad-value", number.parse().ok(), message.to_owned());
        if let Some(key) = unknown_key(message) {
            found.code = "unknown-key";
            // A real key that is unknown here stands in the wrong section.
            found.suggestion = nearest(key, KEYS.iter().map(|&it| it.to_owned())).filter(|it| it != key);
            found.key = Some(key.to_owned());
        } else if !message.contains("ignoring") {
            found.severity = Severity::Error;
        }
        return Some(found);
    }
    let message = line.strip_prefix(name)?.strip_prefix(':')?.trim().trim_end_matches('.');
    let is_about_program = message.contains("is not executable");
    let code = if is_about_program { "program-missing" } else { "bad-unit" };
    Some(plain(Severity::Error, code, None, message.to_owned()))
}

/// `Unknown key 'Restrt' in section [Service], ignoring.`; newer ones say `Unknown key name`.
fn unknown_key(message: &str) -> Option<&str> {
    let rest = message.strip_prefix("Unknown key ")?;
    rest.split('\'').nth(1)
}

const fn plain(severity: Severity, code: &'static str, line: Option<usize>, message: String) -> Finding {
    Finding { severity, code, key: None, line, message, suggestion: None }
}
