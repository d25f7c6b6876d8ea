//! The state of the last sync, and the fix `state`: files there that cannot be believed are moved aside.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::config::Config;
use crate::cx::Cx;
use crate::error::{ProbeError, StepError};
use crate::fixes::hands::files;
use crate::fixes::{Action, Fix, Guard, OnFailure, Safety, Step};
use crate::probes::clock;
use crate::probes::state::{self, Fault, FaultKind, LastSync, SCHEMA, SyncStatus};
use crate::unit::Examined;

/// Move state files aside that are torn or not ours.
pub static FIX: Fix = Fix { id: "state", title: "move aside state files that cannot be believed", plan };

fn plan(cx: &Cx, _broken: &[&Examined]) -> Result<Vec<Step>, ProbeError> {
    let config = cx.config();
    let live = [config.lock_file(), config.keeper_lock()];
    let state = cx.state()?;
    let movable = state.bad.iter().filter(|(path, _)| !live.contains(path));
    let step = |(path, fault): &(std::path::PathBuf, Fault)| Step {
        action: Action::MoveAside(path.clone()),
        // What is ours and broken is nobody's loss; somebody may have meant all else.
        safety: if fault.kind == FaultKind::Torn { Safety::Safe } else { Safety::Risky },
        guard: Guard::same_file(path),
        on_failure: OnFailure::Keep,
        undo: None,
    };
    Ok(movable.map(step).collect())
}

/// Writes down how a sync ended: `sync.json` for us, `last-sync.env` for scripts.
///
/// What is there and cannot be believed is moved aside first. Without a contact, that of the sync before counts on.
///
/// # Errors
/// Refused where the state is of a newer version; failed in the system's own words.
pub fn write(
    config: &Config,
    status: SyncStatus,
    sha: Option<String>,
    contact: Option<Timestamp>,
    reason: &str,
) -> Result<LastSync, StepError> {
    let before = state::read(config)?;
    let (file, lines) = (config.sync_file(), config.last_sync_file());
    for (path, fault) in before.bad.iter().filter(|(path, _)| *path == file || *path == lines) {
        if fault.kind == FaultKind::Newer {
            return Err(StepError::Refused(format!("{}: {fault}", config.tilde(path))));
        }
        files::move_aside(path)?;
    }
    let last = LastSync {
        schema: SCHEMA,
        at: clock::now(),
        boot: clock::boot(),
        awake_ms: u64::try_from(clock::awake().as_millis()).unwrap_or(u64::MAX),
        contact: contact.or_else(|| before.last_sync.as_ref().and_then(|last| last.contact)),
        sha,
        status,
        reason: reason.to_owned(),
    };
    let failed = |error: &dyn std::fmt::Display| StepError::failed("write the state of the sync", error);
    let json = serde_json::to_vec_pretty(&last).map_err(|error| failed(&error))?;
    files::write_private(&file, &json).map_err(|error| failed(&error))?;
    files::write_private(&lines, for_scripts(&last, &TimeZone::system()).as_bytes())
        .map_err(|error| failed(&error))?;
    Ok(last)
}

/// The three lines of `last-sync.env`.
#[must_use]
pub fn for_scripts(last: &LastSync, zone: &TimeZone) -> String {
    let at = last.at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S");
    let sha = last.sha.as_deref().unwrap_or_default();
    let status = last.status.name();
    format!("LAST_SYNC_AT=\"{at}\"\nLAST_SYNC_SHA=\"{sha}\"\nLAST_SYNC_STATUS=\"{status}\"\n")
}
