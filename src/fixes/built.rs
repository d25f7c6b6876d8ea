//! The stamps of what was built and served, written by those who saw it to its end.

use crate::config::Config;
use crate::error::StepError;
use crate::fixes::hands::files;
use crate::probes::built::{Build, Built, FailedBuild, Served};
use crate::probes::state::{self, FaultKind, SCHEMA};

/// A build begins: until it ends well, nobody knows what is there.
///
/// # Errors
/// The stamp cannot be read or written.
pub fn forget(config: &Config) -> Result<(), StepError> {
    change(config, |built| built.build = None)
}

/// A build ended well.
///
/// # Errors
/// The stamp cannot be read or written.
pub fn record(config: &Config, build: Build) -> Result<(), StepError> {
    change(config, |built| (built.build, built.failed) = (Some(build), None))
}

/// A build failed; how often, if it was the same as the last one.
///
/// # Errors
/// The stamp cannot be read or written.
pub fn record_failure(config: &Config, failed: FailedBuild) -> Result<(), StepError> {
    change(config, |built| {
        let before = built.failed.as_ref();
        let same =
            before.filter(|it| it.is_of(&failed.sha, &failed.command, failed.installed, &failed.runtime));
        let times = same.map_or(0, |it| it.times).saturating_add(1);
        built.failed = Some(FailedBuild { times, ..failed });
    })
}

/// What a build may have failed for has changed: it is tried again at once.
///
/// # Errors
/// The stamp cannot be read or written.
pub fn forgive(config: &Config) -> Result<(), StepError> {
    if state::read(config)?.built.failed.is_none() {
        return Ok(());
    }
    change(config, |built| built.failed = None)
}

/// The server was seen to answer, and it started after what it serves was made.
///
/// # Errors
/// The stamp cannot be read or written.
pub fn record_served(config: &Config, served: Served) -> Result<(), StepError> {
    change(config, |built| built.served = Some(served))
}

/// Changes the stamps; what is in their place and cannot be believed is moved aside first.
///
/// # Errors
/// Refused where they are of a newer version; failed in the system's own words.
fn change(config: &Config, change: impl FnOnce(&mut Built)) -> Result<(), StepError> {
    let path = config.built_file();
    let state = state::read(config)?;
    if let Some((_, fault)) = state.bad.iter().find(|(bad, _)| *bad == path) {
        if fault.kind == FaultKind::Newer {
            return Err(StepError::Refused(format!("{}: {fault}", config.tilde(&path))));
        }
        files::move_aside(&path)?;
    }
    let mut built = Built { schema: SCHEMA, ..state.built };
    change(&mut built);
    let failed =
        |error: &dyn std::fmt::Display| StepError::failed("write down what was built and served", error);
    let json = serde_json::to_vec_pretty(&built).map_err(|error| failed(&error))?;
    files::write_private(&path, &json).map_err(|error| failed(&error))
}
