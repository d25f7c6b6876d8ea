//! Paths that launchd takes as they stand: it expands neither `~` nor variables.

use super::Severity;
use super::job::{Job, Report};
use super::plist::{Line, Node};

/// The keys that hold one path, or an array of them.
const PATHS: [&str; 7] = [
    "StandardInPath",
    "StandardOutPath",
    "StandardErrorPath",
    "WorkingDirectory",
    "RootDirectory",
    "WatchPaths",
    "QueueDirectories",
];

/// Judges every path but the program's.
pub(super) fn judge(job: &Job<'_>, report: &mut Report) {
    for key in PATHS {
        let Some(node) = job.node(key) else { continue };
        one(key, node, report);
        for item in node.items() {
            one(key, item, report);
        }
    }
    path_state(job, report);
    for key in ["StandardOutPath", "StandardErrorPath"] {
        let Some(node) = job.node(key) else { continue };
        if let Some(path) = node.text()
            && job.is_agent()
            && ["/var/log/", "/private/var/log/", "/var/root/"].iter().any(|it| path.starts_with(it))
        {
            let message = format!("an agent runs as its user, who cannot write to `{path}`");
            report.add(Severity::Warning, "log-not-writable", key, node.line, message);
        }
    }
}

fn path_state(job: &Job<'_>, report: &mut Report) {
    let states = job.node("KeepAlive").map_or(&[][..], Node::entries);
    for entry in states.iter().filter(|it| it.key == "PathState").flat_map(|it| it.node.entries()) {
        text("KeepAlive.PathState", &entry.key, entry.line, report);
    }
}

fn one(key: &str, node: &Node, report: &mut Report) {
    if let Some(path) = node.text() {
        text(key, path, node.line, report);
    }
}

fn text(key: &str, path: &str, line: Line, report: &mut Report) {
    if placeholder(key, path, line, report) || path.starts_with('/') && unexpanded(path).is_none() {
        return;
    }
    if path.trim().is_empty() {
        report.add(Severity::Warning, "empty-path", key, line, format!("the path of `{key}` is empty"));
    } else if let Some(part) = unexpanded(path) {
        let message = format!("launchd does not expand `{part}`: it takes `{path}` as it stands");
        report.add(Severity::Warning, "unexpanded-path", key, line, message).suggestion = absolute(path);
    } else {
        let message =
            format!("`{path}` is relative: launchd has no directory of its own to start from but `/`");
        report.add(Severity::Warning, "relative-path", key, line, message);
    }
}

/// Says so once where an installer has not filled in its template; nothing else can be said of such a path.
pub(super) fn placeholder(key: &str, path: &str, line: Line, report: &mut Report) -> bool {
    if !has_placeholder(path) {
        return false;
    }
    let message = format!("`{path}` holds a placeholder that is not filled in");
    report.add(Severity::Warning, "placeholder", key, line, message);
    true
}

/// `@PREFIX@`, `__HOME__`, `{{ user }}`, `%(home)s`, `<home>`.
pub(crate) fn has_placeholder(text: &str) -> bool {
    let between = |mark: &str| {
        text.split(mark).nth(1).is_some_and(|it| {
            it.contains(|it: char| it.is_ascii_uppercase())
                && it.chars().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit() || it == '_')
        })
    };
    let enclosed =
        |open: &str, close: &str| text.split_once(open).is_some_and(|(_, rest)| rest.contains(close));
    between("@") || between("__") || enclosed("{{", "}}") || enclosed("%(", ")s") || enclosed("<", ">")
}

/// The part of a path that a shell would expand and launchd does not.
pub(super) fn unexpanded(path: &str) -> Option<&str> {
    if path.starts_with('~') {
        return path.split('/').next();
    }
    let at = path.find('$')?;
    let rest = &path[at..];
    let after = &rest[1..];
    for (open, close) in [('(', ')'), ('{', '}')] {
        if after.starts_with(open) {
            return rest.find(close).map(|end| &rest[..=end]);
        }
    }
    let length = after.bytes().take_while(|&byte| byte == b'_' || byte.is_ascii_alphanumeric()).count();
    let is_name = after.starts_with(|it: char| it == '_' || it.is_ascii_uppercase());
    (is_name && length > 0 && !after.starts_with("RECYCLE")).then(|| &rest[..=length])
}

/// What was probably meant.
pub(super) fn absolute(path: &str) -> Option<String> {
    let homes = ["~/", "$HOME/", "${HOME}/", "$(HOME)/"];
    homes.iter().find_map(|home| path.strip_prefix(home)).map(|rest| format!("/Users/NAME/{rest}"))
}
