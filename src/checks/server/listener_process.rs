//! Who listens is a server of this project's kind, and this user's.

use crate::check::{Check, CheckId, Group, Look, Needs, Severity};
use crate::checks::server::found::{is_kept, kind_of, owner_of, who, with_process};
use crate::checks::server::listener;
use crate::config::{Server, Serving};
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::fixes;
use crate::probes::keeper::{Keeper, Running};
use crate::probes::kin::Kin;
use crate::probes::processes::Process;
use crate::verdict::{Seen, Verdict};

/// The listener is a server of this project's kind.
pub static CHECK: Check = Check {
    id: CheckId("listener-process"),
    group: Group::Server,
    summary: "the listener is a server such as the mirror runs, and belongs to this user",
    docs: include_str!("listener_process.md"),
    severity: Severity::Error,
    requires: &[Needs::all(&listener::CHECK)],
    fix: Some(&fixes::serve::FIX),
    look: Look::Server(look),
};

fn look(cx: &Cx, server: &Server) -> Seen {
    let Some(found) = owner_of(cx, server)? else {
        return Err(ProbeError::failed("tell who serves", &format!("nobody listens on {}", server.listen)));
    };
    let process = &found.process;
    let own = cx.process(std::process::id())?.as_ref().as_ref().and_then(|it| it.uid);
    if let (Some(own), Some(uid)) = (own, process.uid.or(found.listener.uid))
        && own != uid
    {
        let message = format!("{} is held by another user's process", server.listen);
        let verdict = Verdict::fail(message).with("expected", format!("user {own}"));
        return Ok(with_process(verdict.with("actual", format!("user {uid}")), process));
    }
    if let Some(keeper) = orphaned(cx, process)? {
        let message = "its keeper was killed: nothing syncs the mirror";
        let verdict = Verdict::fail(message).with("keeper", format!("pid {} is gone", keeper.pid));
        return Ok(with_process(verdict, process));
    }
    if let Some(kind) = kind_of(cx, server, process) {
        return Ok(Verdict::pass_with(format!("{kind} on {}", server.listen)).with("who", who(process)));
    }
    if is_kept(cx, process) || is_of_this_project(cx, process)? {
        return Ok(Verdict::pass_with(format!("on {}", server.listen)).with("who", who(process)));
    }
    if process.argv.is_empty() {
        let what = format!("tell what pid {} runs", process.pid);
        return Err(ProbeError::failed(what, &"the system does not say"));
    }
    let expected = match &server.run {
        Serving::Program(argv) => argv.join(" "),
        Serving::Static(_) => "housecall serve".to_owned(),
    };
    let message = format!("{} is held by a program that is no server of this project", server.listen);
    Ok(with_process(Verdict::fail(message).with("expected", expected), process))
}

/// The keeper that was killed and left this server behind, where no service manager keeps the jobs.
fn orphaned(cx: &Cx, process: &Process) -> Result<Option<Running>, ProbeError> {
    if cx.serve_job()?.is_some() || !is_kept(cx, process) {
        return Ok(None);
    }
    Ok(match &*cx.keeper()? {
        Keeper::Died(keeper) => Some(keeper.clone()),
        Keeper::Running(_) | Keeper::Absent => None,
    })
}

/// A server of another maker that runs in this project's files serves this project, though perhaps an old state of it.
fn is_of_this_project(cx: &Cx, process: &Process) -> Result<bool, ProbeError> {
    let Some(directory) = &process.directory else { return Ok(false) };
    Ok(*cx.kin(directory)? != Kin::Stranger)
}
