//! The fix `serve`: the mirror's own server answers, and nobody else's is stopped without a word.

use crate::checks::server::{Found, is_kept, owner_of, place_of, runs_this_command, second_server};
use crate::config::{Server, Trust};
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::fixes::hands::process;
use crate::fixes::{Action, Fix, Guard, OnFailure, Safety, Step, Turn};
use crate::probes::http::Answer;
use crate::probes::keeper::Keeper;
use crate::probes::kin::Kin;
use crate::probes::processes::Process;
use crate::services::{State, Verb};
use crate::unit::Examined;

/// Have the mirror's own server answer.
pub static FIX: Fix =
    Fix { id: "serve", title: "have the mirror's own server answer", plan, but: &[], turn: Turn::InOrder };

fn plan(cx: &Cx, broken: &[&Examined]) -> Result<Vec<Step>, ProbeError> {
    let Some(server) = cx.config().server.as_deref() else { return Ok(Vec::new()) };
    if broken.is_empty() || cx.config().trust == Trust::Untrusted || cx.state()?.stopped.is_some() {
        return Ok(Vec::new());
    }
    let Some(found) = owner_of(cx, server)? else { return begin(cx, server) };
    if !is_bad(cx, broken)? {
        return end_second(cx, server, broken);
    }
    let process = &*found.process;
    if is_kept(cx, process) {
        return begin(cx, server);
    }
    if !may_be_stopped(cx, server, &found)? {
        return Ok(Vec::new());
    }
    let mut steps = vec![stop(process)];
    steps.extend(begin(cx, server)?);
    Ok(steps)
}

/// What brings the mirror's server up: a keeper, or a word to the one that runs; then it must answer.
fn begin(cx: &Cx, server: &Server) -> Result<Vec<Step>, ProbeError> {
    // Nothing can be served from a worktree that is not there, and nothing is begun that cannot be seen.
    if cx.config().mirror.is_some() {
        cx.checkout()?;
    }
    if let Some(job) = &*cx.serve_job()? {
        let verb = if job.observed.state == State::Absent { Verb::Load } else { Verb::Restart };
        let act = Action::Service { manager: job.manager, job: job.job.clone(), verb };
        let within = server.ready.within + process::THROTTLE;
        let answer = Action::Await { url: server.url(&server.ready.path), within };
        return Ok([act, answer].map(|action| step(action, Safety::Safe, Guard::None)).to_vec());
    }
    let action = match &*cx.keeper()? {
        Keeper::Running(_) => Action::RestartServer,
        // A new keeper ends what a killed one left behind.
        Keeper::Absent | Keeper::Died(_) => Action::StartKeeper,
    };
    let answer = Action::Await { url: server.url(&server.ready.path), within: server.ready.within };
    Ok([action, answer].map(|action| step(action, Safety::Safe, Guard::None)).to_vec())
}

/// Whether what listens is to blame: a page that is missing, or lacks a text, is not mended by a restart.
fn is_bad(cx: &Cx, broken: &[&Examined]) -> Result<bool, ProbeError> {
    for it in broken {
        let is_bad = match &*it.unit.id.check {
            "listener" | "listener-process" | "listener-cwd" | "listener-fresh" | "page-sha" => true,
            "http-status" => {
                let pages = &cx.config().pages;
                let page = pages.iter().find(|page| Some(&page.subject()) == it.unit.id.subject.as_ref());
                let answer = page.map(|page| cx.page(&page.url)).transpose()?;
                answer.is_some_and(|answer| match &*answer {
                    Answer::Response(response) => response.status >= 500,
                    _ => true,
                })
            }
            _ => false,
        };
        if is_bad {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A server of this very project, and no developer's own: from the worktree, another worktree, or another clone.
fn may_be_stopped(cx: &Cx, server: &Server, found: &Found) -> Result<bool, ProbeError> {
    let process = &*found.process;
    let Some(directory) = &process.directory else { return Ok(false) };
    if runs_this_command(cx, process) {
        return Ok(false);
    }
    let place = place_of(cx, server)?;
    let was = directory.to_string_lossy();
    let was = was.strip_suffix(" (deleted)").map_or(directory.as_path(), std::path::Path::new);
    if was.starts_with(&place) {
        return Ok(true);
    }
    Ok(matches!(*cx.kin(directory)?, Kin::Clone(_) | Kin::Worktree(_)))
}

/// A second server that runs from the worktree; the one that serves the mirror's address is not touched.
fn end_second(cx: &Cx, server: &Server, broken: &[&Examined]) -> Result<Vec<Step>, ProbeError> {
    if !broken.iter().any(|it| it.unit.id.check == "server-duplicates") {
        return Ok(Vec::new());
    }
    let second = second_server(cx, server)?;
    let second = second.filter(|it| !runs_this_command(cx, it));
    Ok(second.iter().map(|it| stop(it)).collect())
}

fn stop(process: &Process) -> Step {
    let Process { pid, identity, .. } = *process;
    step(Action::StopProcess { pid, identity }, Safety::Risky, Guard::SameProcess { pid, identity })
}

fn step(action: Action, safety: Safety, guard: Guard) -> Step {
    Step { action, safety, guard, on_failure: OnFailure::Keep, undo: None }
}
