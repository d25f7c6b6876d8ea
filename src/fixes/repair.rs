//! What became of a mend, as data: for the report, and for whoever watches it happen.

use std::time::Duration;

use jiff::Timestamp;

use crate::fixes::{Action, Remedy, Safety, Step};
use crate::probes::state::Holder;
use crate::unit::{Examined, UnitId};
use crate::verdict::Outcome;

/// A whole mend: what was seen before, what was done, what is seen now.
#[derive(Debug, Clone)]
pub struct Mended {
    /// The examination that the mend began with.
    pub before: Vec<Examined>,
    /// What became of each fix, in the order in which they were tried.
    pub repairs: Vec<Repair>,
    /// The examination that it ended with; the first one where nothing was done.
    pub after: Vec<Examined>,
    /// When that one was.
    pub at: Timestamp,
}

/// What became of one fix.
#[derive(Debug, Clone)]
pub struct Repair {
    /// The fix.
    pub fix: Remedy,
    /// As risky as its riskiest step.
    pub safety: Safety,
    /// The failed units that named it.
    pub for_units: Vec<UnitId>,
    /// Its steps, over all its rounds.
    pub steps: Vec<StepReport>,
    /// What may follow and is not known yet: "after the fetch: align, install if the lockfile changed".
    pub later: Option<String>,
    /// What it came to.
    pub result: RepairResult,
    /// Why, where it was refused or failed; one sentence.
    pub reason: Option<String>,
    /// What those units say now.
    pub units: Vec<(UnitId, Outcome)>,
}

/// A step, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepReport {
    /// What is done.
    pub action: Action,
    /// Whether it may be done without asking.
    pub safety: Safety,
    /// The commands that a person would type for it.
    pub commands: Vec<String>,
    /// What became of it.
    pub result: StepResult,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepResult {
    /// It was shown, and not done.
    Proposed,
    /// It was done.
    Done {
        /// How long it took.
        took: Duration,
        /// What is worth telling: "2 files set aside as refs/housecall/rescued/…".
        note: Option<String>,
    },
    /// It was not done, since the world is no longer what the plan was made for.
    Refused(String),
    /// It was tried and failed; why.
    Failed(String),
    /// It takes a remote that does not answer now; why.
    Away(String),
    /// It was done, and taken back when a later step failed.
    Undone,
}

/// What a fix came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepairResult {
    /// Shown, not done: a dry run, or risky without consent.
    Proposed,
    /// Every unit that named it passes.
    Verified,
    /// It was done, and one of them fails still.
    StillFailing,
    /// It was done, and whether it helped could not be seen.
    Unverified,
    /// Nothing was done: not trusted, stopped, or not what the plan was made for.
    Refused,
    /// A step of it failed.
    Failed,
}

/// What happens in a mend, as it happens; a fix is told by its id.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// Somebody else is at work on this mirror, and is waited for.
    Waiting(Option<&'a Holder>),
    /// A round was planned.
    Planned(&'a str, &'a [Step]),
    /// A step begins.
    Began(&'a str, &'a Action),
    /// A program of that step wrote this.
    Output(&'a [u8]),
    /// The step ended.
    Ended(&'a str, &'a StepReport),
    /// The units that named a fix are looked at again.
    Looking(&'a str),
    /// A fix is closed.
    Closed(&'a Repair),
}

/// The same to keep: for those who hear of it in another thread.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is the event of its name")]
pub enum Told {
    Waiting(Option<Holder>),
    Planned(String, Vec<Step>),
    Began(String, Action),
    Output(Vec<u8>),
    Ended(String, StepReport),
    Looking(String),
    Closed(Box<Repair>),
}

impl Told {
    /// A copy of it.
    #[must_use]
    pub fn of(event: Event<'_>) -> Self {
        match event {
            Event::Waiting(holder) => Self::Waiting(holder.cloned()),
            Event::Planned(fix, steps) => Self::Planned(fix.to_owned(), steps.to_vec()),
            Event::Began(fix, action) => Self::Began(fix.to_owned(), action.clone()),
            Event::Output(chunk) => Self::Output(chunk.to_vec()),
            Event::Ended(fix, report) => Self::Ended(fix.to_owned(), report.clone()),
            Event::Looking(fix) => Self::Looking(fix.to_owned()),
            Event::Closed(repair) => Self::Closed(Box::new(repair.clone())),
        }
    }

    /// The event again.
    #[must_use]
    pub fn event(&self) -> Event<'_> {
        match self {
            Self::Waiting(holder) => Event::Waiting(holder.as_ref()),
            Self::Planned(fix, steps) => Event::Planned(fix, steps),
            Self::Began(fix, action) => Event::Began(fix, action),
            Self::Output(chunk) => Event::Output(chunk),
            Self::Ended(fix, report) => Event::Ended(fix, report),
            Self::Looking(fix) => Event::Looking(fix),
            Self::Closed(repair) => Event::Closed(repair),
        }
    }
}

impl StepResult {
    /// Its name in reports.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Done { .. } => "done",
            Self::Refused(_) => "refused",
            Self::Failed(_) | Self::Away(_) => "failed",
            Self::Undone => "undone",
        }
    }
}

impl RepairResult {
    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Verified => "verified",
            Self::StillFailing => "still-failing",
            Self::Unverified => "unverified",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}
