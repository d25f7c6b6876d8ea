//! The configuration: `housecall.toml`, flags and environment, merged and validated once, at the edge.
//!
//! It is judged by its text alone; what the disk says about it is a check's business.

mod discover;
mod error;
pub mod accepted;
mod declare;
mod include;
mod instead;
mod load;
mod parse;
mod places;
pub mod raw;
mod reading;
mod serving;
pub mod service;
mod surroundings;
mod vain;
mod validate;
pub mod values;

pub use accepted::Accepted;
pub use discover::{FILE_NAME, discover, is_unclear, places, registered};
pub use error::{ConfigError, Mistake, Mistakes};
pub use load::Options;
pub use raw::Text;
pub use reading::Reading;
pub use service::{Health, Kept, Place, Service};
pub use surroundings::Surroundings;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::hash::{Hash as _, Hasher as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::check::Severity;
use crate::declared::Declared;
use crate::redact::Redactor;

/// All that is known before anything is looked at.
#[derive(Debug, Clone)]
pub struct Config {
    /// The mirror's name, shown first in every verdict.
    pub name: String,
    /// The file it was read from.
    pub file: PathBuf,
    /// All files that it was read from, that one first, with their text.
    pub sources: Vec<(PathBuf, String)>,
    /// Whether the programs it names may run.
    pub trust: Trust,
    /// The user's home directory.
    pub home: PathBuf,
    /// State, logs and journal: see the methods that name its files.
    pub state: PathBuf,
    /// The whole environment of every program that is run, but for PATH: HOME, USER, LANG, `LC_ALL`,
    /// `SSH_AUTH_SOCK`, proxies … A job has no more than this, so a look has no more either.
    pub environment: BTreeMap<String, String>,
    /// Directories put first in the jobs' PATH.
    pub runtime_path: Vec<PathBuf>,
    /// What of it any environment reads alike.
    pub written: Written,
    /// Where the service managers' own programs are looked for: the PATH of whoever called, then the system's.
    pub system_path: Vec<PathBuf>,
    /// The tools that the jobs run, with the ranges the file gives.
    pub tools: Vec<Arc<Tool>>,
    /// The mirror, if it keeps one.
    pub mirror: Option<Arc<Mirror>>,
    /// The server, if it runs one.
    pub server: Option<Arc<Server>>,
    /// The pages that must answer.
    pub pages: Vec<Arc<Page>>,
    /// What `[check.ID]` says of how much a check counts.
    pub overrides: BTreeMap<String, Override>,
    /// The checks that the file declares, in its order.
    pub declared: Vec<Arc<Declared>>,
    /// Findings that the user lives with for a while.
    pub accepted: Vec<Accepted>,
    /// The caller's whole environment, for the programs of declared checks: they are the user's own.
    pub caller: BTreeMap<OsString, OsString>,
    /// How the jobs are kept.
    pub jobs: Jobs,
    /// Other jobs that must run and answer.
    pub services: Vec<Arc<Service>>,
    /// What the command line says about looking.
    pub limits: Limits,
    /// Takes secrets and the home directory out of whatever is shown or written down.
    pub redactor: Redactor,
}

/// The places that a server is started with, as they are written: what their variables are is another matter for each
/// process that reads them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// See [`Config::runtime_path`].
    pub runtime_path: Vec<String>,
    /// See [`Mirror::worktree`]; `None`: it is left to us.
    pub worktree: Option<String>,
}

/// Whether a configuration may have its programs run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The user's own, or allowed by content.
    Trusted,
    /// It came with a repository.
    Untrusted,
}

/// A tool that the jobs run: "node", "npm".
#[derive(Debug, Clone)]
pub struct Tool {
    /// Its program's name.
    pub name: String,
    /// The range that the configuration gives; without one the worktree's own files are asked.
    pub range: Option<nodejs_semver::Range>,
}

/// The worktree and what it follows.
#[derive(Debug, Clone)]
pub struct Mirror {
    /// The canonical repository; never written to, but for the worktree's branch and administration.
    pub repository: PathBuf,
    /// The remote's name: "origin".
    pub remote: String,
    /// The branch on the remote: "main".
    pub upstream: String,
    /// The mirror's own worktree.
    pub worktree: PathBuf,
    /// The branch it is on: "localhost-sync".
    pub branch: String,
    /// How often it is aligned.
    pub every: Duration,
    /// What installs the dependencies; empty: nothing does.
    pub install: Vec<String>,
    /// What builds before a restart; empty: nothing does.
    pub build: Vec<String>,
    /// Files that git does not track, relative, copied from the repository.
    pub carry: Vec<PathBuf>,
}

/// The server that the mirror runs.
#[derive(Debug, Clone)]
pub struct Server {
    /// What it is.
    pub run: Serving,
    /// The directory it runs in: the worktree.
    pub directory: PathBuf,
    /// The one address at which it must answer.
    pub listen: SocketAddr,
    /// Whether it serves what its files are now; `None`: nobody says, and it is taken to.
    pub watches: Option<bool>,
    /// Variables added to its clean environment.
    pub env: BTreeMap<String, String>,
    /// When it counts as started.
    pub ready: Ready,
}

/// Who serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Serving {
    /// A program, run in the worktree.
    Program(Vec<String>),
    /// Housecall's own file server, of this directory inside the worktree.
    Static(PathBuf),
}

/// When a server counts as started.
#[derive(Debug, Clone)]
pub struct Ready {
    /// The path that must answer.
    pub path: String,
    /// How long a start may take.
    pub within: Duration,
}

/// A page that must answer, and how.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its path, which names it in reports.
    pub path: String,
    /// Its whole address; of a service's page its path alone, for the service's address is read when it is asked.
    pub url: String,
    /// The service whose page it is.
    pub service: Option<Arc<Service>>,
    /// The status it must have.
    pub status: u16,
    /// Texts that it must contain.
    pub contains: Vec<String>,
    /// Texts that it must not contain.
    pub absent: Vec<String>,
    /// Patterns that it must match.
    pub matches: Vec<regex::Regex>,
    /// A pattern whose one group is the SHA that the page was made from.
    pub sha: Option<regex::Regex>,
}

/// What a configuration says of one built-in check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Override {
    /// It is not looked at.
    Off,
    /// It counts as this.
    Severity(Severity),
}

/// How the jobs are kept.
#[derive(Debug, Clone)]
pub struct Jobs {
    /// Who keeps them.
    pub manager: Manager,
    /// What their labels begin with.
    pub label: Option<String>,
    /// Labels of jobs that already have names: "sync", "serve".
    pub labels: BTreeMap<String, String>,
}

/// Who keeps the jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manager {
    /// What this system has.
    Auto,
    /// macOS's.
    Launchd,
    /// Linux's.
    Systemd,
    /// Housecall's own keeper.
    Embedded,
}

/// What the command line says about looking.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long one probe may take.
    pub timeout: Duration,
    /// Whether the network is left alone.
    pub offline: bool,
    /// The most that any look may take, whatever its check says: what the command line says.
    pub most: Option<Duration>,
    /// Whether nobody waits: what failed, and would fail again, is left alone for a while.
    pub patient: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(5), offline: false, most: None, patient: false }
    }
}

impl Config {
    /// A configuration that says nothing but whose it is.
    #[must_use]
    pub fn empty(name: &str, file: PathBuf, home: PathBuf, state: PathBuf) -> Self {
        Self {
            name: name.to_owned(),
            file,
            sources: Vec::new(),
            trust: Trust::Untrusted,
            home,
            state,
            environment: BTreeMap::new(),
            runtime_path: Vec::new(),
            written: Written::default(),
            system_path: Vec::new(),
            tools: Vec::new(),
            mirror: None,
            server: None,
            pages: Vec::new(),
            overrides: BTreeMap::new(),
            declared: Vec::new(),
            accepted: Vec::new(),
            caller: BTreeMap::new(),
            jobs: Jobs { manager: Manager::Auto, label: None, labels: BTreeMap::new() },
            services: Vec::new(),
            limits: Limits::default(),
            redactor: Redactor::default(),
        }
    }

    /// Whether it speaks of checks of its own, and of nothing that ours look at.
    #[must_use]
    pub fn is_about_checks_alone(&self) -> bool {
        let nothing_of_ours = self.mirror.is_none()
            && self.server.is_none()
            && self.pages.is_empty()
            && self.services.is_empty()
            && self.tools.is_empty();
        nothing_of_ours && !self.declared.is_empty()
    }

    /// The PATH of declared programs: `runtime.path`, then the caller's, then the system's.
    #[must_use]
    pub fn declared_path(&self) -> OsString {
        let mut places: Vec<&Path> = Vec::new();
        for place in self.runtime_path.iter().chain(&self.system_path) {
            if !places.contains(&&**place) {
                places.push(place);
            }
        }
        // A directory whose name has a colon cannot be on any PATH.
        std::env::join_paths(places.iter().filter(|it| !it.as_os_str().as_encoded_bytes().contains(&b':')))
            .unwrap_or_default()
    }

    /// The PATH that the jobs get, first to last.
    #[must_use]
    pub fn jobs_path(&self) -> Vec<PathBuf> {
        let system = ["/opt/homebrew/bin", "/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"];
        self.runtime_path.iter().cloned().chain(system.map(PathBuf::from)).collect()
    }

    /// This mirror's own part of a span of time, always the same: what keeps many mirrors apart.
    #[must_use]
    pub fn share_of(&self, span: Duration) -> Duration {
        let mut hasher = std::hash::DefaultHasher::new();
        (&self.state, rustix::system::uname().nodename().to_bytes()).hash(&mut hasher);
        let part = u32::try_from(hasher.finish() >> 32).unwrap_or(0);
        span.mul_f64(f64::from(part) / f64::from(u32::MAX))
    }

    /// A path as people read it: the home directory is `~`.
    #[must_use]
    pub fn tilde(&self, path: &Path) -> String {
        tilde(&self.home, path)
    }
}

fn tilde(home: &Path, path: &Path) -> String {
    match path.strip_prefix(home) {
        Ok(rest) if rest.as_os_str().is_empty() => "~".to_owned(),
        Ok(rest) => format!("~/{}", rest.display()),
        Err(_) => path.display().to_string(),
    }
}

impl Tool {
    /// Its name in unit ids.
    #[must_use]
    pub fn subject(&self) -> String {
        self.name.clone()
    }
}

impl Page {
    /// Its name in unit ids.
    #[must_use]
    pub fn subject(&self) -> String {
        match &self.service {
            Some(service) => format!("{}{}", service.name, self.path),
            None => self.path.clone(),
        }
    }
}

impl Mirror {
    /// The remote-tracking branch, as people write it: "origin/main".
    #[must_use]
    pub fn upstream_name(&self) -> String {
        format!("{}/{}", self.remote, self.upstream)
    }

    /// The remote-tracking ref: "refs/remotes/origin/main".
    #[must_use]
    pub fn tracking_ref(&self) -> String {
        format!("refs/remotes/{}/{}", self.remote, self.upstream)
    }

    /// The ref on the remote: "refs/heads/main".
    #[must_use]
    pub fn remote_ref(&self) -> String {
        format!("refs/heads/{}", self.upstream)
    }
}

impl Server {
    /// The address of a path on it.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.listen)
    }
}
