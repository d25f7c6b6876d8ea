//! The fix `rerun`: a sync that failed while something was broken is run again once that is mended.
//!
//! Its manager would not for as long as its period, and what it said last stays red until then.

use std::time::Duration;

use crate::config::{Kept, Trust};
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::fixes::{Action, Fix, Guard, OnFailure, Safety, Step, Turn};
use crate::probes::jobs::Keeping;
use crate::services::{Observed, State, Verb, named};
use crate::unit::Examined;

/// Have the sync's job run again; only where `install` installed it.
pub static FIX: Fix = Fix {
    id: "rerun",
    title: "run the sync again that failed",
    plan,
    but: &[],
    turn: Turn::Last { within: WITHIN, is_over },
};

/// How long the run is waited for: all that is slow was done by the mend before it.
const WITHIN: Duration = Duration::from_mins(2);

fn plan(cx: &Cx, broken: &[&Examined]) -> Result<Vec<Step>, ProbeError> {
    let is_ours = cx.installation()?.is_some();
    if broken.is_empty() || !is_ours || cx.config().trust == Trust::Untrusted || cx.state()?.stopped.is_some()
    {
        return Ok(Vec::new());
    }
    let Keeping::Managed(managed) = &*cx.keeping(&Kept::Sync)? else { return Ok(Vec::new()) };
    let observed = cx.observed(managed)?;
    let may_run = matches!(observed.state, State::Idle | State::BackingOff) && !observed.disabled;
    let Some(keeper) = named(managed.manager).filter(|_| may_run) else { return Ok(Vec::new()) };
    Ok(vec![Step {
        action: Action::Service { manager: keeper, job: managed.job.clone(), verb: Verb::Run },
        // It is what the job does every so often, and one that runs is left alone.
        safety: Safety::Safe,
        guard: Guard::None,
        on_failure: OnFailure::Keep,
        undo: None,
    }])
}

/// Whether the run has ended; where that cannot be seen, nothing is waited for.
fn is_over(cx: &Cx) -> bool {
    let Ok(keeping) = cx.keeping(&Kept::Sync) else { return true };
    let Keeping::Managed(managed) = &*keeping else { return true };
    cx.observed(managed).is_ok_and(|it| !is_at_work(&it))
}

/// Whether it runs, or is about to.
const fn is_at_work(observed: &Observed) -> bool {
    matches!(observed.state, State::Starting | State::Running | State::Draining)
}
