//! What each unit does to the verdict: the one rule by which the verdict, and every format, is made.

use super::{CheckReport, Report, Status, Verdict};
use crate::check::Severity;

/// What a unit does to the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// It makes it unhealthy.
    Fails,
    /// It leaves it open: it could not be seen, or has not settled.
    Open,
    /// Nothing: it is well, does not apply, is accepted, or matters less than what is asked for.
    Nothing,
}

impl CheckReport {
    /// What it does to the verdict. What was *seen* counts: no block hides a failure.
    #[must_use]
    pub fn weight(&self, fail_on: Severity) -> Weight {
        if self.severity < fail_on {
            return Weight::Nothing;
        }
        match self.status {
            _ if self.saw_failure() => Weight::Fails,
            // It is accepted.
            Status::Pending | Status::Blocked | Status::Unknown => Weight::Open,
            Status::Fail | Status::Pass | Status::Skip => Weight::Nothing,
        }
    }
}

impl Report {
    /// Why it is not healthy, where no unit says so; the formats that know only units need one more line then.
    #[must_use]
    pub fn beside_the_units(&self) -> Option<&'static str> {
        let weighs = |what| self.checks.iter().any(|check| check.weight(self.fail_on) == what);
        match self.verdict {
            Verdict::Healthy | Verdict::Unhealthy => None,
            Verdict::Stopped => Some("the mirror is stopped by its user"),
            Verdict::Undetermined => (!weighs(Weight::Open)).then_some("nothing passes"),
        }
    }
}
