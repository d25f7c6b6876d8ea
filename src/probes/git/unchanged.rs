//! Files that are what their commit holds, whatever git says of them; and edits that its index hides.
//!
//! Where attributes fit none of a committed file's content (carriage returns under `*.txt text`, say), git calls the
//! file modified as soon as it looks, straight after its own checkout. That is nobody's edit.
#![expect(clippy::disallowed_methods, reason = "probes are where files are read")]

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use git2::{IndexEntryExtendedFlag, IndexEntryFlag};

use crate::config::Config;
use crate::error::ProbeError;
use crate::git;
use crate::probes::program::{self, Output};

/// How many arguments one command gets.
const CHUNK: usize = 500;

/// git's number for the kind of a link.
const LINK: &str = "120000";

/// How much content one git is asked for, in bytes: less than what is kept of its output.
const AT_ONCE: usize = 8 << 20;

/// The longest file that is compared, in bytes; a longer one counts as edited.
const MOST: usize = 512 << 20;

/// A file as git has it recorded, by its path from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// git's number for its kind and rights: `100644`.
    pub mode: String,
    /// The object of its content.
    pub blob: String,
    /// Where it lies.
    pub path: OsString,
}

/// Those of `diff --raw -z` that differ in nothing but their content, as they were recorded before.
#[must_use]
pub fn edited(raw: &[u8]) -> Vec<Recorded> {
    let mut parts = raw.split(|byte| *byte == 0);
    let mut found = Vec::new();
    // `:100644 100644 <sha> <sha> M`, and then the path.
    while let (Some(facts), Some(path)) = (parts.next().filter(|it| !it.is_empty()), parts.next()) {
        let facts = String::from_utf8_lossy(facts);
        if let [before, after, blob, ..] = facts.trim_start_matches(':').split(' ').collect::<Vec<_>>()[..]
            && before == after
        {
            let path = OsStr::from_bytes(path).to_owned();
            found.push(Recorded { mode: before.to_owned(), blob: blob.to_owned(), path });
        }
    }
    found
}

/// Those of plain files that hold, byte for byte, what git checks out for them.
///
/// A filter may have been configured since, or the ends of lines: what is recorded is not what counts.
///
/// # Errors
/// git cannot be run, or did not end in time.
pub fn as_checked_out(
    config: &Config,
    top: &Path,
    files: &[Recorded],
) -> Result<HashSet<OsString>, ProbeError> {
    let (mut same, mut chunk, mut room) = (HashSet::new(), Vec::new(), (0, 0));
    for file in files.iter().filter(|file| file.mode != LINK) {
        let Ok(found) = fs::symlink_metadata(top.join(&file.path)) else { continue };
        if !found.is_file() {
            continue;
        }
        let (words, bytes) = (line(file).len(), usize::try_from(found.len()).unwrap_or(usize::MAX));
        if !can_be_listed(file) || words > program::WORDS || bytes > AT_ONCE {
            same.extend(alone(config, top, file, bytes)?);
            continue;
        }
        if room.0 < words || room.1 < bytes {
            same.extend(together(config, top, &std::mem::take(&mut chunk))?);
            room = (program::WORDS, AT_ONCE);
        }
        room = (room.0 - words, room.1 - bytes);
        chunk.push(file);
    }
    same.extend(together(config, top, &chunk)?);
    Ok(same)
}

/// Those of a few files, by one git; where it does not come to its end with them, by one for each.
fn together(config: &Config, top: &Path, files: &[&Recorded]) -> Result<Vec<OsString>, ProbeError> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    // No content holds it, since nobody can know it before.
    let mark = format!("{:016x}", RandomState::new().hash_one(files.len()));
    let words: Vec<u8> = files.iter().flat_map(|file| line(file)).collect();
    let batch = format!("--batch={mark}");
    let given = program::run_given(&git::command(config, top, &["cat-file", "--filters", &batch]), &words);
    let all = match given {
        Ok(given) if given.succeeded() && !given.truncated => parted(&given.stdout, &mark, files, top),
        Ok(_) | Err(_) => None,
    };
    if let Some(same) = all {
        return Ok(same);
    }
    let mut same = Vec::new();
    for file in files {
        same.extend(alone(config, top, file, AT_ONCE)?);
    }
    Ok(same)
}

/// The files that are what stands for them there, each after a line of the mark alone; `None`: one of them is missing.
fn parted(mut given: &[u8], mark: &str, files: &[&Recorded], top: &Path) -> Option<Vec<OsString>> {
    let mark = format!("{mark}\n").into_bytes();
    let mut same = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let rest = given.strip_prefix(&mark[..])?;
        let length = if index + 1 == files.len() {
            rest.len()
        } else {
            rest.windows(mark.len()).position(|bytes| bytes == mark)?
        };
        let (content, next) = rest.split_at(length);
        let content = content.strip_suffix(b"\n")?;
        if fs::read(top.join(&file.path)).is_ok_and(|found| found == content) {
            same.push(file.path.clone());
        }
        given = next;
    }
    Some(same)
}

/// The same of one file of that length.
fn alone(config: &Config, top: &Path, file: &Recorded, bytes: usize) -> Result<Option<OsString>, ProbeError> {
    let mut path = OsString::from("--path=");
    path.push(&file.path);
    let arguments = ["cat-file".as_ref(), "--filters".as_ref(), path.as_os_str(), file.blob.as_ref()];
    let mut command = git::command(config, top, &arguments);
    command.limit = command.limit.max(bytes.min(MOST));
    let given = program::run(&command)?;
    let is_whole = given.succeeded() && !given.truncated;
    let is_same = is_whole && fs::read(top.join(&file.path)).is_ok_and(|content| content == given.stdout);
    Ok(is_same.then(|| file.path.clone()))
}

/// How a file is named to git that reads many.
fn line(file: &Recorded) -> Vec<u8> {
    [file.blob.as_bytes(), b" ", file.path.as_bytes(), b"\n"].concat()
}

/// Whether git reads that name as it is: it takes white space off either end.
fn can_be_listed(file: &Recorded) -> bool {
    let path = file.path.as_bytes();
    !path.contains(&b'\n') && path == path.trim_ascii()
}

/// The plain files that git makes the recorded object of, and those of which it makes another.
fn divided<'a>(
    config: &Config,
    top: &Path,
    files: &'a [Recorded],
) -> Result<(HashSet<OsString>, Vec<&'a Recorded>), ProbeError> {
    let is_file =
        |file: &&Recorded| fs::symlink_metadata(top.join(&file.path)).is_ok_and(|found| found.is_file());
    let files: Vec<&Recorded> = files.iter().filter(is_file).collect();
    let (mut same, mut rest) = (HashSet::new(), Vec::new());
    for chunk in files.chunks(CHUNK) {
        let start = ["hash-object", "--"].map(OsStr::new).into_iter();
        let arguments: Vec<&OsStr> = start.chain(chunk.iter().map(|file| file.path.as_os_str())).collect();
        let hashed = program::run(&git::command(config, top, &arguments))?;
        // One that went away meanwhile is an edit as well.
        let mut lines = hashed.stdout.split(|byte| *byte == b'\n');
        for file in chunk {
            if hashed.succeeded() && lines.next() == Some(file.blob.as_bytes()) {
                same.insert(file.path.clone());
            } else {
                rest.push(*file);
            }
        }
    }
    Ok((same, rest))
}

/// The files that somebody edited and told git to take for unchanged, or to leave out: `git status` hides them.
///
/// # Errors
/// git cannot say.
pub(super) fn hidden(config: &Config, top: &Path, in_process: bool) -> Result<Vec<OsString>, ProbeError> {
    let here = if in_process { marked(top).ok() } else { None };
    let found = match here {
        Some(found) => found,
        // libgit2 does not read every index that git writes.
        None => listed(config, top)?,
    };
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let rules = Rules::read(config, top)?;
    // Where a repository is sparse most files are not there; one that is was put there by a person.
    let is_there = |file: &Recorded| fs::symlink_metadata(top.join(&file.path)).is_ok();
    let is_wanted = |it: &Marked| !(rules.sparse && it.is_skipped) || is_there(&it.file);
    let found = found.into_iter().filter(is_wanted).map(|it| it.file);
    let found: Vec<Recorded> = found.filter(|file| file.mode != "160000").collect();
    let right: Vec<Recorded> = found.iter().filter(|file| rules.allow(top, file)).cloned().collect();
    let (mut same, other) = divided(config, top, &right)?;
    let other: Vec<Recorded> = other.into_iter().cloned().collect();
    same.extend(as_checked_out(config, top, &other)?);
    for link in right.iter().filter(|file| file.mode == LINK) {
        let recorded = ask(config, top, &["cat-file", "blob", &link.blob])?;
        if fs::read_link(top.join(&link.path)).is_ok_and(|to| to.as_os_str().as_bytes() == recorded.stdout) {
            same.insert(link.path.clone());
        }
    }
    Ok(found.into_iter().map(|file| file.path).filter(|path| !same.contains(path)).collect())
}

/// What of a file means something in a repository.
struct Rules {
    /// Whether files may be left out.
    sparse: bool,
    /// Whether the right to execute counts.
    rights: bool,
    /// Whether links are links; a plain file with the target in it stands for one elsewhere.
    links: bool,
}

impl Rules {
    fn read(config: &Config, top: &Path) -> Result<Self, ProbeError> {
        let keys = "^core\\.(sparsecheckout|filemode|symlinks)$";
        let said = git::said(&ask(config, top, &["config", "--type=bool", "--get-regexp", keys])?);
        let of =
            |key: &str| said.lines().rev().find_map(|line| line.strip_prefix(key)).map(|it| it == " true");
        Ok(Self {
            sparse: of("core.sparsecheckout").unwrap_or(false),
            rights: of("core.filemode").unwrap_or(true),
            links: of("core.symlinks").unwrap_or(true),
        })
    }

    /// Whether what is there is of the kind that is recorded, with its rights.
    fn allow(&self, top: &Path, file: &Recorded) -> bool {
        let is_link = file.mode == LINK;
        match fs::symlink_metadata(top.join(&file.path)) {
            Ok(found) if found.is_symlink() => is_link,
            Ok(found) if found.is_file() && is_link => !self.links,
            Ok(found) if found.is_file() => {
                !self.rights || (found.mode() & 0o100 != 0) == (file.mode == "100755")
            }
            _ => false,
        }
    }
}

/// A file that git is told not to look at.
struct Marked {
    file: Recorded,
    /// Whether it may be left out, rather than taken for unchanged.
    is_skipped: bool,
}

/// The files that the index marks so, read without a program: each cycle asks.
fn marked(top: &Path) -> Result<Vec<Marked>, git2::Error> {
    let index = git2::Repository::open(top)?.index()?;
    let assumed = IndexEntryFlag::VALID.bits();
    let skipped = IndexEntryExtendedFlag::SKIP_WORKTREE.bits();
    let of_one = |entry: git2::IndexEntry| {
        let is_skipped = entry.flags_extended & skipped != 0;
        let (mode, blob) = (format!("{:o}", entry.mode), entry.id.to_string());
        let file = Recorded { mode, blob, path: OsString::from_vec(entry.path) };
        (is_skipped || entry.flags & assumed != 0).then_some(Marked { file, is_skipped })
    };
    Ok(index.iter().filter_map(of_one).collect())
}

/// The same, by git.
fn listed(config: &Config, top: &Path) -> Result<Vec<Marked>, ProbeError> {
    let output = ask(config, top, &["ls-files", "-v", "--stage", "-z"])?;
    if !output.succeeded() || output.truncated {
        return Err(ProbeError::failed("list the files", &git::complaint(&output)));
    }
    let of_one = |entry: &[u8]| {
        let (mark, facts) = (*entry.first()?, entry.get(2..)?);
        if !mark.is_ascii_lowercase() && mark != b'S' {
            return None;
        }
        let mut parts = facts.splitn(2, |byte| *byte == b'\t');
        let (facts, path) = (String::from_utf8_lossy(parts.next()?).into_owned(), parts.next()?);
        let mut facts = facts.split(' ').map(str::to_owned);
        let (mode, blob) = (facts.next()?, facts.next()?);
        let file = Recorded { mode, blob, path: OsStr::from_bytes(path).to_owned() };
        Some(Marked { file, is_skipped: mark.eq_ignore_ascii_case(&b's') })
    };
    Ok(output.stdout.split(|byte| *byte == 0).filter_map(of_one).collect())
}

fn ask(config: &Config, top: &Path, arguments: &[&str]) -> Result<Output, ProbeError> {
    program::run(&git::command(config, top, arguments))
}
