//! `rescues`: no sync sets the same file aside again and again.

use std::time::Duration;

use crate::check::{Check, CheckId, Group, Look, Needs, Severity};
use crate::checks::repository::canonical_repo;
use crate::config::Mirror;
use crate::cx::Cx;
use crate::probes::git::Repeated;
use crate::verdict::{Fact, Seen, Verdict};

/// In so many of the latest rescues a file is no accident.
const OFTEN: usize = 5;

/// It goes on if it happened within that time.
const RECENT: Duration = Duration::from_hours(48);

/// How many files are named; a verdict is no listing.
const NAMED: usize = 5;

/// What is kept stays bounded.
pub static CHECK: Check = Check {
    id: CheckId("rescues"),
    group: Group::Sync,
    summary: "no file is set aside again and again",
    docs: include_str!("rescues.md"),
    severity: Severity::Warning,
    requires: &[Needs::all(&canonical_repo::CHECK)],
    fix: None,
    look: Look::Mirror(look),
};

fn look(cx: &Cx, mirror: &Mirror) -> Seen {
    let repeated = cx.repeated()?;
    let is_often = |it: &&Repeated| it.times >= OFTEN && cx.since(it.last) < RECENT;
    let often: Vec<&Repeated> = repeated.iter().filter(is_often).collect();
    let message = match often.as_slice() {
        [] => return Ok(Verdict::pass()),
        [one] => format!("`{}` is set aside again and again", one.path),
        several => format!("{} files are set aside again and again", several.len()),
    };
    let verdict = often.iter().take(NAMED).fold(Verdict::fail(message), |verdict, it| {
        verdict.with(it.path.clone(), format!("in {} of the last rescues", it.times)).with("last", it.last)
    });
    let is_carried = |it: &&Repeated| mirror.carry.iter().any(|file| file.as_os_str() == it.path.as_str());
    let remedy = if often.iter().all(is_carried) {
        "whatever writes it is to write elsewhere, or `carry` in housecall.toml to be without it"
    } else {
        "a line for it in .gitignore, or whatever writes it is to write elsewhere"
    };
    Ok(verdict.with("remedy", remedy).with("list", Fact::Command("housecall rescued".to_owned())))
}
