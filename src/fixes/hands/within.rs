//! Moving files by their path within a directory, whatever becomes of that path meanwhile: no link is followed on the
//! way, and nothing is replaced.
#![expect(clippy::disallowed_methods, reason = "hands look where they write")]

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

/// A directory that was opened once.
pub(super) struct Within {
    top: OwnedFd,
}

impl Within {
    /// Opens it.
    ///
    /// # Errors
    /// The system's own.
    pub(super) fn open(top: &Path) -> io::Result<Self> {
        Ok(Self { top: rustix::fs::open(top, directory(), Mode::empty())? })
    }

    /// Moves whatever is at that path to the same path in another; says whether anything was there.
    ///
    /// # Errors
    /// The system's own; something is at that path in the other.
    pub(super) fn take(&self, path: &Path, to: &Self) -> io::Result<bool> {
        let (parent, name) = match self.parent(path, false) {
            Ok(found) => found,
            // What lies beyond a link or a file is not here.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let (other, _) = to.parent(path, true)?;
        match rename(&parent, name, &other) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Moves what is at that path there to the same path here, making directories; nothing may be in its way.
    ///
    /// # Errors
    /// `AlreadyExists` and `NotADirectory`: something is in its way. Else the system's own.
    pub(super) fn put(&self, path: &Path, from: &Self) -> io::Result<()> {
        let (there, name) = from.parent(path, false)?;
        let (parent, _) = self.parent(path, true).map_err(|error| match error {
            Errno::LOOP => Errno::NOTDIR,
            other => other,
        })?;
        Ok(rename(&there, name, &parent)?)
    }

    /// Makes a directory, with those above it; one that is there is as good.
    ///
    /// # Errors
    /// As those of `put`.
    pub(super) fn make(&self, path: &Path) -> io::Result<()> {
        self.parent(&path.join("x"), true).map(drop).map_err(|error| match error {
            Errno::LOOP => Errno::NOTDIR.into(),
            other => other.into(),
        })
    }

    /// Whether something is at that path.
    pub(super) fn has(&self, path: &Path) -> bool {
        self.kind(path).is_some()
    }

    /// What of that path stands where a directory must be, or where nothing may be.
    pub(super) fn in_the_way<'a>(&self, path: &'a Path) -> Option<&'a Path> {
        let mut way: Vec<&Path> = path.ancestors().filter(|it| !it.as_os_str().is_empty()).collect();
        way.reverse();
        let stops = |it: &&Path| self.kind(it).is_some_and(|kind| *it == path || !kind.is_dir());
        way.into_iter().find(stops)
    }

    /// Removes directories that are empty, from that one upwards.
    pub(super) fn prune(&self, path: &Path) {
        for directory in path.ancestors().filter(|it| !it.as_os_str().is_empty()) {
            let Ok((parent, name)) = self.parent(directory, false) else { return };
            if rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR).is_err() {
                return;
            }
        }
    }

    fn kind(&self, path: &Path) -> Option<FileType> {
        let (parent, name) = self.parent(path, false).ok()?;
        let found = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        Some(FileType::from_raw_mode(found.st_mode))
    }

    /// The directory that a path lies in, and its name there.
    fn parent<'a>(&self, path: &'a Path, make: bool) -> Result<(OwnedFd, &'a OsStr), Errno> {
        // git refuses such paths too: `..`, the root, nothing at all.
        let Some(name) = path.file_name() else { return Err(Errno::INVAL) };
        let mut at = rustix::io::dup(&self.top).map_err(|_| Errno::MFILE)?;
        for component in path.parent().unwrap_or(Path::new("")).components() {
            let Component::Normal(component) = component else { return Err(Errno::INVAL) };
            at = match rustix::fs::openat(&at, component, directory(), Mode::empty()) {
                Err(Errno::NOENT) if make => {
                    match rustix::fs::mkdirat(&at, component, Mode::from_raw_mode(0o777)) {
                        Ok(()) | Err(Errno::EXIST) => {}
                        Err(error) => return Err(error),
                    }
                    rustix::fs::openat(&at, component, directory(), Mode::empty())?
                }
                opened => opened?,
            };
        }
        Ok((at, name))
    }
}

fn directory() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

/// Renames where nothing is; some file systems cannot promise that by themselves.
fn rename(from: &OwnedFd, name: &OsStr, to: &OwnedFd) -> Result<(), Errno> {
    match rustix::fs::renameat_with(from, name, to, name, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            match rustix::fs::statat(to, name, AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::NOENT) => rustix::fs::renameat(from, name, to, name),
                Ok(_) => Err(Errno::EXIST),
                Err(error) => Err(error),
            }
        }
        done => done,
    }
}

/// All files and links beneath a directory, by their paths in it.
///
/// # Errors
/// The system's own.
pub(super) fn all(top: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(top.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    Ok(found)
}
