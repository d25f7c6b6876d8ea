//! The server started after what it serves was installed and built, and with the runtime it was installed for.

use std::time::Duration;

use crate::check::{Check, CheckId, Group, Look, Needs, Severity};
use crate::checks::server::found::{kept_since, owner_of, who};
use crate::checks::server::{listener_cwd, watching};
use crate::checks::sync::dependencies;
use crate::config::{Server, Serving};
use crate::cx::Cx;
use crate::error::{ProbeError, human_duration};
use crate::fixes;
use crate::probes::built::{self, Moved, Served};
use crate::probes::processes::Process;
use crate::verdict::{Fact, Seen, Verdict};

/// The server started after what it loads was installed.
pub static CHECK: Check = Check {
    id: CheckId("listener-fresh"),
    group: Group::Server,
    summary: "the server started after its dependencies were installed",
    docs: include_str!("listener_fresh.md"),
    severity: Severity::Error,
    requires: &[Needs::all(&listener_cwd::CHECK), Needs::all(&dependencies::CHECK)],
    fix: Some(&fixes::serve::FIX),
    look: Look::Server(look),
};

/// The kernel tells the start of a process by another clock, which is not set when the time of day is.
const SLACK: Duration = Duration::from_secs(2);

fn look(cx: &Cx, server: &Server) -> Seen {
    let Some(found) = owner_of(cx, server)? else {
        return Err(ProbeError::failed("tell who serves", &format!("nobody listens on {}", server.listen)));
    };
    let process = &found.process;
    let (started, slack) = match kept_since(cx, process) {
        Some(at) => (at, Duration::ZERO),
        None => (process.started, SLACK),
    };
    let stamp = if cx.config().mirror.is_some() { cx.installed()?.stamp.clone() } else { None };
    let fresh = || {
        let age = human_duration(cx.since(started));
        let verdict = Verdict::pass_with(format!("started {age} ago")).with("since", Fact::Time(started));
        let Some(why) = unknown(cx, server) else { return Ok(verdict) };
        if cx.checkout()?.moved.is_some_and(|moved| started < moved) {
            let why = format!("the worktree has moved since it started, and {why}");
            return Err(ProbeError::failed("tell which files the server has read", &why));
        }
        Ok(verdict.with("watches", why))
    };
    let is_built = cx.config().mirror.as_ref().is_some_and(|mirror| !mirror.build.is_empty());
    let build = if is_built { cx.state()?.built.build.clone() } else { None };
    if let Some(build) = build
        && started.checked_add(slack).is_ok_and(|started| started < build.at)
    {
        let verdict = Verdict::fail("the server started before what it serves was last built");
        let verdict = verdict.with("started", Fact::Time(started)).with("built", Fact::Time(build.at));
        return Ok(verdict.with("who", who(process)));
    }
    if built::is_restarted_for_files(cx.config()) {
        let (moved, seen) = moved(cx)?;
        // A moment is enough to have read old files: only a sync that has looked since says that it did not.
        let is_seen = seen.as_ref().is_some_and(|it| it.loaded >= Some(moved.at));
        let slack = if is_seen { slack } else { Duration::ZERO };
        let moved = moved.since(started, seen.as_ref());
        if started.checked_add(slack).is_ok_and(|started| started < moved) {
            let verdict = Verdict::fail(
                "the server started before the worktree last moved, and does not watch its files",
            );
            let verdict = verdict.with("started", Fact::Time(started)).with("moved", Fact::Time(moved));
            return Ok(verdict.with("who", who(process)));
        }
    }
    let Some(stamp) = stamp else { return fresh() };
    if started.checked_add(slack).is_ok_and(|started| started < stamp.at) {
        let message = "the server started before its dependencies were last installed";
        let verdict = Verdict::fail(message).with("started", Fact::Time(started));
        return Ok(verdict.with("installed", Fact::Time(stamp.at)).with("who", who(process)));
    }
    if let Some(version) = node_version(cx, process)?
        && !stamp.runtime.is_empty()
        && version.split('.').next() != Some(stamp.runtime.as_str())
    {
        let message = format!(
            "the server runs node {version}, its dependencies were installed for node {}",
            stamp.runtime
        );
        let verdict = Verdict::fail(message).with("expected", format!("node {}", stamp.runtime));
        return Ok(verdict.with("actual", Fact::Version(version)).with("who", who(process)));
    }
    fresh()
}

/// How the worktree's files were brought last, and which server a sync saw to last.
fn moved(cx: &Cx) -> Result<(Moved, Option<Served>), ProbeError> {
    let unknown = |why: &str| ProbeError::failed("tell which files the server has read", &why);
    let built = cx.state()?.built.clone();
    let Some(moved) = built.moved.filter(|it| !it.is_under_way) else {
        return Err(unknown("when the worktree last moved is not known; the next sync has it restarted"));
    };
    let checkout = cx.checkout()?;
    if !checkout.head.as_ref().is_some_and(|head| moved.is_of(head, checkout.moved)) {
        return Err(unknown("somebody else has moved the worktree; the next sync has it restarted"));
    }
    Ok((moved, built.served))
}

/// What is to be said where nobody says whether the server watches its files.
fn unknown(cx: &Cx, server: &Server) -> Option<String> {
    let Serving::Program(argv) = &server.run else { return None };
    let is_built = cx.config().mirror.as_ref().is_some_and(|it| !it.build.is_empty());
    let says_sha = cx.config().pages.iter().any(|page| page.sha.is_some());
    if server.watches.is_some() || is_built || says_sha {
        return None;
    }
    let project = cx.project().ok();
    let command = watching::command(argv, &|name| project.as_ref()?.scripts.get(name).cloned());
    let line = &command.line;
    (!command.watches).then(|| {
        format!("`{line}` is not known to watch its files: write `watches = false`, or `true`, in [serve]")
    })
}

/// The version of the node that serves; `None` where no node does, or where its file was replaced meanwhile.
fn node_version(cx: &Cx, process: &Process) -> Result<Option<String>, ProbeError> {
    let node = process.executable.as_ref().filter(|it| it.file_name().is_some_and(|name| name == "node"));
    node.map(|node| cx.version_of(node).map(|version| version.as_ref().clone())).transpose()
}
