//! Checks of other tools, turned into ours; what cannot be turned is named, and nothing is dropped in silence.

pub mod goss;
mod template;
mod yaml;

use std::fmt;

/// What became of a file of another tool's.
#[derive(Debug, Default)]
pub struct Imported {
    /// The configuration: `[variables]`, and `[check.NAME]` for each question.
    pub text: String,
    /// How many checks it declares.
    pub checks: usize,
    /// What was not turned.
    pub named: Vec<Named>,
}

/// Something that was not turned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The file that says it.
    pub file: String,
    /// Its line there; the first is 1.
    pub line: usize,
    /// What it is: "mount /home (usage)".
    pub what: String,
    /// Why it was not.
    pub why: String,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, what, why } = self;
        let told = format!("{file}:{line}: {what}: {why}");
        let plain = |it: char| if it.is_control() { ' ' } else { it };
        f.write_str(&told.chars().map(plain).collect::<String>())
    }
}

/// A value as TOML writes it on one line.
#[derive(Debug, Clone, PartialEq)]
enum Item {
    Bool(bool),
    Number(String),
    /// A text in which variables are expanded.
    Text(String),
    /// One in which nothing is.
    Plain(String),
    List(Vec<Self>),
    Table(Vec<(String, Self)>),
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(it) => write!(f, "{it}"),
            Self::Number(it) => f.write_str(it),
            Self::Text(it) => f.write_str(&quoted(&template::written(it))),
            Self::Plain(it) => f.write_str(&quoted(it)),
            Self::List(list) => {
                let list: Vec<String> = list.iter().map(Self::to_string).collect();
                write!(f, "[{}]", list.join(", "))
            }
            Self::Table(table) => {
                let table: Vec<String> =
                    table.iter().map(|(key, it)| format!("{} = {it}", name(key))).collect();
                write!(f, "{{ {} }}", table.join(", "))
            }
        }
    }
}

impl Item {
    fn text(it: impl Into<String>) -> Self {
        Self::Text(it.into())
    }

    fn texts(all: impl IntoIterator<Item = String>) -> Self {
        Self::List(all.into_iter().map(Self::Text).collect())
    }
}

/// On one line, whatever is in it.
fn quoted(text: &str) -> String {
    let is_literal = !text.contains(|it: char| it == '\'' || (it.is_control() && it != '\t'));
    if is_literal && text.contains(['\\', '"']) {
        return format!("'{text}'");
    }
    let mut quoted = String::from("\"");
    for it in text.chars() {
        match it {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            it if it.is_control() => quoted.extend(["\\u", &format!("{:04X}", u32::from(it))]),
            it => quoted.push(it),
        }
    }
    quoted.push('"');
    quoted
}

/// A key, in quotes where it needs them.
fn name(key: &str) -> String {
    let is_bare = !key.is_empty() && key.chars().all(|it| it.is_ascii_alphanumeric() || "-_".contains(it));
    if is_bare { key.to_owned() } else { quoted(key) }
}
