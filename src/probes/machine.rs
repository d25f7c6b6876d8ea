//! What outlives one look: one `Machine` for all mirrors and all looks of a process.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Mutex;

/// What is known of this machine: what hangs, and what a program at a known identity answers.
#[derive(Debug, Default)]
pub struct Machine {
    /// Mount points on which a child of ours is stuck; nobody asks there again.
    pub stuck: Mutex<HashSet<PathBuf>>,
}

/// The name of this machine.
#[must_use]
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
