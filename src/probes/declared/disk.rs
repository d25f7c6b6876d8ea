//! How much room a volume has left, in bytes and in inodes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::ProbeError;
use crate::probes::away::{self, Local, What};
use crate::probes::machine::Machine;

/// The room of a volume, for those who are not root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// Bytes that may still be written.
    pub free: u64,
    /// Those, and the ones that are used.
    pub bytes: u64,
    /// Files that may still be made.
    pub free_inodes: u64,
    /// Those, and the ones that there are; 0 where the filesystem does not count.
    pub inodes: u64,
    /// Bytes that are used.
    pub used: u64,
    /// All bytes, those that only root may write included.
    pub size: u64,
}

/// Asks for the room of the volume that holds this path; `None` where nothing is there.
///
/// # Errors
/// It may not be asked for, or the volume does not answer.
pub fn look(
    machine: &Machine,
    config: &Config,
    path: &Path,
    deadline: Duration,
) -> Result<Option<Room>, ProbeError> {
    away::look_at(machine, config, path, (What::Disk, &path.to_owned()), deadline, read)
}

/// Asks for it here.
pub(in crate::probes) fn read(path: &PathBuf) -> Local<Option<Room>> {
    match rustix::fs::statvfs(path) {
        // The unit of counting is the fragment's; what only root may fill is neither free nor counted, as in df.
        Ok(it) => Local::Read(Some(Room {
            free: it.f_bavail.saturating_mul(it.f_frsize),
            bytes: (it.f_blocks - it.f_bfree.min(it.f_blocks) + it.f_bavail).saturating_mul(it.f_frsize),
            free_inodes: it.f_favail,
            inodes: it.f_files,
            used: (it.f_blocks - it.f_bfree.min(it.f_blocks)).saturating_mul(it.f_frsize),
            size: it.f_blocks.saturating_mul(it.f_frsize),
        })),
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => Local::Read(None),
        Err(error) => Local::failed("look at", path, &error),
    }
}
