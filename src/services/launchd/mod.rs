//! launchd: jobs as property lists, observed and led through launchctl's modern verbs alone.
//!
//! Whatever `launchctl` is on PATH is believed to be launchd's, on any system. `load`, `unload`, `start` and `stop` exit
//! with 0 whatever happened, so they are never used.

pub mod exit_codes;
pub mod print;
mod act;
mod file;
mod observe;
mod render;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::Config;
use crate::error::ProbeError;
use crate::probes::program::{self, Ended, Output, Program};
use crate::services::{Job, Manager, Scope};

/// The record of launchd.
pub static MANAGER: Manager = Manager {
    name: "launchd",
    render: render::render,
    observe: observe::observe,
    act: act::act,
    commands: act::commands,
};

/// The most that is kept of what launchctl says; the longest recorded output has 8 KiB.
const LIMIT: usize = 1 << 20;

/// The service-target of a job: `gui/501/me.site.localhost-serve`.
#[must_use]
pub fn target(job: &Job) -> String {
    format!("{}/{}", domain(job.scope), job.label)
}

/// The domain of a scope: `gui/501`, `system`.
#[must_use]
pub fn domain(scope: Scope) -> String {
    match scope {
        Scope::Agent => format!("gui/{}", rustix::process::geteuid().as_raw()),
        Scope::Daemon => "system".to_owned(),
    }
}

/// Where the file of a job is by convention, unless it is known to be elsewhere.
#[must_use]
pub fn file_of(config: &Config, job: &Job) -> PathBuf {
    job.file.clone().unwrap_or_else(|| {
        let folder = match job.scope {
            Scope::Agent => config.home.join("Library/LaunchAgents"),
            Scope::Daemon => PathBuf::from("/Library/LaunchDaemons"),
        };
        folder.join(format!("{}.plist", job.label))
    })
}

/// Runs launchctl, untranslated.
fn launchctl(config: &Config, arguments: &[&str], deadline: Duration) -> Result<Output, ProbeError> {
    let path = std::env::join_paths(&config.system_path)
        .map_err(|error| ProbeError::failed("look for launchctl on PATH", &error))?;
    let mut environment: BTreeMap<OsString, OsString> =
        config.environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
    environment.insert("PATH".into(), path);
    environment.insert("LC_ALL".into(), "C".into());
    let argv = ["launchctl"].iter().chain(arguments).map(OsString::from).collect();
    let program = Program { argv, directory: None, environment, deadline, limit: LIMIT };
    program::run_observed(&program, &mut |_| ())
}

/// What it said, complaints last.
fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    let parts = [text(&output.stdout), text(&output.stderr)];
    parts.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Why launchctl refused, in its words and in plain ones.
fn complaint(verb: &str, output: &Output) -> String {
    match output.ended {
        Ended::Signal(signal) => format!("launchctl {verb} was ended by signal {signal}"),
        Ended::Code(code) => match exit_codes::launchctl(code) {
            Some(exit_codes::Meaning { words, meaning: Some(meaning), .. }) => {
                format!("launchctl {verb} says {code}, \"{words}\": {meaning}")
            }
            Some(exit_codes::Meaning { words, .. }) => format!("launchctl {verb} says {code}, \"{words}\""),
            None => {
                let said = said(output);
                let last = said.lines().last().unwrap_or("nothing more");
                format!("launchctl {verb} ended with {code}: {last}")
            }
        },
    }
}
