//! What is installed in the worktree, by the stamp that an install of ours leaves behind.
#![expect(clippy::disallowed_methods, reason = "probes are where files are read")]

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::Mirror;
use crate::error::ProbeError;
use crate::probes::files;

/// The version of the stamp's shape that this program writes.
pub const SCHEMA: u32 = 1;

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

/// Where the stamp of an install is.
#[must_use]
pub fn stamp_file(mirror: &Mirror) -> PathBuf {
    mirror.worktree.join("node_modules").join(".housecall.json")
}

/// Reads what is installed.
///
/// # Errors
/// A stamp that is there and cannot be read; a torn one, or one of a newer schema, is none.
pub fn read(mirror: &Mirror) -> Result<Installed, ProbeError> {
    let tree = ["node_modules", ".pnp.cjs"].iter().any(|it| mirror.worktree.join(it).exists());
    let stamp = files::text(&stamp_file(mirror))?.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    Ok(Installed { tree, stamp: stamp.filter(|stamp: &Stamp| stamp.schema <= SCHEMA) })
}
