//! The embedded manager's keeper, as its state file and its lock show it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::ProbeError;

/// The keeper, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keeper {
    /// Nobody keeps this mirror.
    Absent,
    /// It runs.
    Running(Running),
}

/// A running keeper: `<state>/keeper.json`, believed only while its lock is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// The version of this shape.
    pub schema: u32,
    /// Its process.
    pub pid: u32,
    /// Since when.
    pub since: Timestamp,
    /// The server it keeps.
    pub server: Kept,
}

/// The server that a keeper keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// None: there is no `[serve]`.
    None,
    /// It was started, and may not answer yet.
    Started {
        /// The leader of its process group.
        pid: u32,
        /// Its kernel start time, see [`crate::probes::processes::Process::identity`].
        identity: u64,
        /// When.
        at: Timestamp,
    },
    /// It keeps ending; the next start is at this time.
    BackingOff {
        /// How many starts failed in a row.
        failures: u32,
        /// When it is tried again.
        next: Timestamp,
        /// How the last one ended: "exit 1", "signal 9".
        last: String,
    },
}

/// Reads the keeper.
///
/// # Errors
/// Where its files are there and may not be read.
pub fn read(_config: &Config) -> Result<Keeper, ProbeError> {
    Err(ProbeError::failed("read the keeper", &"not built"))
}
