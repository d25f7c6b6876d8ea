//! Why there is no configuration: each mistake at its place in the file, underlined, with the way out.

use std::fmt::Write as _;
use std::ops::Range;
use std::path::PathBuf;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::report::words::{clean, clean_in_place, clean_line};

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

impl Mistakes {
    /// Each mistake with its line, underlined.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let renderer = renderer.decor_style(DecorStyle::Unicode);
        let mut text = String::new();
        let (file, source) = (clean_line(&self.file), clean_in_place(&self.text));
        for (at, mistake) in self.mistakes.iter().enumerate() {
            if at > 0 {
                text.push('\n');
            }
            let length = self.text.len();
            let start = mistake.at.start.min(length);
            let place = AnnotationKind::Primary.span(start..mistake.at.end.clamp(start, length));
            let (message, hint) = (clean_line(&mistake.message), clean_line(&mistake.hint));
            let place = if hint.is_empty() { place } else { place.label(hint.as_str()) };
            let snippet = Snippet::source(source.as_str()).path(file.as_str()).annotation(place);
            let group = Level::ERROR.primary_title(message.as_str()).element(snippet);
            text.push_str(&renderer.render(&[group]));
            text.push('\n');
        }
        text
    }
}

impl Mistake {
    /// A mistake at that place; the hint may be empty.
    #[must_use]
    pub fn new(message: impl Into<String>, at: Range<usize>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), at, hint: hint.into() }
    }
}
