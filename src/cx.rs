//! All that a look may read: the configuration, and probes that remember their answers.

mod declared;
mod jobs;
mod network;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use crate::config::Config;
use crate::error::ProbeError;
use crate::probes::{self, Answer, Keyed, Probe, machine::Machine};
use crate::probes::{
    deps, files, git, ground, http, installation, keeper, kin, logs, processes, project, sockets, state,
    tools,
};
use crate::services::Observed;

/// One consistent view of the world, made for one examination and shared by all its looks.
#[derive(Debug)]
pub struct Cx {
    config: Arc<Config>,
    now: Timestamp,
    probes: Probes,
    declared: declared::Facts,
    machine: Source,
}

/// Every fact that a look may ask for, each read once.
///
/// A test gives the world as values: `Probes { worktree: Probe::given(Ok(…)), ..Probes::default() }`.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "each is the answer of the probe of its name")]
pub struct Probes {
    pub canonical: Probe<git::Canonical>,
    pub worktree: Probe<git::Worktree>,
    pub ground: Probe<ground::Ground>,
    pub changes: Probe<git::Changes>,
    pub distance: Probe<git::Distance>,
    pub remote: Probe<git::Remote>,
    pub project: Probe<project::Project>,
    pub installed: Probe<deps::Installed>,
    pub carried: Probe<Vec<files::Carried>>,
    pub repeated: Probe<Vec<git::Repeated>>,
    pub state: Probe<state::State>,
    pub keeper: Probe<keeper::Keeper>,
    pub installation: Probe<Option<installation::Installation>>,
    pub serve_job: Probe<Option<installation::ServeJob>>,
    pub listening: Probe<Vec<sockets::Listener>>,
    pub tools: Keyed<String, Option<tools::FoundTool>>,
    pub versions: Keyed<PathBuf, String>,
    pub installers: Probe<Vec<&'static str>>,
    pub processes: Keyed<u32, Option<processes::Process>>,
    pub kins: Keyed<PathBuf, kin::Kin>,
    pub pages: Keyed<String, http::Answer>,
    pub logs: Keyed<&'static str, logs::Log>,
    pub jobs: Keyed<String, probes::jobs::Keeping>,
    pub observed: Keyed<String, Observed>,
    pub job_files: Keyed<String, Vec<probes::jobs::DefinitionFile>>,
    pub named: Keyed<PathBuf, probes::jobs::Named>,
    pub job_logs: Keyed<PathBuf, logs::Log>,
    pub healths: Keyed<String, String>,
    pub sockets: Probe<sockets::table::Table>,
    pub holders: Probe<sockets::table::Holders>,
}

/// Where a fact comes from that nobody has asked for yet.
#[derive(Debug)]
enum Source {
    Real(Arc<Machine>),
    Test,
}

impl Cx {
    /// A look at the real machine.
    #[must_use]
    pub fn new(config: Arc<Config>, machine: Arc<Machine>) -> Self {
        let source = Source::Real(machine);
        Self {
            config,
            now: probes::clock::now(),
            probes: Probes::default(),
            declared: declared::Facts::default(),
            machine: source,
        }
    }

    /// The same, where these facts are known already.
    #[must_use]
    pub fn knowing(self, probes: Probes) -> Self {
        Self { probes, ..self }
    }

    /// A look at a world that a test made of values; what it did not give cannot be looked at.
    #[must_use]
    pub fn given(config: Arc<Config>, now: Timestamp, probes: Probes) -> Self {
        Self { config, now, probes, declared: declared::Facts::default(), machine: Source::Test }
    }

    /// A fresh look that keeps one answer: what the remote said. For the rounds of one mend.
    #[must_use]
    pub fn again(&self) -> Self {
        let machine = match &self.machine {
            Source::Real(machine) => Source::Real(Arc::clone(machine)),
            Source::Test => Source::Test,
        };
        let probes = Probes { remote: self.probes.remote.kept(), ..Probes::default() };
        Self {
            config: Arc::clone(&self.config),
            now: probes::clock::now(),
            probes,
            declared: declared::Facts::default(),
            machine,
        }
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The time of this look.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// How long ago something was, at the time of this look; zero for what is yet to come.
    #[must_use]
    pub fn since(&self, then: Timestamp) -> std::time::Duration {
        self.now.duration_since(then).try_into().unwrap_or_default()
    }

    /// The machine, for a plan that asks a service manager; `None` in a world that a test made of values.
    #[must_use]
    pub fn real_machine(&self) -> Option<&Machine> {
        match &self.machine {
            Source::Real(machine) => Some(machine),
            Source::Test => None,
        }
    }

    /// The machine, for a look that asks it for more than the facts above.
    pub(crate) fn machine(&self, fact: &'static str) -> Result<&Machine, ProbeError> {
        match &self.machine {
            Source::Real(machine) => Ok(machine),
            Source::Test => Err(ProbeError::NotGiven(fact)),
        }
    }

    fn mirror(&self) -> Result<&crate::config::Mirror, ProbeError> {
        let absent = || ProbeError::failed("look at the mirror", &"no [mirror] is configured");
        self.config.mirror.as_deref().ok_or_else(absent)
    }

    /// The canonical repository.
    ///
    /// # Errors
    /// See [`git::canonical`].
    pub fn canonical(&self) -> Answer<git::Canonical> {
        self.probes.canonical.get(|| git::canonical(self.machine("canonical")?, &self.config, self.mirror()?))
    }

    /// The mirror's worktree.
    ///
    /// # Errors
    /// See [`git::worktree`].
    pub fn worktree(&self) -> Answer<git::Worktree> {
        self.probes.worktree.get(|| {
            let machine = self.machine("worktree")?;
            git::worktree(machine, &self.config, self.mirror()?, &*self.canonical()?)
        })
    }

    /// The mirror's own worktree, for looks that rest on its being there.
    ///
    /// # Errors
    /// See [`git::worktree`]; also where it is not the mirror's own.
    pub fn checkout(&self) -> Answer<git::Checkout> {
        match &*self.worktree()? {
            git::Worktree::Present(checkout) => Ok(Arc::new(checkout.clone())),
            _ => Err(ProbeError::failed("look into the worktree", &"it is not there")),
        }
    }

    /// How its files differ from HEAD.
    ///
    /// # Errors
    /// See [`git::changes`].
    pub fn changes(&self) -> Answer<git::Changes> {
        self.probes.changes.get(|| git::changes(self.machine("changes")?, &self.config, &*self.checkout()?))
    }

    /// Where the worktree lies.
    ///
    /// # Errors
    /// See [`ground::read`].
    pub fn ground(&self) -> Answer<ground::Ground> {
        self.probes.ground.get(|| ground::read(self.machine("ground")?, &self.config, self.mirror()?))
    }

    /// How far HEAD and the remote-tracking branch are apart.
    ///
    /// # Errors
    /// See [`git::distance`]; also where there is no repository.
    pub fn distance(&self) -> Answer<git::Distance> {
        self.probes.distance.get(|| match &*self.canonical()? {
            git::Canonical::Present(repository) => {
                git::distance(self.machine("distance")?, &self.config, repository, &*self.checkout()?)
            }
            _ => Err(ProbeError::failed("count commits", &"the repository is not there")),
        })
    }

    /// What the remote says.
    ///
    /// # Errors
    /// See [`git::remote`].
    pub fn remote(&self) -> Answer<git::Remote> {
        self.probes.remote.get(|| {
            let machine = self.machine("remote")?;
            git::remote(machine, &self.config, self.mirror()?, &*self.canonical()?)
        })
    }

    /// What the worktree's own files ask for.
    ///
    /// # Errors
    /// See [`project::read`].
    pub fn project(&self) -> Answer<project::Project> {
        self.probes.project.get(|| {
            self.machine("project")?;
            project::read(self.mirror()?)
        })
    }

    /// What is installed.
    ///
    /// # Errors
    /// See [`deps::read`].
    pub fn installed(&self) -> Answer<deps::Installed> {
        self.probes.installed.get(|| {
            self.machine("installed")?;
            deps::read(self.mirror()?)
        })
    }

    /// The carried files.
    ///
    /// # Errors
    /// See [`files::carried`].
    pub fn carried(&self) -> Answer<Vec<files::Carried>> {
        self.probes.carried.get(|| files::carried(self.machine("carried")?, &self.config, self.mirror()?))
    }

    /// What was set aside lately, and how often.
    ///
    /// # Errors
    /// See [`git::repeated`].
    pub fn repeated(&self) -> Answer<Vec<git::Repeated>> {
        self.probes.repeated.get(|| {
            self.machine("repeated")?;
            git::repeated(&self.config, self.mirror()?)
        })
    }

    /// What earlier runs wrote down.
    ///
    /// # Errors
    /// See [`state::read`].
    pub fn state(&self) -> Answer<state::State> {
        self.probes.state.get(|| {
            self.machine("state")?;
            state::read(&self.config)
        })
    }

    /// The embedded manager's keeper.
    ///
    /// # Errors
    /// See [`keeper::read`].
    pub fn keeper(&self) -> Answer<keeper::Keeper> {
        self.probes.keeper.get(|| {
            self.machine("keeper")?;
            keeper::read(&self.config)
        })
    }

    /// What `install` installed; in a world that a test made of values, nothing unless it says so.
    ///
    /// # Errors
    /// See [`installation::read`].
    pub fn installation(&self) -> Answer<Option<installation::Installation>> {
        self.probes.installation.get(|| match &self.machine {
            Source::Real(_) => installation::read(&self.config),
            Source::Test => Ok(None),
        })
    }

    /// The installed job that serves, as its manager knows it; `None`: the embedded keeper serves.
    ///
    /// # Errors
    /// See [`installation::serve_job`].
    pub fn serve_job(&self) -> Answer<Option<installation::ServeJob>> {
        self.probes.serve_job.get(|| match (&*self.installation()?, &self.machine) {
            (Some(installation), Source::Real(machine)) => {
                installation::serve_job(machine, &self.config, installation)
            }
            _ => Ok(None),
        })
    }

    /// Everyone who listens.
    ///
    /// # Errors
    /// See [`sockets::listening`].
    pub fn listening(&self) -> Answer<Vec<sockets::Listener>> {
        self.probes.listening.get(|| {
            self.machine("listening")?;
            sockets::listening()
        })
    }

    /// The program of that name, as the jobs will find it.
    ///
    /// # Errors
    /// See [`tools::find`].
    pub fn tool(&self, name: &str) -> Answer<Option<tools::FoundTool>> {
        self.probes.tools.get(name.to_owned(), || tools::find(self.machine("tools")?, &self.config, name))
    }

    /// The version of the program at that path.
    ///
    /// # Errors
    /// See [`tools::version_of`].
    pub fn version_of(&self, program: &Path) -> Answer<String> {
        self.probes
            .versions
            .get(program.to_owned(), || tools::version_of(self.machine("versions")?, &self.config, program))
    }

    /// The installers of runtimes that are here, best first.
    ///
    /// # Errors
    /// None on a real machine.
    pub fn installers(&self) -> Answer<Vec<&'static str>> {
        self.probes.installers.get(|| Ok(tools::installers(self.machine("installers")?, &self.config)))
    }

    /// One process.
    ///
    /// # Errors
    /// See [`processes::read`].
    pub fn process(&self, pid: u32) -> Answer<Option<processes::Process>> {
        self.probes.processes.get(pid, || {
            self.machine("processes")?;
            processes::read(pid)
        })
    }

    /// What a directory is to the mirror's project.
    ///
    /// # Errors
    /// See [`kin::of`].
    pub fn kin(&self, directory: &Path) -> Answer<kin::Kin> {
        self.probes.kins.get(directory.to_owned(), || {
            self.machine("kins")?;
            kin::of(&self.config, self.mirror()?, &*self.canonical()?, directory)
        })
    }

    /// What an address answers.
    ///
    /// # Errors
    /// See [`http::get`].
    pub fn page(&self, url: &str) -> Answer<http::Answer> {
        self.probes.pages.get(url.to_owned(), || {
            self.machine("pages")?;
            http::get(url, self.config.limits.timeout)
        })
    }

    /// The log of a role.
    ///
    /// # Errors
    /// See [`logs::read`].
    pub fn log(&self, role: &'static str) -> Answer<logs::Log> {
        self.probes.logs.get(role, || {
            self.machine("logs")?;
            logs::read(&self.config, role)
        })
    }
}
