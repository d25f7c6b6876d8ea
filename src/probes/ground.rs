//! Where the worktree lies: on which volume, by which real path, and inside whose repository.
#![expect(clippy::disallowed_methods, reason = "probes are where files are read")]

use std::path::{Path, PathBuf};

use crate::config::{Config, Mirror};
use crate::error::ProbeError;
use crate::probes::machine::{Machine, Where};
use crate::probes::mounts::{Kind, Mount};

/// The ground that the worktree stands on, whether or not it is there yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// The worktree's place, links resolved as far as it exists.
    pub real: PathBuf,
    /// The home directory, links resolved.
    pub home: PathBuf,
    /// The volume it is on.
    pub mount: Mount,
    /// The top of the repository in whose tree it lies, if it lies in one.
    pub around: Option<PathBuf>,
}

/// Reads where the worktree lies; nothing on a volume that can hang is touched.
///
/// # Errors
/// Where the mount table cannot be read.
pub fn read(machine: &Machine, config: &Config, mirror: &Mirror) -> Result<Ground, ProbeError> {
    let is_local = |path: &Path| machine.mount_of(path).map(|mount| mount.kind == Kind::Local);
    let mount = machine.mount_of(&mirror.worktree)?;
    let home = if is_local(&config.home)? { real(&config.home) } else { config.home.clone() };
    if mount.kind != Kind::Local {
        return Ok(Ground { real: mirror.worktree.clone(), home, mount, around: None });
    }
    let real = real(&mirror.worktree);
    let around = real.ancestors().skip(1).find(|it| it.join(".git").exists()).map(Path::to_owned);
    Ok(Ground { real, home, mount, around })
}

/// The path with its links resolved, where its volume cannot hang; else as it is written.
///
/// # Errors
/// The mount table cannot be read, or its volume did not answer a moment ago.
pub fn real_of(machine: &Machine, path: &Path) -> Result<PathBuf, ProbeError> {
    Ok(if machine.guard(path)? == Where::Here { real(path) } else { path.to_owned() })
}

/// The path with the links resolved of as much of it as exists.
fn real(path: &Path) -> PathBuf {
    let resolved = path.ancestors().find_map(|it| {
        let rest = path.strip_prefix(it).ok()?;
        it.canonicalize().ok().map(|real| real.join(rest))
    });
    resolved.map_or_else(|| path.to_owned(), |it| it.components().collect())
}
