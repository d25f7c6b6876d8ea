//! goss's matchers, each as what we ask; where the meaning would be another, the reason.

use super::super::yaml::{Node, Value};
use super::super::{Item, template};
use super::json::json;
use super::said::{ABSENT, CONTAINS, LINES, MATCHES, NO_LINE, NO_MATCH};
pub(super) use super::said::{Of, Said};

/// Why something is not turned.
pub(super) type Reason = String;

/// What a text must say.
pub(super) fn said(node: &Node, of: Of) -> Result<Said, Reason> {
    match (&node.value, of) {
        (Value::Text(text), Of::Value) => Ok(Said { equals: Some(text.clone()), ..Said::default() }),
        (Value::Text(text), Of::Output) => Ok(Said::one(MATCHES, whole(text)?)),
        (Value::Number(number), _) => {
            let number = decimal(number);
            Ok(Said { number: vec![("min", number.clone()), ("max", number)], ..Said::default() })
        }
        (Value::List(list), Of::Output) => patterns(list),
        (Value::List(_), Of::Value) => Err("a list where one value is".to_owned()),
        (Value::Bool(_), _) => Err("a text is neither true nor false".to_owned()),
        (Value::Null, _) => Err("it says nothing".to_owned()),
        (Value::Map(_), _) => {
            let (matcher, node) = matcher(node)?;
            matched(matcher, node, of)
        }
    }
}

fn matched(matcher: &str, node: &Node, of: Of) -> Result<Said, Reason> {
    let list = || match &node.value {
        Value::List(list) => Ok(list.as_slice()),
        _ => Err(format!("`{matcher}` wants a list")),
    };
    match matcher {
        "equal" => match &node.value {
            Value::Text(_) => said(node, of),
            _ => Err("`equal` of what is no text".to_owned()),
        },
        "contain-substring" => Ok(Said::one(CONTAINS, text(node)?)),
        "have-prefix" | "have-suffix" | "match-regexp" => Ok(Said::one(MATCHES, pattern(matcher, node)?)),
        "have-patterns" => patterns(list()?),
        "contain-element" => Ok(Said::one(LINES, line(node)?)),
        "contain-elements" => lines(list()?),
        "have-len" => Ok(Said::long("", count(node)?.to_string())),
        "gt" => Ok(Said::counted("above", number(node)?)),
        "ge" => Ok(Said::counted("min", number(node)?)),
        "lt" => Ok(Said::counted("below", number(node)?)),
        "le" => Ok(Said::counted("max", number(node)?)),
        "semver-constraint" => {
            let version = Said { version: Some(range(node)?), ..Said::default() };
            // The text is the version and nothing else, no line end either.
            version.and(Said::one(MATCHES, r"\A[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.+-]*)?\z"))
        }
        "and" => list()?.iter().try_fold(Said::default(), |all, it| all.and(said(it, of)?)),
        "or" => {
            let any = list()?.iter().map(alternative).collect::<Result<Vec<String>, Reason>>()?;
            Ok(Said::one(MATCHES, any.join("|")))
        }
        "not" => not(node, of),
        "gjson" => Ok(Said { json: json(node)?, ..Said::default() }),
        other => Err(format!("the matcher `{other}` has no counterpart")),
    }
}

fn not(node: &Node, of: Of) -> Result<Said, Reason> {
    if let Value::Text(text) = &node.value {
        return Ok(Said::one(NO_MATCH, whole(text)?));
    }
    let (matcher, inner) = matcher(node)?;
    match matcher {
        "equal" => Ok(Said::one(NO_MATCH, whole(&literal(inner)?)?)),
        "contain-substring" => Ok(Said::one(ABSENT, text(inner)?)),
        "have-prefix" | "have-suffix" | "match-regexp" => Ok(Said::one(NO_MATCH, pattern(matcher, inner)?)),
        "contain-element" if matches!(inner.value, Value::Number(_)) => {
            Err("a number is no text: 1 and 1.0 are the same".to_owned())
        }
        "contain-element" => Ok(Said::one(NO_LINE, line(inner)?)),
        "gt" => Ok(Said::counted("max", number(inner)?)),
        "ge" => Ok(Said::counted("below", number(inner)?)),
        "lt" => Ok(Said::counted("min", number(inner)?)),
        "le" => Ok(Said::counted("above", number(inner)?)),
        "not" => said(inner, of),
        other => Err(format!("`not` of `{other}` has no counterpart")),
    }
}

/// Lines each of which is there, and no one of which stands for two.
pub(super) fn lines(list: &[Node]) -> Result<Said, Reason> {
    let is_another = |(at, node): (usize, &Node)| {
        matches!(node.value, Value::Text(_)) && list[..at].iter().all(|it| it.value != node.value)
    };
    if list.len() > 1 && !list.iter().enumerate().all(is_another) {
        return Err("one element may not stand for two of them".to_owned());
    }
    let lines = list.iter().map(line).collect::<Result<Vec<String>, Reason>>()?;
    lines.into_iter().try_fold(Said::default(), |said, line| said.and(Said::one(LINES, line)))
}

/// Patterns, each of which a line of the output has, or with `!` none has.
fn patterns(list: &[Node]) -> Result<Said, Reason> {
    let mut all = Said::default();
    for node in list {
        let Value::Text(text) = &node.value else { return Err("a pattern is no text".to_owned()) };
        let (absent, rest) = match text.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, text.as_str()),
        };
        let is_pattern = rest.starts_with('/') && text.ends_with('/');
        let one = if is_pattern {
            let inner = rest[1..].strip_suffix('/').unwrap_or_default();
            Said::one(if absent { NO_LINE } else { LINES }, closed(inner)?)
        } else {
            let plain = rest.strip_prefix('\\').filter(|it| it.starts_with(['!', '/'])).unwrap_or(rest);
            if plain.is_empty() && !absent {
                continue;
            }
            if plain.contains('\n') {
                return Err("goss looks at a line at a time, and this is more than one".to_owned());
            }
            Said::one(if absent { ABSENT } else { CONTAINS }, plain)
        };
        all = all.and(one)?;
    }
    Ok(all)
}

/// A pattern that the whole text must match somewhere.
fn pattern(matcher: &str, node: &Node) -> Result<String, Reason> {
    let text = closed(&text(node)?)?;
    Ok(match matcher {
        "have-prefix" => format!(r"\A{}", regex::escape(&text)),
        "have-suffix" => format!(r"{}\z", regex::escape(&text)),
        _ => text,
    })
}

fn alternative(node: &Node) -> Result<String, Reason> {
    let one = match &node.value {
        Value::Text(text) => whole(text)?,
        _ => match matcher(node)? {
            ("equal", inner) => whole(&literal(inner)?)?,
            ("contain-substring", inner) => regex::escape(&closed(&text(inner)?)?),
            (name @ ("have-prefix" | "have-suffix" | "match-regexp"), inner) => pattern(name, inner)?,
            (other, _) => return Err(format!("`or` with `{other}` has no counterpart")),
        },
    };
    Ok(format!("(?:{one})"))
}

/// A pattern for one line, which an element is.
fn line(node: &Node) -> Result<String, Reason> {
    match &node.value {
        Value::Text(text) => return whole(text),
        // By its value, however it is written.
        Value::Number(number) if number.bytes().all(|it| it.is_ascii_digit()) => {
            return Ok(format!(r"\A\s*\+?0*{number}(\.0*)?\s*\z"));
        }
        _ => {}
    }
    match matcher(node)? {
        ("equal", inner) => whole(&literal(inner)?),
        ("contain-substring", inner) => Ok(regex::escape(&closed(&text(inner)?)?)),
        (name @ ("have-prefix" | "have-suffix" | "match-regexp"), inner) => pattern(name, inner),
        (other, _) => Err(format!("an element that must `{other}` has no counterpart")),
    }
}

/// A pattern that is this text, and nothing else.
fn whole(text: &str) -> Result<String, Reason> {
    Ok(format!(r"\A{}\z", regex::escape(&closed(text)?)))
}

/// A value that nobody knows yet may not become part of a pattern.
fn closed(text: &str) -> Result<String, Reason> {
    if template::is_open(text) {
        return Err("a template inside a pattern".to_owned());
    }
    Ok(text.to_owned())
}

/// Several values; whether there may be no more.
pub(super) fn several(node: &Node) -> Result<(Vec<String>, bool), Reason> {
    match &node.value {
        Value::List(list) => Ok((list.iter().map(text).collect::<Result<_, _>>()?, false)),
        Value::Map(_) => match matcher(node)? {
            ("contain-element", one) => Ok((vec![text(one)?], false)),
            ("contain-elements", inner) if matches!(inner.value, Value::List(_)) => several(inner),
            ("consist-of", inner) if matches!(inner.value, Value::List(_)) => Ok((several(inner)?.0, true)),
            (other, _) => Err(format!("the matcher `{other}` has no counterpart in a list")),
        },
        _ => Err("it is no list".to_owned()),
    }
}

/// One text, exactly.
pub(super) fn exactly(node: &Node) -> Result<String, Reason> {
    match &node.value {
        Value::Map(_) => match matcher(node)? {
            ("equal", inner) => text(inner),
            (other, _) => Err(format!("the matcher `{other}` has no counterpart here")),
        },
        _ => text(node),
    }
}

/// One text, or any of several.
pub(super) fn any(node: &Node) -> Result<Item, Reason> {
    match matcher(node) {
        Ok(("or", Node { value: Value::List(list), .. })) => {
            list.iter().map(exactly).collect::<Result<Vec<_>, _>>().map(Item::texts)
        }
        _ => exactly(node).map(Item::Text),
    }
}

/// The number of a user or a group, any of several, or bounds.
pub(super) fn id(node: &Node) -> Result<Item, Reason> {
    match any_or_within(node)? {
        Item::List(one) if one.len() == 1 => Ok(one[0].clone()),
        any => Ok(any),
    }
}

/// Yes or no.
pub(super) fn flag(node: &Node) -> Result<bool, Reason> {
    match &node.value {
        Value::Bool(it) => Ok(*it),
        Value::Map(_) => match matcher(node)? {
            ("equal", inner) => flag(inner),
            ("not", inner) => flag(inner).map(|it| !it),
            (other, _) => Err(format!("the matcher `{other}` has no counterpart here")),
        },
        _ => Err("it is neither true nor false".to_owned()),
    }
}

/// A whole number, exactly.
pub(super) fn count(node: &Node) -> Result<u64, Reason> {
    match &node.value {
        Value::Number(number) => number.parse().map_err(|_| "it is no whole number".to_owned()),
        Value::Map(_) => match matcher(node)? {
            ("equal", inner) => count(inner),
            (other, _) => Err(format!("the matcher `{other}` has no counterpart here")),
        },
        _ => Err("it is no number".to_owned()),
    }
}

/// A number, or the bounds of some.
pub(super) fn within(node: &Node) -> Result<Item, Reason> {
    if let Ok(one) = count(node) {
        return Ok(Item::Number(one.to_string()));
    }
    said(node, Of::Value)?.bounds().ok_or_else(|| "it is no number".to_owned())
}

/// Any of some numbers.
fn any_count(node: &Node) -> Result<Vec<u64>, Reason> {
    match &node.value {
        Value::Map(_) => match matcher(node)? {
            ("or", Node { value: Value::List(list), .. }) => list.iter().map(count).collect(),
            _ => count(node).map(|it| vec![it]),
        },
        _ => count(node).map(|it| vec![it]),
    }
}

/// A list of numbers, or the bounds of some.
pub(super) fn any_or_within(node: &Node) -> Result<Item, Reason> {
    if let Ok(any) = any_count(node) {
        return Ok(Item::List(any.iter().map(|it| Item::Number(it.to_string())).collect()));
    }
    match matcher(node) {
        // Nothing is less than 0.
        Ok(("not", inner)) if count(inner) == Ok(0) => {
            Ok(Item::Table(vec![("above".to_owned(), Item::Number("0".to_owned()))]))
        }
        _ => within(node),
    }
}

/// The least and the most that a whole number may be.
pub(super) fn bounds(node: &Node) -> Result<(Option<u64>, Option<u64>), Reason> {
    let Value::Map(_) = &node.value else { return count(node).map(|it| (Some(it), Some(it))) };
    let (matcher, inner) = matcher(node)?;
    match matcher {
        "equal" => bounds(inner),
        "gt" => Ok((Some(count(inner)?.saturating_add(1)), None)),
        "ge" => Ok((Some(count(inner)?), None)),
        "lt" => match count(inner)?.checked_sub(1) {
            Some(most) => Ok((None, Some(most))),
            None => Err("nothing is less than 0".to_owned()),
        },
        "le" => Ok((None, Some(count(inner)?))),
        "and" => {
            let Value::List(list) = &inner.value else { return Err("`and` wants a list".to_owned()) };
            list.iter().try_fold((None, None), |(least, most), it| {
                let (other_least, other_most) = bounds(it)?;
                let lower = |a: Option<u64>, b: Option<u64>| a.into_iter().chain(b).min();
                Ok((least.max(other_least), lower(most, other_most)))
            })
        }
        other => Err(format!("the matcher `{other}` has no counterpart here")),
    }
}

/// The one matcher of a map.
pub(super) fn matcher(node: &Node) -> Result<(&str, &Node), Reason> {
    match &node.value {
        Value::Map(map) => match map.as_slice() {
            [(key, node)] => Ok((&key.text, node)),
            _ => Err("it is not one matcher".to_owned()),
        },
        _ => Err("it is no matcher".to_owned()),
    }
}

/// A text that is compared as one.
fn literal(node: &Node) -> Result<String, Reason> {
    match &node.value {
        Value::Number(_) => Err("a number is no text: 1 and 1.0 are the same".to_owned()),
        _ => text(node),
    }
}

/// A text; a number is one too.
pub(super) fn text(node: &Node) -> Result<String, Reason> {
    match &node.value {
        Value::Text(text) | Value::Number(text) => Ok(text.clone()),
        _ => Err("it is no text".to_owned()),
    }
}

fn number(node: &Node) -> Result<String, Reason> {
    match &node.value {
        Value::Number(number) => Ok(decimal(number)),
        _ => Err("it is no number".to_owned()),
    }
}

/// A number as TOML writes it.
pub(super) fn decimal(number: &str) -> String {
    match (number.parse::<i64>(), number.parse::<f64>()) {
        (Ok(whole), _) => whole.to_string(),
        (_, Ok(float)) => format!("{float:?}"),
        _ => "0".to_owned(),
    }
}

/// A range of versions that means the same in npm's words.
pub(super) fn range(node: &Node) -> Result<String, Reason> {
    let text = text(node)?;
    let is_same = !text.is_empty()
        && !template::is_open(&text)
        && text.chars().all(|it| it.is_ascii_digit() || " .<>=|".contains(it));
    if is_same {
        Ok(text)
    } else {
        Err("the range means something else, or nothing, in npm's words".to_owned())
    }
}
