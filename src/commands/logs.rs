//! `logs`: what sync and server wrote, merged by time.
#![expect(clippy::disallowed_methods, reason = "a log is followed as it grows")]

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use super::Call;
use crate::cli::Role;
use crate::config::ConfigError;
use crate::exit::Exit;
use crate::probes::logs::START;
use crate::report::words::{Colours, harmless};

/// The most of each log's past that is read, in bytes.
const PAST: u64 = 1 << 20;
/// How often a growing log is looked at.
const TICK: Duration = Duration::from_millis(200);

/// Shows the last lines, and goes on as they grow where that is asked.
///
/// # Errors
/// The configuration makes no sense.
pub fn run(
    call: &mut Call<'_, '_>,
    role: Option<Role>,
    lines: usize,
    follow: Following,
) -> Result<Exit, ConfigError> {
    let config = call.load()?;
    let roles = role.map_or_else(|| vec![Role::Sync, Role::Serve], |role| vec![role]);
    let mut tails: Vec<Tail> =
        roles.iter().map(|role| Tail::of(config.log_file(role.name()), role.name())).collect();
    let are_several = tails.len() > 1;
    let colours = if call.console.terminal.colour_out { Colours::Kept } else { Colours::Dropped };
    let mut past: Vec<Line> = Vec::new();
    for tail in &mut tails {
        past.extend(tail.more());
    }
    past.sort_by_key(|line| line.at);
    if past.is_empty() && follow == Following::No {
        call.console.tell("there is no log yet\n");
    }
    let shown = past.split_off(past.len().saturating_sub(lines));
    let mut fresh = shown;
    loop {
        let shown = fresh.iter().map(|line| {
            // Whatever a server writes, it must not steer the reader's terminal.
            let text = harmless(&line.text, colours);
            if are_several { format!("{:<5} {text}\n", line.role) } else { format!("{text}\n") }
        });
        // All at once: a key goes over several lines.
        let text = config.redactor.text(&shown.collect::<String>());
        let written = call.console.out.write_all(text.as_bytes()).and_then(|()| call.console.out.flush());
        if written.is_err() || follow == Following::No {
            return Ok(Exit::Healthy);
        }
        std::thread::sleep(TICK);
        fresh = tails.iter_mut().flat_map(Tail::more).collect();
        fresh.sort_by_key(|line| line.at);
    }
}

/// Whether the command goes on as the logs grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Following {
    /// Until it is ended.
    Yes,
    /// The past only.
    No,
}

/// A line, and the time that it, or the last one before it that has one, tells.
struct Line {
    at: Timestamp,
    role: &'static str,
    text: String,
}

/// A log and how far it was read.
struct Tail {
    path: PathBuf,
    role: &'static str,
    position: Option<u64>,
    rest: Vec<u8>,
    at: Timestamp,
}

impl Tail {
    fn of(path: PathBuf, role: &'static str) -> Self {
        Self { path, role, position: None, rest: Vec::new(), at: Timestamp::UNIX_EPOCH }
    }

    /// The whole lines that were added since the last call; one that was cut or replaced is read from its start.
    fn more(&mut self) -> Vec<Line> {
        let bytes = match self.read() {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Vec::new(),
            Err(error) => format!("cannot read {}: {error}\n", self.path.display()).into_bytes(),
        };
        self.rest.extend(bytes);
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
        let whole: Vec<u8> = self.rest.drain(..=end).collect();
        String::from_utf8_lossy(&whole).lines().map(|text| self.line(text)).collect()
    }

    fn read(&mut self) -> std::io::Result<Vec<u8>> {
        let mut file = File::open(&self.path)?;
        let length = file.metadata()?.len();
        let from = match self.position {
            Some(position) if position <= length => position,
            Some(_) => 0,
            None => length.saturating_sub(PAST),
        };
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.take(length - from).read_to_end(&mut bytes)?;
        if self.position.is_none() && from > 0 {
            // The first line is cut.
            let line = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
            bytes.drain(..line);
        }
        self.position = Some(length);
        Ok(bytes)
    }

    fn line(&mut self, text: &str) -> Line {
        let stated = text.strip_prefix(START).unwrap_or(text);
        let word = stated.split_whitespace().next().unwrap_or_default();
        let word = word.strip_prefix("ts=").unwrap_or(word).trim_matches(['[', ']', '"']);
        if let Ok(at) = word.parse() {
            self.at = at;
        }
        Line { at: self.at, role: self.role, text: text.to_owned() }
    }
}
