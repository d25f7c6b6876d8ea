//! What a sync owes the server: built and restarted where it must be, by whoever keeps it.

use std::sync::Arc;

use super::cycle::{Came, step};
use crate::config::{Config, Mirror};
use crate::error::ProbeError;
use crate::fixes::hands::{Hands, process};
use crate::fixes::lock::Lock;
use crate::fixes::{Action, Event, Guard, Step, StepResult, sync};
use crate::probes::installation;
use crate::probes::keeper::{self, Keeper, Kept};
use crate::probes::machine::Machine;
use crate::services::Verb;

/// Builds what has changed, and has whoever keeps the server restart it where it cannot notice by itself; then it
/// must answer.
///
/// If the build fails, the old one serves on.
pub(super) fn renew(
    config: &Arc<Config>,
    machine: &Arc<Machine>,
    mirror: &Mirror,
    lock: &Lock,
    came: &Came,
    moved: bool,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<(), String> {
    let is_install = |step: &crate::fixes::StepReport| matches!(step.action, Action::Install(_));
    let installed = came.repair.iter().any(|repair| repair.steps.iter().any(is_install));
    let mut steps = Vec::new();
    if !mirror.build.is_empty() && (moved || installed) {
        steps.push(step(Action::Build(mirror.build.clone()), Guard::OwnWorktree));
    }
    if installed || !steps.is_empty() {
        steps.extend(restart(config, machine).map_err(|error| error.to_string())?);
    }
    apply(config, machine, lock, &steps, on_event)
}

/// Applies these steps, one after the other, until one fails.
fn apply(
    config: &Arc<Config>,
    machine: &Arc<Machine>,
    lock: &Lock,
    steps: &[Step],
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<(), String> {
    if steps.is_empty() {
        return Ok(());
    }
    let mut hands = Hands::new(config, machine, lock).map_err(|error| error.to_string())?;
    for step in steps {
        let report = hands.apply(sync::FIX.id, step, on_event);
        if let StepResult::Failed(why) | StepResult::Refused(why) = report.result {
            return Err(why);
        }
    }
    Ok(())
}

/// What restarts the server, by whoever keeps it, and waits for its answer; nothing where nobody keeps one.
fn restart(config: &Config, machine: &Machine) -> Result<Vec<Step>, ProbeError> {
    let Some(server) = config.server.as_deref() else { return Ok(Vec::new()) };
    let job = match installation::read(config)? {
        Some(installation) => installation::serve_job(machine, config, &installation)?,
        None => None,
    };
    let (action, within) = match job {
        Some(job) if job.observed.pid.is_none() => return Ok(Vec::new()),
        Some(job) => {
            let within = server.ready.within + process::THROTTLE;
            (Action::Service { manager: job.manager, job: job.job, verb: Verb::Restart }, within)
        }
        None if matches!(keeper::read(config)?, Keeper::Running(it) if matches!(it.server, Kept::Started { .. })) => {
            (Action::RestartServer, server.ready.within)
        }
        None => return Ok(Vec::new()),
    };
    let answer = Action::Await { url: server.url(&server.ready.path), within };
    Ok([action, answer].map(|action| step(action, Guard::None)).to_vec())
}

/// What is wrong with the server that should run; `None`: it answers, or nobody keeps one.
pub(super) fn trouble(config: &Config) -> Option<String> {
    let server = config.server.as_deref()?;
    let is_installed = || {
        installation::read(config)
            .ok()
            .flatten()
            .is_some_and(|it| it.jobs.iter().any(|job| job.name == "serve"))
    };
    let is_kept = matches!(keeper::read(config), Ok(Keeper::Running(it)) if it.server != Kept::None);
    if !is_kept && !is_installed() {
        return None;
    }
    match process::trouble(&server.url(&server.ready.path), config.limits.timeout) {
        Ok(trouble) => trouble,
        Err(error) => Some(error.to_string()),
    }
}

/// Has a server answer again that does not: one that starts is waited for, and one that was silent in the cycle before
/// too is restarted, less and less often where that does not help. Says what was done, if anything.
pub(super) fn revive(
    config: &Arc<Config>,
    machine: &Arc<Machine>,
    lock: &Lock,
    times: u32,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Option<String>, String> {
    let Some(server) = config.server.as_deref() else { return Ok(None) };
    if times == 1 {
        let waited = process::wait_for(&server.url(&server.ready.path), server.ready.within);
        return waited.map(|()| None).map_err(|error| error.to_string());
    }
    if !times.is_power_of_two() {
        return Err("the server does not answer".to_owned());
    }
    let steps = restart(config, machine).map_err(|error| error.to_string())?;
    if steps.is_empty() {
        return Err("the server does not answer, and whoever keeps it has none running".to_owned());
    }
    apply(config, machine, lock, &steps, on_event)?;
    Ok(Some("the server did not answer and was restarted: it answers again".to_owned()))
}
