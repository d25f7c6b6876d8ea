//! The file of one job, and what this machine says of it where launchd loads it from.
#![expect(clippy::disallowed_methods, reason = "probes are where files are read")]

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::error::ProbeError;
use crate::lint::{Facts, Kind, LIMIT, Place, Seen, paths_of};

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
    let failed = |error: &io::Error| ProbeError::failed(format!("read {}", path.display()), error);
    let metadata = fs::metadata(path).map_err(|error| failed(&error))?;
    if !metadata.is_file() {
        return Err(ProbeError::failed(format!("read {}", path.display()), &"it is no file"));
    }
    let limit = u64::try_from(LIMIT).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|error| failed(&error))?;
    file.take(limit).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    if !is_loaded_from(path, home) {
        return Ok(JobFile { bytes, place: Place::Elsewhere });
    }
    let seen = paths_of(&bytes).into_iter().map(|path| (path.clone(), seen(&path))).collect();
    let (owner, mode) = (metadata.uid(), metadata.mode());
    let facts = Facts { home: home.to_path_buf(), user, owner, mode, seen };
    Ok(JobFile { bytes, place: Place::Installed(Box::new(facts)) })
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
