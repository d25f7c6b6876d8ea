//! The exit codes, the same for every format and verb.

use std::process::ExitCode;

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: nothing failed, and all of that severity was seen.
    Healthy,
    /// 1: something failed, or the mirror is stopped by its user.
    Unhealthy,
    /// 2: the command line or the configuration makes no sense; nothing was examined or changed.
    Usage,
    /// 3: something could not be seen or has not settled, or another mend is at work.
    Undetermined,
}

impl Exit {
    /// The number that a shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Healthy => 0,
            Self::Unhealthy => 1,
            Self::Usage => 2,
            Self::Undetermined => 3,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
