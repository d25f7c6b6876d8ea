//! The environment of a job: secrets in a file that others read, and what launchd does not expand.

use super::Severity;
use super::job::{Job, Report};
use super::paths;
use super::plist::Node;
use crate::redact::{names, shapes};

/// Judges `EnvironmentVariables`.
pub(super) fn judge(job: &Job<'_>, report: &mut Report) {
    for entry in job.node("EnvironmentVariables").map_or(&[][..], Node::entries) {
        let key = format!("EnvironmentVariables.{}", entry.key);
        let Some(value) = entry.node.text() else { continue };
        if names::is_secret(&entry.key, value) || shapes::is_known(value) {
            let message = format!("`{}` looks like a secret, and whoever reads this file has it", entry.key);
            report.add(Severity::Warning, "secret", &key, entry.line, message);
        } else if entry.key == "PATH" {
            path(&key, &entry.node, value, report);
        } else if entry.key == "HOME" || value.starts_with("~/") {
            literal(&key, &entry.node, value, report);
        }
        if entry.key.starts_with("DYLD_") {
            let message = format!("macOS strips `{}` from programs that it protects", entry.key);
            report.add(Severity::Info, "stripped-variable", &key, entry.line, message);
        }
    }
}

fn path(key: &str, node: &Node, value: &str, report: &mut Report) {
    for part in value.split(':') {
        literal(key, node, part, report);
        if let Some(why) = fragile(part) {
            let message = format!("`{part}` {why}");
            report.add(Severity::Warning, "fragile-path", key, node.line, message);
        }
    }
}

fn literal(key: &str, node: &Node, value: &str, report: &mut Report) {
    if let Some(part) = paths::unexpanded(value) {
        let message = format!("launchd does not expand `{part}` in the environment");
        report.add(Severity::Warning, "unexpanded-path", key, node.line, message).suggestion =
            paths::absolute(value);
    }
}

/// Why a program's place does not last, if it does not.
pub(super) fn fragile(path: &str) -> Option<&'static str> {
    if path.contains("/Cellar/") {
        return Some("is one version of a Homebrew formula, and goes with the next upgrade");
    }
    if path.contains("fnm_multishells") {
        return Some("is the directory of one shell, and goes with it");
    }
    if path.starts_with("/var/folders/") || path.starts_with("/private/var/folders/") {
        return Some("is temporary, and is gone after a restart");
    }
    path.contains("/.nvm/versions/").then_some("is one version of node, and goes when that is removed")
}
