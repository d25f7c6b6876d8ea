//! `up`, `down`, `restart`, `stop`, `start`: whoever keeps the mirror is told, and the durable stop.

use std::sync::Arc;

use super::Call;
use super::serve::refused;
use crate::config::{Config, ConfigError};
use crate::error::{StepError, human_duration};
use crate::exit::Exit;
use crate::fixes::hands::process;
use crate::probes::clock;
use crate::probes::installation::{self, Installed};
use crate::probes::machine::Machine;
use crate::serve::{control, keeper};
use crate::services::{Job, Manager, State, Verb, embedded, manager_of};

/// Where a keeper runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In this process, until it is ended.
    Here,
    /// In this process, which leads a session of its own.
    OwnSession,
    /// In the background.
    Detached,
}

/// Keeps the mirror: sync and server.
///
/// # Errors
/// The configuration makes no sense.
pub fn up(call: &mut Call<'_, '_>, place: Place) -> Result<Exit, ConfigError> {
    let config = call.load()?;
    if let Err(error) = nobody_else_keeps(&config, "`housecall start` starts it") {
        return Ok(refused(call, &error));
    }
    if place == Place::Detached {
        return Ok(detach(call, &config));
    }
    if place == Place::OwnSession {
        control::own_session();
    }
    let reread = call.loader();
    Ok(match keeper::keep(config, &reread, call.console.out) {
        Ok(()) => Exit::Healthy,
        Err(error) => refused(call, &error),
    })
}

/// Ends what `up` keeps.
///
/// # Errors
/// The configuration makes no sense.
pub fn down(call: &mut Call<'_, '_>) -> Result<Exit, ConfigError> {
    let config = call.load()?;
    let instead = "`housecall stop` stops it, `housecall uninstall` takes its jobs away";
    if let Err(error) = nobody_else_keeps(&config, instead) {
        return Ok(refused(call, &error));
    }
    Ok(match control::end(&config) {
        Ok(true) => told(call, "down: the keeper ended, and its server with it\n"),
        Ok(false) => told(call, "nothing was up\n"),
        Err(error) => refused(call, &error),
    })
}

/// Restarts the server, and believes it only when it answers.
///
/// # Errors
/// The configuration makes no sense.
pub fn restart(call: &mut Call<'_, '_>) -> Result<Exit, ConfigError> {
    let config = call.load()?;
    match jobs(&config) {
        Ok(Some(jobs)) => return Ok(led(call, &config, "restarted", || jobs.restart(&config))),
        Ok(None) => {}
        Err(error) => return Ok(refused(call, &error)),
    }
    Ok(match control::restart(&config) {
        Ok(true) => answered(call, &config, "restarted"),
        Ok(false) => {
            let command = call.command();
            let stopped = || format!("the mirror is stopped by its user: `{command} start` ends that");
            let is_stopped = crate::probes::state::read(&config).is_ok_and(|state| state.stopped.is_some());
            let why = if is_stopped {
                stopped()
            } else {
                format!("nobody keeps this mirror: `{command} up --detach` does")
            };
            refused(call, &StepError::Refused(why))
        }
        Err(error) => refused(call, &error),
    })
}

/// Stops the mirror durably.
///
/// # Errors
/// The configuration makes no sense.
pub fn stop(call: &mut Call<'_, '_>) -> Result<Exit, ConfigError> {
    let config = call.load()?;
    let command = call.command();
    // The mark first: whatever starts a job meanwhile, the job itself refuses.
    let stopped = control::stop(&config).and_then(|_| match jobs(&config)? {
        Some(jobs) => jobs.each(&config, &[Verb::Disable]),
        None => Ok(()),
    });
    Ok(match stopped {
        Ok(()) => told(call, &format!("stopped: no repair starts it before `{command} start`\n")),
        Err(error) => refused(call, &error),
    })
}

/// Ends a durable stop, and brings the mirror up.
///
/// # Errors
/// The configuration makes no sense.
pub fn start(call: &mut Call<'_, '_>) -> Result<Exit, ConfigError> {
    let config = call.load()?;
    Ok(match control::unstop(&config).and_then(|_| jobs(&config)) {
        Ok(None) => detach(call, &config),
        Ok(Some(jobs)) => led(call, &config, "started", || jobs.each(&config, &[Verb::Enable, Verb::Load])),
        Err(error) => refused(call, &error),
    })
}

/// The jobs that `install` installed, and who keeps them.
struct Jobs {
    manager: &'static Manager,
    jobs: Vec<Job>,
}

/// The installed jobs; `None`: the embedded keeper keeps the mirror.
fn jobs(config: &Config) -> Result<Option<Jobs>, StepError> {
    let manager = manager_of(config)?;
    let Some(installation) = installation::read(config)? else { return Ok(None) };
    let jobs = installation.jobs.iter().map(Installed::job).collect();
    Ok((manager.name != embedded::MANAGER.name).then_some(Jobs { manager, jobs }))
}

impl Jobs {
    fn each(&self, config: &Config, verbs: &[Verb]) -> Result<(), StepError> {
        let machine = Machine::default();
        for job in &self.jobs {
            for verb in verbs {
                (self.manager.act)(&machine, config, job, *verb)?;
            }
        }
        Ok(())
    }

    fn restart(&self, config: &Config) -> Result<(), StepError> {
        let machine = Machine::default();
        for job in self.jobs.iter().filter(|it| it.name == "serve") {
            let observed = (self.manager.observe)(&machine, config, job)?;
            let verb = if observed.state == State::Absent { Verb::Load } else { Verb::Restart };
            (self.manager.act)(&machine, config, job, verb)?;
        }
        Ok(())
    }
}

/// A keeper beside the jobs would be a second one.
fn nobody_else_keeps(config: &Config, instead: &str) -> Result<(), StepError> {
    match jobs(config)? {
        Some(jobs) => Err(StepError::Refused(format!("{} keeps this mirror: {instead}", jobs.manager.name))),
        None => Ok(()),
    }
}

/// Has the service manager act, and believes it only when the server answers.
fn led(
    call: &mut Call<'_, '_>,
    config: &Config,
    what: &str,
    act: impl FnOnce() -> Result<(), StepError>,
) -> Exit {
    let start = clock::instant();
    let answers = act().and_then(|()| match &config.server {
        Some(server) => {
            process::wait_for(&server.url(&server.ready.path), server.ready.within + process::THROTTLE)
        }
        None => Ok(()),
    });
    match (answers, &config.server) {
        (Ok(()), Some(server)) => {
            let took = human_duration(start.elapsed());
            told(call, &format!("{what}; {} answers after {took}\n", server.url("/")))
        }
        (Ok(()), None) => told(call, &format!("{what}; there is no [serve]\n")),
        (Err(error), _) => refused(call, &error),
    }
}

fn detach(call: &mut Call<'_, '_>, config: &Arc<Config>) -> Exit {
    match control::start(config) {
        Ok(pid) => {
            let exit = answered(call, config, &format!("up: keeper pid {pid}"));
            if exit != Exit::Healthy {
                call.console.tell(&format!(
                    "the keeper, pid {pid}, stays and tries again; `housecall down` ends it\n"
                ));
            }
            exit
        }
        Err(error) => refused(call, &error),
    }
}

fn answered(call: &mut Call<'_, '_>, config: &Config, what: &str) -> Exit {
    match control::await_server(config) {
        Ok(Some(took)) => {
            let url = config.server.as_ref().map_or_else(String::new, |it| it.url("/"));
            told(call, &format!("{what}; {url} answers after {}\n", human_duration(took)))
        }
        Ok(None) => told(call, &format!("{what}; there is no [serve]\n")),
        Err(error) => refused(call, &error),
    }
}

fn told(call: &mut Call<'_, '_>, text: &str) -> Exit {
    call.console.print(text);
    Exit::Healthy
}
