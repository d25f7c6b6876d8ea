//! The arguments of a job, which no shell splits.

use super::Severity;
use super::job::{Job, Report};
use super::plist::Node;
use crate::redact::shapes;

const KEY: &str = "ProgramArguments";

/// Judges every argument.
pub(super) fn judge(job: &Job<'_>, report: &mut Report) {
    let arguments = job.arguments();
    let chosen = job.entry("Program").is_some() || job.entry("BundleProgram").is_some();
    for (at, node) in arguments.iter().enumerate() {
        let Some(text) = node.text() else { continue };
        let before = at.checked_sub(1).and_then(|at| arguments[at].text());
        if at == 0 && !chosen && is_whole_command(text) {
            let message = format!(
                "the program and its arguments stand in one string: launchd looks for a program named `{text}`"
            );
            joined(text, node, message, report);
        } else if at > 0 && !before.is_some_and(takes_a_line) && is_joined_option(text) {
            joined(text, node, format!("`{text}` reaches the program as one argument"), report);
        }
        if shapes::is_known(text) {
            let message =
                "an argument looks like a secret, and whoever reads this file or lists processes has it";
            report.add(Severity::Warning, "secret", KEY, node.line, message);
        }
    }
    daemonizes(job, &arguments, report);
}

fn joined(text: &str, node: &Node, message: String, report: &mut Report) {
    let parts: Vec<String> = text.split_whitespace().map(|it| format!("<string>{it}</string>")).collect();
    report.add(Severity::Warning, "joined-arguments", KEY, node.line, message).suggestion =
        Some(parts.concat());
}

/// `node server.js`, `/usr/bin/python3 /srv/run.py`, but not `/Library/Application Support/x`.
pub(super) fn is_whole_command(text: &str) -> bool {
    let text = text.trim();
    let Some((program, rest)) = text.split_once(char::is_whitespace) else { return false };
    let rest = rest.trim_start();
    if !program.contains('/') {
        return !program.is_empty();
    }
    let options = text.split_whitespace().skip(1).any(|word| {
        let letters = word.trim_start_matches('-');
        word.starts_with('-') && letters.starts_with(|it: char| it.is_ascii_alphabetic())
    });
    options || rest.starts_with('/') || rest.contains(" /")
}

/// `--port 80`: an option, white space, and its value.
fn is_joined_option(text: &str) -> bool {
    let Some((option, value)) = text.split_once(char::is_whitespace) else { return false };
    let name = option.trim_start_matches('-');
    option.starts_with('-')
        && name.starts_with(|it: char| it.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        && !value.trim().is_empty()
}

/// Whether what follows is a script or a list of options of its own.
fn takes_a_line(option: &str) -> bool {
    let is_short = option.starts_with('-') && !option.starts_with("--");
    let is_script = is_short && option.len() <= 5 && option.ends_with(['c', 'e']);
    let name = option.to_ascii_lowercase();
    let is_list = name.starts_with('-')
        && ["arg", "opt", "flag", "command", "eval", "exec"].iter().any(|it| name.contains(it));
    is_script || is_list
}

/// A program that goes to the background looks to launchd as if it had ended.
fn daemonizes(job: &Job<'_>, arguments: &[&Node], report: &mut Report) {
    let texts: Vec<&str> = arguments.iter().filter_map(|it| it.text()).collect();
    for (at, text) in texts.iter().enumerate() {
        let words: Vec<&str> = text.split([' ', '=']).chain(texts.get(at + 1).copied()).collect();
        let is_off = matches!(words.get(1), Some(&("no" | "false" | "off" | "0")));
        if at > 0 && words[0] == "--daemonize" && !is_off {
            let message = "the program leaves for the background, which launchd takes for its end";
            let severity = if job.is_true("KeepAlive") { Severity::Warning } else { Severity::Info };
            report.add(severity, "daemonizes", KEY, arguments[at].line, message);
        }
    }
}
