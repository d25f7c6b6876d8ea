//! What mends: a fix plans steps, hands apply them, and the units that named it verify.

pub mod built;
pub mod declared;
pub mod events;
pub mod hands;
pub mod install;
pub mod journal;
pub mod later;
pub mod lock;
pub mod logs;
pub mod mend;
pub mod repair;
pub mod rerun;
pub mod serve;
pub mod state;
pub mod sync;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::cx::Cx;
use crate::error::ProbeError;
use crate::probes::installation::Installation;
use crate::services::{Job, Manager, Verb};
use crate::unit::{Examined, UnitId};

pub use repair::{Event, Mended, Repair, RepairResult, StepReport, StepResult, Told};

/// A constant record: how one kind of fault is mended. It only plans.
#[derive(Debug)]
pub struct Fix {
    /// Kebab-case, kept for ever: "sync".
    pub id: &'static str,
    /// A verb phrase: "align the worktree with origin/main".
    pub title: &'static str,
    /// Plans one round from a fresh look; no steps: nothing is left to do.
    pub plan: fn(&Cx, &[&Examined]) -> Result<Vec<Step>, ProbeError>,
    /// The units of its checks that another one mends, by name.
    pub but: &'static [(&'static str, &'static Self)],
    /// When its turn is.
    pub turn: Turn,
}

/// When the turn of a fix is.
#[derive(Debug, Clone, Copy)]
pub enum Turn {
    /// Where its first failure stands in the chain.
    InOrder,
    /// After all others. What it starts takes the mirror's lock by itself: it is given back, and the end is waited for.
    Last {
        /// How long that is waited for.
        within: Duration,
        /// Whether it has come.
        is_over: fn(&Cx) -> bool,
    },
}

/// What mends a unit.
#[derive(Debug, Clone)]
pub enum Remedy {
    /// A fix of ours.
    Built(&'static Fix),
    /// The fix of a check that the configuration declares.
    Declared(Arc<declared::Fix>),
}

/// One step of a plan, as data: shown, refused, journaled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// Whether it may be done without asking.
    pub safety: Safety,
    /// What must still hold when it is done.
    pub guard: Guard,
    /// What becomes of it when a later step of its round fails.
    pub on_failure: OnFailure,
    /// What takes it back.
    pub undo: Option<(Action, Guard)>,
}

/// A domain verb. What flows between the commands inside one stays inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Fetch the one ref of the remote into its remote-tracking branch.
    Fetch,
    /// Make the worktree: prune what is left of an old one, add it on its branch.
    AddWorktree,
    /// Have the worktree and the repository find each other again.
    Relink,
    /// Lock the worktree against pruning.
    LockWorktree,
    /// Remove a lock that nobody alive holds.
    RemoveLock(PathBuf),
    /// Put what a person left in the mirror under a ref and into a patch.
    SetAside,
    /// Bring HEAD, index and files to this commit.
    Align(String),
    /// Copy an untracked file from the repository.
    Carry(PathBuf),
    /// Install the dependencies.
    Install(Vec<String>),
    /// Build.
    Build(Vec<String>),
    /// Write down that the mirror is aligned: the state of the last sync.
    Record,
    /// Run what the configuration declares.
    Run(Arc<declared::Fix>),
    /// Start the embedded manager's keeper.
    StartKeeper,
    /// Have the keeper restart its server.
    RestartServer,
    /// Ask a process to end, and its group; kill it when it does not.
    StopProcess {
        /// Its id.
        pid: u32,
        /// Its identity, so that no other process is hit.
        identity: u64,
    },
    /// Wait until this address answers.
    Await {
        /// The address.
        url: String,
        /// How long it may take.
        within: Duration,
    },
    /// Move a file out of the way, keeping it beside.
    MoveAside(PathBuf),
    /// Rotate a log that has grown too long.
    RotateLog(PathBuf),
    /// Write a file that defines a job of ours.
    WriteJob {
        /// Where.
        path: PathBuf,
        /// All of it.
        content: String,
    },
    /// Remove a file that defines a job of ours; one without our marker is refused.
    RemoveJob(PathBuf),
    /// Keep somebody else's job file beside its place: `name.before-housecall`.
    BackUp(PathBuf),
    /// Put a file that was kept beside back in its place.
    BringBack(PathBuf),
    /// Have a service manager do one thing to a job.
    Service {
        /// Which.
        manager: &'static Manager,
        /// Whose it is asked about.
        job: Job,
        /// What it does.
        verb: Verb,
    },
    /// Write down what is installed.
    Remember(Box<Installation>),
    /// Forget that anything was installed.
    Forget,
}

/// Whether a step may be done without asking. There is no default: the author must say.
///
/// Ordered: a round is as risky as the greatest of its steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Safety {
    /// Touches only what Housecall made, sets aside first, interrupts nothing healthy.
    Safe,
    /// Stops or moves anything else.
    Risky,
}

/// What must still hold when a step is done; else it is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// Nothing: the step is harmless whenever it is done.
    None,
    /// The worktree's top level and common directory are what the configuration says.
    OwnWorktree,
    /// The process is still the one that was looked at.
    SameProcess {
        /// Its id.
        pid: u32,
        /// Its identity.
        identity: u64,
    },
    /// The file is still the one that was looked at: device, inode, size and time of change.
    SameFile(PathBuf, (u64, u64, u64, i128)),
    /// Nothing is at this place.
    Vacant(PathBuf),
}

/// What becomes of a step that was done when a later one of its round fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// It stays.
    Keep,
    /// It is taken back.
    Undo,
}

/// What the user allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Consent {
    /// Show the plan, change nothing.
    DryRun,
    /// What is safe.
    Safe,
    /// Everything planned.
    Risky,
}

impl Remedy {
    /// Its id: a declared one has the name of its check.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Built(fix) => fix.id,
            Self::Declared(fix) => &fix.check,
        }
    }

    /// A verb phrase.
    #[must_use]
    pub fn title(&self) -> &str {
        match self {
            Self::Built(fix) => fix.title,
            Self::Declared(fix) => &fix.title,
        }
    }

    /// Plans one round from a fresh look; no steps: nothing is left to do.
    ///
    /// # Errors
    /// What the plan rests on could not be looked at.
    pub fn plan(&self, cx: &Cx, broken: &[&Examined]) -> Result<Vec<Step>, ProbeError> {
        match self {
            Self::Built(fix) => (fix.plan)(cx, broken),
            Self::Declared(fix) => Ok(fix.plan()),
        }
    }

    /// How long what it mends may take to come right once all is done; zero: it is right at once.
    #[must_use]
    pub fn settles(&self) -> Duration {
        match self {
            Self::Built(Fix { turn: Turn::Last { within, .. }, .. }) => *within,
            Self::Built(_) => Duration::ZERO,
            Self::Declared(fix) => fix.within,
        }
    }

    /// Whether its turn is after all others.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        matches!(self, Self::Built(Fix { turn: Turn::Last { .. }, .. }))
    }

    /// Whether what it started is still at work.
    #[must_use]
    pub fn is_at_work(&self, cx: &Cx) -> bool {
        matches!(self, Self::Built(Fix { turn: Turn::Last { is_over, .. }, .. }) if !is_over(cx))
    }
}

impl Fix {
    /// The fix of that unit, where this one is its check's.
    #[must_use]
    pub fn of(&'static self, unit: &UnitId) -> &'static Self {
        self.but.iter().find(|(name, _)| *name == unit.to_string()).map_or(self, |(_, fix)| *fix)
    }
}

/// Ids are unique: no check may be named as a fix of ours.
impl PartialEq for Remedy {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Action {
    /// Its name in reports and in the journal.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::AddWorktree => "add-worktree",
            Self::Relink => "relink",
            Self::LockWorktree => "lock-worktree",
            Self::Record => "record",
            Self::RemoveLock(_) => "remove-lock",
            Self::SetAside => "set-aside",
            Self::Align(_) => "align",
            Self::Carry(_) => "carry",
            Self::Install(_) => "install",
            Self::Build(_) => "build",
            Self::Run(_) => "run",
            Self::StartKeeper => "start-keeper",
            Self::RestartServer => "restart-server",
            Self::StopProcess { .. } => "stop-process",
            Self::Await { .. } => "await",
            Self::MoveAside(_) => "move-aside",
            Self::RotateLog(_) => "rotate-log",
            Self::WriteJob { .. } => "write-job",
            Self::RemoveJob(_) => "remove-job",
            Self::BackUp(_) => "back-up",
            Self::BringBack(_) => "bring-back",
            Self::Service { verb, .. } => match verb {
                Verb::Load => "load-job",
                Verb::Unload => "unload-job",
                Verb::Reload => "reload-job",
                Verb::Start => "start-job",
                Verb::Restart => "restart-job",
                Verb::Run => "run-job",
                Verb::Disable => "disable-job",
                Verb::Enable => "enable-job",
            },
            Self::Remember(_) => "remember",
            Self::Forget => "forget",
        }
    }
}

impl Safety {
    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Risky => "risky",
        }
    }
}
/// Every fix.
pub static ALL: &[&Fix] = &[&sync::FIX, &install::FIX, &serve::FIX, &logs::FIX, &state::FIX, &rerun::FIX];

/// The fixes that what failed names, and whose next steps would be risky; one that cannot be planned now is none.
#[must_use]
pub fn risky(cx: &Cx, examined: &[Examined]) -> Vec<&'static str> {
    named(cx, examined, |steps| steps.iter().any(|step| step.safety == Safety::Risky))
}

/// The fixes that what failed names, and that could do nothing about it now.
#[must_use]
pub fn idle(cx: &Cx, examined: &[Examined]) -> Vec<&'static str> {
    named(cx, examined, <[Step]>::is_empty)
}

fn named(cx: &Cx, examined: &[Examined], holds: fn(&[Step]) -> bool) -> Vec<&'static str> {
    let holds = |fix: &&&'static Fix| {
        let named =
            |it: &&Examined| it.outcome.is_failure() && it.unit.fix.as_ref() == Some(&Remedy::Built(fix));
        let broken: Vec<&Examined> = examined.iter().filter(named).collect();
        !broken.is_empty() && (fix.plan)(cx, &broken).is_ok_and(|steps| holds(&steps))
    };
    ALL.iter().filter(holds).map(|fix| fix.id).collect()
}
