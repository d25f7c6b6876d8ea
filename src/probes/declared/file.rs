//! One file of a declared check: what it is, whose, how large, how old, and what it holds.
#![expect(clippy::disallowed_methods, reason = "probes are where files are read")]

use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use md5::Md5;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256, Sha512};

use crate::config::Config;
use crate::error::{ProbeError, human_duration};
use crate::probes::accounts;
use crate::probes::away::{self, Local, What};
use crate::probes::clock;
use crate::probes::files::hexadecimal;
use crate::probes::machine::Machine;

/// The most of a content that is read, in bytes.
pub const MOST: u64 = 16 << 20;

/// What is to be known of a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a part of what is read")]
pub struct Order {
    /// Where it is.
    pub path: PathBuf,
    /// What a link leads to, rather than the link.
    pub follow: bool,
    /// What it holds.
    pub content: bool,
    /// The MD5 of what it holds.
    pub old_digest: bool,
    /// The SHA-256 of what it holds.
    pub digest: bool,
    /// The SHA-512 of it.
    pub long_digest: bool,
    /// How long it may take to read what it holds.
    pub within: Duration,
}

/// What was found there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// What it is, in a word: "file", "directory", "symlink", "socket", "fifo", "device".
    pub kind: String,
    /// Its permission bits.
    pub mode: u32,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its size in bytes.
    pub size: u64,
    /// When its content was changed.
    pub modified: Timestamp,
    /// Where a link leads, as it is written.
    pub target: Option<PathBuf>,
    /// What it holds, if that was asked for and it is a plain file.
    pub content: Option<String>,
    /// The MD5 of it, likewise; hexadecimal.
    pub old_digest: Option<String>,
    /// The SHA-256 of it, likewise.
    pub digest: Option<String>,
    /// The SHA-512 of it, likewise.
    pub long_digest: Option<String>,
}

/// Looks at a path; `None` where nothing is there.
///
/// # Errors
/// It may not be looked at, is longer than [`MOST`], or its volume does not answer.
pub fn look(
    machine: &Machine,
    config: &Config,
    order: &Order,
    deadline: Duration,
) -> Result<Option<Found>, ProbeError> {
    away::look_at(machine, config, &order.path, (What::File, order), deadline, read)
}

/// Looks at it here.
pub(in crate::probes) fn read(order: &Order) -> Local<Option<Found>> {
    let path = &order.path;
    let found = if order.follow { fs::metadata(path) } else { fs::symlink_metadata(path) };
    match found {
        Ok(it) => describe(order, &it)
            .map_or_else(|error| Local::failed("read", path, &error), |found| Local::Read(Some(found))),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Local::Read(None)
        }
        Err(error) => Local::failed("look at", path, &error),
    }
}

fn describe(order: &Order, it: &Metadata) -> io::Result<Found> {
    let is_plain = it.is_file();
    let start = clock::instant();
    let left = || order.within.saturating_sub(start.elapsed());
    Ok(Found {
        kind: kind(it).to_owned(),
        mode: it.permissions().mode() & 0o7777,
        uid: it.uid(),
        gid: it.gid(),
        size: it.len(),
        modified: Timestamp::try_from(it.modified()?).map_err(io::Error::other)?,
        target: if it.is_symlink() { Some(fs::read_link(&order.path)?) } else { None },
        content: if order.content && is_plain { Some(content(&order.path)?) } else { None },
        old_digest: if order.old_digest && is_plain { Some(digest::<Md5>(order, left())?) } else { None },
        digest: if order.digest && is_plain { Some(digest::<Sha256>(order, left())?) } else { None },
        long_digest: if order.long_digest && is_plain {
            Some(digest::<Sha512>(order, left())?)
        } else {
            None
        },
    })
}

fn kind(it: &Metadata) -> &'static str {
    let kind = it.file_type();
    match () {
        () if kind.is_file() => "file",
        () if kind.is_dir() => "directory",
        () if kind.is_symlink() => "symlink",
        () if kind.is_socket() => "socket",
        () if kind.is_fifo() => "fifo",
        () => "device",
    }
}

/// Opens what was a plain file a moment ago; where it is a pipe by now, that does not wait for its other end.
fn open(path: &Path) -> io::Result<fs::File> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

fn content(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    open(path)?.take(MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST {
        return Err(io::Error::other(format!("it is longer than {} MiB", MOST >> 20)));
    }
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

fn digest<D: Digest>(order: &Order, left: Duration) -> io::Result<String> {
    let start = clock::instant();
    let mut file = open(&order.path)?;
    let mut digest = D::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        if start.elapsed() > left {
            return Err(io::Error::other(format!("it takes longer than {}", human_duration(order.within))));
        }
        match file.read(&mut buffer)? {
            0 => return Ok(hexadecimal(&digest.finalize())),
            length => digest.update(&buffer[..length]),
        }
    }
}

/// The owner's name.
#[must_use]
pub fn owner(found: &Found) -> String {
    accounts::user_name(found.uid)
}

/// The group's name.
#[must_use]
pub fn group(found: &Found) -> String {
    accounts::group_name(found.gid)
}
