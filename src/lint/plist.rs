//! A property list with the line of everything in it, whatever its encoding.

use super::syntax::{self, Syntax};
use super::{Finding, Severity, binary};

/// A line, from one; a binary property list has none.
pub(super) type Line = Option<usize>;

/// A value and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) line: Line,
    pub(super) value: Value,
}

/// What a property list can hold.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Dict(Vec<Entry>),
    List(Vec<Node>),
    Text(String),
    Integer(i128),
    Real(f64),
    Flag(bool),
    Data,
    Date,
}

/// A key of a dictionary with its value; a key may stand there twice.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) line: Line,
    pub(super) node: Node,
}

/// What was read, and what stood in the way.
#[derive(Debug)]
pub(super) struct Read {
    /// `None`: nothing that could be judged.
    pub(super) root: Option<Node>,
    pub(super) problems: Vec<Finding>,
}

impl Value {
    /// What it is, for a sentence.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Dict(_) => "a dictionary",
            Self::List(_) => "an array",
            Self::Text(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Real(_) => "a real number",
            Self::Flag(_) => "a boolean",
            Self::Data => "data",
            Self::Date => "a date",
        }
    }
}

impl Node {
    /// The text, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of an array, else none.
    pub(super) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The entries of a dictionary, else none.
    pub(super) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Dict(entries) => entries,
            _ => &[],
        }
    }
}

/// Reads XML or binary, as launchd does.
pub(super) fn read(bytes: &[u8]) -> Read {
    if bytes.starts_with(b"bplist") {
        return match binary::read(bytes) {
            Ok(root) => Read { root: Some(root), problems: Vec::new() },
            Err(error) => broken(None, format!("the binary property list is damaged: {error}")),
        };
    }
    match decode(bytes) {
        Ok(text) => {
            let Syntax { root, problems } = syntax::parse(&text);
            Read { root, problems }
        }
        Err(line) => broken(Some(line), format!("Encountered bytes that are not UTF-8 on line {line}")),
    }
}

fn broken(line: Line, message: String) -> Read {
    let finding =
        Finding { severity: Severity::Error, code: "syntax", key: None, line, message, suggestion: None };
    Read { root: None, problems: vec![finding] }
}

/// UTF-8, or UTF-16 with a byte order mark, or Latin-1 where the declaration says so.
pub(super) fn decode(bytes: &[u8]) -> Result<String, usize> {
    let wide = |unit: fn([u8; 2]) -> u16| {
        let units = bytes[2..].chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        char::decode_utf16(units).map(|it| it.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    if bytes.starts_with(&[0xFF, 0xFE]) {
        return Ok(wide(u16::from_le_bytes));
    }
    if bytes.starts_with(&[0xFE, 0xFF]) {
        return Ok(wide(u16::from_be_bytes));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) if declares_latin(bytes) => Ok(bytes.iter().copied().map(char::from).collect()),
        Err(error) => Err(bytes[..error.valid_up_to()].split(|&byte| byte == b'\n').count()),
    }
}

fn declares_latin(bytes: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(120)]).to_ascii_lowercase();
    let declaration = head.split("?>").next().unwrap_or_default();
    declaration.starts_with("<?xml") && ["iso-8859-1", "us-ascii"].iter().any(|it| declaration.contains(it))
}
