//! Files of Housecall's own: private, written whole or not at all, never through a link.
#![expect(clippy::disallowed_methods, reason = "hands write")]

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::OFlags;
use tempfile::NamedTempFile;

use crate::config::Config;
use crate::error::StepError;
use crate::plain;
use crate::probes::clock;
use crate::probes::git::AGAIN;

/// How the name of a file begins that is not finished: six more letters follow.
pub const UNFINISHED: &str = ".housecall-tmp-";

/// A log longer than this is rotated before more is added to it, in bytes.
const LOG_LIMIT: u64 = 5 << 20;

/// The most things of one path that are kept in one second: there are never as many.
const MOST_BESIDE: u32 = 10_000;

/// What a disk writes whole or not at all, in bytes.
const SECTOR: usize = 512;

/// Makes a directory that only its user may enter, with what is above it.
///
/// # Errors
/// The system's own; or it is a link, another user's, or everybody may put another in its place.
pub fn private_directory(path: &Path) -> io::Result<()> {
    let is_link = fs::symlink_metadata(path).is_ok_and(|it| it.is_symlink());
    if !is_link {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    }
    match plain::not_own_directory(path)? {
        Some(why) => {
            Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("{}: {why}", path.display())))
        }
        None => Ok(()),
    }
}

/// Opens a private file to add to it, making it and its directory; a link in its place is refused.
///
/// # Errors
/// The system's own.
pub fn open_private(path: &Path) -> io::Result<File> {
    if let Some(parent) = path.parent() {
        private_directory(parent)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o600).custom_flags(no_follow());
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no plain file"));
    }
    Ok(file)
}

/// Opens a log to add to it, rotated first where it is long.
///
/// # Errors
/// The system's own.
pub fn open_log(path: &Path) -> io::Result<File> {
    if fs::symlink_metadata(path).is_ok_and(|it| it.len() > LOG_LIMIT) {
        // One that cannot be rotated is no reason not to go on.
        let _ = rotate(path);
    }
    open_private(path)
}

/// Writes a private file whole: beside it first, synced, then renamed over it.
///
/// # Errors
/// The system's own; then the old content is still there.
pub fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let parent = path.parent().unwrap_or_else(|| Path::new("."));
    private_directory(parent)?;
    let mut temporary = unfinished(parent)?;
    temporary.write_all(content)?;
    temporary.as_file().set_permissions(Permissions::from_mode(0o600))?;
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|error| error.error)?;
    // The rename itself is durable once its directory is; where that cannot be synced, nothing is lost but time.
    let _ = File::open(parent).and_then(|directory| directory.sync_all());
    Ok(())
}

/// Writes a private file over itself where it is as long as before, and small: what is written is on no other place of
/// the disk then, so that neither a kill nor a power cut leaves a part of it, and the disk is not waited for. A power cut
/// may take it back. Any other is written as by [`write_private`].
///
/// Old and new must be as good as each other, and differ in nothing but figures: whoever reads meanwhile may see both.
///
/// # Errors
/// As for [`write_private`].
pub fn renew_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let renew = || -> io::Result<bool> {
        let mut options = OpenOptions::new();
        // A pipe in its place is not waited for.
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let file = options.write(true).custom_flags(flags).open(path)?;
        let found = file.metadata()?;
        let is_own = found.is_file() && found.nlink() == 1 && found.mode() & 0o7777 == 0o600;
        let is_same = content.len() <= SECTOR && found.len() == content.len() as u64;
        Ok(is_own && is_same && file.write_at(content, 0)? == content.len())
    };
    if renew().unwrap_or(false) { Ok(()) } else { write_private(path, content) }
}

/// Moves a file that is whole to its place, private, and waits until the disk has it.
///
/// # Errors
/// The system's own; then nothing is at its place.
pub fn settle_private(draft: &Path, path: &Path) -> io::Result<()> {
    let parent = path.parent().unwrap_or_else(|| Path::new("."));
    private_directory(parent)?;
    fs::set_permissions(draft, Permissions::from_mode(0o600))?;
    File::open(draft)?.sync_all()?;
    fs::rename(draft, path)?;
    let _ = File::open(parent).and_then(|directory| directory.sync_all());
    Ok(())
}

/// Begins a file beside its place, under a name by which it is known as unfinished.
///
/// # Errors
/// The system's own.
pub fn unfinished(directory: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(directory)
}

/// Writes a private file where nothing is, not even a link; its directory must be there.
///
/// # Errors
/// The system's own; then there is no such file, but for one that was there before.
pub fn write_new_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).custom_flags(no_follow()).open(path)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

/// Moves something out of the way, beside its place: `name.aside-<time>`.
///
/// # Errors
/// The system's own words.
pub fn move_aside(path: &Path) -> Result<PathBuf, StepError> {
    let name = path.file_name().unwrap_or_default();
    for attempt in 0..100 {
        let mut aside = name.to_owned();
        aside.push(format!(".aside-{}", stamp(clock::now())));
        if attempt > 0 {
            aside.push(format!("-{attempt}"));
        }
        let aside = path.with_file_name(aside);
        if fs::symlink_metadata(&aside).is_err() {
            fs::rename(path, &aside)
                .map_err(|error| StepError::failed(format!("move {} aside", path.display()), &error))?;
            return Ok(aside);
        }
    }
    Err(StepError::failed(format!("move {} aside", path.display()), &"every name for it is taken"))
}

/// Moves something into a directory of what is kept, by that path in it, beside what may be kept there already; says
/// where.
///
/// # Errors
/// The system's own; then all of it is where it was.
pub fn keep(from: &Path, directory: &Path, path: &Path) -> io::Result<PathBuf> {
    let to = vacant(directory, path)?;
    private_directory(to.parent().unwrap_or(directory))?;
    move_out(from, &to)?;
    Ok(to)
}

/// Moves something to a place that may be on another disk; its parent must be there.
fn move_out(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {}
        done => return done,
    }
    if let Err(error) = copy(from, to) {
        let _ = remove(to);
        return Err(error);
    }
    // A power cut must not take away the only copy that is left.
    rustix::fs::sync();
    remove(from)
}

fn remove(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

/// Copies a file, a link or a directory, with modes; what is none of them is left out.
///
/// # Errors
/// The system's own.
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(from)?;
    if found.is_symlink() {
        return std::os::unix::fs::symlink(fs::read_link(from)?, to);
    }
    if found.is_dir() {
        fs::create_dir(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        return fs::set_permissions(to, found.permissions());
    }
    if found.is_file() {
        fs::copy(from, to)?;
    }
    Ok(())
}

/// Rotates a log: `.1` is the newest of the five that are kept.
///
/// It is copied and cut rather than renamed, since a running server goes on writing to the file that it has open.
///
/// # Errors
/// The system's own words.
pub fn rotate(path: &Path) -> Result<(), StepError> {
    let failed = |error: io::Error| StepError::failed(format!("rotate {}", path.display()), &error);
    let found = fs::symlink_metadata(path).map_err(failed)?;
    if !found.is_file() {
        return Err(StepError::Refused(format!("{} is no plain file", path.display())));
    }
    shift(path).map_err(failed)?;
    let first = numbered(path, 1);
    fs::copy(path, &first).map_err(failed)?;
    fs::set_permissions(&first, Permissions::from_mode(0o600)).map_err(failed)?;
    let mut options = OpenOptions::new();
    let file = options.write(true).custom_flags(no_follow()).open(path).map_err(failed)?;
    file.set_len(0).map_err(failed)
}

/// Moves the older ones of a rotated file up by one, so that `.1` is free; the fifth is dropped.
///
/// # Errors
/// The system's own.
pub fn shift(path: &Path) -> io::Result<()> {
    for number in (1..5).rev() {
        match fs::rename(numbered(path, number), numbered(path, number + 1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// The name of a rotated file.
#[must_use]
pub fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{number}"));
    path.with_file_name(name)
}

/// A time as a part of names of files and refs: `2026-03-16T20-29-43`, in UTC.
#[must_use]
pub fn stamp(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H-%M-%S").to_string()
}

/// Where something of that path goes in a directory in which another of the same second may be kept already; makes the
/// directory, without which every place in it would look like one that a file is in the way of.
///
/// # Errors
/// The directory cannot be, in the system's own words; or every name is taken.
pub fn vacant(directory: &Path, path: &Path) -> io::Result<PathBuf> {
    let cannot = |error: io::Error| {
        io::Error::new(error.kind(), format!("cannot make {}: {error}", directory.display()))
    };
    private_directory(directory).map_err(cannot)?;
    // A file may be kept where this has a directory.
    let is_taken = |place: &Path| match fs::symlink_metadata(place) {
        Err(error) => error.kind() == io::ErrorKind::NotADirectory,
        Ok(_) => true,
    };
    let mut place = directory.join(path);
    let mut attempt = 0_u32;
    while is_taken(&place) {
        attempt += 1;
        if attempt > MOST_BESIDE {
            let why = format!("every name for it in {} is taken", directory.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, why));
        }
        place = directory.join(format!("{AGAIN}{attempt}")).join(path);
    }
    Ok(place)
}

/// The directory for what was set aside at that time.
#[must_use]
pub fn rescued_place(config: &Config, time: Timestamp) -> PathBuf {
    config.state.join("rescued").join(stamp(time))
}

fn no_follow() -> i32 {
    // The bits of open(2) fit in its own type.
    i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or(0)
}
