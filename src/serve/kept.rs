//! The two children of a keeper, each in a process group of its own, their output in logs that stay bounded.
#![expect(clippy::disallowed_methods, reason = "the keeper starts its children here")]

use std::fs::File;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::config::Config;
use crate::error::StepError;
use crate::fixes::hands::files;
use crate::probes::{built, clock, processes};
use crate::serve::{group, own_program};

/// A running child.
#[derive(Debug)]
pub(super) struct Role {
    child: Child,
    /// What tells it from another process of the same id.
    pub(super) identity: u64,
    /// When it was started.
    pub(super) at: Timestamp,
    /// A digest of all that the configuration said of the server then.
    pub(super) settings: String,
    started: Instant,
}

impl Role {
    /// Starts this program with that verb, for that configuration.
    pub(super) fn start(config: &Config, verb: &'static str) -> Result<Self, StepError> {
        let failed =
            |error: &dyn std::fmt::Display| StepError::failed(format!("start `housecall {verb}`"), error);
        let log = open_log(config, verb).map_err(|error| failed(&error))?;
        let errors = log.try_clone().map_err(|error| failed(&error))?;
        let mut child = Command::new(own_program()?)
            .arg(verb)
            .args((verb == "sync").then_some("--patient"))
            .arg("--config")
            .arg(&config.file)
            .current_dir(&config.state)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .map_err(|error| failed(&error))?;
        let identity = match processes::read(child.id()) {
            Ok(process) => process.map_or(0, |it| it.identity),
            Err(error) => {
                // Without its identity it could not be told from another one later.
                let _ = group::end(child.id(), || ());
                let _ = child.wait();
                return Err(error.into());
            }
        };
        let settings = built::settings(config);
        Ok(Self { child, identity, at: clock::now(), settings, started: clock::instant() })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// How it ended, if it has: "exit 1", "signal 9".
    pub(super) fn ended(&mut self) -> Option<String> {
        self.child.try_wait().ok().flatten().map(words)
    }

    /// Ends it and all that is left of its group.
    pub(super) fn end(mut self) -> Result<(), StepError> {
        let pid = self.pid();
        group::end(pid, || drop(self.child.try_wait()))
    }

    /// Waits until it has ended by itself, for no longer than that.
    pub(super) fn wait(&mut self, patience: Duration) -> bool {
        let start = clock::instant();
        while start.elapsed() < patience {
            if self.ended().is_some() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

/// Opens the log of a role, rotated if it is long, with a line that says when this start was.
pub(super) fn open_log(config: &Config, role: &str) -> std::io::Result<File> {
    let mut log = files::open_log(&config.log_file(role))?;
    // One that cannot be written to, on a full disk, is no reason not to serve.
    let _ = writeln!(log, "--- housecall start {}", clock::now());
    Ok(log)
}

pub(super) fn is_there(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

fn words(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "an unknown end".to_owned(),
    }
}
