//! The file of one job, and what this machine says of it.
#![expect(clippy::disallowed_methods, reason = "probes are where files are read")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::fs::{Access, access};

use crate::error::ProbeError;
use crate::lint::{Facts, Kind, LIMIT, Place, Seen, paths_of};
use crate::plain;
use crate::probes::program::{self, Program};

/// A job's file as it was read.
#[derive(Debug, Clone)]
pub struct JobFile {
    /// What it holds.
    pub bytes: Vec<u8>,
    /// Where it lies, with what the machine says of it if launchd loads it from there.
    pub place: Place,
}

/// Reads the file at this absolute path.
///
/// # Errors
/// It is not there, is no file, or is not this user's to read.
pub fn read(path: &Path, home: &Path, user: u32) -> Result<JobFile, ProbeError> {
    let (bytes, metadata) = content(path)?;
    if !is_loaded_from(path, home) {
        return Ok(JobFile { bytes, place: Place::Elsewhere });
    }
    let seen = paths_of(&bytes).into_iter().map(|path| (path.clone(), seen(&path))).collect();
    let (owner, mode) = (metadata.uid(), metadata.mode());
    let facts = Facts { home: home.to_path_buf(), user, owner, mode, seen };
    Ok(JobFile { bytes, place: Place::Installed(Box::new(facts)) })
}

/// Reads the file of a systemd unit, and what `systemd-analyze verify` says of it.
///
/// # Errors
/// As for [`read`], and where there is no `systemd-analyze`.
pub fn read_unit(
    path: &Path,
    environment: &BTreeMap<String, String>,
    deadline: Duration,
) -> Result<(Vec<u8>, String), ProbeError> {
    let (bytes, _) = content(path)?;
    let kept = |name: &str| environment.get(name).map(OsString::from);
    let runtime =
        kept("XDG_RUNTIME_DIR").filter(|it| Path::new(it).is_dir()).unwrap_or_else(|| "/tmp".into());
    let fixed = [("SYSTEMD_LOG_TARGET", "console"), ("SYSTEMD_LOG_COLOR", "0"), ("LC_ALL", "C")];
    let inherited = ["PATH", "HOME"].into_iter().filter_map(|name| Some((name.into(), kept(name)?)));
    let mut variables: BTreeMap<OsString, OsString> = inherited.collect();
    variables.extend(fixed.map(|(name, value)| (name.into(), value.into())));
    variables.insert("XDG_RUNTIME_DIR".into(), runtime);
    let mut argv: Vec<OsString> =
        ["systemd-analyze", "verify", "--user", "--man=no"].into_iter().map(OsString::from).collect();
    argv.push(path.into());
    let program = Program { argv, directory: None, environment: variables, deadline, limit: LIMIT };
    let output = program::run(&program)?;
    Ok((bytes, String::from_utf8_lossy(&output.stderr).into_owned()))
}

fn content(path: &Path) -> Result<(Vec<u8>, fs::Metadata), ProbeError> {
    let failed = |error: &io::Error| ProbeError::failed(format!("read {}", path.display()), error);
    let metadata = fs::metadata(path).map_err(|error| failed(&error))?;
    if !metadata.is_file() {
        return Err(ProbeError::failed(format!("read {}", path.display()), &"it is no file"));
    }
    let limit = u64::try_from(LIMIT).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let file = plain::open(path, OFlags::empty()).map_err(|error| failed(&error))?;
    file.take(limit).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    Ok((bytes, metadata))
}

/// Whether launchd loads the jobs of this folder.
fn is_loaded_from(path: &Path, home: &Path) -> bool {
    let folders = [
        home.join("Library/LaunchAgents"),
        PathBuf::from("/Library/LaunchAgents"),
        PathBuf::from("/Library/LaunchDaemons"),
    ];
    path.parent().is_some_and(|parent| folders.iter().any(|folder| folder == parent))
}

fn seen(path: &Path) -> Seen {
    let kind = match fs::metadata(path) {
        Err(_) => Kind::Missing,
        Ok(metadata) if metadata.is_dir() => Kind::Directory,
        Ok(_) => Kind::File,
    };
    let may = |what| access(path, what).is_ok();
    Seen { kind, is_writable: may(Access::WRITE_OK), is_executable: may(Access::EXEC_OK) }
}

/// The text that an installed property list has under a key, nested ones with dots; `None`: it has none there.
///
/// # Errors
/// It is not there, may not be read, or is no property list.
pub fn text_at(path: &Path, key: &str) -> Result<Option<String>, ProbeError> {
    let (bytes, _) = content(path)?;
    let root: plist::Value = plist::from_bytes(&bytes)
        .map_err(|error| ProbeError::unreadable(path.display().to_string(), &error))?;
    let found = key.split('.').try_fold(&root, |at, part| at.as_dictionary()?.get(part));
    Ok(found.and_then(plist::Value::as_string).map(str::to_owned))
}
