//! What was mended, or could be, as the report tells it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Status, translate};
use crate::fixes;

/// One fix, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RepairReport {
    /// The fix.
    pub fix: String,
    /// As risky as its riskiest step.
    pub safety: SafetyReport,
    /// The failed units that it was planned for.
    #[serde(rename = "for")]
    pub for_units: Vec<String>,
    /// Its steps, in order, over all its rounds.
    pub steps: Vec<StepReport>,
    /// What came of it.
    pub result: RepairResult,
    /// What became of those units, on the fresh look after it.
    pub units: BTreeMap<String, Status>,
    /// Why, where it was refused or failed.
    pub reason: Option<String>,
    /// What may follow these steps and is not known yet.
    pub later: Option<String>,
}

/// Whether something may be done without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SafetyReport {
    /// Touches only what Housecall made, sets aside first, interrupts nothing healthy.
    Safe,
    /// Stops or moves anything else.
    Risky,
}

/// One step of a repair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepReport {
    /// Its verb.
    pub action: String,
    /// Whether it may be done without asking.
    pub safety: SafetyReport,
    /// The commands that a person would type.
    pub commands: Vec<String>,
    /// What came of it.
    pub result: StepResult,
    /// What it achieved, or why it was refused or failed.
    pub note: Option<String>,
    /// How long it took, in milliseconds, where it was done.
    pub took_ms: Option<f64>,
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StepResult {
    /// It was shown, and not done.
    Proposed,
    /// It was done.
    Done,
    /// It was not done: the world was no longer what it was planned for.
    Refused,
    /// It was tried and failed.
    Failed,
    /// It was done, and taken back when a later step failed.
    Undone,
}

/// What came of a repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RepairResult {
    /// It was shown, and not done.
    Proposed,
    /// It was done, and every unit it was for passes.
    Verified,
    /// It was done, and a unit it was for fails still.
    StillFailing,
    /// It was done, and whether it helped could not be seen.
    Unverified,
    /// Nothing was done: not trusted, stopped, or not what it was planned for.
    Refused,
    /// A step of it failed.
    Failed,
}

pub(super) fn repair(repair: &fixes::Repair) -> RepairReport {
    RepairReport {
        fix: repair.fix.id().to_owned(),
        safety: safety(repair.safety),
        for_units: repair.for_units.iter().map(ToString::to_string).collect(),
        steps: repair.steps.iter().map(step).collect(),
        result: match repair.result {
            fixes::RepairResult::Proposed => RepairResult::Proposed,
            fixes::RepairResult::Verified => RepairResult::Verified,
            fixes::RepairResult::StillFailing => RepairResult::StillFailing,
            fixes::RepairResult::Unverified => RepairResult::Unverified,
            fixes::RepairResult::Refused => RepairResult::Refused,
            fixes::RepairResult::Failed => RepairResult::Failed,
        },
        units: repair
            .units
            .iter()
            .map(|(id, outcome)| (id.to_string(), translate::status(outcome)))
            .collect(),
        reason: repair.reason.clone(),
        later: repair.later.clone(),
    }
}

pub(super) fn step(step: &fixes::StepReport) -> StepReport {
    let (result, note, took) = match &step.result {
        fixes::StepResult::Proposed => (StepResult::Proposed, None, None),
        fixes::StepResult::Done { took, note } => (StepResult::Done, note.clone(), Some(*took)),
        fixes::StepResult::Refused(why) => (StepResult::Refused, Some(why.clone()), None),
        fixes::StepResult::Failed(why) | fixes::StepResult::Away(why) => {
            (StepResult::Failed, Some(why.clone()), None)
        }
        fixes::StepResult::Undone => (StepResult::Undone, None, None),
    };
    StepReport {
        action: step.action.name().to_owned(),
        safety: safety(step.safety),
        commands: step.commands.clone(),
        result,
        note,
        took_ms: took.map(translate::milliseconds),
    }
}

fn safety(safety: fixes::Safety) -> SafetyReport {
    match safety {
        fixes::Safety::Safe => SafetyReport::Safe,
        fixes::Safety::Risky => SafetyReport::Risky,
    }
}
