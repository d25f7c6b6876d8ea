//! The file of a job before launchd is asked to read it: what it would refuse is refused while the old job still runs.
#![expect(clippy::disallowed_methods, reason = "hands read what they load, and make the folders of its logs")]

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use plist::Value;

use super::file_of;
use crate::check::Severity;
use crate::config::Config;
use crate::error::StepError;
use crate::lint::{self, Place};
use crate::plain;
use crate::services::Job;

/// Looks at the file as launchd would, and makes the folders of its logs, which launchd opens before it starts anything.
pub(super) fn ready(config: &Config, job: &Job) -> Result<PathBuf, StepError> {
    let path = file_of(config, job);
    let name = config.tilde(&path);
    let refused = |why: &dyn std::fmt::Display| Err(StepError::Refused(format!("{name} {why}")));
    let bytes = match plain::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return refused(&"is not there"),
        Err(error) => return refused(&format!("cannot be read: {error}")),
    };
    let metadata = fs::metadata(&path).map_err(|error| StepError::failed(format!("read {name}"), &error))?;
    if metadata.mode() & 0o022 != 0 {
        return refused(&"may be written by others, so launchd refuses it: chmod 644");
    }
    if metadata.uid() != 0 && metadata.uid() != rustix::process::geteuid().as_raw() {
        return refused(&"belongs to another user, so launchd refuses it");
    }
    let findings = match lint::lint(&name, &bytes, &Place::Elsewhere) {
        Ok(findings) => findings,
        Err(error) => return refused(&format!("is no job: {error}")),
    };
    if let Some(worst) = findings.iter().find(|it| it.severity == Severity::Error) {
        let line = worst.line.map_or_else(String::new, |line| format!(", line {line}"));
        return refused(&format!("is nothing that launchd takes{line}: {}", worst.message));
    }
    let root = plist::from_bytes::<Value>(&bytes).ok();
    let text = |key: &str| root.as_ref()?.as_dictionary()?.get(key)?.as_string();
    if let Some(label) = text("Label")
        && label != job.label
    {
        return refused(&format!("is the job `{label}`, not `{}`", job.label));
    }
    for key in ["StandardOutPath", "StandardErrorPath"] {
        let folder =
            text(key).and_then(|it| Path::new(it).parent()).filter(|it| it.starts_with(&config.home));
        if let Some(folder) = folder {
            // What cannot be made is told by the job's own failure, which names the path.
            let _ = fs::create_dir_all(folder);
        }
    }
    Ok(path)
}
