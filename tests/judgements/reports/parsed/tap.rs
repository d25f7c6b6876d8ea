//! TAP 14, read by a strict parser of its grammar: any line that it does not know is an error.

use housecall::report::Report;
use housecall::report::tap::render;
use serde_json::Value;

use super::{Read, agrees};

/// A description without its escapes, and its directive: `SKIP` or `TODO`.
fn description(text: &str) -> (String, Option<&str>) {
    let (mut plain, mut is_escaped) = (String::new(), false);
    for (at, character) in text.char_indices() {
        match character {
            '#' if !is_escaped => {
                let directive = text[at + 1..].trim().split(' ').next();
                return (plain.trim().to_owned(), directive);
            }
            '\\' if !is_escaped => is_escaped = true,
            other => {
                assert!(!is_escaped || matches!(other, '#' | '\\'), "an escape of {other:?} in {text}");
                is_escaped = false;
                plain.push(other);
            }
        }
    }
    (plain.trim().to_owned(), None)
}

fn read(text: &str, report: &Report) -> Read {
    let mut lines = text.lines().peekable();
    assert_eq!(lines.next(), Some("TAP version 14"));
    let plan: usize =
        lines.next().and_then(|it| it.strip_prefix("1..")).expect("a plan").parse().expect("a number");
    let (mut units, mut count, mut exit) = (Vec::new(), 0, 0);
    while let Some(line) = lines.next() {
        if line.starts_with("# ") {
            assert!(!line.starts_with("# Subtest"), "{line}");
            continue;
        }
        let (is_ok, rest) = match line.strip_prefix("not ok ") {
            Some(rest) => (false, rest),
            None => (true, line.strip_prefix("ok ").unwrap_or_else(|| panic!("{line:?} is no TAP\n{text}"))),
        };
        count += 1;
        let (name, directive) = description(rest.strip_prefix(&format!("{count} - ")).expect("its number"));
        assert_eq!(lines.next(), Some("  ---"));
        let mut diagnostics = serde_json::Map::new();
        loop {
            match lines.next().expect("an end of the diagnostics") {
                "  ..." => break,
                line => {
                    let (key, value) = line.trim_start().split_once(": ").expect("a key");
                    let value: Value = serde_json::from_str(value).expect("a value that JSON and YAML know");
                    assert_eq!(diagnostics.insert(key.to_owned(), value), None, "{key} stands twice");
                }
            }
        }
        let status = diagnostics["status"].as_str().expect("a status").to_owned();
        let saw = diagnostics.get("seen").is_some_and(|it| it == "fail")
            && !diagnostics.contains_key("accepted_until");
        match (is_ok, directive) {
            (false, None) if status == "fail" || status == "stopped" || saw => exit = 1,
            (false, None) => exit = if exit == 1 { 1 } else { 3 },
            (false, Some("TODO")) | (true, None) => {}
            (true, Some("SKIP")) => assert_eq!(status, "skip"),
            other => panic!("{other:?} in {line}"),
        }
        assert_eq!(is_ok, matches!(&*status, "pass" | "skip"), "{line}");
        if name == "verdict" && count == plan && count > report.checks.len() {
            continue;
        }
        units.push((name, status));
    }
    assert_eq!(count, plan, "{text}");
    Read { units, exit }
}

#[test]
fn tap_says_what_the_json_says() {
    agrees(render, read);
}
