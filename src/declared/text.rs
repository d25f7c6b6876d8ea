//! What a text must say: an output, a page, a file.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::json::{self, Json};
use super::number::{Count, Number};
use crate::config::{Reading, Text as Written_};
use crate::error::ProbeError;
use crate::verdict::Verdict;
use crate::version;

/// What a text must say.
#[derive(Debug, Clone, Default)]
pub struct Text {
    /// What it is, white space around it aside.
    pub equals: Option<String>,
    /// Texts that are in it.
    pub contains: Vec<String>,
    /// Texts that are not in it.
    pub absent: Vec<String>,
    /// Patterns that are found in it.
    pub matches: Vec<regex::Regex>,
    /// Patterns that are not found in it.
    pub no_match: Vec<regex::Regex>,
    /// Patterns each of which is found in a line of it.
    pub lines: Vec<regex::Regex>,
    /// Patterns that are found in no line of it.
    pub no_line: Vec<regex::Regex>,
    /// The range in which its first version is.
    pub version: Option<nodejs_semver::Range>,
    /// The bounds of the number that it is.
    pub number: Number,
    /// How long it is, in bytes; a list, in elements.
    pub length: Option<Number>,
    /// What values of its JSON are.
    pub json: Json,
}

/// What is said: the text, its lines, how long it is.
struct Said<'a> {
    text: &'a str,
    lines: &'a dyn Fn() -> Vec<&'a str>,
    /// In bytes, or in elements.
    length: usize,
    is_list: bool,
}

/// As it is written.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Written {
    /// What it is, white space around it aside.
    #[schemars(with = "Option<String>")]
    pub equals: Option<Written_>,
    /// Texts that it must contain.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub contains: Vec<Written_>,
    /// Texts that it must not contain.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub absent: Vec<Written_>,
    /// Regular expressions that it must match.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub matches: Vec<Written_>,
    /// Regular expressions that it must not match.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub no_match: Vec<Written_>,
    /// Regular expressions each of which a line of it must match.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub lines: Vec<Written_>,
    /// Regular expressions that no line of it may match.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub no_line: Vec<Written_>,
    /// The bounds of the number that it must be, and nothing else.
    #[schemars(with = "Option<Number>")]
    pub number: Option<Spanned<Number>>,
    /// How long it must be, in bytes, white space and line ends included: so long, or `{ min, max, above, below }`.
    #[schemars(with = "Option<Count>")]
    pub length: Option<Spanned<Count>>,
    /// The range in which the first version in it must be: ">=22 <23".
    #[schemars(with = "Option<String>")]
    pub version: Option<Written_>,
    /// What values of its JSON must be, each named by a path: `items[0].name`, RFC 9535.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub json: json::Is,
    /// What values of its JSON must say, each a text of its own; `{}`: there must be one.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Written>")]
    pub json_says: json::Says,
}

/// What a text must say, if anything is said of it; what says nothing is a mistake.
pub fn read(written: Option<&Spanned<Written>>, it: &mut Reading<'_>) -> Option<Text> {
    let Some(written) = written else { return Some(Text::default()) };
    let text = written.get_ref().read(it)?;
    if text.is_empty() {
        it.wrong(written.span(), "nothing is asked of the text", "add contains = [\"…\"], or leave it out");
        return None;
    }
    Some(text)
}

impl Written {
    /// What it means; mistakes are written down. It may ask nothing.
    pub fn read(&self, it: &mut Reading<'_>) -> Option<Text> {
        Some(Text {
            equals: match &self.equals {
                Some(equals) => Some(it.text(equals)?),
                None => None,
            },
            contains: it.parts(&self.contains)?,
            absent: it.parts(&self.absent)?,
            matches: it.patterns(&self.matches)?,
            no_match: it.patterns(&self.no_match)?,
            lines: lines(&self.lines, it)?,
            no_line: lines(&self.no_line, it)?,
            number: match &self.number {
                Some(number) => Number::read(number, it)?,
                None => Number::default(),
            },
            length: match &self.length {
                Some(length) => Some(Count::read(length, (0, u32::MAX), "every text is so long", it)?),
                None => None,
            },
            version: match &self.version {
                Some(range) => Some(it.range(range)?),
                None => None,
            },
            json: Json::read(&self.json, &self.json_says, it)?,
        })
    }
}

/// In an empty text there is no line, so that any pattern asks something.
fn lines(written: &[Written_], it: &mut Reading<'_>) -> Option<Vec<regex::Regex>> {
    let patterns: Vec<Option<regex::Regex>> = written.iter().map(|text| it.any_pattern(text)).collect();
    patterns.into_iter().collect()
}

impl Text {
    /// Whether nothing is asked of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.contains.is_empty() && self.asks_no_more_than_contains()
    }

    fn asks_no_more_than_contains(&self) -> bool {
        let Self {
            equals,
            contains: _,
            absent,
            matches,
            no_match,
            lines,
            no_line,
            version,
            number,
            length,
            json,
        } = self;
        let patterns = [matches, no_match, lines, no_line];
        equals.is_none()
            && absent.is_empty()
            && patterns.iter().all(|it| it.is_empty())
            && version.is_none()
            && length.is_none()
            && json.is_empty()
            && *number == Number::default()
    }

    /// Whether more of the text could take away what holds so far.
    #[must_use]
    pub fn wants_whole(&self) -> bool {
        let is_excluding = !self.absent.is_empty() || !self.no_match.is_empty() || !self.no_line.is_empty();
        let is_exact = self.equals.is_some() || self.length.is_some() || !self.json.is_empty();
        is_excluding || is_exact || self.number != Number::default()
    }

    /// The same of a text that may have been cut: what is not in its beginning may be in the rest.
    ///
    /// # Errors
    /// The text is longer than is read, and its beginning settles nothing; or its length is asked, and it is no text.
    pub fn judge(&self, what: &str, text: &str, is_whole: bool) -> Result<Option<Verdict>, ProbeError> {
        if self.length.is_some() && text.contains(char::REPLACEMENT_CHARACTER) {
            return Err(ProbeError::unreadable(what, &"it is no UTF-8, so its length is not known"));
        }
        let failure = self.failure(what, text);
        if is_whole {
            return Ok(failure);
        }
        let is_another = self.equals.as_ref().is_some_and(|it| !it.trim().starts_with(text.trim()));
        if is_another || self.absent.iter().any(|it| text.contains(&**it)) {
            return Ok(failure);
        }
        if !self.asks_no_more_than_contains() || !self.contains.iter().all(|it| text.contains(&**it)) {
            return Err(ProbeError::unreadable(what, &"it is longer than is read, or did not end"));
        }
        Ok(None)
    }

    /// The first thing that does not hold, as a failure; `what` names the text: "stdout", "the page".
    #[must_use]
    pub fn failure(&self, what: &str, text: &str) -> Option<Verdict> {
        self.failure_of(
            what,
            &Said { text, lines: &|| text.lines().collect(), length: text.len(), is_list: false },
        )
    }

    /// The same of a value of JSON: the elements of a list, and the values of a map, are its lines.
    #[must_use]
    pub fn failure_of_value(&self, what: &str, value: &Value) -> Option<Verdict> {
        let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let elements: Vec<String> = match value {
            Value::String(text) => return self.failure(what, text),
            Value::Array(elements) => elements.iter().map(plain).collect(),
            Value::Object(members) => members.values().map(plain).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
        };
        let text = if value.is_array() { elements.join("\n") } else { value.to_string() };
        let (is_list, length) = (value.is_array() || value.is_object(), elements.len());
        let asks_of_a_list = !self.lines.is_empty() || !self.no_line.is_empty() || self.length.is_some();
        if asks_of_a_list && !is_list {
            return Some(Verdict::fail(format!("{what} is no list")).with("actual", excerpt(&text)));
        }
        let lines = || elements.iter().map(String::as_str).collect();
        self.failure_of(what, &Said { text: &text, lines: &lines, length, is_list })
    }

    fn failure_of(&self, what: &str, said: &Said<'_>) -> Option<Verdict> {
        let Said { text, lines, length, is_list } = said;
        let fails = |message: String, expected: &str| {
            Some(Verdict::fail(message).with("expected", expected).with("actual", excerpt(text)))
        };
        if let Some(equals) = self.equals.as_deref().filter(|equals| text.trim() != equals.trim()) {
            return fails(format!("{what} is another"), equals);
        }
        if let Some(wanted) =
            self.length.filter(|it| !it.has(u32::try_from(*length).unwrap_or(u32::MAX).into()))
        {
            let unit = if *is_list { "elements" } else { "bytes" };
            let failure = Verdict::fail(format!("{what} is {length} {unit} long"));
            return Some(failure.with("expected", format!("{wanted} {unit}")).with("actual", excerpt(text)));
        }
        if let Some(missing) = self.contains.iter().find(|it| !text.contains(&**it)) {
            return fails(format!("{what} lacks a text"), missing);
        }
        if let Some(there) = self.absent.iter().find(|it| text.contains(&**it)) {
            return fails(format!("{what} has a text that it must not have"), &format!("no {there}"));
        }
        let asks_of_lines = !self.lines.is_empty() || !self.no_line.is_empty();
        let lines = if asks_of_lines || *is_list { lines() } else { Vec::new() };
        // `^` and `$` are the ends of an element as well as of the whole.
        let is_matched = |it: &&regex::Regex| {
            it.is_match(text) || *is_list && lines.iter().any(|element| it.is_match(element))
        };
        if let Some(pattern) = self.matches.iter().find(|it| !is_matched(it)) {
            return fails(format!("{what} does not match a pattern"), pattern.as_str());
        }
        if let Some(pattern) = self.no_match.iter().find(is_matched) {
            return fails(format!("{what} matches a pattern that it must not"), &format!("no {pattern}"));
        }
        let (one, none) = if *is_list { ("an element", "no element") } else { ("a line", "no line") };
        if let Some(pattern) = self.lines.iter().find(|it| !lines.iter().any(|line| it.is_match(line))) {
            return fails(format!("{what} has {none} that matches a pattern"), pattern.as_str());
        }
        for pattern in &self.no_line {
            if let Some(line) = lines.iter().find(|line| pattern.is_match(line)) {
                let failure = Verdict::fail(format!("{what} has {one} that matches a pattern it must not"));
                return Some(failure.with("expected", format!("no {pattern}")).with("actual", excerpt(line)));
            }
        }
        if self.number != Number::default() {
            let number = text.trim().parse::<f64>().ok().filter(|it| it.is_finite() && !is_list);
            match number.map(|number| self.number.has(number)) {
                Some(true) => {}
                Some(false) => {
                    return fails(format!("{what} is a number out of range"), &self.number.to_string());
                }
                None => return fails(format!("{what} is no number"), &self.number.to_string()),
            }
        }
        if let Some(failure) = self.json.failure(what, text) {
            return Some(failure);
        }
        let range = self.version.as_ref()?;
        let Some(version) = version::first_in(text) else {
            return fails(format!("{what} names no version"), &range.to_string());
        };
        if range.satisfies(&version) {
            return None;
        }
        Some(
            Verdict::fail(format!("{what} names version {version}, which is out of range"))
                .with("expected", range.to_string())
                .with("actual", version.to_string()),
        )
    }
}

/// The beginning of a text, for evidence.
#[must_use]
pub fn excerpt(text: &str) -> String {
    const MOST: usize = 200;
    let text = text.trim();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None if text.is_empty() => "nothing".to_owned(),
        None => text.to_owned(),
    }
}
