//! Parameters of the running kernel.
#![expect(clippy::disallowed_methods, reason = "probes are where the machine is read")]

use std::io::ErrorKind;
use std::time::Duration;

use crate::error::ProbeError;
use crate::probes::program::{self, Program};

/// The value of a parameter, its parts a space apart; `None` where there is none of that name.
///
/// # Errors
/// It may not be read, or the kernel does not tell.
pub fn parameter(key: &str, deadline: Duration) -> Result<Option<String>, ProbeError> {
    let value = if cfg!(target_os = "macos") { asked(key, deadline)? } else { read(key)? };
    Ok(value.map(|it| it.split_whitespace().collect::<Vec<_>>().join(" ")))
}

/// Linux: a file; of the dots and slashes in a name each stands for the other, as `sysctl` has it.
fn read(key: &str) -> Result<Option<String>, ProbeError> {
    let first = key.find(['.', '/']).and_then(|at| key[at..].chars().next());
    let swapped = |it| match it {
        '.' => '/',
        '/' => '.',
        other => other,
    };
    let place = if first == Some('/') { key.to_owned() } else { key.chars().map(swapped).collect() };
    match std::fs::read_to_string(format!("/proc/sys/{place}")) {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(ProbeError::failed(format!("read the kernel's {key}"), &error)),
    }
}

/// macOS: only `sysctl` knows how each value is to be read.
fn asked(key: &str, deadline: Duration) -> Result<Option<String>, ProbeError> {
    let program = Program {
        argv: ["/usr/sbin/sysctl", "-n", "--", key].map(Into::into).to_vec(),
        directory: None,
        environment: [("LC_ALL".into(), "C".into())].into(),
        deadline,
        limit: 1 << 20,
    };
    let output = program::run(&program)?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    match output.succeeded() {
        true => Ok(Some(String::from_utf8_lossy(&output.stdout).into_owned())),
        false if complaint.contains("unknown oid") => Ok(None),
        false => Err(ProbeError::failed(format!("ask for the kernel's {key}"), &complaint.trim())),
    }
}
