//! No second server runs from the worktree, and none shares the port under another address.

use std::path::Path;
use std::sync::Arc;

use crate::check::{Check, CheckId, Group, Look, Needs, Severity};
use crate::checks::server::found::{first_process, kind_of, lineage, on_port, place_of, who, with_process};
use crate::checks::worktree::worktree_exists;
use crate::config::Server;
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::fixes;
use crate::probes::processes::Process;
use crate::probes::sockets::Listener;
use crate::verdict::{Seen, Verdict};

/// One server, and no other, serves the worktree and the port.
pub static CHECK: Check = Check {
    id: CheckId("server-duplicates"),
    group: Group::Server,
    summary: "one server, and no other, serves the worktree and its port",
    docs: include_str!("server_duplicates.md"),
    severity: Severity::Warning,
    requires: &[Needs::all(&worktree_exists::CHECK)],
    fix: Some(&fixes::serve::FIX),
    look: Look::Server(look),
};

fn look(cx: &Cx, server: &Server) -> Seen {
    let listeners = cx.listening()?;
    // Without the mirror's own server on its port there is nothing that another could double.
    let Some(listener) = on_port(&listeners, server.listen) else { return Ok(Verdict::pass()) };
    let Some(own) = first_process(cx, listener)? else { return Ok(Verdict::pass()) };
    let place = place_of(cx, server)?;
    if !runs_in(&place, &own) {
        return Ok(Verdict::pass());
    }
    if let Some((other, process)) = shares_the_port(cx, server, &listeners, &own)? {
        let message = format!("{} belongs to another server than {}", other.address, server.listen);
        return Ok(with_process(Verdict::fail(message), &process).with("the mirror's own", who(&own)));
    }
    if let Some((other, process)) = second(cx, server, &listeners, (&own, &place))? {
        let message = format!("another server runs from the worktree, on {}", other.address);
        return Ok(with_process(Verdict::fail(message), &process).with("the mirror's own", who(&own)));
    }
    Ok(Verdict::pass())
}

/// The process of a second server that runs from the worktree, on another port.
///
/// # Errors
/// Where the kernel cannot be asked.
pub fn second_server(cx: &Cx, server: &Server) -> Result<Option<Arc<Process>>, ProbeError> {
    let listeners = cx.listening()?;
    let Some(listener) = on_port(&listeners, server.listen) else { return Ok(None) };
    let Some(own) = first_process(cx, listener)? else { return Ok(None) };
    let place = place_of(cx, server)?;
    let second = second(cx, server, &listeners, (&own, &place))?;
    Ok(second.map(|(_, process)| process))
}

type Other<'a> = Option<(&'a Listener, Arc<Process>)>;

/// The same port under another loopback or general address, held by a process that has nothing to do with ours.
fn shares_the_port<'a>(
    cx: &Cx,
    server: &Server,
    listeners: &'a [Listener],
    own: &Process,
) -> Result<Other<'a>, ProbeError> {
    for listener in listeners.iter().filter(|it| it.address.port() == server.listen.port()) {
        if let Some(process) = first_process(cx, listener)?
            && !are_related(cx, &process, own)
        {
            return Ok(Some((listener, process)));
        }
    }
    Ok(None)
}

/// A server of the mirror's kind that runs from the worktree too: an editor's helpers listen there as well.
fn second<'a>(
    cx: &Cx,
    server: &Server,
    listeners: &'a [Listener],
    (own, place): (&Process, &Path),
) -> Result<Other<'a>, ProbeError> {
    for listener in listeners.iter().filter(|it| it.address.port() != server.listen.port()) {
        if let Some(process) = first_process(cx, listener)?
            && runs_in(place, &process)
            && kind_of(cx, server, &process).is_some()
            && !are_related(cx, &process, own)
        {
            return Ok(Some((listener, process)));
        }
    }
    Ok(None)
}

fn runs_in(place: &Path, process: &Process) -> bool {
    process.directory.as_ref().is_some_and(|it| it.starts_with(place))
}

/// Whether one started the other, as a server does with its workers.
fn are_related(cx: &Cx, one: &Process, other: &Process) -> bool {
    let above =
        |process: &Process, wanted: &Process| lineage(cx, process).iter().any(|it| it.pid == wanted.pid);
    above(one, other) || above(other, one)
}
