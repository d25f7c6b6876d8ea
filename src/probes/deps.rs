//! What is installed in the worktree, by the stamp that an install of ours leaves behind.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::Mirror;
use crate::error::ProbeError;

/// The installed dependencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Whether there is a tree at all (`node_modules`, or Yarn's `.pnp.cjs`).
    pub tree: bool,
    /// What it was installed from, where that is known.
    pub stamp: Option<Stamp>,
}

/// What an install leaves behind in its tree, written last: `node_modules/.housecall.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The version of this shape.
    pub schema: u32,
    /// The SHA-256 of the lockfile's content.
    pub lockfile: String,
    /// The runtime's major version: "22".
    pub runtime: String,
    /// When it ended.
    pub at: Timestamp,
}

/// Reads what is installed.
///
/// # Errors
/// A stamp that is there and cannot be read; a torn one is none.
pub fn read(_mirror: &Mirror) -> Result<Installed, ProbeError> {
    Err(ProbeError::failed("read what is installed", &"not built"))
}
