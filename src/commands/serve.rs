//! `serve`: becomes the server, or says why it does not.

use std::sync::Arc;

use super::Call;
use crate::config::ConfigError;
use crate::error::StepError;
use crate::exit::Exit;
use crate::probes::machine::Machine;
use crate::probes::{clock, logs};
use crate::progress::Audience;
use crate::serve;

/// Becomes the server; returns only where it cannot.
///
/// # Errors
/// The configuration makes no sense.
pub fn run(call: &mut Call<'_, '_>) -> Result<Exit, ConfigError> {
    let config = call.load()?;
    if call.console.terminal.audience != Audience::Terminal {
        // In a job's logs, what stands above is of an earlier start.
        let mark = format!("{}{}\n", logs::START, clock::now());
        call.console.tell(&mark);
        call.console.print(&mark);
    }
    match serve::become_server(&config, &Arc::new(Machine::default())) {
        Ok(never) => match never {},
        Err(error) => Ok(refused(call, &error)),
    }
}

/// Says why something was not done: what was refused changed nothing, what failed is broken, and a mirror that its
/// user stopped is told by the same code as in every examination.
pub(super) fn refused(call: &mut Call<'_, '_>, error: &StepError) -> Exit {
    call.console.error(error);
    match error {
        StepError::Refused(_) => Exit::Usage,
        StepError::Failed { .. } | StepError::Away(_) | StepError::Stopped => Exit::Unhealthy,
        StepError::Probe(_) => Exit::Undetermined,
    }
}
