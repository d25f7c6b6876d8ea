//! What a keeper that was killed left behind: the next one, or a `down`, ends it.
#![expect(clippy::disallowed_methods, reason = "the keeper's own file goes with it")]

use rustix::process::{Pid, getpgid};

use crate::checks::server::on_port;
use crate::config::Config;
use crate::error::StepError;
use crate::probes::keeper::{Keeper, Kept};
use crate::probes::{keeper, processes, sockets};
use crate::serve::group;
use crate::serve::keeper::take_lock;

/// Ends what a killed keeper left behind, if one did; says whether.
///
/// # Errors
/// It cannot be told, or does not end.
pub(super) fn end_left(config: &Config) -> Result<bool, StepError> {
    let Keeper::Died(_) = keeper::read(config)? else { return Ok(false) };
    let lock = take_lock(config)?;
    end_what_was_left(config)?;
    let _ = std::fs::remove_file(config.keeper_file());
    drop(lock);
    Ok(true)
}

/// Ends the server that a killed keeper left behind: the very process, or what is left of its group on the port.
pub(super) fn end_what_was_left(config: &Config) -> Result<(), StepError> {
    // A file that is torn names nobody.
    let Ok(Keeper::Running(left) | Keeper::Died(left)) = keeper::read_said(config) else { return Ok(()) };
    let Kept::Started { pid, identity, .. } = left.server else { return Ok(()) };
    let is_it = match processes::read(pid)? {
        Some(process) => process.identity == identity,
        None => holds_the_port(config, pid),
    };
    if is_it { group::end(pid, || ()) } else { Ok(()) }
}

/// Whether a member of that group holds the mirror's port, from the mirror's directory.
fn holds_the_port(config: &Config, leader: u32) -> bool {
    let Some(server) = &config.server else { return false };
    let listeners = sockets::listening().unwrap_or_default();
    let Some(listener) = on_port(&listeners, server.listen) else { return false };
    listener.pids.iter().any(|&pid| {
        let group = i32::try_from(pid).ok().and_then(Pid::from_raw).and_then(|pid| getpgid(Some(pid)).ok());
        let real = std::fs::canonicalize(&server.directory).ok();
        let place = processes::read(pid).ok().flatten().and_then(|it| it.directory);
        group.is_some_and(|it| u32::try_from(it.as_raw_nonzero().get()) == Ok(leader)) && real == place
    })
}
