//! `up`, `down`, `restart`, `stop`, `start`: the embedded keeper, and the durable stop.

use std::sync::Arc;

use super::Call;
use super::serve::refused;
use crate::config::{Config, ConfigError};
use crate::error::{StepError, human_duration};
use crate::exit::Exit;
use crate::serve::{control, keeper};

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
    if place == Place::Detached {
        return Ok(detach(call, &config));
    }
    if place == Place::OwnSession {
        control::own_session();
    }
    Ok(match keeper::keep(&config, call.console.out) {
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
    Ok(match control::restart(&config) {
        Ok(true) => answered(call, &config, "restarted"),
        Ok(false) => {
            let command = call.command();
            let why = format!("nobody keeps this mirror: `{command} up --detach` does");
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
    Ok(match control::stop(&config) {
        Ok(_) => told(call, &format!("stopped: no repair starts it before `{command} start`\n")),
        Err(error) => refused(call, &error),
    })
}

/// Ends a durable stop, and brings the mirror up.
///
/// # Errors
/// The configuration makes no sense.
pub fn start(call: &mut Call<'_, '_>) -> Result<Exit, ConfigError> {
    let config = call.load()?;
    Ok(match control::unstop(&config) {
        Ok(_) => detach(call, &config),
        Err(error) => refused(call, &error),
    })
}

fn detach(call: &mut Call<'_, '_>, config: &Arc<Config>) -> Exit {
    match control::start(config) {
        Ok(pid) => answered(call, config, &format!("up: keeper pid {pid}")),
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
