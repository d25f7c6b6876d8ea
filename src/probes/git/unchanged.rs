//! Files that are what their commit holds, whatever git says of them; and edits that its index hides.
//!
//! Where attributes fit none of a committed file's content (carriage returns under `*.txt text`, say), git calls the
//! file modified as soon as it looks, straight after its own checkout. That is nobody's edit.
#![expect(clippy::disallowed_methods, reason = "probes are where files are read")]

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use git2::{IndexEntryExtendedFlag, IndexEntryFlag};

use crate::config::Config;
use crate::error::ProbeError;
use crate::git;
use crate::probes::program::{self, Output};

/// How many arguments one command gets.
const CHUNK: usize = 500;

/// Of how many files, at the most, git is asked what it would check out, one by one.
const FEW: usize = 32;

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
/// # Errors
/// git cannot be run, or did not end in time.
pub fn as_checked_out(
    config: &Config,
    top: &Path,
    files: &[Recorded],
) -> Result<HashSet<OsString>, ProbeError> {
    if files.is_empty() {
        return Ok(HashSet::new());
    }
    let (mut same, rest) = divided(config, top, files, &["--no-filters"])?;
    if rest.len() > FEW {
        return Ok(same);
    }
    for file in rest {
        let mut path = OsString::from("--path=");
        path.push(&file.path);
        let arguments = ["cat-file".as_ref(), "--filters".as_ref(), path.as_os_str(), file.blob.as_ref()];
        let given = program::run(&git::command(config, top, &arguments))?;
        let is_whole = given.succeeded() && !given.truncated;
        if is_whole && fs::read(top.join(&file.path)).is_ok_and(|content| content == given.stdout) {
            same.insert(file.path.clone());
        }
    }
    Ok(same)
}

/// The plain files whose content, read in that way, is the object that is recorded; and those where it is another.
fn divided<'a>(
    config: &Config,
    top: &Path,
    files: &'a [Recorded],
    how: &[&str],
) -> Result<(HashSet<OsString>, Vec<&'a Recorded>), ProbeError> {
    let is_file =
        |file: &&Recorded| fs::symlink_metadata(top.join(&file.path)).is_ok_and(|found| found.is_file());
    let files: Vec<&Recorded> = files.iter().filter(is_file).collect();
    let (mut same, mut rest) = (HashSet::new(), Vec::new());
    for chunk in files.chunks(CHUNK) {
        let start = ["hash-object"].iter().chain(how).chain(&["--"]).map(OsStr::new);
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
    // Where a repository is sparse most files are not there; one that is was put there by a person.
    let is_sparse = git::said(&ask(config, top, &["config", "--type=bool", "--get", "core.sparseCheckout"])?);
    let is_there = |file: &Recorded| fs::symlink_metadata(top.join(&file.path)).is_ok();
    let is_wanted = |file: &Recorded| file.mode != "160000" && (is_sparse != "true" || is_there(file));
    let found: Vec<Recorded> = found.into_iter().filter(is_wanted).collect();
    let (mut same, _) = divided(config, top, &found, &[])?;
    let other: Vec<Recorded> = found.iter().filter(|file| !same.contains(&file.path)).cloned().collect();
    same.extend(as_checked_out(config, top, &other)?);
    for link in other.iter().filter(|file| file.mode == "120000") {
        let recorded = ask(config, top, &["cat-file", "blob", &link.blob])?;
        if fs::read_link(top.join(&link.path)).is_ok_and(|to| to.as_os_str().as_bytes() == recorded.stdout) {
            same.insert(link.path.clone());
        }
    }
    Ok(other.into_iter().map(|file| file.path).filter(|path| !same.contains(path)).collect())
}

/// The files that the index marks so, read without a program: each cycle asks.
fn marked(top: &Path) -> Result<Vec<Recorded>, git2::Error> {
    let index = git2::Repository::open(top)?.index()?;
    let assumed = IndexEntryFlag::VALID.bits();
    let skipped = IndexEntryExtendedFlag::SKIP_WORKTREE.bits();
    let is_marked =
        |entry: &git2::IndexEntry| entry.flags & assumed != 0 || entry.flags_extended & skipped != 0;
    let recorded = |entry: git2::IndexEntry| Recorded {
        mode: format!("{:o}", entry.mode),
        blob: entry.id.to_string(),
        path: OsString::from_vec(entry.path),
    };
    Ok(index.iter().filter(is_marked).map(recorded).collect())
}

/// The same, by git.
fn listed(config: &Config, top: &Path) -> Result<Vec<Recorded>, ProbeError> {
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
        Some(Recorded { mode, blob, path: OsStr::from_bytes(path).to_owned() })
    };
    Ok(output.stdout.split(|byte| *byte == 0).filter_map(of_one).collect())
}

fn ask(config: &Config, top: &Path, arguments: &[&str]) -> Result<Output, ProbeError> {
    program::run(&git::command(config, top, arguments))
}
