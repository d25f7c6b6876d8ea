//! What starts the mirror's server and keeps it: `serve` becomes it, the keeper keeps it, control talks to the keeper.

pub mod control;
pub mod files;
pub mod group;
pub mod keeper;
mod kept;
pub mod launch;
mod left;
mod signals;

use std::path::PathBuf;

use crate::config::Config;
use crate::error::StepError;
use crate::probes::processes;
use crate::probes::program::is_program;

pub use launch::become_server;

/// Refuses where the user stopped the mirror durably, or where nobody allowed its configuration to run programs.
///
/// # Errors
/// Refused, with what ends that.
pub fn may_run(config: &Config) -> Result<(), StepError> {
    let refused = |why: &str| Err(StepError::Refused(why.to_owned()));
    if config.trust == crate::config::Trust::Untrusted {
        return refused(
            "the configuration came with a repository, and nobody trusts it: `housecall trust` does",
        );
    }
    if kept::is_there(&config.stop_file()) {
        return Err(StepError::Stopped);
    }
    Ok(())
}

/// This very program; where an upgrade replaced its file meanwhile, the new one.
fn own_program() -> Result<PathBuf, StepError> {
    let program = std::env::current_exe().map_err(|error| StepError::failed("find this program", &error))?;
    let replaced = program.to_str().and_then(|path| path.strip_suffix(processes::DELETED)).map(PathBuf::from);
    Ok(replaced.filter(|path| is_program(path)).unwrap_or(program))
}
