//! Files that others may have put there: only plain ones are read, within bounds, and no pipe is waited for.
#![expect(clippy::disallowed_methods, reason = "what probes and the configuration read files with")]

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

/// No file that is read whole is as long, in bytes; what is, such as a device, is not read to its end.
pub const LIMIT: u64 = 32 << 20;

/// The bits of a mode by which others may write.
const OTHERS: u32 = 0o022;
const ANYBODY: u32 = 0o002;

/// Reads a file whole; links are followed.
///
/// # Errors
/// The system's own; or it is no plain file, or longer than [`LIMIT`].
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    whole(path, OFlags::empty())
}

/// Reads a text whole; links are followed.
///
/// # Errors
/// As for [`read`], and where it is not UTF-8.
pub fn text(path: &Path) -> io::Result<String> {
    read(path).and_then(as_text)
}

/// Reads a text that only this user can have written: no link, theirs, and not for others to write.
///
/// # Errors
/// As for [`text`], and where it is not so.
pub fn own_text(path: &Path) -> io::Result<String> {
    if fs::symlink_metadata(path)?.is_symlink() {
        return Err(refused("it is a link"));
    }
    let file = open(path, OFlags::NOFOLLOW)?;
    if let Some(why) = not_own(&file.metadata()?) {
        return Err(refused(why));
    }
    bounded(file).and_then(as_text)
}

/// Opens a plain file to read it.
///
/// # Errors
/// The system's own; or it is no plain file.
pub fn open(path: &Path, flags: OFlags) -> io::Result<File> {
    let flags = (flags | OFlags::NONBLOCK).bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    // What is open is asked, so that nothing can take its place in between.
    if file.metadata()?.is_file() { Ok(file) } else { Err(refused("it is no plain file")) }
}

/// Why a directory is not one that only this user writes in; a link to one is none. `None`: it is one.
///
/// # Errors
/// It cannot be looked at; where nothing is there, [`ErrorKind::NotFound`].
pub fn not_own_directory(path: &Path) -> io::Result<Option<String>> {
    let found = fs::symlink_metadata(path)?;
    if found.is_symlink() {
        return Ok(Some("it is a link".to_owned()));
    }
    if !found.is_dir() {
        return Ok(Some("it is no directory".to_owned()));
    }
    Ok(not_own(&found).or_else(|| open_above(path)))
}

/// Says which directory above lets everybody put another thing in the place of this one; `None`: none does.
#[must_use]
pub fn open_above(path: &Path) -> Option<String> {
    const STICKY: u32 = 0o1000;
    // Whoever may write above a link may lead it elsewhere, and so may whoever writes above where it leads.
    let real = path.canonicalize().ok().filter(|real| real != path);
    let both = [Some(path), real.as_deref()];
    let open = both.into_iter().flatten().flat_map(|it| it.ancestors().skip(1)).find(|above| {
        fs::metadata(above).is_ok_and(|it| it.mode() & ANYBODY != 0 && it.mode() & STICKY == 0)
    });
    open.map(|above| format!("everybody may write to {}", above.display()))
}

fn not_own(found: &fs::Metadata) -> Option<String> {
    let user = rustix::process::geteuid().as_raw();
    if found.uid() != user {
        return Some(format!("it belongs to user {}, not to user {user}", found.uid()));
    }
    let mode = found.mode() & 0o7777;
    // Where every user has a group of their own, directories are often open to it.
    let (who, others) = if found.is_dir() { ("everybody", ANYBODY) } else { ("others", OTHERS) };
    (mode & others != 0).then(|| format!("{who} may write to it: its mode is {mode:o}"))
}

/// Whether an error says that a file cannot be read now, as where a right is missing. Other errors say what the file is:
/// absent, no plain file, no text.
#[must_use]
pub fn cannot_be_read(error: &io::Error) -> bool {
    !matches!(
        error.kind(),
        ErrorKind::NotFound
            | ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::InvalidInput
            | ErrorKind::InvalidData
    )
}

fn whole(path: &Path, flags: OFlags) -> io::Result<Vec<u8>> {
    open(path, flags).and_then(bounded)
}

fn bounded(file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LIMIT {
        return Err(refused(format!("it is longer than {} MiB", LIMIT >> 20)));
    }
    Ok(bytes)
}

fn as_text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|error| io::Error::new(ErrorKind::InvalidData, error.utf8_error()))
}

fn refused(why: impl Into<String>) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, why.into())
}
