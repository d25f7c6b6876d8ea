//! The logs: how long they are, and their last part.

use std::path::PathBuf;

use crate::config::Config;
use crate::error::ProbeError;

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
pub fn read(_config: &Config, _role: &str) -> Result<Log, ProbeError> {
    Err(ProbeError::failed("read a log", &"not built"))
}
