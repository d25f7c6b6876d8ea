//! Processes: what they run, where, since when, and whose they are.

use std::collections::BTreeSet;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::error::ProbeError;
use crate::report::words::is_dangerous;

#[cfg(not(target_os = "macos"))]
mod linux;
#[cfg(target_os = "macos")]
mod macos;

#[cfg(not(target_os = "macos"))]
use linux as system;
#[cfg(target_os = "macos")]
use macos as system;

/// What ends the path of an executable or a directory that is no longer there, as Linux writes it.
pub const DELETED: &str = " (deleted)";
/// How much the kernel keeps of the name that a process was started by, in bytes.
pub const NAME: usize = if cfg!(target_os = "macos") { 16 } else { 15 };
/// The most of a command line that people are shown, in characters.
const COMMAND: usize = 160;

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// Its parent's.
    pub parent: Option<u32>,
    /// Its user.
    pub uid: Option<u32>,
    /// Its executable, links resolved; `None` where that may not be known. [`DELETED`] ends the name of one
    /// that is no longer there, so that no other file is taken for it.
    pub executable: Option<PathBuf>,
    /// What the kernel calls it: the name it was started by, cut to [`NAME`] bytes; `None` for a thread of the kernel's.
    pub name: Option<String>,
    /// Its command line; empty where that may not be known.
    pub argv: Vec<String>,
    /// Its working directory, real path; `None` where that may not be known. One that is gone ends as above.
    pub directory: Option<PathBuf>,
    /// When it started.
    pub started: Timestamp,
    /// What tells it from another process of the same id: the kernel's own start time, opaque.
    pub identity: u64,
}

/// Reads one process; `None` where there is none, or only a zombie.
///
/// # Errors
/// Where the kernel cannot be asked.
pub fn read(pid: u32) -> Result<Option<Process>, ProbeError> {
    system::read(pid)
}

/// All processes of the machine but this one and those that it started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Processes {
    /// They, by number. Threads and zombies are none.
    pub list: Vec<Process>,
    /// Whether the system shows those of all users.
    pub is_whole: bool,
}

/// Reads all processes; one that ends meanwhile is left out.
///
/// # Errors
/// Where the kernel cannot be asked.
pub fn all() -> Result<Processes, ProbeError> {
    let mut list = Vec::new();
    for pid in system::pids()? {
        list.extend(system::read(pid)?);
    }
    let mut own = BTreeSet::from([std::process::id()]);
    // A child may have a smaller number than its parent.
    loop {
        let is_child =
            |it: &&Process| it.parent.is_some_and(|it| own.contains(&it)) && !own.contains(&it.pid);
        let children: Vec<u32> = list.iter().filter(is_child).map(|it| it.pid).collect();
        if children.is_empty() {
            break;
        }
        own.extend(children);
    }
    list.retain(|it| !own.contains(&it.pid));
    Ok(Processes { list, is_whole: !system::hides_others()? })
}

/// Its start time in the kernel's own unit, for sorting parents before children.
pub(crate) fn start(pid: u32) -> Option<u64> {
    system::start(pid)
}

impl Process {
    /// Its command line, one line, for people: control characters escaped, long ones cut.
    #[must_use]
    pub fn command(&self) -> String {
        let mut text = String::new();
        for (at, word) in self.argv.iter().enumerate() {
            if at > 0 {
                text.push(' ');
            }
            for character in word.chars() {
                if is_dangerous(character) {
                    text.extend(character.escape_default());
                } else {
                    text.push(character);
                }
            }
        }
        if text.chars().count() <= COMMAND {
            return text;
        }
        let mut cut: String = text.chars().take(COMMAND - 2).collect();
        cut.push_str(" …");
        cut
    }
}
