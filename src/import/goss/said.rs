//! What a text must say, as goss says it, until it is written in our words.

use super::super::Item;
use super::json::Json;
use super::matcher::Reason;

/// What a text must say.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) equals: Option<String>,
    pub(super) lists: [Vec<String>; LISTS.len()],
    pub(super) version: Option<String>,
    /// Bounds, or one number without a name.
    pub(super) length: Vec<(&'static str, String)>,
    pub(super) number: Vec<(&'static str, String)>,
    pub(super) json: Json,
}

const LISTS: [&str; 6] = ["contains", "absent", "matches", "no-match", "lines", "no-line"];
pub(super) const CONTAINS: usize = 0;
pub(super) const ABSENT: usize = 1;
pub(super) const MATCHES: usize = 2;
pub(super) const NO_MATCH: usize = 3;
pub(super) const LINES: usize = 4;
pub(super) const NO_LINE: usize = 5;

/// What is matched: a value, or what a program, a file or a server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Value,
    Output,
}

impl Said {
    pub(super) fn one(list: usize, text: impl Into<String>) -> Self {
        let mut said = Self::default();
        said.lists[list].push(text.into());
        said
    }

    pub(super) fn counted(bound: &'static str, number: String) -> Self {
        Self { number: vec![(bound, number)], ..Self::default() }
    }

    /// How long it is; the name of no bound: exactly.
    pub(super) fn long(bound: &'static str, number: String) -> Self {
        Self { length: vec![(bound, number)], ..Self::default() }
    }

    pub(super) fn and(mut self, other: Self) -> Result<Self, Reason> {
        if (self.equals.is_some() && other.equals.is_some())
            || (self.version.is_some() && other.version.is_some())
        {
            return Err("two values at once".to_owned());
        }
        for (own, other) in [(&self.number, &other.number), (&self.length, &other.length)] {
            if other.iter().any(|(bound, _)| own.iter().any(|(it, _)| it == bound)) {
                return Err("two bounds of one kind".to_owned());
            }
        }
        self.equals = self.equals.or(other.equals);
        self.version = self.version.or(other.version);
        self.length.extend(other.length);
        self.number.extend(other.number);
        self.json.is.extend(other.json.is);
        self.json.says.extend(other.json.says);
        for (list, more) in self.lists.iter_mut().zip(other.lists) {
            list.extend(more);
        }
        Ok(self)
    }

    /// The bounds of a number, where nothing else is asked.
    pub(super) fn bounds(self) -> Option<Item> {
        match self.item()? {
            Item::Table(mut table) if table.len() == 1 && table[0].0 == "number" => {
                table.pop().map(|(_, bounds)| bounds)
            }
            _ => None,
        }
    }

    /// As it is written; `None` where nothing is asked.
    pub(super) fn item(self) -> Option<Item> {
        let mut table = Vec::new();
        let mut say = |key: &str, item: Item| table.push((key.to_owned(), item));
        if let Some(equals) = self.equals {
            say("equals", Item::text(equals));
        }
        for (key, list) in LISTS.iter().zip(self.lists) {
            if !list.is_empty() {
                say(key, Item::texts(list));
            }
        }
        if let Some(version) = self.version {
            say("version", Item::text(version));
        }
        let bounds = |all: Vec<(&str, String)>| -> Item {
            Item::Table(all.into_iter().map(|(key, it)| (key.to_owned(), Item::Number(it))).collect())
        };
        match self.length.as_slice() {
            [] => {}
            [("", length)] => say("length", Item::Number(length.clone())),
            _ => say("length", bounds(self.length)),
        }
        for (key, values) in [("json", self.json.is), ("json-says", self.json.says)] {
            if !values.is_empty() {
                say(key, Item::Table(values));
            }
        }
        if !self.number.is_empty() {
            say("number", bounds(self.number));
        }
        (!table.is_empty()).then_some(Item::Table(table))
    }
}
