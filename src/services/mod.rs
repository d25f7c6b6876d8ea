//! What a service manager is: it renders the definition of a job, observes the job, and does one thing to it.
//!
//! Three of them: launchd, systemd, and Housecall's own keeper where there is neither. Nothing here decides; checks
//! judge what was observed, fixes plan what is done, hands do it.

pub mod diagnosis;
pub mod embedded;
pub mod launchd;
pub mod place;
pub mod registry;
pub mod reload;
pub mod systemd;
pub mod targets;

pub use registry::{ALL, MARKER, definitions, jobs_of, manager_of, named};

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use crate::config::Config;
use crate::error::{ProbeError, StepError};
use crate::probes::machine::Machine;

/// A constant record: one kind of service manager.
#[derive(Debug)]
pub struct Manager {
    /// As the configuration names it: "launchd", "systemd", "embedded".
    pub name: &'static str,
    /// The files that define a job, whole: pure.
    pub render: fn(&Config, &Definition) -> Vec<Rendered>,
    /// What it knows of a job now.
    pub observe: fn(&Machine, &Config, &Job) -> Result<Observed, ProbeError>,
    /// Does one thing to a job, and returns once it is done; a note where something is worth telling.
    pub act: Act,
    /// The commands that a person would type for it: pure.
    pub commands: fn(&Config, &Job, Verb) -> Vec<String>,
}

impl PartialEq for Manager {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Manager {}

/// Doing one thing to a job.
pub type Act = fn(&Machine, &Config, &Job, Verb) -> Result<Option<String>, StepError>;

/// A job by the name its manager knows it by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Job {
    /// Its name in unit ids: "sync", "serve", or that of its `[service.NAME]`.
    pub name: String,
    /// Its label (launchd) or unit (systemd): "me.site.localhost-serve", "housecall-site-serve.service".
    pub label: String,
    /// Whose it is.
    pub scope: Scope,
    /// Its file, where that is known to be another than the one its manager has for that label.
    pub file: Option<PathBuf>,
}

/// Whose jobs they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The user's: `gui/<uid>`, `systemctl --user`.
    Agent,
    /// The system's: `system`, `systemctl --system`.
    Daemon,
}

/// A job as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Its names.
    pub job: Job,
    /// One sentence for people who find it: "keeps the mirror `site` on origin/main".
    pub description: String,
    /// What it runs; the first is absolute.
    pub argv: Vec<String>,
    /// All the variables it adds to the manager's own.
    pub environment: BTreeMap<String, String>,
    /// Where it runs: the home directory, since a missing worktree must not stop it from starting.
    pub directory: PathBuf,
    /// Where its output goes.
    pub stdout: PathBuf,
    /// Where its complaints go.
    pub stderr: PathBuf,
    /// How it is kept.
    pub keep: Keep,
}

/// How a job is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Run at load, and again that long after the last start.
    Every(Duration),
    /// Run at load, and started again when it fails.
    Alive,
}

/// A file that defines a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Where it belongs.
    pub path: PathBuf,
    /// Its whole content, our marker in it.
    pub content: String,
}

/// What is done to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Read its files and start it: bootstrap; daemon-reload, enable, start.
    Load,
    /// End it and forget it, and wait until it is really gone: bootout; stop, disable.
    Unload,
    /// Read its files again: unload, wait, load, and load it in any case.
    Reload,
    /// Start it from what is loaded, if it does not run: `kickstart`; `start`.
    Start,
    /// End it and start it from what is loaded: `kickstart -k`; `restart`.
    Restart,
    /// Have it do its work once more, now, unless it is at it: `kickstart`; `start` of the service, not of its timer.
    /// Its end is not waited for.
    Run,
    /// End it durably, loaded or not: disable and bootout; disable, stop.
    Disable,
    /// End that: enable.
    Enable,
}

/// What a manager knows of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// Where it is in its life.
    pub state: State,
    /// Its process, if there is one.
    pub pid: Option<u32>,
    /// How often it was started since it was loaded.
    pub runs: Option<u64>,
    /// How it ended the last time, in a sentence: "exit 127: its program was not found".
    pub last_exit: Option<LastExit>,
    /// What the manager has cached, where it says so: to be compared with the file.
    pub loaded: Option<Loaded>,
    /// The file it was read from.
    pub file: Option<PathBuf>,
    /// Whether the user, or anybody, has it disabled.
    pub disabled: bool,
    /// Whether the manager itself says that its file has changed since.
    pub is_outdated: Option<bool>,
    /// When its process started, where that is known.
    pub since: Option<Timestamp>,
    /// Where its output goes, as loaded.
    pub stdout: Option<PathBuf>,
    /// Where its complaints go, as loaded.
    pub stderr: Option<PathBuf>,
    /// All that the manager said, for a person.
    pub raw: String,
}

/// Where a job is in its life: enough to decide what may be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Not loaded.
    Absent,
    /// Loaded, no process, none due but by its schedule.
    Idle,
    /// Being started.
    Starting,
    /// It has a process.
    Running,
    /// Asked to end, not gone yet.
    Draining,
    /// It failed, and is started again later.
    BackingOff,
    /// The manager will not start it: why, in a sentence.
    Refused(String),
    /// The manager said something that is not understood.
    Unknown(String),
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastExit {
    /// Its code, if it ended by itself.
    pub code: Option<i32>,
    /// Its signal, if it was ended.
    pub signal: Option<i32>,
    /// In a sentence.
    pub told: String,
}

/// A definition as a manager has it cached; what it does not tell is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loaded {
    /// The program.
    pub program: Option<PathBuf>,
    /// Its arguments, the program first.
    pub arguments: Option<Vec<String>>,
    /// Its own variables, without those that the manager adds.
    pub environment: Option<BTreeMap<String, String>>,
    /// How often it is run.
    pub interval: Option<Duration>,
}
