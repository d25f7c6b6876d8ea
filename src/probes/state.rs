//! What earlier runs wrote down: the last sync, the stop mark, who holds the mirror's lock.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::ProbeError;

/// How a sync ended: `<state>/sync.json`, and in short `<state>/last-sync.env`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastSync {
    /// The version of this shape.
    pub schema: u32,
    /// When it ended.
    pub at: Timestamp,
    /// The boot it ended in; an opaque name.
    pub boot: String,
    /// How long the machine had been awake then, in milliseconds.
    pub awake_ms: u64,
    /// When the remote last answered.
    pub contact: Option<Timestamp>,
    /// The commit of the worktree then.
    pub sha: Option<String>,
    /// How it ended.
    pub status: SyncStatus,
    /// Why, in one sentence.
    pub reason: String,
}

/// How a sync ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SyncStatus {
    /// Nothing was needed.
    Noop,
    /// A new commit, cleaned, or installed.
    Updated,
    /// The remote or the repository's volume could not be reached.
    Stale,
    /// It could not be done.
    Failed,
}

/// The state directory, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The last sync; `None`: never.
    pub last_sync: Option<LastSync>,
    /// How long ago that was, counting only time awake.
    pub last_sync_age: Option<Duration>,
    /// When the user stopped the mirror, if it is stopped.
    pub stopped: Option<Timestamp>,
    /// Who is mending or syncing now.
    pub holder: Option<Holder>,
    /// Files that are torn, foreign or of a newer schema, and why.
    pub bad: Vec<(PathBuf, String)>,
}

/// Who holds the mirror's lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its process.
    pub pid: u32,
    /// What it does: "sync", "fix".
    pub doing: String,
    /// Since when.
    pub since: Timestamp,
}

/// Reads the state directory; one that is not there yet is an empty one.
///
/// # Errors
/// Where it is there and may not be read.
pub fn read(_config: &Config) -> Result<State, ProbeError> {
    Err(ProbeError::failed("read the state", &"not built"))
}
