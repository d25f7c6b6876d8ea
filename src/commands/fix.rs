//! `housecall --fix`: shows the plan, mends what may be mended, looks again.

use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;
use crate::fixes::lock::NotTaken;
use crate::fixes::mend::{Company, Request, mend};
use crate::fixes::{Consent, Mended};
use crate::probes::machine::Machine;
use crate::selection::Selection;

/// How long another mend is waited for.
pub const WAIT: Duration = Duration::from_secs(30);

/// Examines the selection, mends what the user allows, and examines it again.
///
/// A dry run takes no lock and changes nothing: what would be done is in the repairs, proposed.
///
/// # Errors
/// Another one is at work (exit 3), or the lock cannot be asked for.
pub fn run(
    config: &Arc<Config>,
    machine: &Arc<Machine>,
    selection: &Selection,
    consent: Consent,
    company: &mut Company<'_>,
) -> Result<Mended, NotTaken> {
    mend(Request { config, machine, selection, consent, doing: "fix", wait: WAIT }, company)
}
