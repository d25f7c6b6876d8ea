//! Whether what git does not find is missing, or only cannot be read now: git itself says the same of both.
#![expect(clippy::disallowed_methods, reason = "probes are where files are read")]

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::error::ProbeError;
use crate::plain;

/// How far objects are borrowed from one repository to the next; git follows no further either.
const DEEPEST: usize = 5;

/// Looks whether an object that git does not find could be in a part of the repository that cannot be read.
///
/// # Errors
/// There is such a part: a right is missing, a disk fails, or a repository that objects are borrowed from is away.
pub fn can_miss(common: &Path, object: &str) -> Result<(), ProbeError> {
    in_objects(&common.join("objects"), object, DEEPEST)
}

/// Looks whether a ref that git does not find could be in a file that cannot be read.
///
/// # Errors
/// There is such a file.
pub fn can_miss_ref(common: &Path, name: &str) -> Result<(), ProbeError> {
    ["packed-refs", name].iter().try_for_each(|file| readable(&common.join(file)))
}

fn in_objects(objects: &Path, object: &str, deeper: usize) -> Result<(), ProbeError> {
    let (folder, rest) = object.split_at_checked(2).unwrap_or((object, ""));
    readable(&objects.join(folder).join(rest))?;
    for pack in entries(&objects.join("pack"))? {
        if pack.extension().is_some_and(|it| it == "pack" || it == "idx") {
            readable(&pack)?;
        }
    }
    let borrowed = objects.join("info/alternates");
    readable(&borrowed)?;
    let borrowed = plain::read(&borrowed).unwrap_or_default();
    let places = borrowed.split(|byte| *byte == b'\n').filter(|line| !line.is_empty() && line[0] != b'#');
    for place in places.map(|line| objects.join(OsStr::from_bytes(line))) {
        fs::metadata(&place).map_err(|error| cannot_read(&place, &error))?;
        if deeper > 0 {
            in_objects(&place, object, deeper - 1)?;
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, ProbeError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if is_absent(&error) => return Ok(Vec::new()),
        entries => entries.map_err(|error| cannot_read(folder, &error))?,
    };
    let entries: Result<Vec<_>, _> = entries.map(|entry| entry.map(|it| it.path())).collect();
    entries.map_err(|error| cannot_read(folder, &error))
}

/// Fails where something is there and cannot be read.
fn readable(file: &Path) -> Result<(), ProbeError> {
    match plain::open(file, OFlags::empty()).and_then(|mut file| file.read(&mut [0])) {
        // What is no plain file is not read later either.
        Err(error) if !is_absent(&error) && error.kind() != ErrorKind::InvalidInput => {
            Err(cannot_read(file, &error))
        }
        _ => Ok(()),
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn cannot_read(path: &Path, error: &io::Error) -> ProbeError {
    ProbeError::failed(format!("read {}", path.display()), error)
}
