//! YAML as a tree that knows its lines, built event by event: no alias makes it grow without bound.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput};

/// The most parts that a document may have, all aliases followed.
const MOST: usize = 100_000;
/// How deep it may be nested.
const DEPTH: usize = 64;

/// A part of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// Where it begins; the first line is 1.
    pub(super) line: usize,
    pub(super) value: Value,
}

/// What a part is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// As it is written, but for a whole number: that is decimal.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) line: usize,
    pub(super) text: String,
}

/// Why a document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) line: usize,
    pub(super) why: String,
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, (Node, usize)>,
    left: usize,
}

/// Reads the one document of a text.
pub(super) fn parse(text: &str) -> Result<Node, Broken> {
    // What ends too early does so behind the last line, where there is nothing to show.
    read(text).map_err(|it| Broken { line: it.line.min(lines(text)), ..it })
}

/// How many lines a text has, at least one; in YAML a lone carriage return ends one too.
fn lines(text: &str) -> usize {
    let text = text.replace("\r\n", "\n");
    let text = text.strip_suffix(['\n', '\r']).unwrap_or(&text);
    text.split(['\n', '\r']).count()
}

fn read(text: &str) -> Result<Node, Broken> {
    let mut reader = Reader { parser: Parser::new_from_str(text), anchors: HashMap::new(), left: MOST };
    let mut whole = None;
    loop {
        let (event, span) = reader.next(1)?;
        match event {
            Event::StreamEnd => break,
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd => {}
            _ if whole.is_some() => return Err(broken(span.start.line(), "it has more than one document")),
            event => whole = Some(reader.node(event, &span, 0)?),
        }
    }
    Ok(whole.unwrap_or(Node { line: 1, value: Value::Null }))
}

fn broken(line: usize, why: &str) -> Broken {
    Broken { line, why: why.to_owned() }
}

impl<'a> Reader<'a> {
    fn next(&mut self, line: usize) -> Result<(Event<'a>, Span), Broken> {
        match self.parser.next() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(broken(error.marker().line(), error.info())),
            None => Err(broken(line, "it ends too early")),
        }
    }

    fn node(&mut self, event: Event<'a>, span: &Span, depth: usize) -> Result<Node, Broken> {
        let line = span.start.line();
        if depth > DEPTH {
            return Err(broken(line, "it is nested too deep"));
        }
        let before = self.left;
        self.take(1, line)?;
        let (value, anchor) = match event {
            Event::Alias(anchor) => {
                let Some((node, size)) = self.anchors.get(&anchor).cloned() else {
                    return Err(broken(line, "it names itself"));
                };
                self.take(size, line)?;
                return Ok(Node { line, ..node });
            }
            Event::Scalar(text, style, anchor, _) => (scalar(&text, style), anchor),
            Event::SequenceStart(anchor, _) => {
                let mut list = Vec::new();
                loop {
                    match self.next(line)? {
                        (Event::SequenceEnd, _) => break,
                        (event, span) => list.push(self.node(event, &span, depth + 1)?),
                    }
                }
                (Value::List(list), anchor)
            }
            Event::MappingStart(anchor, _) => (self.map(line, depth)?, anchor),
            _ => return Err(broken(line, "it ends too early")),
        };
        let node = Node { line, value };
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), before - self.left));
        }
        Ok(node)
    }

    fn map(&mut self, line: usize, depth: usize) -> Result<Value, Broken> {
        let mut map: Vec<(Key, Node)> = Vec::new();
        let mut merged: Vec<(Key, Node)> = Vec::new();
        loop {
            let (event, span) = match self.next(line)? {
                (Event::MappingEnd, _) => break,
                other => other,
            };
            let key = self.node(event, &span, depth + 1)?;
            let (event, span) = self.next(key.line)?;
            let value = self.node(event, &span, depth + 1)?;
            let text = match key.value {
                Value::Text(text) | Value::Number(text) => text,
                Value::Bool(it) => it.to_string(),
                Value::Null => "null".to_owned(),
                Value::List(_) | Value::Map(_) => return Err(broken(key.line, "a key is no text")),
            };
            match value.value {
                Value::Map(more) if text == "<<" => merged.extend(more),
                Value::List(list) if text == "<<" => {
                    for node in list {
                        let Value::Map(more) = node.value else {
                            return Err(broken(node.line, "only a map can be merged"));
                        };
                        merged.extend(more);
                    }
                }
                _ if map.iter().any(|(key, _)| key.text == text) => {
                    return Err(broken(key.line, &format!("`{text}` is there twice")));
                }
                value_of => map.push((Key { line: key.line, text }, Node { value: value_of, ..value })),
            }
        }
        for (key, node) in merged {
            if !map.iter().any(|(other, _)| other.text == key.text) {
                map.push((key, node));
            }
        }
        Ok(Value::Map(map))
    }

    fn take(&mut self, count: usize, line: usize) -> Result<(), Broken> {
        self.left = self.left.checked_sub(count).ok_or_else(|| broken(line, "it is too large"))?;
        Ok(())
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::Text(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    match whole(text) {
        Some(number) => Value::Number(number.to_string()),
        None if text.starts_with(|it: char| it.is_ascii_digit() || "+-.".contains(it))
            && text.ends_with(|it: char| it.is_ascii_digit() || it == '.')
            && text.parse::<f64>().is_ok_and(f64::is_finite) =>
        {
            Value::Number(text.to_owned())
        }
        None => Value::Text(text.to_owned()),
    }
}

/// A whole number; one that begins with a zero is octal, as in YAML 1.1.
fn whole(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if !digits.starts_with(|it: char| it.is_ascii_digit()) {
        return None;
    }
    let of = |digits: &str, radix| i64::from_str_radix(digits, radix).ok();
    let value = if let Some(hexadecimal) = digits.strip_prefix("0x") {
        of(hexadecimal, 16)
    } else if let Some(octal) = digits.strip_prefix("0o") {
        of(octal, 8)
    } else if digits.len() > 1 && digits.starts_with('0') {
        of(digits, 8)
    } else {
        of(digits, 10)
    };
    value.map(|value| sign * value)
}

#[cfg(test)]
mod tests {
    use super::{Value, parse};

    #[test]
    fn a_tree_knows_its_lines_and_sorts_of_values() {
        let node =
            parse("a: &x\n  b: 0644\n  c: '1'\nd:\n  <<: *x\n  c: [true, ~, 1.5, v1.5]\n").expect("a tree");
        let Value::Map(map) = node.value else { panic!("no map") };
        assert_eq!(map[1].0.line, 4);
        let Value::Map(inner) = &map[1].1.value else { panic!("no map") };
        assert_eq!(inner.iter().map(|(key, _)| key.text.as_str()).collect::<Vec<_>>(), ["c", "b"]);
        assert_eq!(inner[1].1.value, Value::Number("420".to_owned()));
        let Value::List(list) = &inner[0].1.value else { panic!("no list") };
        let text = |text: &str| Value::Text(text.to_owned());
        let values: Vec<&Value> = list.iter().map(|it| &it.value).collect();
        assert_eq!(
            values,
            [&Value::Bool(true), &Value::Null, &Value::Number("1.5".to_owned()), &text("v1.5")]
        );
    }

    #[test]
    fn what_ends_too_early_is_told_of_its_last_line() {
        for (text, last) in
            [("a: {b: 1", 1), ("a:\n  b: {c: 1\n", 2), ("a:\r\n  b: [1\r\n", 2), ("a:\r  b: [", 2)]
        {
            assert_eq!(parse(text).expect_err("it ends too early").line, last, "{text:?}");
        }
    }

    #[test]
    fn what_would_grow_without_bound_is_refused() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for at in 1..30 {
            let before = at - 1;
            text.extend([
                format!("a{at}: &a{at} ["),
                vec![format!("*a{before}"); 9].join(", "),
                "]\n".to_owned(),
            ]);
        }
        assert_eq!(parse(&text).expect_err("too large").why, "it is too large");
        assert_eq!(parse(&"- ".repeat(super::DEPTH + 2)).expect_err("too deep").why, "it is nested too deep");
        // The parser's own bound comes first.
        assert!(parse(&"[".repeat(1000)).is_err());
        assert_eq!(parse("a: 1\na: 2\n").expect_err("twice").why, "`a` is there twice");
        assert_eq!(parse("a: 1\n---\nb: 2\n").expect_err("two").why, "it has more than one document");
    }
}
