//! Compares what stands in a file with the table of keys.

use super::Severity;
use super::job::Report;
use super::keys::{self, Key, Shape, Standing};
use super::plist::{Entry, Line, Node, Value};
use crate::selection::nearest;

/// Without these a job cannot be: their wrong type is refused, where launchd ignores that of others.
const NEEDED: [&str; 4] = ["Label", "Program", "BundleProgram", "ProgramArguments"];

/// Judges the keys of the whole job.
pub(super) fn judge(root: &[Entry], report: &mut Report) {
    table(root, keys::JOB, "", report);
}

fn table(entries: &[Entry], known: &'static [Key], parent: &str, report: &mut Report) {
    duplicates(entries, parent, report);
    for entry in entries {
        let path = join(parent, &entry.key);
        let Some(key) = known.iter().find(|it| it.name == entry.key) else {
            unknown(entry, known, parent, report);
            continue;
        };
        if let Standing::Obsolete(why) = key.standing {
            report.add(
                Severity::Info,
                "obsolete-key",
                &path,
                entry.line,
                format!("`{path}` is obsolete: {why}"),
            );
        }
        value(&key.shape, &entry.node, &path, entry.line, report);
    }
}

fn duplicates(entries: &[Entry], parent: &str, report: &mut Report) {
    for (at, entry) in entries.iter().enumerate() {
        if let Some(first) = entries[..at].iter().find(|it| it.key == entry.key) {
            let path = join(parent, &entry.key);
            let place = first.line.map_or_else(String::new, |line| format!(", first on line {line}"));
            let message = format!("`{path}` stands here twice{place}, and only one of the values counts");
            report.add(Severity::Warning, "duplicate-key", &path, entry.line, message);
        }
    }
}

fn unknown(entry: &Entry, known: &[Key], parent: &str, report: &mut Report) {
    let path = join(parent, &entry.key);
    let place = if parent.is_empty() { "a job".to_owned() } else { format!("`{parent}`") };
    if parent.is_empty()
        && let Some(home) = keys::nested_home(&entry.key)
    {
        let message = format!("`{path}` belongs inside `{home}`, and is ignored here");
        let finding = report.add(Severity::Warning, "misplaced-key", &path, entry.line, message);
        finding.suggestion = Some(format!("{home}.{path}"));
        return;
    }
    let names = known.iter().filter(|it| it.standing != Standing::Undocumented).map(|it| it.name.to_owned());
    let similar = known
        .iter()
        .find(|it| it.name.eq_ignore_ascii_case(entry.key.trim()))
        .map(|it| it.name.to_owned())
        .or_else(|| nearest(&entry.key, names));
    let message = format!("`{}` is no key of {place}, and launchd ignores it", entry.key);
    let severity = if similar.is_some() { Severity::Warning } else { Severity::Info };
    report.add(severity, "unknown-key", &path, entry.line, message).suggestion = similar;
}

fn value(shape: &'static Shape, node: &Node, path: &str, line: Line, report: &mut Report) {
    let shape = match shape {
        Shape::Either(shapes) => match shapes.iter().find(|it| fits(it, &node.value)) {
            Some(shape) => shape,
            None => return wrong_type(shape, node, path, line, report),
        },
        shape if fits(shape, &node.value) => shape,
        _ => return wrong_type(shape, node, path, line, report),
    };
    match (shape, &node.value) {
        (Shape::Table(known), Value::Dict(entries)) => table(entries, known, path, report),
        (Shape::Each(each), Value::Dict(entries)) => {
            duplicates(entries, path, report);
            for entry in entries {
                value(each, &entry.node, &join(path, &entry.key), entry.line, report);
            }
        }
        (Shape::List(each), Value::List(items)) => {
            for item in items {
                value(each, item, path, item.line, report);
            }
        }
        (Shape::Number { least, most }, Value::Integer(number)) if !(*least..=*most).contains(number) => {
            let message = match (*least, *most) {
                (least, i128::MAX) => format!("`{path}` is {number}, less than {least}"),
                (least, most) if most == i128::from(u32::MAX) => {
                    format!("`{path}` is {number}, not between {least} and {most}")
                }
                (least, most) => format!("`{path}` is {number}, and goes from {least} to {most}"),
            };
            report.add(Severity::Warning, "out-of-range", path, node.line, message);
        }
        (Shape::Word(words), Value::Text(text)) if !words.contains(&text.as_str()) => {
            let similar = nearest(text, words.iter().map(|&it| it.to_owned()));
            let message = format!("`{path}` is `{text}`, and launchd knows {}", listed(words));
            report.add(Severity::Warning, "unknown-value", path, node.line, message).suggestion = similar;
        }
        (Shape::Mode, Value::Text(text)) if !is_mode(text) => {
            let message = format!("`{path}` is `{text}`, which is no number");
            report.add(Severity::Warning, "unknown-value", path, node.line, message);
        }
        (Shape::Mode, Value::Integer(number)) if suspicious_mode(*number) => {
            let message = format!(
                "`{path}` is the decimal number {number}, that is {number:#o}: only a string can be octal"
            );
            let finding = report.add(Severity::Warning, "decimal-umask", path, node.line, message);
            finding.suggestion = Some(format!("<string>0{number}</string>"));
        }
        _ => {}
    }
}

fn fits(shape: &Shape, value: &Value) -> bool {
    match shape {
        Shape::Text | Shape::Path | Shape::Word(_) => matches!(value, Value::Text(_)),
        Shape::Flag => matches!(value, Value::Flag(_)),
        Shape::Number { .. } => matches!(value, Value::Integer(_)),
        Shape::Mode => matches!(value, Value::Integer(_) | Value::Text(_)),
        Shape::List(_) => matches!(value, Value::List(_)),
        Shape::Table(_) | Shape::Each(_) => matches!(value, Value::Dict(_)),
        Shape::Either(shapes) => shapes.iter().any(|it| fits(it, value)),
        Shape::Anything => true,
    }
}

fn wrong_type(shape: &Shape, node: &Node, path: &str, line: Line, report: &mut Report) {
    let is_needed = NEEDED.contains(&path) && !is_argument(shape, path);
    let severity = if is_needed { Severity::Error } else { Severity::Warning };
    let consequence = if severity == Severity::Error { "launchd refuses it" } else { "launchd ignores it" };
    let message =
        format!("`{path}` is {} where {} is expected: {consequence}", node.value.kind(), expected(shape));
    report.add(severity, "wrong-type", path, line, message).suggestion = converted(shape, &node.value);
}

/// Whether it is one item of the arguments, not the array.
fn is_argument(shape: &Shape, path: &str) -> bool {
    path == "ProgramArguments" && matches!(shape, Shape::Text)
}

fn expected(shape: &Shape) -> String {
    match shape {
        Shape::Text | Shape::Path | Shape::Word(_) => "a string".into(),
        Shape::Flag => "a boolean".into(),
        Shape::Number { .. } => "an integer".into(),
        Shape::Mode => "an integer or a string".into(),
        Shape::List(each) => match each {
            Shape::Table(_) | Shape::Each(_) => "an array of dictionaries".into(),
            _ => "an array of strings".into(),
        },
        Shape::Table(_) | Shape::Each(_) => "a dictionary".into(),
        Shape::Either(shapes) => shapes.iter().map(expected).collect::<Vec<_>>().join(" or "),
        Shape::Anything => "anything".into(),
    }
}

/// The value as it would be written with the right type, where that is plain.
fn converted(shape: &Shape, value: &Value) -> Option<String> {
    match (shape, value) {
        (Shape::Either(shapes), value) => shapes.iter().find_map(|shape| converted(shape, value)),
        (Shape::Number { .. }, Value::Text(text)) => {
            text.trim().parse::<i64>().ok().map(|number| format!("<integer>{number}</integer>"))
        }
        (Shape::Flag, Value::Text(text)) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Some("<true/>".into()),
            "false" | "no" | "0" => Some("<false/>".into()),
            _ => None,
        },
        (Shape::Flag, Value::Integer(1)) => Some("<true/>".into()),
        (Shape::Flag, Value::Integer(0)) => Some("<false/>".into()),
        (Shape::Text | Shape::Path, Value::Integer(number)) => Some(format!("<string>{number}</string>")),
        (Shape::Text | Shape::Path, Value::List(items)) => match items.as_slice() {
            [Node { value: Value::Text(text), .. }] => Some(format!("<string>{text}</string>")),
            _ => None,
        },
        (Shape::List(Shape::Text | Shape::Path), Value::Text(text)) => {
            Some(format!("<array><string>{text}</string></array>"))
        }
        _ => None,
    }
}

/// Whether `strtoul` reads it to its end.
fn is_mode(text: &str) -> bool {
    let text = text.trim_start();
    match text.strip_prefix("0x") {
        Some(digits) => !digits.is_empty() && digits.chars().all(|it| it.is_ascii_hexdigit()),
        None => !text.is_empty() && text.chars().all(|it| it.is_ascii_digit()),
    }
}

/// 22, 27 and 77 as integers are almost always meant to be octal.
fn suspicious_mode(number: i128) -> bool {
    matches!(number, 22 | 26 | 27 | 37 | 66 | 77)
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ")
}

fn join(parent: &str, key: &str) -> String {
    if parent.is_empty() { key.to_owned() } else { format!("{parent}.{key}") }
}
