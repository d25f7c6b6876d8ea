//! The stamps of what was built and served, written by those who saw it to its end.

use jiff::Timestamp;

use crate::config::{Config, Mirror};
use crate::error::StepError;
use crate::fixes::hands::files;
use crate::probes::built::{
    self, Brought, Build, Built, Extra, FailedBuild, Moved, Served, is_restarted_for_files,
};
use crate::probes::git::{self, Checkout, Worktree};
use crate::probes::machine::Machine;
use crate::probes::state::{self, FaultKind, SCHEMA};
use crate::probes::{self, clock};

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
    machine: &Machine,
    mirror: &Mirror,
    act: impl FnOnce() -> Result<T, StepError>,
) -> Result<T, StepError> {
    if !is_restarted_for_files(config) {
        return act();
    }
    if state::read(config)?.built.moved.is_some() {
        change(config, |built| {
            if let Some(moved) = &mut built.moved {
                moved.is_under_way = true;
            }
        })?;
    }
    let came = act()?;
    if let Some((files, log)) = brought(config, machine, mirror)? {
        change(config, |built| {
            built.moved = Some(Moved::after(built.moved.as_ref(), files, log, clock::now()));
        })?;
    }
    Ok(came)
}

/// How the worktree's files were brought last. Where a mend was cut off, or somebody else has moved the worktree, that is
/// now, for all that can be known, and from now on known. `None`: they cannot be read.
///
/// # Errors
/// The stamp or the worktree cannot be read, or the stamp not be written.
pub fn moved(config: &Config, machine: &Machine, mirror: &Mirror) -> Result<Option<Moved>, StepError> {
    let known = state::read(config)?.built.moved;
    let Some(checkout) = checkout(config, machine, mirror)? else { return Ok(None) };
    let Some(head) = &checkout.head else { return Ok(None) };
    if let Some(known) = known.filter(|it| it.is_of(head, checkout.moved)) {
        return Ok(Some(known));
    }
    let Some((files, log)) = brought(config, machine, mirror)? else { return Ok(None) };
    let moved = Moved::after(None, files, log, clock::now());
    change(config, |built| {
        // Whoever moves it is a person: that they do so again is no reason to leave an old server.
        let again = built.moved.as_ref().filter(|it| it.files == moved.files).map_or(0, |it| it.again);
        built.moved = Some(Moved { again, ..moved.clone() });
    })?;
    Ok(Some(moved))
}

/// Which files the worktree has, and when git's log of its HEAD was written; `None`: it is on no commit.
fn brought(
    config: &Config,
    machine: &Machine,
    mirror: &Mirror,
) -> Result<Option<(Brought, Option<Timestamp>)>, StepError> {
    let Some(checkout) = checkout(config, machine, mirror)? else { return Ok(None) };
    let carried = built::digest_of(&probes::files::carried(machine, config, mirror)?);
    Ok(checkout.head.map(|sha| (Brought { sha, carried }, checkout.moved)))
}

fn checkout(config: &Config, machine: &Machine, mirror: &Mirror) -> Result<Option<Checkout>, StepError> {
    let canonical = git::canonical(machine, config, mirror)?;
    Ok(match git::worktree(machine, config, mirror, &canonical)? {
        Worktree::Present(checkout) => Some(checkout),
        _ => None,
    })
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
