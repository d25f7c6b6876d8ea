//! The embedded manager's keeper, as far as mending has to do with it.

use crate::config::Config;
use crate::error::StepError;

/// Starts the keeper by itself, detached from whoever mends.
///
/// # Errors
/// It cannot be started.
pub fn start(_config: &Config) -> Result<(), StepError> {
    Err(StepError::failed("start the keeper", &"this version has none"))
}

/// Has the running keeper restart its server; nothing where no keeper runs.
///
/// # Errors
/// It cannot be told.
pub fn restart_server(_config: &Config) -> Result<(), StepError> {
    Err(StepError::failed("restart the server", &"this version has no keeper"))
}
