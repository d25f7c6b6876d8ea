//! What `install` installed, as it wrote it down, and the files that define jobs.
#![expect(clippy::disallowed_methods, reason = "probes are where files are read")]

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::ProbeError;
use crate::plain;
use crate::probes::machine::Machine;
use crate::services::{Job, Manager, Observed, Scope, manager_of};

/// The shape of `install.json` that this version writes and reads.
pub const SCHEMA: u32 = 1;
/// No definition of a job is as long.
const LIMIT: u64 = 1 << 20;

/// What is installed: `<state>/install.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    /// The version of this shape.
    pub schema: u32,
    /// When.
    pub at: Timestamp,
    /// The service manager that keeps the jobs.
    pub manager: String,
    /// What the definitions rest on.
    pub basis: Basis,
    /// The jobs, in the order in which they are loaded.
    pub jobs: Vec<Installed>,
    /// The files of others that were set aside for ours.
    #[serde(default)]
    pub adopted: Vec<Adopted>,
}

/// A job of ours that is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// What it does: "sync", "serve".
    pub name: String,
    /// The name that its manager knows it by.
    pub label: String,
    /// The files that define it.
    pub files: Vec<PathBuf>,
}

/// What definitions rest on beside the configuration: as it was when they were installed, so that whoever looks
/// later, from another shell or build, sees no difference where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// The stable path of this program.
    pub program: PathBuf,
    /// The user's language and base directories.
    pub variables: BTreeMap<String, String>,
}

/// A file of somebody else's, kept beside its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adopted {
    /// Its place.
    pub file: PathBuf,
    /// The service manager that knows it.
    pub manager: String,
    /// By that name.
    pub label: String,
    /// Whether it was loaded.
    pub was_loaded: bool,
}

/// Reads what is installed; `None`: nothing was.
///
/// # Errors
/// It is there and may not be read, makes no sense, or is a newer version's.
pub fn read(config: &Config) -> Result<Option<Installation>, ProbeError> {
    let path = config.install_file();
    let name = config.tilde(&path);
    let text = match plain::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ProbeError::failed(format!("read {name}"), &error)),
    };
    let value: serde_json::Value =
        serde_json::from_slice(&text).map_err(|error| ProbeError::unreadable(&*name, &error))?;
    match value.get("schema").and_then(serde_json::Value::as_u64) {
        Some(schema) if schema > u64::from(SCHEMA) => {
            Err(ProbeError::unreadable(name, &format!("it was written by a newer version, schema {schema}")))
        }
        _ => serde_json::from_value(value).map(Some).map_err(|error| ProbeError::unreadable(name, &error)),
    }
}

impl Installed {
    /// The job, by its manager's name for it.
    #[must_use]
    pub fn job(&self) -> Job {
        Job { name: self.name.clone(), label: self.label.clone(), scope: Scope::Agent, file: None }
    }
}

impl Adopted {
    /// The job, by its manager's name for it.
    #[must_use]
    pub fn job(&self) -> Job {
        let name = if self.label.contains("sync") { "sync" } else { "serve" };
        Job {
            name: name.to_owned(),
            label: self.label.clone(),
            scope: Scope::Agent,
            file: Some(self.file.clone()),
        }
    }
}

/// The text of a file that defines a job; `None`: there is none.
///
/// # Errors
/// It is there and cannot be read.
pub fn job_text(path: &Path) -> Result<Option<String>, ProbeError> {
    let failed =
        |error: &dyn std::fmt::Display| ProbeError::failed(format!("read {}", path.display()), error);
    match std::fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(&error)),
        Ok(found) if !found.is_file() || found.len() > LIMIT => {
            return Err(failed(&"it is no definition of a job"));
        }
        Ok(_) => {}
    }
    let bytes = plain::read(path).map_err(|error| failed(&error))?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// The installed job that serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeJob {
    /// Who keeps it.
    pub manager: &'static Manager,
    /// Its names.
    pub job: Job,
    /// What its manager knows of it.
    pub observed: Observed,
}

/// Asks the manager of the installed job that serves; `None`: none does.
///
/// # Errors
/// The manager is not known, or does not answer.
pub fn serve_job(
    machine: &Machine,
    config: &Config,
    installation: &Installation,
) -> Result<Option<ServeJob>, ProbeError> {
    let manager = manager_of(config)?;
    let Some(installed) = installation.jobs.iter().find(|it| it.name == "serve") else { return Ok(None) };
    let job = installed.job();
    let observed = (manager.observe)(machine, config, &job)?;
    Ok(Some(ServeJob { manager, job, observed }))
}

/// Whether a file may be written by its owner alone, as launchd demands.
#[must_use]
pub fn is_plain(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::symlink_metadata(path).is_ok_and(|it| it.is_file() && it.mode() & 0o7777 == 0o644)
}
