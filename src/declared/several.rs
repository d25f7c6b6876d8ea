//! What may be one of several: a text, or a number.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::number::Number;
use crate::config::{self, Reading};

/// A text, or several any of which is right.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a text, or a list of texts")]
pub enum AnyText {
    /// This one.
    One(String),
    /// Any of these.
    Any(Vec<String>),
}

/// A number of a user or a group, or several any of which is right.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a number, a list of numbers, or { min, max, above, below }")]
pub enum AnyId {
    /// This one.
    One(u32),
    /// Any of these.
    Any(Vec<u32>),
    /// All within.
    Within(Number),
}

impl AnyText {
    /// Each of them as `read` understands it, none where nothing is written; an empty list is a mistake.
    pub fn read<T>(
        written: Option<&Spanned<Self>>,
        it: &mut Reading<'_>,
        mut read: impl FnMut(&config::Text, &mut Reading<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Some(written) = written else { return Some(Vec::new()) };
        let texts = match written.get_ref() {
            Self::One(one) => std::slice::from_ref(one),
            Self::Any(any) => any,
        };
        if texts.is_empty() {
            it.wrong(written.span(), "the list is empty", "name one, or leave it out");
            return None;
        }
        texts.iter().map(|text| read(&Spanned::new(written.span(), text.clone()), it)).collect()
    }
}

impl AnyId {
    /// What is written, if it asks something; what no number is, or every one, is a mistake.
    pub fn read(written: Option<&Spanned<Self>>, it: &mut Reading<'_>) -> Option<Option<Self>> {
        let Some(written) = written else { return Some(None) };
        let id = written.get_ref();
        let message = match id {
            Self::Any(any) if any.is_empty() => "no number is right",
            Self::Within(number) => {
                Number::read(&Spanned::new(written.span(), *number), it)?;
                if number.has(0.0) && number.has(u32::MAX.into()) { "every number is right" } else { "" }
            }
            _ => "",
        };
        if !message.is_empty() {
            it.wrong(written.span(), message, "write closer bounds, or leave it out");
            return None;
        }
        Some(Some(id.clone()))
    }

    /// Whether it is right.
    #[must_use]
    pub fn has(&self, id: u32) -> bool {
        match self {
            Self::One(one) => *one == id,
            Self::Any(any) => any.contains(&id),
            Self::Within(number) => number.has(id.into()),
        }
    }
}

impl fmt::Display for AnyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(one) => one.fmt(f),
            Self::Any(any) => f.write_str(&or(any)),
            Self::Within(number) => number.fmt(f),
        }
    }
}

/// `a or b`.
pub fn or<T: ToString>(any: &[T]) -> String {
    any.iter().map(T::to_string).collect::<Vec<_>>().join(" or ")
}
