//! The program that a job runs: whether launchd can find it.

use super::environment::fragile;
use super::job::{Job, Report};
use super::paths::{self, absolute, unexpanded};
use super::plist::{Line, Node, Value};
use super::{Place, Severity, arguments};

const KEY: &str = "ProgramArguments";

/// What a Mac has in the standard path, `/usr/bin:/bin:/usr/sbin:/sbin`.
const STANDARD: &str = include_str!("standard_path.txt");

/// Judges `Program`, `BundleProgram` and the first of `ProgramArguments`.
pub(super) fn judge(job: &Job<'_>, line: Line, place: &Place, report: &mut Report) {
    let has_program = job.entry("Program").is_some() || job.entry("BundleProgram").is_some();
    if !has_program && job.entry(KEY).is_none() {
        let message = "the job has neither `Program` nor `ProgramArguments`: launchd refuses it";
        report.add(Severity::Error, "missing-program", KEY, line, message);
        return;
    }
    if let Some(entry) = job.entry(KEY)
        && entry.node.value == Value::List(Vec::new())
    {
        let severity = if has_program { Severity::Warning } else { Severity::Error };
        report.add(severity, "empty-arguments", KEY, entry.line, "`ProgramArguments` is empty");
    }
    for key in ["Program", "BundleProgram"] {
        if let Some(node) = job.node(key)
            && node.text().is_some_and(|it| it.trim().is_empty())
        {
            report.add(Severity::Error, "missing-program", key, node.line, format!("`{key}` is empty"));
        }
    }
    if let Some(node) = job.node("Program")
        && let Some(path) = node.text()
    {
        absolute_program(path, node, report);
    } else if !has_program && let Some(first) = job.arguments().first() {
        first_argument(job, first, place, report);
    }
    through_env(job, place, report);
}

fn absolute_program(path: &str, node: &Node, report: &mut Report) {
    if path.trim().is_empty() || paths::placeholder("Program", path, node.line, report) {
        return;
    }
    if let Some(part) = unexpanded(path) {
        not_expanded("Program", path, part, node.line, report);
    } else if path.starts_with('/') {
        lasting("Program", path, node.line, report);
    } else {
        let message = format!("`Program` is `{path}`, and launchd refuses one that is not absolute");
        report.add(Severity::Error, "relative-program", "Program", node.line, message);
    }
}

fn first_argument(job: &Job<'_>, node: &Node, place: &Place, report: &mut Report) {
    let Some(path) = node.text() else { return };
    if paths::placeholder(KEY, path, node.line, report) || arguments::is_whole_command(path) {
        return;
    }
    if path.trim().is_empty() {
        report.add(
            Severity::Error,
            "missing-program",
            KEY,
            node.line,
            "the first argument, the program, is empty",
        );
    } else if let Some(part) = unexpanded(path) {
        // With globbing, glob(3) expands a tilde.
        if !(job.is_true("EnableGlobbing") && part.starts_with('~')) {
            not_expanded(KEY, path, part, node.line, report);
        }
    } else if path.starts_with('/') {
        lasting(KEY, path, node.line, report);
    } else if path.contains('/') {
        let message =
            format!("the program `{path}` is a relative path, and launchd starts from no known directory");
        report.add(Severity::Warning, "relative-program", KEY, node.line, message);
    } else if !is_standard(path, place) {
        let message = format!(
            "launchd looks for `{path}` in /usr/bin:/bin:/usr/sbin:/sbin alone, where macOS has no such program"
        );
        report.add(Severity::Warning, "program-not-found", KEY, node.line, message);
    }
}

fn not_expanded(key: &str, path: &str, part: &str, line: Line, report: &mut Report) {
    let message = format!("launchd does not expand `{part}`: the program `{path}` cannot be started");
    report.add(Severity::Error, "unexpanded-path", key, line, message).suggestion = absolute(path);
}

fn lasting(key: &str, path: &str, line: Line, report: &mut Report) {
    if let Some(why) = fragile(path) {
        report.add(Severity::Warning, "fragile-path", key, line, format!("`{path}` {why}"));
    }
}

/// `env` looks in the job's PATH, which without one of its own is the standard path.
fn through_env(job: &Job<'_>, place: &Place, report: &mut Report) {
    let arguments = job.arguments();
    let texts = arguments.iter().filter_map(|it| it.text());
    if !matches!(texts.clone().next(), Some("/usr/bin/env" | "env")) {
        return;
    }
    let has_path =
        job.node("EnvironmentVariables").is_some_and(|it| it.entries().iter().any(|it| it.key == "PATH"))
            || texts.clone().any(|it| it.starts_with("PATH="));
    let Some(at) = texts.clone().skip(1).position(|it| !it.contains('=')).map(|at| at + 1) else { return };
    let (Some(program), line) = (arguments[at].text(), arguments[at].line) else { return };
    if !has_path
        && !program.starts_with('-')
        && !program.contains(['/', ' ', '$'])
        && !is_standard(program, place)
    {
        let message = format!(
            "`env` looks for `{program}` in /usr/bin:/bin:/usr/sbin:/sbin alone, where macOS has no such program"
        );
        report.add(Severity::Warning, "program-not-found", KEY, line, message);
    }
}

fn is_standard(name: &str, place: &Place) -> bool {
    let here = match place {
        Place::Installed(facts) => facts.has_in_standard_path(name),
        Place::Elsewhere => false,
    };
    here || STANDARD.split_whitespace().any(|it| it == name)
}
