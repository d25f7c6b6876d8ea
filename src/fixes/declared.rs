//! The fix that the configuration declares for a check of its own.

use std::sync::Arc;
use std::time::Duration;

use crate::declared::launch::Launch;
use crate::fixes::{Action, Guard, OnFailure, Safety, Step};

/// What a user wrote to mend one check: a program, and whether it may run without asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// The check that it mends, which names it.
    pub check: String,
    /// A verb phrase.
    pub title: String,
    /// What is run.
    pub launch: Launch,
    /// How long it may take.
    pub deadline: Duration,
    /// Whether it may be done without asking: the user must have said.
    pub safety: Safety,
    /// How long the check may still fail after it.
    pub within: Duration,
}

impl Fix {
    /// Its one step.
    #[must_use]
    pub fn plan(self: &Arc<Self>) -> Vec<Step> {
        vec![Step {
            action: Action::Run(Arc::clone(self)),
            safety: self.safety,
            guard: Guard::None,
            on_failure: OnFailure::Keep,
            undo: None,
        }]
    }
}
