//! Whose word a configuration is: the user's own may run programs, one that came with a repository may not, until
//! it is allowed by its content.
#![expect(clippy::disallowed_methods, reason = "the configuration is judged at the edge")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::config::{Surroundings, Trust};
use crate::error::StepError;
use crate::plain;
use crate::report::words;

/// What the user allowed: `~/.local/state/housecall/trust.json`.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Allowed {
    /// The version of this shape.
    schema: u32,
    /// For a file, by its real path, the content that is allowed.
    files: BTreeMap<PathBuf, Content>,
}

/// An allowed content.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Content {
    /// Its SHA-256 alone, as the first version of this file had it.
    Digest(String),
    /// With the text itself, so that a change can be shown.
    Text {
        /// Its SHA-256.
        sha256: String,
        /// All of it.
        text: String,
    },
}

impl Content {
    fn digest(&self) -> &str {
        match self {
            Self::Digest(digest) | Self::Text { sha256: digest, .. } => digest,
        }
    }
}

const SCHEMA: u32 = 2;

/// Whether the programs that a configuration names may run: all its files must be trusted.
#[must_use]
pub fn judge(sources: &[(PathBuf, String)], surroundings: &Surroundings) -> Trust {
    let trusted = |(file, text): &(PathBuf, String)| is_trusted(file, text.as_bytes(), surroundings);
    if !sources.is_empty() && sources.iter().all(trusted) { Trust::Trusted } else { Trust::Untrusted }
}

/// Whether the programs that this file names may run.
///
/// The user's own: in their configuration directory, or theirs and not tracked by a repository, and not writable by
/// everybody. Else only what `housecall trust` remembers, by content.
fn is_trusted(file: &Path, content: &[u8], surroundings: &Surroundings) -> bool {
    let Ok(real) = file.canonicalize() else { return false };
    if open_to_others(&real).is_some() {
        return false;
    }
    // The file may be another one by now: its owner speaks for the text that is in it, and for no other.
    let is_text = plain::read(&real).is_ok_and(|there| there == content);
    if is_text && is_own(file, &real, surroundings) {
        return true;
    }
    read(surroundings)
        .is_ok_and(|allowed| allowed.files.get(&real).is_some_and(|it| it.digest() == digest(content)))
}

/// Whether a file is the user's own: in their configuration directory, or theirs and not tracked by a repository.
fn is_own(file: &Path, real: &Path, surroundings: &Surroundings) -> bool {
    let opened = plain::open(real, OFlags::NOFOLLOW).and_then(|it| it.metadata());
    if opened.map_or(true, |it| it.uid() != surroundings.uid) {
        return false;
    }
    if surroundings.config_home().canonicalize().is_ok_and(|home| real.starts_with(home)) {
        return true;
    }
    // A link to it may have come with a repository as well.
    let above = file.parent().and_then(|it| it.canonicalize().ok());
    let Some(link) = above.zip(file.file_name()).map(|(above, name)| above.join(name)) else { return false };
    !may_be_tracked(real) && (link == real || !may_be_tracked(&link))
}

/// The tree that a configuration may include files of; `None`: any file at all, for it is the user's own.
#[must_use]
pub fn tree_of(file: &Path, surroundings: &Surroundings) -> Option<PathBuf> {
    let real = file.canonicalize().ok()?;
    if is_own(file, &real, surroundings) {
        return None;
    }
    real.parent().map(Path::to_owned)
}

/// What was allowed of this file before, if it was something else and is known.
#[must_use]
pub fn allowed_before(file: &Path, content: &[u8], surroundings: &Surroundings) -> Option<String> {
    let allowed = read(surroundings).ok()?;
    match allowed.files.get(&file.canonicalize().ok()?)? {
        Content::Text { sha256, text } if *sha256 != digest(content) => Some(text.clone()),
        _ => None,
    }
}

/// Remembers that a file of this content may run its programs.
///
/// # Errors
/// Others may write the file, or what is allowed cannot be read or written.
pub fn allow(file: &Path, content: &[u8], surroundings: &Surroundings) -> Result<(), StepError> {
    let what = || format!("trust {}", surroundings.tilde(file));
    let real = file.canonicalize().map_err(|error| StepError::failed(what(), &error))?;
    if let Some(why) = open_to_others(&real) {
        return Err(StepError::Refused(why));
    }
    let mut allowed = read(surroundings)?;
    allowed.schema = SCHEMA;
    let text = String::from_utf8_lossy(content).into_owned();
    allowed.files.insert(real, Content::Text { sha256: digest(content), text });
    let text = serde_json::to_string_pretty(&allowed).map_err(|error| StepError::failed(what(), &error))?;
    write(&surroundings.trust_file(), &text).map_err(|error| StepError::failed(what(), &error))
}

/// Says how anybody else may change the file, or put another in its place; `None`: nobody may.
fn open_to_others(file: &Path) -> Option<String> {
    const ANYBODY: u32 = 0o002;
    let is_open = std::fs::metadata(file).map_or(ANYBODY, |it| it.mode()) & ANYBODY != 0;
    let itself = is_open.then(|| format!("everybody may write to {}", file.display()));
    itself.or_else(|| plain::open_above(file))
}

/// Whether a repository around the file tracks it, or may: one that cannot be read counts as one that does.
///
/// The nearest repository has not the last word: whoever commits the files of a bare one beside a configuration
/// would have git look no further.
fn may_be_tracked(file: &Path) -> bool {
    file.ancestors().skip(1).any(|directory| match git2::Repository::open(directory) {
        Ok(repository) => tracks(&repository, file),
        Err(error) => error.code() != git2::ErrorCode::NotFound,
    })
}

fn tracks(repository: &git2::Repository, file: &Path) -> bool {
    let Some(top) = repository.workdir().and_then(|top| top.canonicalize().ok()) else { return false };
    let Ok(relative) = file.strip_prefix(&top) else { return false };
    let Ok(index) = repository.index() else { return true };
    // On many volumes a name in another case is the same file, whichever way git wrote it down.
    let wanted = folded(relative.as_os_str().as_bytes());
    if index.iter().any(|entry| folded(&entry.path) == wanted) {
        return true;
    }
    // In the last commit counts too: taking it out of the index alone does not make it the user's own.
    let tree = repository.head().and_then(|head| head.peel_to_tree());
    tree.is_ok_and(|tree| has(repository, &tree, &wanted.split('/').collect::<Vec<_>>()))
}

/// Whether a tree has an entry of that name, part by part, in whichever case it is written.
fn has(repository: &git2::Repository, tree: &git2::Tree<'_>, parts: &[&str]) -> bool {
    let Some((part, rest)) = parts.split_first() else { return true };
    tree.iter().filter(|entry| folded(entry.name_bytes()) == *part).any(|entry| {
        match entry.to_object(repository).and_then(|it| it.peel_to_tree()) {
            Ok(below) => has(repository, &below, rest),
            Err(_) => rest.is_empty(),
        }
    })
}

/// A name as a volume compares it that minds neither case nor how an accent is written.
fn folded(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    if name.is_ascii() { name.to_ascii_lowercase() } else { words::composed(&name).to_lowercase() }
}

fn digest(content: &[u8]) -> String {
    Sha256::digest(content).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn read(surroundings: &Surroundings) -> Result<Allowed, StepError> {
    let file = surroundings.trust_file();
    let what = || format!("read {}", surroundings.tilde(&file));
    if let Ok(Some(why)) = plain::not_own_directory(file.parent().unwrap_or(Path::new("/"))) {
        return Err(StepError::Refused(format!(
            "{} is not believed: its directory: {why}",
            surroundings.tilde(&file)
        )));
    }
    let text = match plain::own_text(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Allowed::default()),
        Err(error) => return Err(StepError::failed(what(), &error)),
    };
    parsed(&text, &surroundings.tilde(&file))
}

/// What a text of that file allows: for each configuration the digest of its content.
///
/// # Errors
/// It is torn, or of a newer version.
pub fn allowed_in(text: &str) -> Result<Vec<(PathBuf, String)>, StepError> {
    let files = parsed(text, "trust.json")?.files.into_iter();
    Ok(files.map(|(file, content)| (file, content.digest().to_owned())).collect())
}

fn parsed(text: &str, name: &str) -> Result<Allowed, StepError> {
    let failed = |error: &dyn std::fmt::Display| StepError::failed(format!("read {name}"), error);
    let allowed: Allowed = serde_json::from_str(text).map_err(|error| failed(&error))?;
    if allowed.schema > SCHEMA {
        return Err(StepError::Refused(format!("a newer housecall wrote {name}")));
    }
    Ok(allowed)
}

/// Writes beside, syncs and renames, for the user alone.
fn write(file: &Path, text: &str) -> std::io::Result<()> {
    let directory = file.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(directory)?;
    let mut beside = tempfile::NamedTempFile::new_in(directory)?;
    beside.write_all(text.as_bytes())?;
    beside.as_file().sync_all()?;
    beside.persist(file).map_err(|error| error.error)?;
    Ok(())
}
