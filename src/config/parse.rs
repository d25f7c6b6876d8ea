//! Text to `raw::File`: every mistake of spelling and type at once, each at its place.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::error::Mistake;
use super::raw;
use crate::selection::nearest;

/// Nobody reads more mistakes than this, and each costs a pass over the whole.
const TOLD: usize = 50;

/// Reads a file's text. What is mistaken is left out of the file, and told.
pub(super) fn parse(text: &str) -> (raw::File, Vec<Mistake>) {
    let (table, syntax) = DeTable::parse_recoverable(text);
    if !syntax.is_empty() {
        let mistake =
            |error: &toml::de::Error| Mistake::new(error.message(), error.span().unwrap_or(0..0), "not TOML");
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
                if let Some([check, name, _]) = section.as_ref().map(|it| it.path.as_slice())
                    && check == "check"
                {
                    taken.push(name.clone());
                }
                // What was taken out is missing, and has been told.
                let is_told = error.message().starts_with("missing field")
                    && mistakes.iter().any(|it| at.start <= it.at.start && it.at.end <= at.end);
                if !is_told {
                    mistakes.push(mistake(&error, text, at, section.as_ref()));
                }
                if section.is_none() || mistakes.len() >= TOLD {
                    return (raw::File::default(), mistakes);
                }
            }
        }
    }
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
fn mistake(error: &toml::de::Error, text: &str, at: Range<usize>, removed: Option<&Removed>) -> Mistake {
    let message = error.message();
    let Some(rest) = message.strip_prefix("unknown field ") else {
        let value = removed.map_or("this", |removed| removed.value);
        let message = message.split_once("invalid type: ").map_or_else(
            || message.to_owned(),
            |(_, types)| {
                let expected = types.split_once(", expected ").map_or(types, |(_, expected)| expected);
                format!("expected {}", plainly(expected))
            },
        );
        let hint = if message.starts_with("expected ") {
            format!("this is {}", article(value))
        } else {
            String::new()
        };
        return Mistake::new(message, at, hint);
    };
    let mut quoted = rest.split('`').skip(1).step_by(2);
    let name = quoted.next().unwrap_or_else(|| text.get(at.clone()).unwrap_or_default());
    let known: Vec<String> = quoted.map(str::to_owned).collect();
    let kind = if removed.is_some_and(|removed| removed.section) { "section" } else { "key" };
    let hint = nearest(name, known.clone()).map_or_else(
        || format!("known here: {}", known.join(", ")),
        |near| format!("did you mean `{near}`?"),
    );
    Mistake::new(format!("unknown {kind} `{name}`"), at, hint)
}

fn plainly(expected: &str) -> &str {
    match expected {
        "a sequence" => "a list",
        "a map" => "a section",
        "u16" => "a whole number",
        other if other.starts_with("struct ") => "a section",
        other => other,
    }
}

fn article(value: &str) -> String {
    let article = if value.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    match value {
        "array" => "a list".to_owned(),
        "this" => "something else".to_owned(),
        value => format!("{article} {value}"),
    }
}
