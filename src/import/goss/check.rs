//! The text of a check that a resource becomes, and what it says that it does not look at.

use super::super::template;
use super::super::{Item, Named};

/// The text of one check, and where it comes from.
pub(super) struct Check {
    pub(super) text: String,
    /// The same without what it asks.
    pub(super) gap: String,
    pub(super) place: Place,
}

/// Where something stands that goss asks.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) what: String,
}

impl Place {
    /// What a check does not look at, and where that is asked.
    pub(super) fn gap(&self, part: &str) -> String {
        template::shown(&format!("{}:{}: {part}", self.file, self.line))
    }

    /// The same as the line of a check.
    pub(super) fn unchecked(&self, part: &str) -> String {
        unchecked_key(&[self.gap(part)])
    }

    pub(super) fn named(&self, why: String) -> Named {
        let Self { file, line, what } = self.clone();
        Named { file, line, what, why }
    }
}

/// The line that keeps a check from passing; none where all is looked at.
pub(super) fn unchecked_key(parts: &[String]) -> String {
    if parts.is_empty() {
        return String::new();
    }
    format!("unchecked = {}\n", Item::texts(parts.iter().map(|it| comment(it))))
}

/// On one line: what a comment says must not end it.
pub(super) fn comment(text: &str) -> String {
    let plain = |it: char| if it.is_control() { ' ' } else { it };
    text.chars().map(plain).take(200).collect()
}
