//! What the worktree's own files say about its tools and dependencies.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::config::Mirror;
use crate::error::ProbeError;

/// A project's own words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Project {
    /// For a tool, the range it asks for and the file that says so: `"node" → (">=22 <23", "package.json")`.
    ///
    /// From `engines`, `packageManager`, `devEngines`, `.nvmrc`, `.node-version`, `.tool-versions`, `mise.toml`.
    pub ranges: BTreeMap<String, (String, PathBuf)>,
    /// Its lockfile, if it has one that is known.
    pub lockfile: Option<Lockfile>,
}

/// A lockfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lockfile {
    /// Where it is.
    pub path: PathBuf,
    /// Whose it is: "npm", "pnpm", "yarn", "bun".
    pub manager: &'static str,
    /// The SHA-256 of its content, hexadecimal.
    pub digest: String,
}

/// Reads the project in the worktree.
///
/// # Errors
/// A file that is there and cannot be read or parsed.
pub fn read(_mirror: &Mirror) -> Result<Project, ProbeError> {
    Err(ProbeError::failed("read the project", &"not built"))
}
