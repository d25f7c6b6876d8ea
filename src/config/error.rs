//! Why there is no configuration: each mistake at its place in the file, underlined, with the way out.

use std::fmt::Write as _;
use std::ops::Range;
use std::path::PathBuf;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::surroundings::Surroundings;
use crate::report::unstarted::{Obstacle, Place};
use crate::report::words::{clean, clean_in_place, clean_line};

/// Of one file no more mistakes are told than these.
const TOLD: usize = 50;

/// A sentence is told whole up to this many characters.
const SENTENCE: usize = 400;

/// As much of a line is shown before a mistake, and behind its beginning, in bytes.
const BESIDE: usize = 2_000;

/// Cannot start: nothing was examined or changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ConfigError {
    /// What surrounds the process makes no sense.
    #[error("there is no {what}: {why}")]
    Surroundings {
        /// "home directory", "working directory".
        what: &'static str,
        /// The system's own words.
        why: String,
    },
    /// There is no `housecall.toml`, and no registered mirror is here.
    #[error("no mirror is configured for {directory}")]
    Absent {
        /// Where it was looked for, as people read it.
        directory: String,
    },
    /// Several registered mirrors are here.
    #[error("several mirrors are registered for {directory}: name one with --config")]
    Several {
        /// Where it was looked for, as people read it.
        directory: String,
        /// The files of the mirrors.
        files: Vec<PathBuf>,
    },
    /// The file cannot be read.
    #[error("cannot read {file}: {why}")]
    Unreadable {
        /// The file, as people read it.
        file: String,
        /// The system's own words.
        why: String,
    },
    /// The file makes no sense.
    #[error("{}", .0.render(false).trim_end())]
    Invalid(Box<Mistakes>),
}

/// All that is wrong with one file.
#[derive(Debug, Clone)]
pub struct Mistakes {
    /// The file, as people read it.
    pub file: String,
    /// Its text.
    pub text: String,
    /// The mistakes, in the order of the file.
    pub mistakes: Vec<Mistake>,
}

/// One thing that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// One sentence.
    pub message: String,
    /// Where, in bytes.
    pub at: Range<usize>,
    /// What to write instead, beneath the place.
    pub hint: String,
}

impl ConfigError {
    /// All of it as people read it, on several lines, with a newline at the end.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        match self {
            Self::Invalid(mistakes) => mistakes.render(colour),
            Self::Several { files, .. } => {
                let mut text = format!("error: {}\n", clean(&self.to_string()));
                for file in files {
                    let _ = writeln!(text, "  {}", clean(&file.to_string_lossy()));
                }
                text
            }
            other => format!("error: {}\n", clean(&other.to_string())),
        }
    }
}

impl ConfigError {
    /// Each reason by itself, with its place as one finds it who stands in the working directory.
    #[must_use]
    pub fn obstacles(&self, surroundings: &Surroundings) -> Vec<Obstacle> {
        let Self::Invalid(found) = self else {
            return vec![Obstacle { why: self.to_string(), place: None }];
        };
        let file = match found.file.strip_prefix("~/") {
            Some(rest) => surroundings.home.join(rest),
            None => PathBuf::from(&found.file),
        };
        let file = match file.strip_prefix(&surroundings.directory) {
            Ok(below) => below.display().to_string(),
            Err(_) => found.file.clone(),
        };
        let obstacle = |it: &Mistake| {
            let (line, column) = found.line_and_column(it.at.start);
            let why =
                if it.hint.is_empty() { it.message.clone() } else { format!("{}: {}", it.message, it.hint) };
            Obstacle { why: shortened(&why), place: Some(Place { file: file.clone(), line, column }) }
        };
        found.mistakes.iter().take(TOLD).map(obstacle).collect()
    }
}

impl Mistakes {
    /// Where a byte of the text is, as people count: both from 1.
    fn line_and_column(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or(&self.text);
        let line = before.rfind('\n').map_or(before, |it| &before[it + 1..]);
        (before.matches('\n').count() + 1, line.chars().count() + 1)
    }

    /// Each mistake with its line, underlined; what is too long is told in part.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let renderer = renderer.decor_style(DecorStyle::Unicode);
        let mut text = String::new();
        let file = clean_line(&self.file);
        for (at, mistake) in self.mistakes.iter().take(TOLD).enumerate() {
            if at > 0 {
                text.push('\n');
            }
            let seen = self.around(&mistake.at);
            let source = clean_in_place(&self.text[seen.clone()]);
            let line = self.text[..seen.start].matches('\n').count() + 1;
            let start = mistake.at.start.clamp(seen.start, seen.end);
            let end = mistake.at.end.clamp(start, seen.end);
            let place = AnnotationKind::Primary.span(start - seen.start..end - seen.start);
            let (message, hint) = (shortened(&mistake.message), shortened(&mistake.hint));
            let place = if hint.is_empty() { place } else { place.label(hint.as_str()) };
            let snippet =
                Snippet::source(source.as_str()).line_start(line).path(file.as_str()).annotation(place);
            let group = Level::ERROR.primary_title(message.as_str()).element(snippet);
            text.push_str(&renderer.render(&[group]));
            text.push('\n');
        }
        if let more @ 1.. = self.mistakes.len().saturating_sub(TOLD) {
            let _ = write!(text, "\nand {more} more\n");
        }
        text
    }

    /// The lines that a mistake covers; of very long ones the part where it begins.
    fn around(&self, at: &Range<usize>) -> Range<usize> {
        let length = self.text.len();
        let (start, end) = (at.start.min(length), at.end.clamp(at.start.min(length), length));
        let first = self.text[..start].rfind('\n').map_or(0, |it| it + 1);
        let last = self.text[end..].find('\n').map_or(length, |it| end + it);
        let whole = |mut at: usize| {
            while !self.text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let first = whole(first.max(start.saturating_sub(BESIDE)));
        first..whole(last.min(start.saturating_add(BESIDE)).max(start))
    }
}

/// A sentence on one line; of a very long one its beginning and its end.
fn shortened(text: &str) -> String {
    let (head, tail) = (text.char_indices().nth(SENTENCE), text.char_indices().rev().nth(SENTENCE / 4));
    match (head, tail) {
        (Some((head, _)), Some((tail, _))) if head < tail => {
            clean_line(&format!("{} … {}", &text[..head], &text[tail..]))
        }
        _ => clean_line(text),
    }
}

impl Mistake {
    /// A mistake at that place; the hint may be empty.
    #[must_use]
    pub fn new(message: impl Into<String>, at: Range<usize>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), at, hint: hint.into() }
    }
}
