//! `lockfile`: one lockfile says what is installed, or the project says which of several does.

use crate::check::{Check, CheckId, Group, Look, Needs, Severity};
use crate::checks::worktree::worktree_exists;
use crate::config::Mirror;
use crate::cx::Cx;
use crate::fixes::hands::commands::shell;
use crate::verdict::{Fact, Seen, Verdict};

/// There is no doubt what is installed.
pub static CHECK: Check = Check {
    id: CheckId("lockfile"),
    group: Group::Sync,
    summary: "one lockfile says what is installed",
    docs: include_str!("lockfile.md"),
    severity: Severity::Warning,
    requires: &[Needs::all(&worktree_exists::CHECK)],
    fix: None,
    look: Look::Mirror(look),
};

fn look(cx: &Cx, mirror: &Mirror) -> Seen {
    if mirror.install.is_empty() {
        return Ok(Verdict::not_applicable("no `install` is configured"));
    }
    let project = cx.project()?;
    let Some(counts) = &project.lockfile else {
        // Without the worktree, nobody knows what the project has.
        let _ = cx.checkout()?;
        return Ok(Verdict::not_applicable("the project has no lockfile"));
    };
    let name = counts.name();
    let others: Vec<&(String, &str)> =
        project.lockfiles.iter().filter(|(_, manager)| *manager != counts.manager).collect();
    if others.is_empty() {
        return Ok(Verdict::pass_with(format!("`{name}` is the only lockfile")));
    }
    let verdict = match &project.manager {
        Some(named) if named == counts.manager => Verdict::pass_with(format!(
            "`{name}` counts, since `packageManager` in package.json names {named}"
        )),
        Some(named) if others.iter().any(|(_, manager)| manager == named) => Verdict::fail(format!(
            "`install` runs {}, and `packageManager` in package.json names {named}",
            counts.manager
        )),
        _ => {
            let count = others.len() + 1;
            Verdict::fail(format!("the project has {count} lockfiles, and nothing in it says which counts"))
        }
    };
    let verdict = verdict.with("installed from", name.as_str());
    let verdict = others.iter().fold(verdict, |verdict, (name, _)| verdict.with("beside it", name.as_str()));
    if !matches!(verdict, Verdict::Fail(_)) {
        return Ok(verdict);
    }
    let is_named = |manager: &str| project.manager.as_deref() == Some(manager);
    let stays = others.iter().find(|(_, manager)| is_named(manager)).map_or(&name, |(name, _)| name);
    let go: Vec<String> = project
        .lockfiles
        .iter()
        .map(|(name, _)| name)
        .filter(|name| *name != stays)
        .map(|name| shell(name))
        .collect();
    let repository = shell(&cx.config().tilde(&mirror.repository));
    let verdict = verdict.with("remedy", Fact::Command(format!("git -C {repository} rm {}", go.join(" "))));
    Ok(match &project.manager {
        Some(named) if stays != &name => {
            verdict.with("then", format!("`install` in housecall.toml is to run {named}"))
        }
        _ => verdict,
    })
}
