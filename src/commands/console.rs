//! Where a command writes, what it may ask, and how its reader likes it.

use std::io::{BufRead, ErrorKind, Write};

use crate::progress::Audience;
use crate::redact::Redactor;
use crate::report::style::Styles;
use crate::report::words::clean;

/// The streams of a command, and what is known of who reads them.
pub struct Console<'a> {
    /// Data.
    pub out: &'a mut dyn Write,
    /// All else.
    pub err: &'a mut dyn Write,
    /// Answers.
    pub input: &'a mut dyn BufRead,
    /// Who reads and answers.
    pub terminal: Terminal,
    /// Takes out of every text what may not be shown.
    pub redactor: Redactor,
}

/// What is known of who reads and answers.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// Whether stdout takes colour.
    pub colour_out: bool,
    /// Whether stderr takes colour.
    pub colour_err: bool,
    /// How wide it is, in characters; none: a pipe or a file reads.
    pub width: Option<usize>,
    /// Whether somebody can be asked: stdin and stderr are a terminal.
    pub can_ask: bool,
    /// Who sees progress.
    pub audience: Audience,
}

impl Console<'_> {
    /// Writes data, redacted. A reader who has gone is no fault of ours.
    pub fn print(&mut self, text: &str) {
        deliver(self.out, &self.redactor.text(text));
    }

    /// Writes data as it is: what was redacted value by value, or holds nothing from outside.
    pub fn publish(&mut self, text: &str) {
        deliver(self.out, text);
    }

    /// Writes what is no data, redacted.
    pub fn tell(&mut self, text: &str) {
        deliver(self.err, &self.redactor.text(text));
    }

    /// One error; whatever it quotes from outside does nothing to the terminal.
    pub fn error(&mut self, message: impl std::fmt::Display) {
        let mark = if self.terminal.colour_err { Styles::coloured().fail } else { Styles::default().fail };
        self.tell(&format!("{}: {}\n", mark.paint("error"), clean(&message.to_string())));
    }

    /// The looks of what goes to stdout.
    #[must_use]
    pub fn styles(&self) -> Styles {
        if self.terminal.colour_out { Styles::coloured() } else { Styles::default() }
    }

    /// Asks on stderr; whatever is not a yes is a no, and so is silence.
    pub fn ask(&mut self, question: &str) -> bool {
        self.tell(&format!("{question} [y/N] "));
        let mut answer = String::new();
        let read = self.input.read_line(&mut answer);
        read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
    }
}

fn deliver(stream: &mut dyn Write, text: &str) {
    let written = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        // There is nowhere left to complain to; the exit code still says what was found.
    }
}
