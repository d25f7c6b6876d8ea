//! Plain files, where they may be looked at without fear of a volume that hangs.
#![expect(clippy::disallowed_methods, reason = "probes are where files are read")]

use std::ffi::OsStr;
use std::fmt::Write;
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::config::{Config, Mirror, Trust};
use crate::error::ProbeError;
use crate::git;
use crate::plain;
use crate::probes::away::{self, Local, Place, What};
use crate::probes::machine::{Machine, Where};
use crate::probes::program;

/// A file that git does not track, and its copy in the worktree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// Relative to both tops.
    pub file: PathBuf,
    /// The one in the repository; `None`: not there.
    pub source: Option<Content>,
    /// The one in the worktree; `None`: not there.
    pub copy: Option<Content>,
    /// Whether the worktree's index has it: then git brings it, and it is not carried.
    pub tracked: bool,
}

/// What a file holds, and who may read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The SHA-256 of its content, hexadecimal; `None`: it is no plain file, and has none.
    pub digest: Option<String>,
    /// Its permission bits.
    pub mode: u32,
}

/// Reads the carried files and their copies.
///
/// # Errors
/// A file that is there and cannot be read, or a volume that hangs.
pub fn carried(machine: &Machine, config: &Config, mirror: &Mirror) -> Result<Vec<Carried>, ProbeError> {
    let place = Place::of(mirror);
    let none = || Err(ProbeError::failed("read the carried files", &"git has nothing to say of them"));
    let mut carried = away::look(machine, config, &place, What::Carried, read)?.or_ask(config, none)?;
    if config.trust == Trust::Trusted && !carried.is_empty() {
        mark_tracked(config, mirror, &mut carried)?;
    }
    Ok(carried)
}

/// Asks what the worktree's index has of them; where there is no index there is none.
fn mark_tracked(config: &Config, mirror: &Mirror, carried: &mut [Carried]) -> Result<(), ProbeError> {
    let start = ["--literal-pathspecs", "ls-files", "-z", "--"].map(OsStr::new);
    let arguments: Vec<&OsStr> =
        start.into_iter().chain(carried.iter().map(|it| it.file.as_os_str())).collect();
    let listed = program::run(&git::command(config, &mirror.worktree, &arguments))?;
    let paths: Vec<&[u8]> = listed.stdout.split(|byte| *byte == 0).collect();
    for it in carried {
        let file = it.file.as_os_str().as_bytes();
        // A directory in its place is git's as well, if anything in it is.
        let is_it =
            |path: &&[u8]| path.strip_prefix(file).is_some_and(|rest| matches!(rest, [] | [b'/', ..]));
        it.tracked = listed.succeeded() && paths.iter().any(is_it);
    }
    Ok(())
}

/// Has the redactor learn what the carried files give away, as far as they can be read without fear.
pub fn learn_carried(machine: &Machine, config: &Config) {
    let mirror = config.mirror.as_deref();
    let files = mirror.into_iter().flat_map(|mirror| {
        let places = [&mirror.repository, &mirror.worktree];
        places.into_iter().flat_map(|place| mirror.carry.iter().map(move |file| place.join(file)))
    });
    for file in files.filter(|file| machine.guard(file) == Ok(Where::Here)) {
        for line in plain::text(&file).unwrap_or_default().lines() {
            if let Some((name, value)) = line.trim().trim_start_matches("export ").split_once('=') {
                config.redactor.learn(name.trim(), value.trim().trim_matches(['"', '\'']));
            }
        }
    }
}

/// Reads them here.
pub(super) fn read(place: &Place) -> Local<Vec<Carried>> {
    let mut carried = Vec::with_capacity(place.carry.len());
    for file in &place.carry {
        let (source, copy) = (place.repository.join(file), place.worktree.join(file));
        match (content(&source), content(&copy).or_else(|error| other(&copy).map(Some).ok_or(error))) {
            (Ok(source), Ok(copy)) => {
                carried.push(Carried { file: file.clone(), source, copy, tracked: false });
            }
            (Err(error), _) => return Local::failed("read", &source, &error),
            (_, Err(error)) => return Local::failed("read", &copy, &error),
        }
    }
    Local::Read(carried)
}

/// The digest and mode of a file; `None` where there is none.
fn content(path: &Path) -> io::Result<Option<Content>> {
    let mut file = match plain::open(path, OFlags::empty()) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let mode = file.metadata()?.permissions().mode() & 0o7777;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            length => digest.update(&buffer[..length]),
        }
    }
    Ok(Some(Content { digest: Some(hexadecimal(&digest.finalize())), mode }))
}

/// What is at the place of a copy and is no plain file, such as a directory: it differs, and is moved out.
fn other(path: &Path) -> Option<Content> {
    let found = std::fs::metadata(path).ok().filter(|it| !it.is_file())?;
    Some(Content { digest: None, mode: found.permissions().mode() & 0o7777 })
}

/// The SHA-256 of these bytes, hexadecimal.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// A file's content; `None` where there is none.
pub(super) fn text(path: &Path) -> Result<Option<Vec<u8>>, ProbeError> {
    match plain::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(ProbeError::failed(format!("read {}", path.display()), &error)),
    }
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// When the last of these files was changed or put in place; the beginning of time where that cannot be seen.
///
/// By the inode's own time, which nobody sets: one that is moved or copied here keeps the time of its text.
pub fn changed<'a>(files: impl Iterator<Item = &'a Path>) -> Timestamp {
    let changed = |path: &Path| {
        let found = std::fs::metadata(path).ok()?;
        Timestamp::new(found.ctime(), i32::try_from(found.ctime_nsec()).ok()?).ok()
    };
    files.filter_map(changed).max().unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Whether something is at that path, be it a link that leads nowhere.
#[must_use]
pub fn is_there(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}
