//! `carried-files`: files that git does not track are in the worktree as they are in the repository.

use crate::check::{Check, CheckId, Group, Look, Needs, Severity};
use crate::checks::repository::canonical_repo;
use crate::checks::worktree::worktree_exists;
use crate::config::Mirror;
use crate::cx::Cx;
use crate::fixes::sync;
use crate::probes::files::{Carried, Content};
use crate::verdict::{Seen, Verdict};

/// The permission bits of every copy: secrets are the user's alone.
const MODE: u32 = 0o600;

/// The carried files are as in the repository.
pub static CHECK: Check = Check {
    id: CheckId("carried-files"),
    group: Group::Sync,
    summary: "the carried files are as in the repository, and the user's alone",
    docs: include_str!("carried_files.md"),
    severity: Severity::Warning,
    requires: &[Needs::all(&canonical_repo::CHECK), Needs::all(&worktree_exists::CHECK)],
    fix: Some(&sync::FIX),
    look: Look::Mirror(look),
};

fn look(cx: &Cx, mirror: &Mirror) -> Seen {
    if mirror.carry.is_empty() {
        return Ok(Verdict::not_applicable("no file is carried"));
    }
    let carried = cx.carried()?;
    let faults: Vec<(String, String)> = carried
        .iter()
        // Those are git's to bring, and `carry-list` tells of them.
        .filter(|it| !it.tracked)
        .filter_map(|it| fault(it).map(|fault| (it.file.display().to_string(), fault)))
        .collect();
    Ok(match faults.as_slice() {
        [] => Verdict::pass(),
        [(file, fault)] => Verdict::fail(format!("`{file}` {fault}"))
            .with("expected", mirror.repository.join(file))
            .with("actual", mirror.worktree.join(file)),
        several => several.iter().fold(
            Verdict::fail(format!("{} carried files are not as in the repository", several.len())),
            |verdict, (file, fault)| verdict.with(file.clone(), fault.as_str()),
        ),
    })
}

fn fault(carried: &Carried) -> Option<String> {
    match (&carried.source, &carried.copy) {
        (None, _) => Some("is not in the repository, from where it is carried".to_owned()),
        (Some(_), None) => Some("is missing in the worktree".to_owned()),
        (Some(_), Some(Content { digest: None, .. })) => {
            Some("is no plain file in the worktree, and so differs from the one in the repository".to_owned())
        }
        (Some(source), Some(copy)) if source.digest != copy.digest => {
            Some("differs from the one in the repository".to_owned())
        }
        (_, Some(copy)) if copy.mode != MODE => {
            Some(format!("has the mode {:04o} in the worktree, not {MODE:04o}", copy.mode))
        }
        _ => None,
    }
}
