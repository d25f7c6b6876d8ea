//! Processes: what they run, where, since when, and whose they are.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::error::ProbeError;

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// Its parent's.
    pub parent: Option<u32>,
    /// Its user.
    pub uid: Option<u32>,
    /// Its executable, links resolved; `None` where that may not be known.
    pub executable: Option<PathBuf>,
    /// Its command line; empty where that may not be known.
    pub argv: Vec<String>,
    /// Its working directory, real path; `None` where that may not be known.
    pub directory: Option<PathBuf>,
    /// When it started.
    pub started: Timestamp,
    /// What tells it from another process of the same id: the kernel's own start time, opaque.
    pub identity: u64,
}

/// Reads one process; `None` where there is none, or only a zombie.
///
/// # Errors
/// Where the kernel cannot be asked.
pub fn read(_pid: u32) -> Result<Option<Process>, ProbeError> {
    Err(ProbeError::failed("read a process", &"not built"))
}

impl Process {
    /// Its command line, one line, for people: control characters escaped, long ones cut.
    #[must_use]
    pub fn command(&self) -> String {
        self.argv.join(" ")
    }
}
