//! The logs: how long they are, and their last part.
#![expect(clippy::disallowed_methods, reason = "probes are where files are read")]

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::config::Config;
use crate::error::ProbeError;

/// What a line begins with that a keeper writes at each start; a timestamp follows.
pub const START: &str = "--- housecall start ";
/// The most that is read of a log, in bytes.
const TAIL: u64 = 256 << 10;

/// A log file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Where it is.
    pub path: PathBuf,
    /// Its size in bytes; 0 where it is not there.
    pub bytes: u64,
    /// What was written since the last start, at most the last 256 KiB; bytes that are not UTF-8 are replaced.
    pub tail: String,
}

/// Reads the log of a role: "sync" or "serve".
///
/// # Errors
/// Where it is there and may not be read.
pub fn read(config: &Config, role: &str) -> Result<Log, ProbeError> {
    read_at(config, &config.log_file(role))
}

/// Reads the log at this path.
///
/// # Errors
/// As for [`read`].
pub fn read_at(config: &Config, path: &Path) -> Result<Log, ProbeError> {
    let path = path.to_owned();
    match read_tail(&path) {
        Ok((bytes, tail)) => Ok(Log { path, bytes, tail: since_start(&tail).to_owned() }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Log { path, bytes: 0, tail: String::new() }),
        Err(error) => Err(ProbeError::failed(format!("read {}", config.tilde(&path)), &error)),
    }
}

/// The last lines of any log; `None`: it is not there.
///
/// # Errors
/// Where it is there and may not be read.
pub fn last_lines(path: &Path, count: usize) -> Result<Option<Vec<String>>, ProbeError> {
    match read_tail(path) {
        Ok((_, tail)) => {
            let lines: Vec<&str> = tail.lines().collect();
            let last = lines.iter().skip(lines.len().saturating_sub(count));
            Ok(Some(last.map(|line| (*line).to_owned()).collect()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ProbeError::failed(format!("read {}", path.display()), &error)),
    }
}

/// The last whole lines of one of our own files, at most 256 KiB, links not followed; `None`: it is not there.
///
/// # Errors
/// Where something is there that is no file, or may not be read.
pub fn end_of_own(path: &Path) -> Result<Option<String>, ProbeError> {
    let failed = |why: &dyn std::fmt::Display| ProbeError::failed(format!("read {}", path.display()), why);
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or_default();
    let file = match File::options().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(_) if std::fs::symlink_metadata(path).is_ok_and(|it| it.is_symlink()) => {
            return Err(failed(&"it is a link, and followed nowhere"));
        }
        Err(error) => return Err(failed(&error)),
    };
    if !file.metadata().is_ok_and(|it| it.is_file()) {
        return Err(failed(&"it is no file"));
    }
    tail_of(file).map(|(_, text)| Some(text)).map_err(|error| failed(&error))
}

/// Its size, and its last whole lines.
fn read_tail(path: &Path) -> io::Result<(u64, String)> {
    // A pipe in its place must not be waited for.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is no file"));
    }
    tail_of(File::open(path)?)
}

fn tail_of(mut file: File) -> io::Result<(u64, String)> {
    let bytes = file.metadata()?.len();
    let skipped = bytes.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(skipped))?;
    let mut content = Vec::new();
    file.take(TAIL).read_to_end(&mut content)?;
    let whole = match content.iter().position(|byte| *byte == b'\n') {
        Some(end) if skipped > 0 => &content[end + 1..],
        _ => &content,
    };
    Ok((bytes, String::from_utf8_lossy(whole).into_owned()))
}

/// What follows the last line that marks a start; everything where there is none.
fn since_start(text: &str) -> &str {
    let mut rest = text;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        at += line.len();
        if line.starts_with(START) {
            rest = &text[at..];
        }
    }
    rest
}
