//! What values of a JSON text must be, each named by a path.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Value;
use serde_json_path::JsonPath;
use toml::Spanned;

use super::text::{self, Text, excerpt};
use crate::config::Reading;
use crate::verdict::Verdict;

/// Values and what they must be.
#[derive(Debug, Clone, Default)]
pub struct Json {
    /// This, and nothing else.
    is: Vec<(JsonPath, Value)>,
    /// A text or a number that says this.
    says: Vec<(JsonPath, Text)>,
}

/// How both are written: by their paths.
pub type Is = BTreeMap<Spanned<String>, toml::Value>;
/// The same of what only says something.
pub type Says = BTreeMap<Spanned<String>, text::Written>;

impl Json {
    /// What it means; mistakes are written down.
    pub fn read(is: &Is, says: &Says, it: &mut Reading<'_>) -> Option<Self> {
        let is: Option<Vec<_>> = is.iter().map(|(path, value)| value_at(path, value, it)).collect();
        let says: Option<Vec<_>> =
            says.iter().map(|(written, said)| Some((path(written, it)?, said.read(it)?))).collect();
        Some(Self { is: is?, says: says? })
    }

    /// Whether nothing is asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.is.is_empty() && self.says.is_empty()
    }

    /// The first thing that does not hold; `what` names the text: "the answer".
    #[must_use]
    pub fn failure(&self, what: &str, text: &str) -> Option<Verdict> {
        if self.is_empty() {
            return None;
        }
        let Ok(whole) = serde_json::from_str::<Value>(text) else {
            return Some(Verdict::fail(format!("{what} is no JSON")).with("actual", excerpt(text)));
        };
        let other = self.is.iter().find_map(|(path, expected)| {
            let found = path.query(&whole).all();
            let Some(other) = found.iter().find(|found| !same(found, expected)) else {
                let told = || missing(what, path).with("expected", expected.to_string());
                return found.is_empty().then(|| told().with("actual", excerpt(text)));
            };
            let verdict = Verdict::fail(format!("`{path}` of {what} is another"));
            Some(verdict.with("expected", expected.to_string()).with("actual", excerpt(&other.to_string())))
        });
        other.or_else(|| {
            self.says.iter().find_map(|(path, said)| {
                let found = path.query(&whole).all();
                if found.is_empty() {
                    return Some(missing(what, path).with("actual", excerpt(text)));
                }
                let what = format!("`{path}` of {what}");
                found.iter().find_map(|value| said.failure_of_value(&what, value))
            })
        })
    }
}

fn missing(what: &str, path: &JsonPath) -> Verdict {
    Verdict::fail(format!("{what} has no `{path}`"))
}

fn value_at(
    written: &Spanned<String>,
    value: &toml::Value,
    it: &mut Reading<'_>,
) -> Option<(JsonPath, Value)> {
    Some((path(written, it)?, meant(value, written.span(), it)?))
}

/// The same as JSON says it, with the variables of its texts expanded.
fn meant(value: &toml::Value, place: Range<usize>, it: &mut Reading<'_>) -> Option<Value> {
    Some(match value {
        toml::Value::String(text) => Value::String(it.text(&Spanned::new(place, text.clone()))?),
        toml::Value::Integer(number) => Value::from(*number),
        toml::Value::Boolean(is) => Value::Bool(*is),
        toml::Value::Float(number) if number.is_finite() => Value::from(*number),
        toml::Value::Float(_) => {
            it.wrong(place, "JSON has no such number", "");
            return None;
        }
        toml::Value::Datetime(date) => {
            it.wrong(place, "JSON has no dates", format!("write it as a text: \"{date}\""));
            return None;
        }
        toml::Value::Array(items) => {
            let items = items.iter().map(|item| meant(item, place.clone(), it));
            Value::Array(items.collect::<Option<_>>()?)
        }
        toml::Value::Table(members) => {
            let members =
                members.iter().map(|(name, value)| Some((name.clone(), meant(value, place.clone(), it)?)));
            Value::Object(members.collect::<Option<_>>()?)
        }
    })
}

/// A path may leave out its `$.`.
fn path(written: &Spanned<String>, it: &mut Reading<'_>) -> Option<JsonPath> {
    let text = written.get_ref();
    let whole = match text.chars().next() {
        Some('$') => text.clone(),
        Some('[') => format!("${text}"),
        _ => format!("$.{text}"),
    };
    let path = JsonPath::parse(&whole);
    let wrong = |error| {
        it.wrong(written.span(), format!("`{text}` is no JSON path: {error}"), "write it as items[0].name");
    };
    path.map_err(wrong).ok()
}

/// A number with a point is compared by its value: 1 is 1.0.
fn same(found: &Value, expected: &Value) -> bool {
    let pointed = found.is_f64() || expected.is_f64();
    let bits = |it: &Value| it.as_f64().map(f64::to_bits);
    found == expected || (pointed && bits(found).is_some() && bits(found) == bits(expected))
}
