//! What to write instead, where a value is of another sort than its key asks for, or a key is missing or has another name.

/// No longer value is written anew, in characters.
const SHOWN: usize = 100;

/// What asks for an argument list.
const COMMANDS: [&str; 3] = ["run", "install", "build"];

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
    /// It, or the heading of its section, as it is written.
    pub text: &'a str,
}

impl Value<'_> {
    /// What to write instead, if that can be known.
    pub(super) fn instead(&self, expected: &str) -> Option<String> {
        let Self { path, sort, text } = self;
        let key = path.last()?.as_str();
        let plain = text.trim_matches(['"', '\'']);
        if text.is_empty() || text.contains('\n') || text.chars().count() > SHOWN {
            return None;
        }
        let number = plain.parse::<i64>().ok();
        let written = match (expected, *sort) {
            (
                "a text" | "expected a text, or a list of texts",
                "integer" | "float" | "boolean" | "datetime",
            ) => quoted(key, text),
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
            ("true or false", _) => match plain.to_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => "true".to_owned(),
                "false" | "no" | "off" | "0" => "false".to_owned(),
                _ => return None,
            },
            ("a day", "string") => plain.to_owned(),
            (other, "string") if other.contains("200") || other.contains("[0, 1]") => number?.to_string(),
            (other, "integer" | "float") if other.contains("version") => format!("\"{text}\""),
            _ => return None,
        };
        Some(written)
    }
}

/// A number where a text is asked, as its key is mostly written.
fn quoted(key: &str, text: &str) -> String {
    match key {
        "mode" => format!("\"{text:0>4}\""),
        "every" | "timeout" | "within" | "newer" | "older" => format!("\"{text}s\""),
        "listen" | "address" => format!("\"127.0.0.1:{text}\""),
        "free" | "used" => format!("\"{text}%\""),
        _ => format!("\"{text}\""),
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

/// What to write for a key that is called otherwise here.
pub(super) fn meant(name: &str, known: &[String]) -> Option<String> {
    let mut found = CALLED.iter().filter(|(called, _)| *called == name).map(|(_, here)| *here);
    let here = found.find(|here| known.iter().any(|it| it == here))?;
    let example = match here {
        "address" | "listen" => "127.0.0.1:4321",
        "severity" if name != "level" => "off",
        _ => return Some(format!("here that is `{here}`")),
    };
    Some(format!("here that is `{here} = \"{example}\"`"))
}

/// What to add where a key is missing.
pub(super) fn added(key: &str) -> String {
    match key {
        "safety" => "add safety = \"risky\"; or \"safe\", if it interrupts and loses nothing".to_owned(),
        "until" => "add until = 2026-12-31, the last day".to_owned(),
        "run" => "add run = [\"program\", \"argument\"]".to_owned(),
        "reason" => "add reason = \"…\": why it is lived with".to_owned(),
        "check" => "add check = \"…\": a check, or CHECK:SUBJECT".to_owned(),
        key => format!("add {key} = \"…\""),
    }
}
