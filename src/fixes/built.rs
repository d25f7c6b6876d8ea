//! The stamps of what was built and served, written by those who saw it to its end.

use jiff::Timestamp;

use crate::config::{Config, Mirror};
use crate::error::StepError;
use crate::fixes::hands::{files, git};
use crate::probes::built::{Build, Built, Extra, FailedBuild, Moved, Served, is_restarted_for_files};
use crate::probes::clock;
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
            before.filter(|it| it.is_of(&failed.sha, &failed.command, failed.installed, &failed.inputs));
        let times = same.map_or(0, |it| it.times).saturating_add(1);
        let is_used = same.is_some_and(|it| it.extra != Extra::Unused);
        let extra = if is_used { Extra::Spent } else { Extra::Unused };
        built.failed = Some(FailedBuild { times, extra, ..failed });
    })
}

/// The files that a build failed with were put right: it is tried again at once, once.
///
/// # Errors
/// The stamp cannot be read or written.
pub fn forgive(config: &Config) -> Result<(), StepError> {
    let is_unused = |it: FailedBuild| it.extra == Extra::Unused;
    if !state::read(config)?.built.failed.is_some_and(is_unused) {
        return Ok(());
    }
    change(config, |built| {
        if let Some(failed) = &mut built.failed {
            failed.extra = Extra::Due;
        }
    })
}

/// Has the worktree's files brought; until all are there, and where that fails, nobody knows what a server has read that
/// does not notice.
///
/// # Errors
/// As the act's; the stamp cannot be read or written.
pub fn moving<T>(
    config: &Config,
    mirror: &Mirror,
    act: impl FnOnce() -> Result<T, StepError>,
) -> Result<T, StepError> {
    if !is_restarted_for_files(config) {
        return act();
    }
    change(config, |built| built.moved = None)?;
    let came = act()?;
    if let Some(head) = git::commit(config, &mirror.worktree, "HEAD")? {
        record_moved(config, head)?;
    }
    Ok(came)
}

/// The worktree's files are those of this commit, since now at the latest.
///
/// # Errors
/// The stamp cannot be read or written.
pub fn record_moved(config: &Config, sha: String) -> Result<Timestamp, StepError> {
    let at = clock::now();
    change(config, |built| built.moved = Some(Moved { sha, at }))?;
    Ok(at)
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
