//! Who listens runs from the mirror's worktree: a stale clone can answer 200 for weeks.

use std::path::Path;

use crate::check::{Check, CheckId, Group, Look, Needs, Severity};
use crate::checks::server::found::{owner_of, place_of, who};
use crate::checks::server::listener::{self, moved};
use crate::checks::worktree::worktree_exists;
use crate::config::Server;
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::fixes;
use crate::probes::kin::Kin;
use crate::verdict::{Fact, Seen, Verdict};

/// The server runs from the mirror's worktree.
pub static CHECK: Check = Check {
    id: CheckId("listener-cwd"),
    group: Group::Server,
    summary: "the server runs from the mirror's worktree",
    docs: include_str!("listener_cwd.md"),
    severity: Severity::Error,
    requires: &[Needs::all(&listener::CHECK), Needs::all(&worktree_exists::CHECK)],
    fix: Some(&fixes::serve::FIX),
    look: Look::Server(look),
};

/// What Linux adds to the name of a working directory that was removed.
const REMOVED: &str = " (deleted)";

fn look(cx: &Cx, server: &Server) -> Seen {
    let Some(found) = owner_of(cx, server)? else {
        return Err(ProbeError::failed("tell who serves", &format!("nobody listens on {}", server.listen)));
    };
    let process = &found.process;
    let Some(actual) = &process.directory else {
        let what = format!("tell where pid {} runs", process.pid);
        return Err(ProbeError::failed(what, &"the system does not say"));
    };
    let expected = place_of(cx, server)?;
    if actual.starts_with(&expected) && !is_removed(actual) {
        return Ok(Verdict::pass_with("from the worktree").with("directory", actual.as_path()));
    }
    let verdict = Verdict::fail(message(cx, server, actual)?)
        .with("expected", expected)
        .with("actual", actual.as_path())
        .with("who", who(process))
        .with("since", Fact::Time(process.started));
    Ok(match moved(cx, server, &cx.listening()?)? {
        Some(own) => {
            verdict.with("the mirror's own", format!("{} on {}", who(&own.process), own.listener.address))
        }
        None => verdict,
    })
}

fn message(cx: &Cx, server: &Server, actual: &Path) -> Result<String, ProbeError> {
    let listen = server.listen;
    if is_removed(actual) {
        return Ok(format!("the server on {listen} runs from a directory that was removed"));
    }
    Ok(match &*cx.kin(actual)? {
        Kin::Canonical => format!("a developer's own server, in the canonical repository, holds {listen}"),
        Kin::Clone(_) => format!("the server on {listen} runs from another clone of the repository"),
        Kin::Worktree(_) => format!("the server on {listen} runs from another worktree of the repository"),
        Kin::Stranger => format!("the server on {listen} runs from another directory"),
    })
}

fn is_removed(directory: &Path) -> bool {
    directory.as_os_str().as_encoded_bytes().ends_with(REMOVED.as_bytes())
}
