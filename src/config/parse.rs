//! Text to `raw::File`: every mistake of spelling and type at once, each at its place.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::error::Mistake;
use super::instead::{self, Value};
use super::raw;
use crate::redact::written;
use crate::selection::nearest;

/// Nobody reads more mistakes than this, and each costs a pass over the whole.
const TOLD: usize = 50;

/// Reads a file's text. What is mistaken is left out of the file, and told.
pub(super) fn parse(text: &str) -> (raw::File, Vec<Mistake>) {
    let (table, syntax) = DeTable::parse_recoverable(text);
    if !syntax.is_empty() {
        let mistake = |error: &toml::de::Error| {
            let at = error.span().unwrap_or(0..0);
            let rest = text.get(at.start..).unwrap_or_default();
            let word = rest.split(|it: char| !it.is_ascii_alphanumeric()).next().unwrap_or_default();
            let is_word = !word.is_empty()
                && ["unexpected leading", "string values"].iter().any(|it| error.message().starts_with(it));
            let hint = match word {
                _ if !is_word => "not TOML".to_owned(),
                _ if written::is_hidden(text, &before(text, at.start), &at) => {
                    "not TOML: write it in quotes".to_owned()
                }
                word => format!("not TOML: write \"{word}\""),
            };
            Mistake::new(error.message(), at, hint)
        };
        // After the first one the parser guesses: more would mislead.
        return (raw::File::default(), syntax.iter().take(1).map(mistake).collect());
    }
    // A file without mistakes, however long, is held once.
    if let Ok(file) = raw::File::deserialize(Deserializer::from(table)) {
        return (file, Vec::new());
    }
    let (mut table, _) = DeTable::parse_recoverable(text);
    let mut mistakes: Vec<Mistake> = Vec::new();
    let mut taken = Vec::new();
    // What may not be shown is in no hint.
    let shown = written::masked(text);
    let mut gone: Vec<Vec<String>> = Vec::new();
    loop {
        match raw::File::deserialize(Deserializer::from(table.clone())) {
            Ok(mut file) => {
                for (name, check) in &mut file.check {
                    check.get_mut().is_cut = taken.contains(name.get_ref());
                }
                return (file, mistakes);
            }
            Err(error) => {
                let at = error.span().unwrap_or(0..0);
                let section = removed(table.get_mut(), &at);
                if let Some([check, name, _, ..]) = section.as_ref().map(|it| it.path.as_slice())
                    && check == "check"
                {
                    taken.push(name.clone());
                }
                // What was taken out is missing, and has been told.
                let path = section.as_ref().map(|it| it.path.clone()).unwrap_or_default();
                let is_told = error.message().strip_prefix("missing field ").is_some_and(|field| {
                    let missing = [&*path, &[field.trim_matches('`').to_owned()]].concat();
                    gone.contains(&missing)
                        || mistakes.iter().any(|it| at.start <= it.at.start && it.at.end <= at.end)
                });
                gone.push(path);
                if !is_told {
                    mistakes.push(mistake(&error, &shown, at, section.as_ref()));
                }
                if section.is_none() || mistakes.len() >= TOLD {
                    return (raw::File::default(), mistakes);
                }
            }
        }
    }
}

/// The words that lead to a place in a text that is no TOML: those of its heading, and of its statement up to it.
fn before(text: &str, place: usize) -> Vec<String> {
    let before = text.get(..place).unwrap_or_default();
    let section = before.rfind("\n[").map_or(before, |at| &before[at + 1..]);
    let heading = section.lines().next().filter(|it| it.starts_with('['));
    let opened = section.rfind('{').filter(|at| !section[*at..].contains('}')).unwrap_or(section.len());
    let statement = section[..opened].rfind('\n').map_or(section, |at| &section[at + 1..]);
    let parts = heading.into_iter().chain([statement]);
    let words = parts.flat_map(|it| it.split(|it: char| !it.is_ascii_alphanumeric() && !"-_".contains(it)));
    words.filter(|it| !it.is_empty()).map(str::to_owned).collect()
}

/// What was taken out: the keys that lead to it, whether it is a section, and the sort of its value.
struct Removed {
    path: Vec<String>,
    section: bool,
    value: &'static str,
}

/// Takes the innermost entry out that covers the place.
fn removed(table: &mut DeTable<'_>, at: &Range<usize>) -> Option<Removed> {
    let covers = |span: Range<usize>| span.start <= at.start && at.end <= span.end;
    let mut found = None;
    for (key, value) in table.iter_mut() {
        if covers(key.span()) {
            found = Some(key.get_ref().to_string());
            break;
        }
        if let Some(mut inner) = removed_within(value, at) {
            inner.path.insert(0, key.get_ref().to_string());
            return Some(inner);
        }
        if covers(value.span()) {
            found = Some(key.get_ref().to_string());
            break;
        }
    }
    let key = found?;
    let value = table.remove(key.as_str())?;
    let (section, value) = (is_section(value.get_ref()), value.get_ref().type_str());
    Some(Removed { path: vec![key], section, value })
}

fn removed_within(value: &mut Spanned<DeValue<'_>>, at: &Range<usize>) -> Option<Removed> {
    match value.get_mut() {
        DeValue::Table(table) => removed(table, at),
        DeValue::Array(items) => items.iter_mut().find_map(|item| match item.get_mut() {
            DeValue::Table(table) => removed(table, at),
            _ => None,
        }),
        _ => None,
    }
}

fn is_section(value: &DeValue<'_>) -> bool {
    match value {
        DeValue::Table(_) => true,
        DeValue::Array(items) => items.iter().any(|item| matches!(item.get_ref(), DeValue::Table(_))),
        _ => false,
    }
}

/// Says what serde complains of in our own words: it knows the keys, we know the nearest.
fn mistake(error: &toml::de::Error, shown: &str, at: Range<usize>, removed: Option<&Removed>) -> Mistake {
    let message = error.message();
    if let Some(rest) = message.strip_prefix("unknown field ") {
        return unknown(rest, shown, at, removed);
    }
    if let Some(key) = message.strip_prefix("missing field ") {
        return Mistake::new(format!("{key} is missing"), at, instead::added(key.trim_matches('`')));
    }
    let types = message.split_once("invalid type: ").map(|(_, types)| types);
    let expected = types.and_then(|types| types.split_once(", expected ")).map(|(_, expected)| expected);
    let (told, expected) = match (expected, types) {
        (Some(expected), _) | (None, Some(expected)) => {
            let expected = plainly(expected);
            (format!("expected {expected}"), expected)
        }
        // What takes several sorts says so itself.
        _ => (message.to_owned(), message),
    };
    let (sort, path) = removed.map_or(("this", [].as_slice()), |removed| (removed.value, &*removed.path));
    let text = shown.get(at.clone()).filter(|_| !written::is_hidden(shown, path, &at));
    let value = Value { path, sort, text };
    let hint = match value.instead(expected) {
        Some(instead) => format!("this is {}: write {instead}", article(sort)),
        // One of other keys may do.
        None if sort == "table" && told.contains('{') => String::new(),
        None if told.starts_with("expected ") => format!("this is {}", article(sort)),
        None => String::new(),
    };
    Mistake::new(told, at, hint)
}

/// A key that is none here.
fn unknown(rest: &str, shown: &str, at: Range<usize>, removed: Option<&Removed>) -> Mistake {
    let mut quoted = rest.split('`').skip(1).step_by(2);
    let name = quoted.next().unwrap_or_else(|| shown.get(at.clone()).unwrap_or_default());
    let known: Vec<String> = quoted.map(str::to_owned).collect();
    let kind = if removed.is_some_and(|removed| removed.section) { "section" } else { "key" };
    let value = shown.get(at.end..).unwrap_or_default().trim_start().trim_start_matches('=').trim_start();
    let value = value.split([' ', '\t', '\r', '\n', ',', '}', '#']).next().unwrap_or_default();
    let hint = instead::meant(name, value, &known).unwrap_or_else(|| {
        nearest(name, known.clone()).map_or_else(
            || format!("known here: {}", known.join(", ")),
            |near| format!("did you mean `{near}`?"),
        )
    });
    Mistake::new(format!("unknown {kind} `{name}`"), at, hint)
}

fn plainly(expected: &str) -> &str {
    match expected {
        "a sequence" => "a list",
        "a map" => "a section",
        "a boolean" => "true or false",
        "a string" => "a text",
        "a TOML datetime" => "a day",
        "u16" => "a whole number",
        other if other.starts_with("struct ") => "a section",
        other => other,
    }
}

fn article(value: &str) -> String {
    match value {
        "array" => "a list".to_owned(),
        "table" => "a section".to_owned(),
        "integer" | "float" => "a number".to_owned(),
        "boolean" => "true or false".to_owned(),
        "string" => "a text".to_owned(),
        "datetime" => "a time".to_owned(),
        _ => "something else".to_owned(),
    }
}
