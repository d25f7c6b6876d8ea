//! The embedded manager's keeper, as far as mending has to do with it.

use crate::config::Config;
use crate::error::StepError;
use crate::serve::control;

/// Starts the keeper by itself, detached from whoever mends.
///
/// # Errors
/// It cannot be started.
pub fn start(config: &Config) -> Result<(), StepError> {
    control::start(config).map(drop)
}

/// Has the running keeper restart its server; nothing where no keeper runs.
///
/// # Errors
/// It cannot be told.
pub fn restart_server(config: &Config) -> Result<(), StepError> {
    control::restart(config).map(drop)
}
