//! systemd: jobs as user units, observed and led through systemctl.
//!
//! A job that is run every so often is a timer with a oneshot service beside it, of one stem; whichever of both a
//! job's label names, both are meant. Whether a label has a timer is asked of systemd, never guessed.

mod act;
mod observe;
mod render;
pub mod show;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

use crate::config::Config;
use crate::error::ProbeError;
use crate::fixes::hands::commands::shell;
use crate::probes::program::{self, Ended, Output, Program};
use crate::services::{Job, Manager, Scope};

pub use act::linger;

/// The record of systemd.
pub static MANAGER: Manager = Manager {
    name: "systemd",
    render: render::render,
    observe: observe::observe,
    act: act::act,
    commands: act::commands,
};

/// The most that is kept of what systemctl says; two units with all that is asked have 4 KiB.
const LIMIT: usize = 1 << 20;

/// A job's units.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Units {
    /// What runs it.
    service: String,
    /// What would run the service by the clock; there need not be one.
    timer: Option<String>,
}

impl Units {
    /// Those that a label may mean.
    fn of(job: &Job) -> Self {
        let label = &job.label;
        let stem = label.strip_suffix(".service").or_else(|| label.strip_suffix(".timer"));
        match stem {
            Some(stem) => Self { service: format!("{stem}.service"), timer: Some(format!("{stem}.timer")) },
            // A socket, a path, a mount: it is what it is.
            None if label.contains('.') => Self { service: label.clone(), timer: None },
            None => Self { service: format!("{label}.service"), timer: Some(format!("{label}.timer")) },
        }
    }
}

/// Whether this system's own user manager answers: what `install` asks before it chooses systemd.
///
/// # Errors
/// There is no systemctl, or no manager that it can reach, in its words and in plain ones.
pub fn answers(config: &Config) -> Result<(), ProbeError> {
    systemctl(config, Scope::Agent, &["show", "--property=Version"], config.limits.timeout).map(drop)
}

/// Runs systemctl, untranslated; that it cannot reach its manager is no answer.
fn systemctl(
    config: &Config,
    scope: Scope,
    arguments: &[&str],
    deadline: Duration,
) -> Result<Output, ProbeError> {
    let whose = match scope {
        Scope::Agent => "--user",
        Scope::Daemon => "--system",
    };
    let opening = ["systemctl", whose, "--no-pager", "--no-ask-password"];
    let argv = opening.iter().chain(arguments).map(OsString::from).collect();
    let output = run(config, argv, deadline)?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    let away = ["Failed to connect to", "Failed to get D-Bus connection", "has not been booted with systemd"];
    if !output.succeeded() && away.iter().any(|it| complaint.contains(it)) {
        let first = complaint.lines().next().unwrap_or_default().trim();
        let why = match scope {
            Scope::Agent => format!(
                "{first}: no manager of this user's is in reach (over ssh and sudo there may be none: log in, or \
                 `loginctl enable-linger`)"
            ),
            Scope::Daemon => first.to_owned(),
        };
        return Err(ProbeError::failed("ask systemd", &why));
    }
    Ok(output)
}

/// What a person types to see the last lines that a job's service wrote to the journal.
#[must_use]
pub fn journal_command(job: &Job, lines: usize) -> String {
    format!("journalctl {}", journal_arguments(job, lines).map(|it| shell(&it)).join(" "))
}

/// The last lines that a job's service wrote to the journal, with their times.
///
/// # Errors
/// There is no journalctl, or it says why it cannot.
pub fn journal(config: &Config, job: &Job, lines: usize) -> Result<Vec<String>, ProbeError> {
    let arguments = journal_arguments(job, lines);
    let opening = ["journalctl", "--quiet", "--no-pager", "--output=short-iso"];
    let argv = opening.into_iter().chain(arguments.iter().map(String::as_str)).map(OsString::from).collect();
    let output = run(config, argv, config.limits.timeout)?;
    let text = String::from_utf8_lossy(&output.stdout);
    if text.trim().is_empty() && !output.stderr.is_empty() {
        return Err(ProbeError::failed("read the journal", &complaint(&output)));
    }
    Ok(text.lines().map(str::to_owned).collect())
}

/// Not `--user --unit`: that finds nothing where the journal is not split by user, as one kept in memory.
fn journal_arguments(job: &Job, lines: usize) -> [String; 2] {
    let unit = Units::of(job).service;
    let unit = match job.scope {
        Scope::Agent => format!("--user-unit={unit}"),
        Scope::Daemon => format!("--unit={unit}"),
    };
    [unit, format!("--lines={lines}")]
}

fn run(config: &Config, argv: Vec<OsString>, deadline: Duration) -> Result<Output, ProbeError> {
    let path = std::env::join_paths(&config.system_path)
        .map_err(|error| ProbeError::failed("look for systemctl on PATH", &error))?;
    let mut environment: BTreeMap<OsString, OsString> =
        config.environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
    environment.insert("PATH".into(), path);
    environment.insert("LC_ALL".into(), "C".into());
    environment.insert("SYSTEMD_COLORS".into(), "0".into());
    let program = Program { argv, directory: None, environment, deadline, limit: LIMIT };
    program::run_observed(&program, &mut |_| ())
}

/// The first thing that systemctl complained of, on one line.
fn complaint(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    match said.lines().map(str::trim).find(|it| !it.is_empty()) {
        Some(first) => first.trim_end_matches('.').to_owned(),
        None => match output.ended {
            Ended::Code(code) => format!("systemctl ended with exit status {code} and said nothing"),
            Ended::Signal(signal) => format!("systemctl was ended by signal {signal}"),
        },
    }
}
