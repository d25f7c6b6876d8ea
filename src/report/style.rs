//! Roles and their looks. Everything reads without colour, so the default is plain.

use std::fmt::Display;

use owo_colors::{OwoColorize, Style};

/// How each role looks; `Styles::default()` is plain text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Styles {
    /// A failure's mark, and the last line of an unhealthy verdict.
    pub fail: Look,
    /// A warning's mark.
    pub warn: Look,
    /// What could not be seen or has not settled.
    pub unknown: Look,
    /// What is well.
    pub good: Look,
    /// A unit's name.
    pub unit: Look,
    /// A command to paste.
    pub command: Look,
    /// Labels and what is less important.
    pub quiet: Look,
}

/// The look of one role.
#[derive(Debug, Clone, Copy, Default)]
pub struct Look(Option<Style>);

impl Styles {
    /// With colour, for a terminal.
    #[must_use]
    pub fn coloured() -> Self {
        let look = |style| Look(Some(style));
        Self {
            fail: look(Style::new().red().bold()),
            warn: look(Style::new().yellow().bold()),
            unknown: look(Style::new().magenta().bold()),
            good: look(Style::new().green().bold()),
            unit: look(Style::new().bold()),
            command: look(Style::new().cyan()),
            quiet: look(Style::new().dimmed()),
        }
    }
}

impl Look {
    /// The text in this look.
    #[must_use]
    pub fn paint(self, text: impl Display) -> String {
        self.0.map_or_else(|| text.to_string(), |style| text.style(style).to_string())
    }
}
