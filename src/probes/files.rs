//! Plain files, where they may be looked at without fear of a volume that hangs.

use std::path::PathBuf;

use crate::config::Mirror;
use crate::error::ProbeError;

/// A file that git does not track, and its copy in the worktree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// Relative to both tops.
    pub file: PathBuf,
    /// The one in the repository; `None`: not there.
    pub source: Option<Content>,
    /// The one in the worktree; `None`: not there.
    pub copy: Option<Content>,
}

/// What a file holds, and who may read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The SHA-256 of its content, hexadecimal.
    pub digest: String,
    /// Its permission bits.
    pub mode: u32,
}

/// Reads the carried files and their copies.
///
/// # Errors
/// A file that is there and cannot be read, or a volume that hangs.
pub fn carried(
    _machine: &super::machine::Machine,
    _config: &crate::config::Config,
    _mirror: &Mirror,
) -> Result<Vec<Carried>, ProbeError> {
    Err(ProbeError::failed("read the carried files", &"not built"))
}
