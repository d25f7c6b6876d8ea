//! `remote-reachable`: the remote answers and has the branch.

use crate::check::{Check, CheckId, Group, Look, Needs, Severity};
use crate::checks::repository::canonical_repo;
use crate::config::Mirror;
use crate::cx::Cx;
use crate::error::{ProbeError, human_duration};
use crate::probes::git::{Canonical, Remote};
use crate::verdict::{Fact, Seen, Verdict};

/// The remote answers and has the branch.
pub static CHECK: Check = Check {
    id: CheckId("remote-reachable"),
    group: Group::Repository,
    summary: "the remote answers and has the branch",
    docs: include_str!("remote_reachable.md"),
    severity: Severity::Error,
    requires: &[Needs::all(&canonical_repo::CHECK)],
    fix: None,
    look: Look::Mirror(look),
};

fn look(cx: &Cx, mirror: &Mirror) -> Seen {
    if cx.config().limits.offline {
        return Ok(Verdict::not_applicable("--offline leaves the network alone"));
    }
    let name = &mirror.remote;
    let verdict = match &*cx.remote()? {
        Remote::At { sha, took } => {
            // What a mend fetched a moment ago was not measured.
            let note = match took.as_millis() {
                0 => format!("{name} answers"),
                _ => format!("{name} answers in {}", human_duration(*took)),
            };
            return Ok(Verdict::pass_with(note).with(mirror.upstream_name(), Fact::Sha(sha.clone())));
        }
        // Nobody said no: being offline is no fault of the mirror.
        Remote::Unreachable(why) => return Err(ProbeError::failed(format!("reach {name}"), why)),
        Remote::NoSuchRef => Verdict::fail(format!("{name} has no branch `{}`", mirror.upstream))
            .with("expected", mirror.remote_ref()),
        Remote::Refused(why) => {
            Verdict::fail(format!("{name} refuses to be read")).with("actual", why.as_str())
        }
    };
    Ok(match &*cx.canonical()? {
        Canonical::Present(repository) => match &repository.remote_url {
            Some(url) => verdict.with(name.clone(), Fact::Url(url.clone())),
            None => verdict,
        },
        _ => verdict,
    })
}
