//! Objects that the repository has lost: the remote has those of the upstream, and is asked for them once more.
#![expect(clippy::disallowed_methods, reason = "hands write")]

use std::fs;
use std::time::{Duration, SystemTime};

use crate::config::{Config, Mirror};
use crate::error::StepError;
use crate::fixes::hands::git::{self, Tell};
use crate::probes::program::Output;

/// What git says of an object that it needs and that is not there, or is torn.
pub(super) const LOST: [&str; 6] =
    ["unable to read", "invalid object", "bad tree object", "missing blob", "is corrupt", "bad object"];

/// All of the upstream comes anew: what one such fetch did not bring, the next one will not bring either.
const AGAIN: Duration = Duration::from_hours(1);

/// When it was asked for last: the time of this file in the state directory.
const ASKED: &str = "asked-again";

/// Acts; where an object is lost, asks for all of them and acts again.
pub(super) fn whole<T>(
    config: &Config,
    mirror: &Mirror,
    tell: Tell<'_>,
    act: impl Fn(Tell<'_>) -> Result<T, StepError>,
) -> Result<T, StepError> {
    match act(tell) {
        Err(error) if are_lost(&error) && ask_again(config, mirror, tell) => act(tell),
        came => came,
    }
}

/// Whether that failed of an object that is lost.
pub(super) fn are_lost(error: &StepError) -> bool {
    matches!(error, StepError::Failed { why, .. } if LOST.iter().any(|word| why.contains(word)))
}

/// Fetches all that the upstream is made of, as for a new clone, and moves no ref; says whether it came.
fn ask_again(config: &Config, mirror: &Mirror, tell: Tell<'_>) -> bool {
    let asked = config.state.join(ASKED);
    let ago =
        fs::metadata(&asked).and_then(|it| it.modified()).map(|at| SystemTime::now().duration_since(at));
    if ago.is_ok_and(|ago| ago.is_ok_and(|ago| ago < AGAIN)) {
        return false;
    }
    let is_noted = fs::write(&asked, b"").is_ok();
    is_noted && git::fetch_whole(config, mirror, tell).as_ref().is_ok_and(Output::succeeded)
}
