//! `carry-list`: no carried file is one that the project tracks.

use crate::check::{Check, CheckId, Group, Look, Needs, Severity};
use crate::checks::repository::canonical_repo;
use crate::checks::worktree::worktree_exists;
use crate::config::Mirror;
use crate::cx::Cx;
use crate::fixes::hands::commands::shell;
use crate::verdict::{Fact, Seen, Verdict};

/// What git brings need not be carried.
pub static CHECK: Check = Check {
    id: CheckId("carry-list"),
    group: Group::Sync,
    summary: "no carried file is one that the project tracks",
    docs: include_str!("carry_list.md"),
    severity: Severity::Warning,
    requires: &[Needs::all(&canonical_repo::CHECK), Needs::all(&worktree_exists::CHECK)],
    fix: None,
    look: Look::Mirror(look),
};

fn look(cx: &Cx, mirror: &Mirror) -> Seen {
    if mirror.carry.is_empty() {
        return Ok(Verdict::not_applicable("no file is carried"));
    }
    let carried = cx.carried()?;
    let tracked: Vec<String> =
        carried.iter().filter(|it| it.tracked).map(|it| it.file.display().to_string()).collect();
    let message = match tracked.as_slice() {
        [] => return Ok(Verdict::pass()),
        [one] => format!("`{one}` is carried, and the project tracks it"),
        several => format!("{} files are carried, and the project tracks them", several.len()),
    };
    let verdict =
        tracked.iter().fold(Verdict::fail(message), |verdict, file| verdict.with("tracked", file.as_str()));
    let files: Vec<String> = tracked.iter().map(|file| shell(file)).collect();
    let repository = shell(&cx.config().tilde(&mirror.repository));
    let untrack = Fact::Command(format!("git -C {repository} rm --cached {}", files.join(" ")));
    Ok(verdict.with("remedy", "`carry` in housecall.toml is to be without it").with("or", untrack))
}
