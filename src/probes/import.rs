//! Files of other tools, to be turned into checks of ours.
#![expect(clippy::disallowed_methods, reason = "probes are where files are read")]

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::declared::is_like;

/// The most that is read of one, in bytes.
const LIMIT: u64 = 4 << 20;

/// The text of a file.
///
/// # Errors
/// It cannot be read, is too long, or is no text.
pub fn read(path: &Path) -> Result<String, String> {
    let failed = |why: &dyn std::fmt::Display| format!("it cannot be read: {why}");
    let file = std::fs::File::open(path).map_err(|error| failed(&error))?;
    if file.metadata().is_ok_and(|it| it.is_dir()) {
        return Err(failed(&"it is a directory"));
    }
    text(file).map_err(|why| failed(&why))
}

/// A text to its end.
///
/// # Errors
/// As for a file.
pub fn text(from: impl Read) -> Result<String, String> {
    let mut bytes = Vec::new();
    from.take(LIMIT + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LIMIT {
        return Err("it is too long".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| "it is no text".to_owned())
}

/// The files that are like a pattern, in whose last part `*` stands for anything.
///
/// # Errors
/// The directory cannot be read.
pub fn like(pattern: &Path) -> Result<Vec<PathBuf>, String> {
    let directory = pattern.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = pattern.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let failed = |error: std::io::Error| format!("its directory cannot be read: {error}");
    let entries = std::fs::read_dir(directory).map_err(failed)?.filter_map(Result::ok);
    let mut files: Vec<PathBuf> = entries
        .filter(|entry| is_like(&entry.file_name().to_string_lossy(), &name))
        .map(|entry| directory.join(entry.file_name()))
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    Ok(files)
}
