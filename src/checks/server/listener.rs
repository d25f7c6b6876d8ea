//! The mirror's address has a listener.

use std::net::SocketAddr;

use jiff::Timestamp;

use crate::check::{Check, CheckId, Group, Look, Needs, Of, Severity};
use crate::checks::jobs::job_state;
use crate::checks::logs::last::with_last_words;
use crate::checks::runtime::runtime_version;
use crate::checks::server::found::{
    Found, first_process, is_kept, kind_of, on_port, place_of, starting, with_process,
};
use crate::checks::sync::dependencies;
use crate::config::Server;
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::fixes;
use crate::probes::keeper::{Keeper, Kept};
use crate::probes::sockets::Listener;
use crate::verdict::{Fact, Seen, Verdict};

/// Somebody listens on the mirror's address.
pub static CHECK: Check = Check {
    id: CheckId("listener"),
    group: Group::Server,
    summary: "somebody listens on the mirror's address",
    docs: include_str!("listener.md"),
    severity: Severity::Error,
    requires: &[
        Needs::all(&runtime_version::CHECK),
        Needs::all(&dependencies::CHECK),
        Needs { check: &job_state::CHECK, of: Of::The("serve") },
    ],
    fix: Some(&fixes::serve::FIX),
    look: Look::Server(look),
};

fn look(cx: &Cx, server: &Server) -> Seen {
    let listeners = cx.listening()?;
    if on_port(&listeners, server.listen).is_some() {
        return Ok(Verdict::pass());
    }
    if let Some(until) = starting(cx, server) {
        return Ok(begins(cx, server, &listeners, until));
    }
    if let Some(verdict) = on_another_address(cx, server, &listeners)? {
        return Ok(verdict);
    }
    Ok(nobody(cx, server))
}

/// A server that is starting. Many open a port for a debugger, for what tells a browser to reload, or for the half of them
/// that is ready first: it has its time, and the ports that it has so far are told.
fn begins(cx: &Cx, server: &Server, listeners: &[Listener], until: Timestamp) -> Verdict {
    let is_its = |it: &&Listener| {
        first_process(cx, it).is_ok_and(|it| it.is_some_and(|process| is_kept(cx, &process)))
    };
    let so_far: Vec<String> = listeners.iter().filter(is_its).map(|it| it.address.to_string()).collect();
    if so_far.is_empty() {
        return Verdict::pending("the server is starting", until);
    }
    let so_far = so_far.join(" and ");
    let message = format!("the server is starting; it listens on {so_far} so far, not on {}", server.listen);
    Verdict::pending(message, until)
}

fn is_moved(server: &Server, actual: SocketAddr) -> Verdict {
    let message = format!("the mirror's server listens on {actual} instead of {}", server.listen);
    expected(server, Verdict::fail(message), actual)
}

fn expected(server: &Server, verdict: Verdict, actual: SocketAddr) -> Verdict {
    verdict.with("expected", server.listen.to_string()).with("actual", actual.to_string())
}

/// The same port on other addresses, or a server of this worktree on another port.
fn on_another_address(
    cx: &Cx,
    server: &Server,
    listeners: &[Listener],
) -> Result<Option<Verdict>, ProbeError> {
    if let Some(other) = listeners.iter().find(|it| it.address.port() == server.listen.port()) {
        let message = format!("the server listens only on {}, not on {}", other.address, server.listen);
        let verdict = expected(server, Verdict::fail(message), other.address);
        let process = first_process(cx, other)?;
        return Ok(Some(process.iter().fold(verdict, |verdict, it| with_process(verdict, it))));
    }
    let moved = moved(cx, server, listeners)?;
    Ok(moved.map(|found| with_process(is_moved(server, found.listener.address), &found.process)))
}

/// A server that runs from the worktree, on another port: its own was taken when it started.
pub(super) fn moved(cx: &Cx, server: &Server, listeners: &[Listener]) -> Result<Option<Found>, ProbeError> {
    let place = place_of(cx, server).unwrap_or_else(|_| server.directory.clone());
    let mut other = None;
    for listener in listeners.iter().filter(|it| it.address.port() != server.listen.port()) {
        let Some(process) = first_process(cx, listener)? else { continue };
        if !process.directory.as_ref().is_some_and(|it| it.starts_with(&place)) {
            continue;
        }
        let found = Found { listener: listener.clone(), process };
        if kind_of(cx, server, &found.process).is_some() {
            return Ok(Some(found));
        }
        other.get_or_insert(found);
    }
    Ok(other)
}

fn nobody(cx: &Cx, server: &Server) -> Verdict {
    let message = format!("nothing listens on {}", server.listen);
    let keeper = cx.keeper().ok();
    match keeper.as_deref() {
        Some(Keeper::Running(keeper)) => match &keeper.server {
            Kept::BackingOff { failures, next, last } => {
                let message = format!("{message}: its server keeps ending, last with {last}");
                let times =
                    if *failures == 1 { "once".to_owned() } else { format!("{failures} times in a row") };
                let verdict =
                    Verdict::fail(message).with("failed", times).with("next start", Fact::Time(*next));
                match cx.log("serve") {
                    Ok(log) => {
                        with_last_words(verdict, &log, &cx.config().redactor).with("log", log.path.as_path())
                    }
                    Err(_) => verdict,
                }
            }
            Kept::Started { pid, at, .. } => Verdict::fail(message)
                .with("who", format!("pid {pid} was started to serve, and does not listen"))
                .with("since", Fact::Time(*at)),
            Kept::None => Verdict::fail(message).with("keeper", "it runs, and has not started a server"),
        },
        Some(Keeper::Died(_)) => Verdict::fail(message).with("keeper", "it was killed"),
        Some(Keeper::Absent) => Verdict::fail(message).with("keeper", "none runs"),
        None => Verdict::fail(message),
    }
}
