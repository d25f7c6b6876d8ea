//! `housecall import goss`: what is turned asks the same, and what is not is named.
#![expect(clippy::disallowed_methods, reason = "a test makes a world and looks at it")]

use std::fs;
use std::path::Path;

use support::{Home, Report, shown};

fn fixtures() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/goss"))
}

/// A home with that gossfile.
fn gossfile(text: &str) -> Home {
    let home = Home::new();
    home.write("goss.yaml", text);
    home
}

fn examined(home: &Home, code: i32) -> Report {
    let ran = home.housecall(["--json"]).exits(code);
    Report::new(serde_json::from_str(&ran.stdout).expect("a report"))
}

/// Every resource and attribute of goss's is turned or named, and all that is turned loads.
#[test]
fn nothing_is_dropped_in_silence() {
    let home = Home::new();
    let ran = home.housecall_in(fixtures(), ["import", "goss", "everything.yaml"]).exits(1);
    shown!("everything", ran.stdout);
    shown!("everything_named", ran.stderr);
    home.write("housecall.toml", &ran.stdout);
    let _ = home.housecall(["checks"]).exits(0);
}

/// Each matcher says what goss 0.4.9 was seen to say of the same output: the names of the fixture tell.
#[test]
fn every_matcher_means_the_same() {
    is_seen_the_same("matchers.yaml", 89);
}

/// The same of every kind that looks at what each Linux has.
#[cfg(target_os = "linux")]
#[test]
fn every_kind_means_the_same() {
    is_seen_the_same("kinds.yaml", 59);
}

fn is_seen_the_same(fixture: &str, count: usize) {
    let home = gossfile(&fs::read_to_string(fixtures().join(fixture)).expect("the fixture"));
    let _ = home.housecall(["import", "goss", "goss.yaml", "--write", "housecall.toml"]).exits(0);
    let report = examined(&home, 1);
    let checks = report.0["checks"].as_array().expect("checks");
    assert_eq!(checks.len(), count);
    for check in checks {
        let (id, status) =
            (check["id"].as_str().expect("its id"), check["status"].as_str().expect("its status"));
        assert!(id.contains(&format!("-{status}-")), "{check:#}");
    }
}

/// What was not turned keeps its check from being green, until somebody writes a check of it or lives with it.
#[test]
fn what_is_not_turned_is_never_green() {
    let home = gossfile(
        "file:\n  /etc/hosts: { exists: true, contents: { have-patterns: [x], xml: a } }\n  /etc: { exists: true, mode: 0755 }\n\
         \x20 /gone: { exists: true, mode: 0755 }\n  /tmp: { exists: true }\naddr:\n  udp://127.0.0.1:53: { reachable: true }\n",
    );
    let _ = home.housecall(["import", "goss", "goss.yaml", "--write", "housecall.toml"]).exits(1);
    let report = examined(&home, 1);
    assert_eq!(report.status("file-etc"), "unknown");
    assert_eq!(
        report.check("file-etc")["message"],
        "its `unchecked` is not looked at: goss.yaml:3: mode: a mode is written in quotes: \"0644\""
    );
    assert_eq!(report.status("file-etc-hosts"), "unknown");
    assert_eq!(report.status("file-gone"), "fail", "what is looked at fails as ever");
    assert_eq!(report.status("addr-udp-127-0-0-1-53"), "unknown", "what is not turned at all is there too");
    let ran = home.housecall(["--only", "file-etc"]).exits(3);
    assert!(ran.stdout.contains("file-etc\n      its `unchecked` is not looked at: "), "{ran}");
    assert!(ran.stdout.contains("more      housecall explain file-etc"), "{ran}");
    let ran = home.housecall(["explain", "file-etc"]).exits(0);
    assert!(ran.stdout.contains("It never passes while `unchecked` names what"), "{ran}");
    let ran = home.housecall(["checks"]).exits(0);
    assert!(ran.stdout.contains("(unchecked: goss.yaml:3: mode: "), "{ran}");
    for format in ["junit", "tap", "github", "markdown", "prometheus", "ndjson"] {
        let ran = home.housecall(["--only", "file-etc", "--format", format]).exits(3);
        assert!(ran.stdout.contains("file-etc"), "{format}: {ran}");
    }
    let _ = home.housecall(["--only", "file-etc", "--fail-on", "info"]).exits(3);
    // It can be lived with, for a while.
    let accept = |until: &str| {
        let text = fs::read_to_string(home.at("housecall.toml")).expect("the checks");
        let text = text.split("[[accept]]").next().expect("the checks").to_owned();
        let accept = format!("[[accept]]\ncheck = \"file-etc\"\nreason = \"later\"\nuntil = {until}\n");
        home.write("housecall.toml", text + &accept);
    };
    accept("2001-01-01");
    let _ = home.housecall(["--only", "file-etc", "--only", "file-tmp"]).exits(3);
    accept("2999-12-31");
    let ran = home.housecall(["--only", "file-etc", "--only", "file-tmp"]).exits(0);
    assert!(ran.stdout.contains("file-etc is not all looked at, accepted until 2999-12-31 (later)"), "{ran}");
}

/// What says when to look, or how it is called, leaves nothing that is not looked at.
#[test]
fn what_is_beside_the_question_is_named_and_leaves_it_whole() {
    let home = gossfile(
        "file:\n  /etc: { exists: true, title: '{{.Vars.unknown}}', retry_count: 3 }\n\
         command:\n  'true': { exit-status: 0, timeout: '{{.Vars.unknown}}' }\n",
    );
    let ran = home.housecall(["import", "goss", "goss.yaml", "--write", "housecall.toml"]).exits(1);
    for named in ["(title)", "(retry_count)", "(timeout)"] {
        assert!(ran.stderr.contains(named), "{ran}");
    }
    let report = examined(&home, 0);
    assert_eq!(report.0["counts"]["pass"], 2);
}

/// goss compares numbers by their values: a pattern that is no `1` is found in `1.0`.
#[test]
fn a_number_that_must_be_another_is_named() {
    for value in [
        "gjson: { a: { not: { equal: 1 } } }",
        "not: { equal: 1 }",
        "not: { contain-element: { equal: 1 } }",
        "not: { contain-element: 1 }",
    ] {
        let home =
            gossfile(&format!("command:\n  a: {{ exec: 'true', exit-status: 0, stdout: {{ {value} }} }}\n"));
        let ran = home.housecall(["import", "goss", "goss.yaml"]).exits(1);
        assert!(ran.stderr.contains("a number is no text"), "{value}: {ran}");
    }
}

/// What would ask something else of a list than goss does.
#[test]
fn what_is_another_question_of_a_list_is_named() {
    for (value, why) in [
        ("gjson: { a.#: { equal: 3 } }", "no number of JSON's equals"),
        ("gjson: { a: { equal: [1] } }", "a number or a template"),
        ("gjson: { a: { contain-elements: [x, x] } }", "may not stand for two"),
        ("contain-elements: [x, x]", "may not stand for two"),
        ("gjson: { a: { consist-of: [x, { have-prefix: x }] } }", "may not stand for two"),
        ("gjson: { a.#: { lt: 3 } }", "there may be none"),
        ("gjson: { a.#.b: { have-len: 3 } }", "what some of them are"),
        ("gjson: { a.#.b: [\"it's\"] }", "no plain text"),
        ("gjson: { 'a.#(b==1).c': 1 }", "more than names"),
        ("gjson: { a.#.b.#: 1 }", "more than names"),
    ] {
        let home =
            gossfile(&format!("command:\n  a: {{ exec: 'true', exit-status: 0, stdout: {{ {value} }} }}\n"));
        let ran = home.housecall(["import", "goss", "goss.yaml"]).exits(1);
        assert!(ran.stderr.contains(why), "{value}: {ran}");
    }
}

#[test]
fn a_text_of_json_is_taken_as_it_is() {
    let home = gossfile(
        "command:\n  a: { exec: 'echo \"{}\"', exit-status: 0, stdout: { gjson: { a: '${HOME}' } } }\n",
    );
    let ran = home.housecall(["import", "goss", "goss.yaml"]).exits(0);
    assert!(ran.stdout.contains("$${HOME}"), "{ran}");
}

/// The name of a check is shown wherever the check is.
#[test]
fn a_password_is_in_no_name() {
    let home = gossfile("http:\n  https://u:Hunter2pw@127.0.0.1:1/a:\n    status: 200\n    unknownattr: 1\n");
    let ran = home.housecall(["import", "goss", "goss.yaml", "--write", "housecall.toml"]).exits(1);
    assert!(!ran.stderr.contains("Hunter2pw"), "{}", ran.stderr);
    let written = fs::read_to_string(home.at("housecall.toml")).expect("what was written");
    assert!(written.contains("[check.http-https-127-0-0-1-1-a]"), "{written}");
    let ran = home.housecall(["--json"]).exits(1);
    assert!(!ran.stdout.to_lowercase().contains("hunter2pw"), "{}", ran.stdout);
}

/// goss looks for a pattern in one line at a time, and finds none that goes over two.
#[test]
fn a_pattern_of_several_lines_is_named() {
    let home = gossfile("file:\n  /etc/hosts: { exists: true, contents: [\"127.0.0.1\\nfoo\"] }\n");
    let ran = home.housecall(["import", "goss", "goss.yaml"]).exits(1);
    assert!(ran.stderr.contains("a line at a time"), "{ran}");
    assert!(!ran.stdout.contains("foo"), "{ran}");
}

/// A file that is there already is not touched, and one that cannot be read makes none.
#[test]
fn nothing_is_overwritten() {
    let home = gossfile("process:\n  init: {running: true}\n");
    home.write("housecall.toml", "mine");
    let ran = home.housecall(["import", "goss", "goss.yaml", "--write", "housecall.toml"]).exits(2);
    assert!(ran.stderr.contains("cannot write housecall.toml"), "{ran}");
    assert_eq!(fs::read_to_string(home.at("housecall.toml")).expect("the file"), "mine");
    let ran = home.housecall(["import", "goss", "nowhere.yaml", "--write", "other.toml"]).exits(2);
    assert!(ran.stderr.contains("cannot be read") && !home.at("other.toml").exists(), "{ran}");
    for bad in ["file: [", "- a", "a: 1\na: 2", "file:\n{{range .Vars.x}}\n  {{.}}: {exists: true}\n{{end}}"]
    {
        home.write("bad.yaml", bad);
        let ran = home.housecall(["import", "goss", "bad.yaml"]).exits(2);
        assert!(ran.stdout.is_empty() && ran.stderr.contains("bad.yaml:"), "{bad}: {ran}");
    }
}

/// Variables become ours, and their values are asked for when it runs.
#[test]
fn templates_become_variables() {
    let home = gossfile(
        "file:\n  '{{.Env.HOME}}/goss.yaml': {exists: true, contents: ['{{.Vars.word.first}}', 'a ${plain} one']}\n\
         \x20 /x: {exists: true, mode: '{{.Vars.unknown}}'}\n# a ${plain} one\n",
    );
    home.write("vars.json", "{\"word\": {\"first\": \"exists\"}}");
    let ran = home.housecall(["import", "goss", "goss.yaml", "--vars", "vars.json"]).exits(1);
    assert!(
        ran.stderr.contains("goss.yaml:3: file /x (mode): the template {{.Vars.unknown}} is not turned"),
        "{ran}"
    );
    assert!(ran.stdout.starts_with("[variables]\nword_first = \"exists\"\n"), "{ran}");
    home.write("housecall.toml", &ran.stdout);
    assert_eq!(examined(&home, 1).status("file-home-goss-yaml"), "pass");
}

/// What is piped in is turned as well.
#[test]
fn a_dash_is_what_is_piped_in() {
    let home = Home::new();
    let mut command = home.command("/bin/sh");
    let binary = support::housecall::binary();
    command
        .arg("-c")
        .arg("echo '{\"user\": {\"root\": {\"exists\": true, \"uid\": 0}}}' | \"$0\" import goss -");
    let output = command.arg(binary).output().expect("the shell runs");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "# user root\n[check.user-root]\nuser = { name = \"root\", uid = 0 }\n"
    );
    assert!(output.status.success(), "{output:?}");
}
