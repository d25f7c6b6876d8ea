//! Housecall's own keeper as a service manager: both jobs in one process, and no file that defines them.

use crate::config::Config;
use crate::error::{ProbeError, StepError};
use crate::probes::keeper::{self, Keeper, Kept};
use crate::probes::machine::Machine;
use crate::serve::control;
use crate::services::{Definition, Job, LastExit, Manager, Observed, Rendered, State, Verb};

/// The keeper.
pub static MANAGER: Manager = Manager { name: "embedded", render, observe, act, commands };

const fn render(_: &Config, _: &Definition) -> Vec<Rendered> {
    Vec::new()
}

fn observe(_: &Machine, config: &Config, job: &Job) -> Result<Observed, ProbeError> {
    let keeper = keeper::read(config)?;
    let (state, pid, since, last) = match &keeper {
        Keeper::Absent | Keeper::Died(_) => (State::Absent, None, None, None),
        Keeper::Running(it) if job.name == "sync" => (State::Idle, Some(it.pid), Some(it.since), None),
        Keeper::Running(it) => match &it.server {
            Kept::None => (State::Idle, None, None, None),
            Kept::Started { pid, at, .. } => (State::Running, Some(*pid), Some(*at), None),
            Kept::BackingOff { last, .. } => (State::BackingOff, None, None, Some(last.clone())),
        },
    };
    Ok(Observed {
        state,
        pid,
        runs: None,
        last_exit: last.map(|told| LastExit { code: None, signal: None, told }),
        loaded: None,
        file: None,
        disabled: false,
        is_outdated: None,
        since,
        stdout: Some(config.log_file(&job.name)),
        stderr: Some(config.log_file(&job.name)),
        raw: format!("{keeper:?}"),
    })
}

fn act(_: &Machine, config: &Config, _: &Job, verb: Verb) -> Result<Option<String>, StepError> {
    match verb {
        // The keeper runs it by itself, the first time at once.
        Verb::Load | Verb::Start | Verb::Run => control::start(config).map(drop)?,
        Verb::Unload => drop(control::end(config)?),
        Verb::Reload => {
            control::end(config)?;
            control::start(config)?;
        }
        Verb::Restart => drop(control::restart(config)?),
        Verb::Disable => drop(control::stop(config)?),
        Verb::Enable => drop(control::unstop(config)?),
    }
    Ok(None)
}

fn commands(_: &Config, _: &Job, verb: Verb) -> Vec<String> {
    let words: &[&str] = match verb {
        Verb::Load | Verb::Start | Verb::Run => &["up --detach"],
        Verb::Unload => &["down"],
        Verb::Reload => &["down", "up --detach"],
        Verb::Restart => &["restart"],
        Verb::Disable => &["stop"],
        Verb::Enable => &["start"],
    };
    words.iter().map(|it| format!("housecall {it}")).collect()
}
