//! Workflow commands, taken apart as GitHub's runner does it (`ActionCommand.cs`): both of its syntaxes.

use housecall::report::Report;
use housecall::report::github::render;

use super::{Read, agrees};

fn unescaped(text: &str, is_property: bool) -> String {
    let text = text.replace("%0D", "\r").replace("%0A", "\n");
    let text = if is_property { text.replace("%3A", ":").replace("%2C", ",") } else { text };
    text.replace("%25", "%")
}

/// A command's name, title and message; none where the line is only a line.
fn command(line: &str) -> Option<(String, String, String)> {
    assert!(!line.contains("##["), "the older syntax, anywhere in a line: {line}");
    let (head, message) = line.trim_start().strip_prefix("::")?.split_once("::")?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let mut title = String::new();
    for property in properties.split(',').filter(|it| !it.is_empty()) {
        let (key, value) = property.split_once('=').expect("a property has a value");
        assert_eq!(key, "title", "{line}");
        title = unescaped(value, true);
    }
    Some((name.to_owned(), title, unescaped(message, false)))
}

fn read(text: &str, report: &Report) -> Read {
    let (mut units, mut exit, mut in_group, mut last) = (Vec::new(), 0, false, "");
    for line in text.lines() {
        last = line;
        match command(line) {
            Some((name, ..)) if name == "group" => in_group = true,
            Some((name, ..)) if name == "endgroup" => in_group = false,
            Some((name, title, message)) => {
                assert!(["error", "warning", "notice"].contains(&&*name), "{line}");
                let (status, unit) = title.split_once(' ').expect("a status and a name");
                let saw = message.lines().any(|it| it.starts_with("saw       fail"))
                    && !message.contains(" (accepted until 2027-01-01: ");
                match (&*name, status) {
                    ("error", "fail" | "stopped") => exit = 1,
                    ("error", "blocked") if saw => exit = 1,
                    ("error", _) => exit = if exit == 1 { 1 } else { 3 },
                    _ => {}
                }
                if status != "repair" && !(unit == "verdict" && ["stopped", "undetermined"].contains(&status))
                {
                    units.push((unit.to_owned(), status.to_owned()));
                }
            }
            None if in_group => {
                // One space stands between the words of a name, and two behind it.
                let (status, rest) = line.split_once(' ').expect("a status");
                let (unit, _) = rest.split_once("  ").unwrap_or_else(|| panic!("no name in {line:?}"));
                assert!(["pass", "skip"].contains(&status), "{line}");
                units.push((unit.to_owned(), status.to_owned()));
            }
            None => {}
        }
    }
    assert!(!in_group, "{text}");
    assert!(last.starts_with(&format!("{}: ", report.verdict)), "{text}");
    let plain = |text: String| text.replace("\\u{23}#[", "##[");
    Read { units: units.into_iter().map(|(unit, status)| (plain(unit), status)).collect(), exit }
}

#[test]
fn github_says_what_the_json_says() {
    agrees(render, read);
}
