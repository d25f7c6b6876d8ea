//! `tools-present`: the jobs find every program that they run.

use crate::check::{Check, CheckId, Group, Look, Severity};
use crate::checks::runtime::runtime_version::{self, install_command};
use crate::config::Mirror;
use crate::cx::Cx;
use crate::probes::tools::FoundTool;
use crate::verdict::{Fact, Seen, Verdict};

/// The jobs find their tools.
pub static CHECK: Check = Check {
    id: CheckId("tools-present"),
    group: Group::Runtime,
    summary: "the jobs find every tool that they run",
    docs: include_str!("tools_present.md"),
    severity: Severity::Error,
    requires: &[],
    fix: None,
    look: Look::Mirror(look),
};

fn look(cx: &Cx, _mirror: &Mirror) -> Seen {
    let config = cx.config();
    let configured = config.tools.iter().map(|tool| tool.name.as_str());
    let mut names: Vec<&str> = configured.chain(["git"]).collect();
    names.dedup();
    // The others are asked meanwhile, each by its own look at its version.
    let git = cx.tool("git")?;
    let mut missing = Vec::new();
    for name in names {
        if cx.tool(name)?.is_none() {
            missing.push(name);
        }
    }
    let Some(first) = missing.first() else {
        return Ok(match &*git {
            Some(FoundTool { version: Ok(version), .. }) => Verdict::pass_with(format!("git {version}")),
            Some(dead) => runtime_version::dead("git", dead),
            None => Verdict::pass(),
        });
    };
    let message = match missing.as_slice() {
        [one] => format!("the jobs do not find `{one}`"),
        several => format!("the jobs do not find `{}`", several.join("`, `")),
    };
    let path: Vec<String> = config.jobs_path().iter().map(|place| config.tilde(place)).collect();
    let verdict = Verdict::fail(message).with("looked in", path.join(", "));
    let wanted = config.tools.iter().find(|tool| tool.name == **first).and_then(|tool| tool.range.as_ref());
    let installers = cx.installers()?;
    Ok(match install_command(first, wanted, &installers) {
        Some(command) => verdict.with("install", Fact::Command(command)),
        None => verdict,
    })
}
