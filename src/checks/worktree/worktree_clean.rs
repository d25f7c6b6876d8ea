//! `worktree-clean`: nobody edited or added anything in the mirror.

use std::path::Path;

use crate::check::{Check, CheckId, Group, Look, Needs, Severity};
use crate::checks::worktree::worktree_exists;
use crate::config::Mirror;
use crate::cx::Cx;
use crate::fixes::sync;
use crate::probes::deps::INSTALLED;
use crate::verdict::{Seen, Verdict};

/// How many files are named; a verdict is no listing.
const NAMED: usize = 5;

/// The files are those of HEAD.
pub static CHECK: Check = Check {
    id: CheckId("worktree-clean"),
    group: Group::Worktree,
    summary: "the worktree's files are those of its commit",
    docs: include_str!("worktree_clean.md"),
    severity: Severity::Error,
    requires: &[Needs::all(&worktree_exists::CHECK)],
    fix: Some(&sync::FIX),
    look: Look::Mirror(look),
};

fn look(cx: &Cx, mirror: &Mirror) -> Seen {
    let changes = cx.changes()?;
    if let Some(why) = &changes.corrupt {
        return Ok(Verdict::fail("the worktree's index is corrupt").with("actual", why.as_str()));
    }
    let edited = changes.tracked.iter().map(|file| ("edited", file));
    let new = changes.untracked.iter().filter(|file| !is_ours(mirror, file)).map(|file| ("new", file));
    let missing = changes.missing.iter().map(|path| ("missing", path));
    let hidden = changes.hidden.iter().map(|file| ("hidden", file));
    let files: Vec<(&str, &String)> = edited.chain(hidden).chain(new).chain(missing).collect();
    if files.is_empty() {
        return Ok(match changes.as_checked_out.as_slice() {
            [] => Verdict::pass_with("clean"),
            [one] => Verdict::pass_with(format!("clean: `{one}`, which git calls modified, is as committed")),
            [one, rest @ ..] => Verdict::pass_with(format!(
                "clean: `{one}` and {} more, which git calls modified, are as committed",
                rest.len()
            )),
        });
    }
    let of = |kind: &str| files.iter().filter(|(it, _)| *it == kind).count();
    let told =
        [("edited", "file"), ("hidden", "edit"), ("new", "file"), ("missing", "submodule")].into_iter();
    let told = told.map(|(kind, what)| (of(kind), kind, what)).filter(|(count, ..)| *count > 0);
    let told = told.map(|(count, kind, what)| match count {
        1 => format!("1 {kind} {what}"),
        many => format!("{many} {kind} {what}s"),
    });
    let message = format!("the worktree has {}", told.collect::<Vec<_>>().join(" and "));
    let verdict = files
        .iter()
        .take(NAMED)
        .fold(Verdict::fail(message), |verdict, (kind, file)| verdict.with(*kind, file.as_str()));
    Ok(match files.len().saturating_sub(NAMED) {
        0 => verdict,
        more => verdict.with("and", format!("{more} more")),
    })
}

/// What Housecall itself put there: carried files, and an install that the project does not ignore.
#[must_use]
pub fn is_ours(mirror: &Mirror, file: &str) -> bool {
    let carried = mirror.carry.iter().any(|carried| Path::new(file).starts_with(carried));
    carried || (!mirror.install.is_empty() && INSTALLED.iter().any(|it| Path::new(file).starts_with(it)))
}
