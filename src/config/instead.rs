//! What to write instead, where a value is of another sort than its key asks for, or a key is missing or has another name.

use super::values;

/// No longer value is written anew, in characters.
const SHOWN: usize = 100;

/// What asks for an argument list.
const COMMANDS: [&str; 3] = ["run", "install", "build"];

/// An argument list of nobody's.
const SOME: &str = "[\"program\", \"argument\"]";

/// What a check asks, and the key that its question is mostly about.
const QUESTIONS: [(&str, &str); 16] = [
    ("connect", "address"),
    ("disk", "path"),
    ("dns", "name"),
    ("env", "name"),
    ("file", "path"),
    ("git", "path"),
    ("http", "url"),
    ("interface", "name"),
    ("kernel-param", "name"),
    ("listener", "address"),
    ("mount", "path"),
    ("package", "name"),
    ("process", "name"),
    ("service", "name"),
    ("tool", "name"),
    ("user", "name"),
];

/// What others call it, and what is written here.
const CALLED: [(&str, &str); 22] = [
    ("port", "address"),
    ("port", "listen"),
    ("host", "listen"),
    ("enabled", "severity"),
    ("disabled", "severity"),
    ("level", "severity"),
    ("cmd", "run"),
    ("exec", "run"),
    ("args", "run"),
    ("command", "run"),
    ("cwd", "directory"),
    ("dir", "directory"),
    ("workdir", "directory"),
    ("description", "summary"),
    ("title", "summary"),
    ("depends", "needs"),
    ("depends-on", "needs"),
    ("requires", "needs"),
    ("interval", "every"),
    ("permissions", "mode"),
    ("remote", "upstream"),
    ("repo", "repository"),
];

/// A value of the wrong sort.
pub(super) struct Value<'a> {
    /// The keys that lead to it, outermost first.
    pub path: &'a [String],
    /// Its sort, in TOML's words: "string", "integer", "array", "table".
    pub sort: &'a str,
    /// It, or the heading of its section, as it is written; none where it may not be shown.
    pub text: Option<&'a str>,
}

impl Value<'_> {
    /// What to write instead, if that can be known.
    pub(super) fn instead(&self, expected: &str) -> Option<String> {
        let Self { path, sort, text } = self;
        let key = path.last()?.as_str();
        let Some(text) = text else { return hidden(path, sort, expected) };
        let plain = text.trim_matches(['"', '\'']);
        if text.is_empty() || text.contains('\n') || text.chars().count() > SHOWN {
            return None;
        }
        let number = plain.parse::<i64>().ok();
        let written = match (expected, *sort) {
            (
                "a text" | "expected a text, or a list of texts",
                "integer" | "float" | "boolean" | "datetime",
            ) => quoted(key, text)?,
            ("a list", "string") if COMMANDS.contains(&key) => argv(path, plain),
            ("a list", "table") if text.starts_with('[') => format!("[{text}]"),
            ("a list", _) => format!("[{text}]"),
            ("a section", "array") if path.len() == 1 && key == "accept" => "[[accept]]".to_owned(),
            ("a section", "array") if text.starts_with("[[") => format!("[{}.NAME]", path.join(".")),
            ("a section", _) => match (path.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), *sort)
            {
                ([section @ ("check" | "service"), _], _) => format!("[{section}.NAME]"),
                (["check", _, "command"], "string") => format!("{{ {} }}", launch(plain)),
                (["check", _, "fix"], "string") => format!("{{ {}, safety = \"risky\" }}", launch(plain)),
                (["check", _, question], "string") => {
                    let (_, about) = QUESTIONS.iter().find(|(known, _)| known == question)?;
                    format!("{{ {about} = {text} }}")
                }
                (["serve", "ready"], "string") => format!("{{ path = {text} }}"),
                (_, "string" | "integer") => format!("{{ min = {} }}", number.filter(|_| key == "count")?),
                _ => return None,
            },
            ("a whole number", "string") => number?.to_string(),
            ("true or false", _) => switch(plain)?.to_string(),
            ("a day", "string") => plain.to_owned(),
            (other, "string") if other.contains("200") || other.contains("[0, 1]") => number?.to_string(),
            (other, "integer" | "float") if other.contains("version") => format!("\"{text}\""),
            _ => return None,
        };
        Some(written)
    }
}

/// The same of a value that may not be shown, whose place tells enough.
fn hidden(path: &[String], sort: &str, expected: &str) -> Option<String> {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let written = match (expected, sort, path.as_slice()) {
        (
            "a text" | "expected a text, or a list of texts",
            "integer" | "float" | "boolean" | "datetime",
            _,
        ) => "it in quotes".to_owned(),
        ("a list", "string", [.., key]) if COMMANDS.contains(key) => SOME.to_owned(),
        ("a section", "string", ["check", _, "command"]) => format!("{{ run = {SOME} }}"),
        ("a section", "string", ["check", _, "fix"]) => format!("{{ run = {SOME}, safety = \"risky\" }}"),
        _ => return None,
    };
    Some(written)
}

/// A number where a text is asked, as its key is mostly written.
fn quoted(key: &str, text: &str) -> Option<String> {
    let written = match key {
        "mode" => {
            let digits = text.strip_prefix("0o").unwrap_or(text);
            let is_octal = digits.bytes().all(|it| matches!(it, b'0'..=b'7'));
            format!("{:0>4}", Some(digits).filter(|_| is_octal)?)
        }
        "every" | "timeout" | "within" | "newer" | "older" => {
            let number = text.replace('_', "");
            let whole = number.parse::<f64>().ok().map(|seconds| format!("{:.0}ms", seconds * 1_000.0));
            [Some(format!("{number}s")), whole]
                .into_iter()
                .flatten()
                .find(|it| values::duration(it).is_ok())?
        }
        "listen" | "address" => format!("127.0.0.1:{}", text.parse::<u16>().ok()?),
        "free" | "used" => format!("{text}%"),
        _ => text.to_owned(),
    };
    Some(format!("\"{written}\""))
}

/// What somebody means who does not write `true` or `false`.
fn switch(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// A command line as the arguments that it would be; what a shell is needed for is for `script`, where there is one.
fn argv(path: &[String], line: &str) -> String {
    match words(line) {
        Some(words) => list(&words),
        None if path.first().is_some_and(|it| it == "check") => {
            format!("script = {} in its place", toml::Value::from(line))
        }
        None => list(&["sh".to_owned(), "-c".to_owned(), line.to_owned()]),
    }
}

/// The same with its key.
fn launch(line: &str) -> String {
    let quoted = toml::Value::from(line).to_string();
    words(line).map_or_else(|| format!("script = {quoted}"), |words| format!("run = {}", list(&words)))
}

fn list(words: &[String]) -> String {
    toml::Value::from(words.to_vec()).to_string()
}

/// The words of a command line that needs no shell.
fn words(line: &str) -> Option<Vec<String>> {
    let is_plain = !line.contains(|it| "|&;<>()$`*?~\"'\\#!{}[]".contains(it));
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    // `NAME=value program` sets a variable.
    (is_plain && words.first().is_some_and(|first| !first.contains('='))).then_some(words)
}

/// What to write for a key that is called otherwise here, and has that value.
pub(super) fn meant(name: &str, value: &str, known: &[String]) -> Option<String> {
    let mut found = CALLED.iter().filter(|(called, _)| *called == name).map(|(_, here)| *here);
    let here = found.find(|here| known.iter().any(|it| it == here))?;
    let example = match (here, name) {
        ("address" | "listen", _) => "127.0.0.1:4321",
        ("severity", "enabled" | "disabled") => match switch(value.trim_matches(['"', '\''])) {
            Some(is_so) if is_so == (name == "enabled") => {
                return Some("leave it out: a check is examined unless `severity = \"off\"`".to_owned());
            }
            Some(_) => "off",
            None => return Some(format!("here that is `{here}`")),
        },
        _ => return Some(format!("here that is `{here}`")),
    };
    Some(format!("here that is `{here} = \"{example}\"`"))
}

/// What to add where a key is missing.
pub(super) fn added(key: &str) -> String {
    match key {
        "safety" => "add safety = \"risky\"; or \"safe\", if it interrupts and loses nothing".to_owned(),
        "until" => "add until = 2026-12-31, the last day".to_owned(),
        "run" => format!("add run = {SOME}"),
        "reason" => "add reason = \"…\": why it is lived with".to_owned(),
        "check" => "add check = \"…\": a check, or CHECK:SUBJECT".to_owned(),
        key => format!("add {key} = \"…\""),
    }
}
