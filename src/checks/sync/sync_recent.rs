//! `sync-recent`: syncs are tried as often as they should be, and do not fail.

use std::time::Duration;

use crate::check::{Check, CheckId, Group, Look, Needs, Of, Severity};
use crate::checks::jobs::job_state;
use crate::config::Mirror;
use crate::cx::Cx;
use crate::error::{ProbeError, human_duration};
use crate::fixes::sync;
use crate::probes::state::SyncStatus;
use crate::verdict::{Seen, Verdict};

/// A sync may take this long on top of its period before one counts as missed.
const LONGEST: Duration = Duration::from_mins(2);

/// The last sync is recent, and did not fail.
pub static CHECK: Check = Check {
    id: CheckId("sync-recent"),
    group: Group::Sync,
    summary: "the last sync is recent and did not fail",
    docs: include_str!("sync_recent.md"),
    severity: Severity::Error,
    // `state-file` stands behind, among the logs; a torn state is unknown here.
    requires: &[Needs { check: &job_state::CHECK, of: Of::The("sync") }],
    fix: Some(&sync::FIX),
    look: Look::Mirror(look),
};

fn look(cx: &Cx, mirror: &Mirror) -> Seen {
    let state = cx.state()?;
    if state.stopped.is_some() {
        return Ok(Verdict::not_applicable("the mirror was stopped by its user"));
    }
    let torn = state.bad.iter().find(|(file, _)| *file == cx.config().sync_file());
    if let (None, Some((file, why))) = (&state.last_sync, torn) {
        return Err(ProbeError::unreadable(cx.config().tilde(file), why));
    }
    let every = format!("every {}", human_duration(mirror.every));
    let Some(last) = &state.last_sync else {
        return Ok(Verdict::fail("the mirror was never synced").with("expected", every));
    };
    let age = state.last_sync_age.unwrap_or_else(|| cx.since(last.at));
    let pause = last.pause_ms.map_or(Duration::ZERO, Duration::from_millis);
    if age > pause + mirror.every * 2 + LONGEST {
        return Ok(Verdict::fail(format!("the last sync was {} ago", human_duration(age)))
            .with("expected", every)
            .with("actual", age)
            .with("at", last.at));
    }
    let name = &mirror.remote;
    Ok(match (last.status, last.contact) {
        // The server has checks of its own, which look now.
        (SyncStatus::Failed, _) if last.unserved.is_some() => {
            let note = format!("aligned {} ago", human_duration(age));
            Verdict::pass_with(note).with("reason", last.reason.as_str()).with("at", last.at)
        }
        (SyncStatus::Failed, _) => {
            Verdict::fail("the last sync failed").with("reason", last.reason.as_str()).with("at", last.at)
        }
        (SyncStatus::Stale, Some(contact)) => {
            let note = format!("{name} was last reached {} ago", human_duration(cx.since(contact)));
            Verdict::pass_with(note).with("reason", last.reason.as_str()).with("last reached", contact)
        }
        (SyncStatus::Stale, None) => {
            Verdict::pass_with(format!("{name} was never reached")).with("reason", last.reason.as_str())
        }
        (SyncStatus::Noop | SyncStatus::Updated, _) => {
            Verdict::pass_with(format!("synced {} ago", human_duration(age))).with("at", last.at)
        }
    })
}
