//! Whose jobs a command means.

use clap::ValueEnum;

use crate::services::Scope;

/// Whose a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum JobScope {
    /// The user's.
    Agent,
    /// The system's.
    Daemon,
}

impl From<JobScope> for Scope {
    fn from(scope: JobScope) -> Self {
        match scope {
            JobScope::Agent => Self::Agent,
            JobScope::Daemon => Self::Daemon,
        }
    }
}
