//! The jobs that keep things running: what their files say, what is loaded, and how they fare.

pub mod job_lint;
pub mod job_paths;
pub mod job_drift;
pub mod job_loaded;
pub mod job_state;
mod told;

use crate::config::Kept;
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::probes::jobs::{Keeping, Managed};
use crate::verdict::Verdict;

/// A job as its service manager keeps it, or the verdict where none does.
fn managed(cx: &Cx, kept: &Kept) -> Result<Result<Managed, Verdict>, ProbeError> {
    Ok(match &*cx.keeping(kept)? {
        Keeping::Managed(managed) => Ok((**managed).clone()),
        Keeping::Unmanaged(why) => Err(Verdict::not_applicable(*why)),
    })
}

/// Whether the user stopped the mirror, and this is one of its own jobs.
fn is_stopped(cx: &Cx, kept: &Kept) -> Result<bool, ProbeError> {
    Ok(kept.is_ours() && cx.state()?.stopped.is_some())
}

/// Why a job that its user stopped is not asked about.
const STOPPED: &str = "the mirror was stopped by its user";

/// The command that has a service's job read again.
fn reload(managed: &Managed) -> String {
    format!("housecall reload {}", managed.job.name)
}
