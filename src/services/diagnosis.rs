//! What a person needs when a job does not serve after a reload: gathered as data, rendered by a pure function.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::config::Config;
use crate::services::{Observed, State};

/// How many lines of each log are shown.
pub const LINES: usize = 20;

/// A job that was reloaded, or was to be, and does not serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// Its label or unit.
    pub label: String,
    /// What went wrong, in one sentence.
    pub why: String,
    /// The last probe of its health, if there was one.
    pub probe: Option<Probe>,
    /// What its manager knows of it now, or why that cannot be told.
    pub observed: Result<Observed, String>,
    /// The end of what it wrote.
    pub stdout: Tail,
    /// The end of its complaints.
    pub stderr: Tail,
    /// The end of its journal, where what it writes goes there; or why that cannot be told.
    pub journal: Option<Result<Vec<String>, String>>,
    /// What to try by hand, each a line that can be pasted.
    pub by_hand: Vec<String>,
}

/// One question about the health of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// What was asked: an address, or the job's own process.
    pub asked: String,
    /// What came of it.
    pub result: String,
}

/// The end of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tail {
    /// Its last lines.
    Lines(PathBuf, Vec<String>),
    /// The job names no such file.
    Unavailable,
    /// It names one that is not there.
    Missing(PathBuf),
    /// It is there and cannot be read.
    Unreadable(PathBuf, String),
}

/// All of it, for a person, ending with what to try.
#[must_use]
pub fn render(config: &Config, diagnosis: &Diagnosis) -> String {
    let mut text = format!("{}: {}\n", diagnosis.label, plain(&diagnosis.why));
    if let Some(Probe { asked, result }) = &diagnosis.probe {
        let _ = writeln!(text, "  last probe: {asked}: {}", plain(result));
    }
    match &diagnosis.observed {
        Ok(observed) => {
            let _ = writeln!(text, "  state: {}", plain(&state(observed)));
            section(&mut text, "what its manager says", observed.raw.lines());
        }
        Err(why) => {
            let _ = writeln!(text, "  state: unknown: {}", plain(why));
        }
    }
    for (name, tail) in [("stdout", &diagnosis.stdout), ("stderr", &diagnosis.stderr)] {
        match tail {
            Tail::Unavailable => {
                let _ = writeln!(text, "  {name}: unavailable");
            }
            Tail::Missing(path) => {
                let _ = writeln!(text, "  {name}: missing {}", path.display());
            }
            Tail::Unreadable(_, why) => {
                let _ = writeln!(text, "  {name}: {}", plain(why));
            }
            Tail::Lines(path, lines) => {
                let title = format!("{name}: {}, {}", config.tilde(path), counted(lines.len()));
                section(&mut text, &title, lines.iter().map(String::as_str));
            }
        }
    }
    match &diagnosis.journal {
        None => {}
        Some(Ok(lines)) => {
            let title = format!("journal: {}", counted(lines.len()));
            section(&mut text, &title, lines.iter().map(String::as_str));
        }
        Some(Err(why)) => {
            let _ = writeln!(text, "  journal: {}", plain(why));
        }
    }
    text.push_str("  try by hand:\n");
    for command in &diagnosis.by_hand {
        let _ = writeln!(text, "    {command}");
    }
    text
}

fn counted(lines: usize) -> String {
    match lines {
        0 => "empty".to_owned(),
        1 => "its only line".to_owned(),
        LINES => format!("its last {LINES} lines"),
        lines => format!("its {lines} lines"),
    }
}

fn section<'a>(text: &mut String, title: &str, lines: impl Iterator<Item = &'a str>) {
    let _ = writeln!(text, "  {title}");
    for line in lines {
        let _ = writeln!(text, "    | {}", plain(line));
    }
}

/// The state in words, with all that was parsed of it.
#[must_use]
pub fn state(observed: &Observed) -> String {
    let word = match &observed.state {
        State::Absent => "not loaded".to_owned(),
        State::Idle => "loaded, no process".to_owned(),
        State::Starting => "being started".to_owned(),
        State::Running => "running".to_owned(),
        State::Draining => "told to end, not gone yet".to_owned(),
        State::BackingOff => "failed, started again later".to_owned(),
        State::Refused(why) => format!("not startable: {why}"),
        State::Unknown(why) => format!("unknown: {why}"),
    };
    let parts = [
        observed.pid.map(|pid| format!("pid {pid}")),
        observed
            .runs
            .map(|runs| if runs == 1 { "started once".to_owned() } else { format!("started {runs} times") }),
        observed.last_exit.as_ref().map(|exit| format!("last end: {}", exit.told)),
        observed.disabled.then(|| "disabled".to_owned()),
        observed.file.as_ref().map(|file| format!("from {}", file.display())),
    ];
    std::iter::once(word).chain(parts.into_iter().flatten()).collect::<Vec<_>>().join("; ")
}

/// Whatever a job writes, it must not steer the reader's terminal.
fn plain(line: &str) -> String {
    line.chars().filter(|it| !it.is_control() || *it == '\t').collect()
}
