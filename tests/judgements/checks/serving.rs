//! The world of the checks of a server: who listens, and what may be asked about them.

use std::path::{Path, PathBuf};

use housecall::check::Check;
use housecall::config::Config;
use housecall::cx::Probes;
use housecall::probes::built::{Built, Moved};
use housecall::probes::deps::{Installed, Stamp};
use housecall::probes::git::{Checkout, Worktree};
use housecall::probes::keeper::{Keeper, Kept, Running};
use housecall::probes::kin::Kin;
use housecall::probes::processes::Process;
use housecall::probes::project::Project;
use housecall::probes::sockets::Listener;
use housecall::probes::state::State;
use housecall::probes::{Keyed, Probe};
use jiff::Timestamp;

use super::worlds::{SERVER_PID, SHA, ago, config, cx_of, repository, verdict, worktree};

/// The world of these checks: who listens, and everything that may be asked about them.
pub(crate) struct World {
    pub(crate) config: Config,
    pub(crate) listeners: Vec<Listener>,
    pub(crate) processes: Vec<Process>,
    pub(crate) keeper: Keeper,
    pub(crate) installed: i64,
    pub(crate) moved: Option<Moved>,
    /// When git's log of the worktree's HEAD was written.
    pub(crate) head_moved: Option<Timestamp>,
    pub(crate) kins: Vec<(PathBuf, Kin)>,
}

impl World {
    /// Astro serves from the worktree, and nobody keeps it.
    pub(crate) fn usual() -> Self {
        let config = config();
        Self {
            config,
            listeners: vec![listens("127.0.0.1:4321", SERVER_PID)],
            processes: vec![
                process(SERVER_PID, ASTRO, &worktree()),
                process(std::process::id(), "test", Path::new("/")),
            ],
            keeper: Keeper::Absent,
            installed: 7_200,
            moved: None,
            head_moved: None,
            kins: Vec::new(),
        }
    }

    pub(crate) fn from(mut self, directory: &Path) -> Self {
        self.processes[0].directory = Some(directory.to_owned());
        self
    }

    pub(crate) fn running(mut self, command: &str) -> Self {
        self.processes[0] =
            process(SERVER_PID, command, self.processes[0].directory.clone().expect("one").as_path());
        self
    }

    pub(crate) fn says(self, check: &'static Check) -> String {
        let checkout = Checkout {
            top: worktree(),
            git_dir: repository().join(".git/worktrees/site"),
            common_dir: repository().join(".git"),
            branch: Some("localhost-sync".to_owned()),
            head: Some(SHA.to_owned()),
            moved: self.head_moved,
            operation: None,
            locks: Vec::new(),
            kept: Some("kept by housecall".to_owned()),
        };
        let stamp = Stamp {
            schema: 1,
            lockfile: String::new(),
            runtime: "22".to_owned(),
            at: ago(self.installed),
            command: Vec::new(),
        };
        let probes = Probes {
            listening: Probe::given(Ok(self.listeners)),
            processes: Keyed::given(
                self.processes.into_iter().map(|it| (it.pid, Ok(Some(it)))).chain([(1, Ok(None))]),
            ),
            keeper: Probe::given(Ok(self.keeper)),
            worktree: Probe::given(Ok(Worktree::Present(checkout))),
            state: Probe::given(Ok(State {
                built: Built { moved: self.moved, ..Built::default() },
                ..no_state()
            })),
            installed: Probe::given(Ok(Installed { tree: true, stamp: Some(stamp) })),
            project: Probe::given(Ok(Project {
                scripts: [("dev", "npm run -s it"), ("it", "X=1 astro dev"), ("preview", "astro preview")]
                    .map(|(name, line)| (name.to_owned(), line.to_owned()))
                    .into(),
                ..Project::default()
            })),
            kins: Keyed::given(self.kins.into_iter().map(|(path, kin)| (path, Ok(kin)))),
            versions: Keyed::given([
                (PathBuf::from("/opt/node22/bin/node"), Ok("22.23.3".to_owned())),
                (PathBuf::from("/opt/node20/bin/node"), Ok("20.1.0".to_owned())),
            ]),
            ..Probes::default()
        };
        verdict(check, &cx_of(self.config, probes))
    }
}

pub(crate) const ASTRO: &str =
    "/opt/node22/bin/node /home/ada/ops/site/worktree/node_modules/.bin/astro dev --port 4321";

pub(crate) fn no_state() -> State {
    State {
        last_sync: None,
        last_sync_age: None,
        built: Built::default(),
        stopped: None,
        holder: None,
        bad: Vec::new(),
    }
}

pub(crate) fn listens(address: &str, pid: u32) -> Listener {
    Listener { address: address.parse().expect("an address"), pids: vec![pid], uid: Some(501) }
}

pub(crate) fn process(pid: u32, command: &str, directory: &Path) -> Process {
    let argv: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
    Process {
        pid,
        parent: Some(1),
        uid: Some(501),
        executable: argv.first().map(PathBuf::from),
        name: None,
        argv,
        directory: Some(directory.to_owned()),
        started: ago(3_600),
        identity: u64::from(pid),
    }
}

pub(crate) fn keeper(server: Kept) -> Keeper {
    Keeper::Running(Running {
        schema: 1,
        pid: 77,
        identity: 77,
        since: ago(4_000),
        server,
        keeps: None,
        unfollowed: None,
    })
}

pub(crate) fn started(seconds: i64) -> Kept {
    Kept::Started { pid: SERVER_PID, identity: u64::from(SERVER_PID), at: ago(seconds), answered: None }
}

#[track_caller]
pub(crate) fn tells(said: &str, start: &str, facts: &[&str]) {
    assert!(said.starts_with(start), "{said}");
    for fact in facts {
        assert!(said.contains(fact), "{fact} in {said}");
    }
}
