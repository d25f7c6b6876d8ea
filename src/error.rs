//! Why something could not be looked at, or could not be done.

use std::path::PathBuf;
use std::time::Duration;

/// "Could not look": never "looked, and it is bad".
///
/// It is remembered with the answers, so it can be cloned and holds texts, not sources.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// No answer within the deadline.
    #[error("{what} did not answer within {}", human_duration(*.after))]
    TimedOut {
        /// Who was asked.
        what: String,
        /// How long it was given.
        after: Duration,
    },
    /// The system said no.
    #[error("cannot {what}: {why}")]
    Failed {
        /// A verb phrase: "read ~/x", "run node".
        what: String,
        /// The system's own words.
        why: String,
    },
    /// It answered with something that makes no sense.
    #[error("{what} is not readable: {why}")]
    Unreadable {
        /// What was read.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// A volume hangs; an earlier look is still stuck on it.
    #[error("the volume at {} does not answer", .mount.display())]
    Stuck {
        /// Where it is mounted.
        mount: PathBuf,
    },
    /// The configuration came with a repository and nobody allowed it to run programs.
    #[error("not trusted: {what} is not run before `housecall trust`")]
    NotTrusted {
        /// The program.
        what: String,
    },
    /// What a check of the user's own says that it does not look at.
    #[error("its `unchecked` is not looked at: {}", .parts.join("; "))]
    Unchecked {
        /// Each of it, in the user's words.
        parts: Vec<String>,
    },
    /// A test asked for a fact that it did not give.
    #[error("the test gave no `{0}`")]
    NotGiven(&'static str),
}

impl ProbeError {
    /// The system refused: `what` is a verb phrase.
    #[must_use]
    pub fn failed(what: impl Into<String>, why: &dyn std::fmt::Display) -> Self {
        Self::Failed { what: what.into(), why: why.to_string() }
    }

    /// It answered nonsense.
    #[must_use]
    pub fn unreadable(what: impl Into<String>, why: &dyn std::fmt::Display) -> Self {
        Self::Unreadable { what: what.into(), why: why.to_string() }
    }
}

/// "Could not do": a step that was refused or that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// The world is no longer what the plan was made for; nothing was done.
    #[error("refused: {0}")]
    Refused(String),
    /// The user stopped the mirror durably; nothing was done.
    #[error("refused: the mirror is stopped by its user: `housecall start` ends that")]
    Stopped,
    /// It takes a remote that does not answer now.
    #[error("{0}")]
    Away(String),
    /// It was tried and failed.
    #[error("cannot {what}: {why}")]
    Failed {
        /// A verb phrase.
        what: String,
        /// The program's or the system's own words.
        why: String,
    },
    /// What the step had to know could not be looked at.
    #[error(transparent)]
    Probe(#[from] ProbeError),
}

impl StepError {
    /// It was tried and failed: `what` is a verb phrase.
    #[must_use]
    pub fn failed(what: impl Into<String>, why: &dyn std::fmt::Display) -> Self {
        Self::Failed { what: what.into(), why: why.to_string() }
    }
}

/// A duration as people write it: `5 s`, `180 ms`, `3 h 20 min`.
#[must_use]
pub fn human_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let pair = |high: u64, high_unit: &str, low: u64, low_unit: &str| match low {
        0 => format!("{high} {high_unit}"),
        low => format!("{high} {high_unit} {low} {low_unit}"),
    };
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        1..10 if duration.subsec_millis() >= 100 => format!("{:.1} s", duration.as_secs_f64()),
        1..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => pair(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        _ => format!("{} days", seconds / 86_400),
    }
}
