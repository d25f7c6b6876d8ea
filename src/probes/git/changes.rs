//! How the worktree's files differ from HEAD, in git's own judgement: filters, attributes and sparseness count.

use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;

use super::unchanged::{self, Recorded};
use super::{Changes, Checkout, submodules};
use crate::config::{Config, Trust};
use crate::error::ProbeError;
use crate::git;
use crate::probes::machine::{Machine, Where};
use crate::probes::program;

/// git's words for an index that is torn, truncated or no index.
const CORRUPT: [&str; 5] =
    ["index file smaller than expected", "index file corrupt", "bad signature", "bad index", "index uses"];

/// The system's words, after a file's name, for one that git could not look at: it goes on, and takes it for unchanged.
const UNSEEN: [&str; 2] = [": Permission denied", ": Input/output error"];

/// Asks git how the files differ from HEAD.
///
/// # Errors
/// Where git cannot say: not trusted, no answer in time, a corrupt index.
pub fn changes(machine: &Machine, config: &Config, checkout: &Checkout) -> Result<Changes, ProbeError> {
    if config.trust == Trust::Untrusted {
        return Err(ProbeError::NotTrusted { what: "git".to_owned() });
    }
    let in_process =
        machine.guard(&checkout.common_dir)? == Where::Here && machine.guard(&checkout.top)? == Where::Here;
    let arguments = ["status", "--porcelain=v2", "-z", "--untracked-files=all", "--ignore-submodules=none"];
    let output =
        program::run(&git::command(config, &checkout.top, &arguments)).map_err(|error| match error {
            ProbeError::TimedOut { after, .. } => {
                ProbeError::TimedOut { what: format!("git status in {}", config.tilde(&checkout.top)), after }
            }
            other => other,
        })?;
    let complaints = String::from_utf8_lossy(&output.stderr);
    if output.succeeded() {
        // A warning is of a directory that may hold new files; with tracked ones in it, they are named too.
        let is_unseen =
            |line: &&str| !line.starts_with("warning: ") && UNSEEN.iter().any(|words| line.ends_with(words));
        if let Some(unseen) = complaints.lines().find(is_unseen) {
            return Err(ProbeError::failed("ask git for changes", &unseen));
        }
        let top = checkout.top.as_path();
        let text = |path: &OsStr| readable(path.as_encoded_bytes());
        let missing = submodules::missing(config, top)?.iter().map(|path| text(path.as_os_str())).collect();
        let mut found = Changes { missing, ..Changes::parse(&output.stdout) };
        let same = unchanged::as_checked_out(config, top, &modified(&output.stdout))?;
        found.as_checked_out = same.iter().map(|path| text(path)).collect();
        found.as_checked_out.sort();
        found.tracked.retain(|file| found.as_checked_out.binary_search(file).is_err());
        found.hidden = unchanged::hidden(config, top, in_process)?.iter().map(|path| text(path)).collect();
        found.hidden.retain(|file| !found.tracked.contains(file));
        return Ok(found);
    }
    let why = git::complaint(&output);
    if CORRUPT.iter().any(|word| complaints.contains(word)) {
        return Ok(Changes { corrupt: Some(why), ..Changes::default() });
    }
    Err(ProbeError::failed("ask git for changes", &why))
}

impl Changes {
    /// Reads `status --porcelain=v2 -z`: records end with NUL, and a rename has a second one with its old name.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        let mut changes = Self::default();
        let mut records = text.split(|&byte| byte == 0);
        while let Some(record) = records.next() {
            let fields = match record.first() {
                Some(b'1') => 9,
                Some(b'2') => {
                    records.next();
                    10
                }
                Some(b'u') => 11,
                Some(b'?') => 2,
                _ => continue,
            };
            let Some(name) = record.splitn(fields, |&byte| byte == b' ').nth(fields - 1) else {
                continue;
            };
            let list = if fields == 2 { &mut changes.untracked } else { &mut changes.tracked };
            list.push(readable(name));
        }
        changes
    }
}

/// The files of `status --porcelain=v2 -z` whose content on disk is all that differs.
fn modified(text: &[u8]) -> Vec<Recorded> {
    // `1 .M N... 100644 100644 100644 <sha> <sha> path`
    let of_one = |record: &[u8]| {
        let fields: Vec<&[u8]> = record.strip_prefix(b"1 .M ")?.splitn(7, |byte| *byte == b' ').collect();
        let [_, _, index, worktree, _, blob, path] = fields.try_into().ok()?;
        let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let path = OsStr::from_bytes(path).to_owned();
        (index == worktree).then(|| Recorded { mode: words(index), blob: words(blob), path })
    };
    text.split(|&byte| byte == 0).filter_map(of_one).collect()
}

/// A file's name as people can read it: control characters and bytes that are no text are written as escapes.
fn readable(name: &[u8]) -> String {
    let mut text = String::new();
    for chunk in name.utf8_chunks() {
        for letter in chunk.valid().chars() {
            if letter.is_control() {
                text.extend(letter.escape_default());
            } else {
                text.push(letter);
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}
