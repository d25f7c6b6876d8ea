//! Which program a name means to the jobs, and its version.

use std::path::PathBuf;

use crate::config::Config;
use crate::error::ProbeError;
use crate::probes::machine::Machine;

/// A program as the jobs will find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundTool {
    /// Where it was found on the jobs' PATH.
    pub path: PathBuf,
    /// The same with links resolved.
    pub real: PathBuf,
    /// Its version without a leading "v": "22.23.3".
    pub version: String,
}

/// Looks a program up on the jobs' PATH and asks its version; `None` where it is not there.
///
/// # Errors
/// Not trusted, no answer in time, or no version in what it said.
pub fn find(_machine: &Machine, _config: &Config, _name: &str) -> Result<Option<FoundTool>, ProbeError> {
    Err(ProbeError::failed("find a tool", &"not built"))
}

/// The version of the program at this path, such as the executable of a running server.
///
/// # Errors
/// As for [`find`].
pub fn version_of(
    _machine: &Machine,
    _config: &Config,
    _path: &std::path::Path,
) -> Result<String, ProbeError> {
    Err(ProbeError::failed("ask a version", &"not built"))
}

/// The installers of runtimes that are on this machine, best first: "brew", "mise", "fnm", "nvm", "volta", "asdf".
#[must_use]
pub fn installers(_config: &Config) -> Vec<&'static str> {
    Vec::new()
}
