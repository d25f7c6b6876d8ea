//! Where a program is found on the declared PATH, and its version where it must be asked in its own way.
#![expect(clippy::disallowed_methods, reason = "probes are where files are read")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::Config;
use crate::error::ProbeError;
use crate::probes::machine::{Machine, Where};
use crate::probes::program::{self, Ended, Program, is_program};
use crate::probes::tools;

/// The first program of that name on the declared PATH; `None` where there is none.
///
/// # Errors
/// A volume on that PATH does not answer.
pub fn find(
    machine: &Machine,
    config: &Config,
    name: &str,
    deadline: Duration,
) -> Result<Option<PathBuf>, ProbeError> {
    for place in std::env::split_paths(&config.declared_path()) {
        let path = config.home.join(place).join(name);
        let is_there = match machine.guard(&path)? {
            Where::Here => is_program(&path),
            Where::InChild(mount) => {
                // The shell is here, and only its question enters the volume.
                let asking = Program {
                    argv: ["/bin/sh", "-c", "test -f \"$0\" && test -x \"$0\""].map(Into::into).to_vec(),
                    directory: None,
                    environment: std::collections::BTreeMap::new(),
                    deadline,
                    limit: 1 << 10,
                };
                let mut asking = asking;
                asking.argv.push(path.clone().into_os_string());
                match machine.in_child(&mount, &asking)?.ended {
                    Ended::Signal(signal) => {
                        let why = format!("signal {signal} ended the look");
                        return Err(ProbeError::failed(format!("look at {}", path.display()), &why));
                    }
                    Ended::Code(code) => code == 0,
                }
            }
        };
        if is_there {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// The same with its links resolved; itself where that cannot be done, or where its volume may hang.
#[must_use]
pub fn real(machine: &Machine, path: &Path) -> PathBuf {
    match machine.guard(path) {
        Ok(Where::Here) => path.canonicalize().unwrap_or_else(|_| path.to_owned()),
        _ => path.to_owned(),
    }
}

/// What a program says of its version: its output, or its complaints where it says nothing else.
///
/// # Errors
/// It cannot be run, fails, or does not answer in time.
pub fn said(machine: &Machine, path: &Path, program: &Program) -> Result<String, ProbeError> {
    let output = match machine.guard(path)? {
        Where::Here => program::run(program)?,
        Where::InChild(mount) => machine.in_child(&mount, program)?,
    };
    let failed = |why| ProbeError::failed(format!("ask {} for its version", path.display()), &why);
    tools::said(&output).map_err(failed)
}
