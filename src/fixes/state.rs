//! The state of the last sync, and the fix `state`: files there that cannot be believed are moved aside.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::config::Config;
use crate::cx::Cx;
use crate::error::{ProbeError, StepError};
use crate::fixes::hands::files;
use crate::fixes::{Action, Fix, Guard, OnFailure, Safety, Step, Turn};
use crate::probes::clock;
use crate::probes::state::{self, Fault, FaultKind, LastSync, SCHEMA, SyncStatus};
use crate::unit::Examined;

/// Move state files aside that are torn or not ours.
pub static FIX: Fix = Fix {
    id: "state",
    title: "move aside state files that cannot be believed",
    plan,
    but: &[],
    turn: Turn::InOrder,
};

fn plan(cx: &Cx, _broken: &[&Examined]) -> Result<Vec<Step>, ProbeError> {
    let config = cx.config();
    let live = [config.lock_file(), config.keeper_lock()];
    // A directory of ours that others may write to is for a person to close.
    let folders = state::folders(config);
    let state = cx.state()?;
    let movable = state.bad.iter().filter(|(path, _)| !live.contains(path) && !folders.contains(path));
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

/// The longest that a remote which does not answer is left alone, unless syncs are rarer.
const LONGEST: Duration = Duration::from_mins(15);

/// How a sync ended, before it is written down.
#[derive(Debug, Clone)]
pub struct Ended<'a> {
    /// How.
    pub status: SyncStatus,
    /// The commit of the worktree.
    pub sha: Option<String>,
    /// The commit of the tracking branch.
    pub upstream: Option<String>,
    /// When the remote answered, if it did.
    pub contact: Option<Timestamp>,
    /// Why.
    pub reason: &'a str,
    /// How many in a row found all aligned, and no server that answers.
    pub unserved: Option<u32>,
    /// Whether it was the remote that did not answer, which is asked less often then.
    pub is_away: bool,
}

/// How long a remote is left alone: longer each time, and for a random part of it, so that those who lost it in the
/// same minute do not come back in the same minute.
fn pause(every: Duration, misses: u32) -> Duration {
    let longest = every.saturating_mul(1 << misses.min(16)).min(LONGEST.max(every));
    every + longest.saturating_sub(every).mul_f64(fastrand::f64())
}

/// Writes down how a sync ended: `sync.json` for us, `last-sync.env` for scripts.
///
/// What is there and cannot be believed is moved aside first. Without a contact, that of the sync before counts on.
///
/// # Errors
/// Refused where the state is of a newer version; failed in the system's own words.
pub fn write(config: &Config, ended: Ended<'_>) -> Result<LastSync, StepError> {
    let before = state::read(config)?;
    let (file, lines) = (config.sync_file(), config.last_sync_file());
    for (path, fault) in before.bad.iter().filter(|(path, _)| *path == file || *path == lines) {
        if fault.kind == FaultKind::Newer {
            return Err(StepError::Refused(format!("{}: {fault}", config.tilde(path))));
        }
        files::move_aside(path)?;
    }
    let misses = before.last_sync.as_ref().and_then(|last| last.misses).unwrap_or(0).saturating_add(1);
    let misses = ended.is_away.then_some(misses);
    let every = config.mirror.as_ref().map(|mirror| mirror.every);
    let paused = every.zip(misses).map(|(every, misses)| pause(every, misses));
    // Where a person left a commit, a sync that fails or finds no remote is on that one: it is none of ours.
    let is_aligned = ended.sha.is_some() && ended.sha == ended.upstream;
    let aligned = || before.last_sync.as_ref().and_then(|last| last.aligned.clone());
    let last = LastSync {
        schema: SCHEMA,
        at: clock::now(),
        boot: clock::boot(),
        awake_ms: u64::try_from(clock::awake().as_millis()).unwrap_or(u64::MAX),
        contact: ended.contact.or_else(|| before.last_sync.as_ref().and_then(|last| last.contact)),
        aligned: if is_aligned { ended.sha.clone() } else { aligned() },
        sha: ended.sha,
        status: ended.status,
        reason: ended.reason.to_owned(),
        misses,
        unserved: ended.unserved,
        pause_ms: paused.map(|it| u64::try_from(it.as_millis()).unwrap_or(u64::MAX)),
    };
    let failed = |error: &dyn std::fmt::Display| StepError::failed("write the state of the sync", error);
    let json = serde_json::to_vec_pretty(&last).map_err(|error| failed(&error))?;
    // Every few seconds for years, it says that nothing has changed: that is not worth waiting for the disk.
    let write = if is_no_news(before.last_sync.as_ref(), &last) && before.bad.is_empty() {
        files::renew_private
    } else {
        files::write_private
    };
    write(&file, &json).map_err(|error| failed(&error))?;
    write(&lines, for_scripts(&last, &clock::zone()).as_bytes()).map_err(|error| failed(&error))?;
    Ok(last)
}

/// Whether a sync that found nothing to do tells nothing after the one before but the time.
fn is_no_news(before: Option<&LastSync>, now: &LastSync) -> bool {
    let (at, awake_ms, contact) = (now.at, now.awake_ms, now.contact);
    let is_same = |it: &LastSync| LastSync { at, awake_ms, contact, ..it.clone() } == *now;
    now.status == SyncStatus::Noop && before.is_some_and(is_same)
}

/// The three lines of `last-sync.env`.
#[must_use]
pub fn for_scripts(last: &LastSync, zone: &TimeZone) -> String {
    let at = last.at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S");
    let sha = last.sha.as_deref().unwrap_or_default();
    let status = last.status.name();
    format!("LAST_SYNC_AT=\"{at}\"\nLAST_SYNC_SHA=\"{sha}\"\nLAST_SYNC_STATUS=\"{status}\"\n")
}
