//! A linter for launchd's jobs: what is wrong with a property list, told with its line; and for systemd's units.
//!
//! It reads like CoreFoundation, knows launchd.plist(5), and keeps one rule of severity: an *error* is
//! what launchd refuses, or a job that it can never start. What launchd accepts and then ignores is a
//! *warning*; what is merely old, unusual or a convention is *info*. What only the machine that runs the
//! job can tell (paths, owners, modes) is judged for installed jobs alone, never for a file from elsewhere.

mod syntax;
mod plist;
mod binary;
mod keys;
mod shape;
mod job;
mod program;
mod arguments;
mod paths;
mod schedule;
mod environment;
mod installed;
pub mod render;
pub mod unit;

use serde::Serialize;

pub use installed::{Facts, Kind, Seen, paths_of};
pub(crate) use paths::has_placeholder;

use crate::check::Severity;

/// A property list larger than this is not read: no job is.
pub const LIMIT: usize = 4 << 20;

/// One thing that is wrong, or odd, in a job's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is; see the module.
    pub severity: Severity,
    /// What kind of mistake, in kebab-case, for ever: `unknown-key`.
    pub code: &'static str,
    /// The key it is about, nested ones with dots: `KeepAlive.Crashed`; `None`: the file as a whole.
    pub key: Option<String>,
    /// The line, from one; `None`: a binary property list has none.
    pub line: Option<usize>,
    /// One sentence, present tense.
    pub message: String,
    /// What to write instead.
    pub suggestion: Option<String>,
}

/// Where the file lies, and so what may be judged.
#[derive(Debug, Clone, Default)]
pub enum Place {
    /// In a repository, a download, another machine's backup: by its text alone.
    #[default]
    Elsewhere,
    /// Where launchd loads it from, with what this machine says of it.
    Installed(Box<Facts>),
}

/// The bytes are no launchd job's at all, so there is nothing to say about them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Larger than [`LIMIT`].
    #[error("it is too large for a job: {0} bytes")]
    TooLarge(usize),
}

/// Finds what is wrong with a job's file, in the order of its lines.
///
/// `path_label` is the path as the user gave it: its name is compared with the label, and its folder says
/// whether it is an agent or a daemon. Nothing is read from it.
///
/// # Errors
/// The bytes are no job's at all. One that does not parse is a finding.
pub fn lint(path_label: &str, bytes: &[u8], place: &Place) -> Result<Vec<Finding>, Unreadable> {
    if bytes.len() > LIMIT {
        return Err(Unreadable::TooLarge(bytes.len()));
    }
    let read = plist::read(bytes);
    let mut findings = read.problems;
    if let Some(root) = read.root {
        findings.extend(job::findings(path_label, &root, place));
    }
    findings.sort_by_key(|it| (it.line, std::cmp::Reverse(it.severity)));
    findings.dedup();
    Ok(findings)
}
