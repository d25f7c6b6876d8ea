//! `events.log`: one decision a line, in logfmt, for people and scripts. It never breaks a mend.
#![expect(clippy::disallowed_methods, reason = "hands write")]

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::time::Duration;

use crate::config::Config;
use crate::error::human_duration;
use crate::fixes::hands::files;
use crate::probes::clock;

/// The write that would exceed this rotates first.
const LIMIT: u64 = 5 << 20;

/// One decision.
#[derive(Debug, Clone, Default)]
pub struct Decision<'a> {
    /// What kind: "mend", "sync".
    pub ev: &'a str,
    /// What it is about: a fix, a unit.
    pub subject: Option<&'a str>,
    /// What was done.
    pub action: Option<&'a str>,
    /// What came of it.
    pub outcome: Option<&'a str>,
    /// The unit that was the reason to act.
    pub cause: Option<&'a str>,
    /// Why, in words.
    pub reason: Option<&'a str>,
    /// How long it took, or how old it is.
    pub age: Option<Duration>,
}

/// Adds a decision to `events.log`, as well as that goes.
pub fn record(config: &Config, decision: &Decision<'_>) {
    let path = config.state.join("events.log");
    let reason = decision.reason.map(|it| config.redactor.text(it));
    let decision = Decision { reason: reason.as_deref(), ..decision.clone() };
    let line = line(&clock::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(), &decision);
    let size = fs::symlink_metadata(&path).map_or(0, |it| it.len());
    if size > 0 && size + line.len() as u64 > LIMIT {
        let _ = files::shift(&path).and_then(|()| fs::rename(&path, files::numbered(&path, 1)));
    }
    let _ = files::open_private(&path).and_then(|mut file| file.write_all(line.as_bytes()));
}

/// The line of a decision: `ts` first, then its parts in order, absent ones dropped.
#[must_use]
pub fn line(time: &str, decision: &Decision<'_>) -> String {
    let age = decision.age.map(human_duration);
    let parts = [
        ("ev", Some(decision.ev)),
        ("subject", decision.subject),
        ("action", decision.action),
        ("outcome", decision.outcome),
        ("cause", decision.cause),
        ("reason", decision.reason),
        ("age", age.as_deref()),
    ];
    let mut line = format!("ts={time}");
    for (key, value) in parts {
        if let Some(value) = value {
            let _ = write!(line, " {key}={}", quoted(value));
        }
    }
    line.push('\n');
    line
}

fn quoted(value: &str) -> String {
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let plain = !value.is_empty() && !value.contains(|it: char| it.is_whitespace() || it == '=' || it == '"');
    if plain { escaped } else { format!("\"{escaped}\"") }
}
