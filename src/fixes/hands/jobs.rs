//! The files that define jobs: ours are written and removed, those of others are kept beside.
#![expect(clippy::disallowed_methods, reason = "hands write")]

use std::fs::{self, File, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::error::StepError;
use crate::fixes::hands::files;
use crate::probes::installation::{Installation, job_text};
use crate::services::{Job, MARKER, Manager, Verb, embedded};

/// What is appended to the name of a file that was there before ours.
const BESIDE: &str = ".before-housecall";

/// Where a file of somebody else's is kept.
#[must_use]
pub fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(BESIDE);
    path.with_file_name(name)
}

/// Writes a file of ours whole, mode 0644; one of somebody else's in its place is refused.
///
/// # Errors
/// Refused; or the system's own words.
pub fn write(config: &Config, path: &Path, content: &str) -> Result<String, StepError> {
    let shown = config.tilde(path);
    let failed = |error: &std::io::Error| StepError::failed(format!("write {shown}"), error);
    if job_text(path)?.is_some_and(|text| !text.contains(MARKER)) {
        return Err(StepError::Refused(format!("{shown} is not ours")));
    }
    let parent = path.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(parent).map_err(|error| failed(&error))?;
    let mut temporary =
        tempfile::Builder::new().prefix(".housecall-").tempfile_in(parent).map_err(|error| failed(&error))?;
    temporary
        .write_all(content.as_bytes())
        .and_then(|()| temporary.as_file().set_permissions(Permissions::from_mode(0o644)))
        .and_then(|()| temporary.as_file().sync_all())
        .map_err(|error| failed(&error))?;
    temporary.persist(path).map_err(|error| failed(&error.error))?;
    let _ = File::open(parent).and_then(|directory| directory.sync_all());
    Ok(format!("wrote {shown}"))
}

/// Removes a file of ours.
///
/// # Errors
/// Refused where it carries no marker of ours; or the system's own words.
pub fn remove(config: &Config, path: &Path) -> Result<String, StepError> {
    let shown = config.tilde(path);
    match job_text(path)? {
        None => return Ok(format!("{shown} was gone")),
        Some(text) if !text.contains(MARKER) => {
            return Err(StepError::Refused(format!("{shown} is not ours")));
        }
        Some(_) => {}
    }
    fs::remove_file(path).map_err(|error| StepError::failed(format!("remove {shown}"), &error))?;
    Ok(format!("removed {shown}"))
}

/// Moves a file of somebody else's beside its place.
///
/// # Errors
/// Refused where something is there already; or the system's own words.
pub fn back_up(config: &Config, path: &Path) -> Result<String, StepError> {
    let kept = beside(path);
    shift(config, path, &kept)?;
    Ok(format!("kept {} as {}", config.tilde(path), config.tilde(&kept)))
}

/// Moves it back.
///
/// # Errors
/// As for [`back_up`].
pub fn bring_back(config: &Config, path: &Path) -> Result<String, StepError> {
    shift(config, &beside(path), path)?;
    Ok(format!("brought {} back", config.tilde(path)))
}

fn shift(config: &Config, from: &Path, to: &Path) -> Result<(), StepError> {
    if fs::symlink_metadata(to).is_ok() {
        return Err(StepError::Refused(format!("{} is there already", config.tilde(to))));
    }
    fs::rename(from, to).map_err(|error| StepError::failed(format!("move {}", config.tilde(from)), &error))
}

/// Writes down what is installed.
///
/// # Errors
/// The system's own words.
pub fn remember(config: &Config, installation: &Installation) -> Result<(), StepError> {
    let failed = |error: &dyn std::fmt::Display| StepError::failed("write down what is installed", error);
    let text = serde_json::to_vec_pretty(installation).map_err(|error| failed(&error))?;
    files::write_private(&config.install_file(), &text).map_err(|error| failed(&error))
}

/// Forgets it.
///
/// # Errors
/// The system's own words.
pub fn forget(config: &Config) -> Result<(), StepError> {
    match fs::remove_file(config.install_file()) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(StepError::failed("forget what was installed", &error))
        }
        _ => Ok(()),
    }
}

/// What a service manager did to a job, and what it had to tell.
#[must_use]
pub fn told(manager: &Manager, job: &Job, verb: Verb, note: Option<String>) -> String {
    let done = match verb {
        Verb::Load => "loaded",
        Verb::Unload => "unloaded",
        Verb::Reload => "reloaded",
        Verb::Start | Verb::Run => "started",
        Verb::Restart => "restarted",
        Verb::Disable => "disabled",
        Verb::Enable => "enabled",
    };
    let note = note.map_or_else(String::new, |note| format!("; {note}"));
    if manager.name == embedded::MANAGER.name {
        return format!("{} is {}{note}", job.label, if verb == Verb::Unload { "down" } else { "up" });
    }
    format!("{done} {}{note}", job.label)
}
