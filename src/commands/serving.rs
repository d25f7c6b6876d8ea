//! What a sync owes the server: restarted where it must be, by whoever keeps it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::cycle::step;
use crate::checks::runtime::runtime_version;
use crate::checks::server::on_port;
use crate::config::{Config, Mirror, Server};
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::fixes::hands::{Hands, process};
use crate::fixes::lock::Lock;
use crate::fixes::{Action, Event, Guard, Step, StepResult, built as record, sync};
use crate::probes::built::{self, Moved, Served as Stamp};
use crate::probes::keeper::{self, Keeper, Kept, Running};
use crate::probes::machine::Machine;
use crate::probes::{clock, deps, files, installation, processes, sockets, state};
use crate::services::Verb;

/// Has whoever keeps the server restart it where it started before what it serves was installed, built or brought, or runs
/// with other settings than the configuration's; then it must answer. Says why it did, if it did.
///
/// That it need not is stamped: a cycle that is killed before that looks again.
pub(super) fn renew(
    config: &Arc<Config>,
    machine: &Arc<Machine>,
    mirror: &Mirror,
    lock: &Lock,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Option<&'static str>, String> {
    let Some(server) = config.server.as_deref() else { return Ok(None) };
    let told = |error: ProbeError| error.to_string();
    let built = state::read(config).map_err(told)?.built;
    let installed = deps::read(mirror).map_err(told)?.stamp.map(|stamp| stamp.at);
    let moved = moved(config, machine, mirror)?;
    let made = installed.max(built.build.map(|build| build.at));
    let loaded = made.max(moved.as_ref().map(|it| it.at));
    let wanted = Stamp { loaded, settings: built::settings(config), at: clock::now() };
    if built.served.as_ref().is_some_and(|before| before.is_of(&wanted)) {
        return Ok(None);
    }
    let Some((started, settings)) = started(config, server).map_err(told)? else { return Ok(None) };
    let sources = || config.sources.iter().map(|(path, _)| path.as_path());
    let is_configured = |before: &Stamp| match &settings {
        Some(settings) => *settings == wanted.settings,
        None => before.settings == wanted.settings || before.at.max(files::changed(sources())) < started,
    };
    let moved = moved.map(|it| it.since(started, built.served.as_ref()));
    let why = match &built.served {
        _ if made.is_some_and(|made| started < made) => Some("what it serves was made again"),
        _ if moved.is_some_and(|moved| started < moved) => {
            Some("the worktree has moved, and it does not watch its files")
        }
        Some(before) if !is_configured(before) => Some("its configuration has changed"),
        _ => None,
    };
    if why.is_some() {
        let steps = restart(config, machine).map_err(told)?;
        if steps.is_empty() {
            // Nobody keeps it, and so nobody restarts it: `listener-fresh` tells.
            return Ok(None);
        }
        let cx = Cx::new(Arc::clone(config), Arc::clone(machine));
        if let Some(why) = runtime_version::failure(&cx) {
            return Err(format!("it would not start again: {why}"));
        }
        apply(config, machine, lock, &steps, on_event)?;
    }
    record::record_served(config, Stamp { at: clock::now(), ..wanted }).map_err(|error| error.to_string())?;
    Ok(why)
}

/// How the worktree's files were brought last, for a server that does not watch them; `None`: for all others.
fn moved(config: &Config, machine: &Machine, mirror: &Mirror) -> Result<Option<Moved>, String> {
    if !built::is_restarted_for_files(config) {
        return Ok(None);
    }
    let moved = record::moved(config, machine, mirror).map_err(|error| error.to_string())?;
    moved.map(Some).ok_or_else(|| "the commit of the worktree cannot be read".to_owned())
}

/// When the server was started, and with which settings: as the keeper tells it, or else when the process that listens was;
/// `None`: none does.
fn started(config: &Config, server: &Server) -> Result<Option<(Timestamp, Option<String>)>, ProbeError> {
    if let Keeper::Running(Running { server: kept, keeps, .. }) = keeper::read(config)?
        && let Kept::Started { at, .. } = kept
    {
        return Ok(Some((at, keeps.map(|it| it.settings))));
    }
    let listeners = sockets::listening()?;
    let pid = on_port(&listeners, server.listen).and_then(|it| it.pids.first().copied());
    Ok(pid.map(processes::read).transpose()?.flatten().map(|it| (it.started, None)))
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
        if let StepResult::Failed(why) | StepResult::Away(why) | StepResult::Refused(why) = report.result {
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
        None if matches!(keeper::read(config)?, Keeper::Running(it) if it.server != Kept::None) => {
            (Action::RestartServer, server.ready.within)
        }
        None => return Ok(Vec::new()),
    };
    let answer = Action::Await { url: server.url(&server.ready.path), within };
    Ok([action, answer].map(|action| step(action, Guard::None)).to_vec())
}

/// How the server that should run serves.
#[derive(Debug)]
pub(super) enum Served {
    /// It answers, or nobody keeps one.
    Well,
    /// It was started a moment ago, and has its time.
    Starting,
    /// Whoever keeps it tries to start it, and it keeps ending; how, is this.
    Failing(String),
    /// It does not answer; how, is this.
    Not(String),
}

/// Asks the server that should run. It costs one question; who keeps it is asked only where it does not answer.
pub(super) fn look(config: &Config, machine: &Machine) -> Served {
    let Some(server) = config.server.as_deref() else { return Served::Well };
    let keeper = keeper::read(config);
    let installed = || installation::read(config).ok().flatten();
    let is_installed = || installed().is_some_and(|it| it.jobs.iter().any(|job| job.name == "serve"));
    let kept = match &keeper {
        Ok(Keeper::Running(running)) if running.server != Kept::None => Some(running),
        _ => None,
    };
    if kept.is_none() && !is_installed() {
        return Served::Well;
    }
    let why = match process::trouble(&server.url(&server.ready.path), config.limits.timeout) {
        Ok(None) => return Served::Well,
        Ok(Some(why)) => why,
        Err(error) => error.to_string(),
    };
    if let Some(running) = kept {
        return match &running.server {
            Kept::BackingOff { last, .. } => Served::Failing(last.clone()),
            _ if running.starting_until(server.ready.within, clock::now()).is_some() => Served::Starting,
            _ => Served::Not(why),
        };
    }
    let job = installed().and_then(|it| installation::serve_job(machine, config, &it).ok().flatten());
    let process = job.and_then(|it| it.observed.pid).and_then(|pid| processes::read(pid).ok().flatten());
    let started = process.map(|it| it.started);
    let age = started.map(|it| clock::now().duration_since(it));
    let is_young = age.is_some_and(|age| age < server.ready.within.try_into().unwrap_or_default());
    if is_young { Served::Starting } else { Served::Not(why) }
}

/// How long a server is waited for that is silent for the first time: whoever keeps it may be about to start it.
const FIRST: Duration = Duration::from_secs(10);

/// Whether the server answers after a while.
pub(super) fn comes_soon(config: &Config) -> bool {
    let Some(server) = config.server.as_deref() else { return true };
    process::wait_for(&server.url(&server.ready.path), FIRST.min(server.ready.within)).is_ok()
}

/// Has a server answer again that is silent for the second time in a row, by whoever keeps it; less and less often
/// where that does not help. Says what was done.
pub(super) fn revive(
    config: &Arc<Config>,
    machine: &Arc<Machine>,
    lock: &Lock,
    times: u32,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<String, String> {
    if times == 1 {
        return Err("it is restarted if the next sync finds it so too".to_owned());
    }
    if !times.is_power_of_two() {
        let next = times.checked_next_power_of_two().unwrap_or(times);
        return Err(match next - times {
            1 => "a restart did not help; it is tried again by the next sync".to_owned(),
            more => format!("a restart did not help; it is tried again in {more} syncs"),
        });
    }
    let steps = restart(config, machine).map_err(|error| error.to_string())?;
    if steps.is_empty() {
        return Err("whoever keeps it has none running".to_owned());
    }
    apply(config, machine, lock, &steps, on_event)?;
    Ok("the server was restarted, and answers again".to_owned())
}
