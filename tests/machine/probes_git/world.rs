//! A real mirror in a home of its own: a bare remote, a repository cloned from it, a worktree.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use housecall::config::{Config, Mirror, Trust};
use housecall::probes::git::{self, Canonical, Checkout, Remote, Repository, Worktree};
use housecall::probes::machine::Machine;
use support::Home;

pub(crate) struct World {
    pub(crate) home: Home,
    pub(crate) machine: Machine,
    pub(crate) config: Config,
    pub(crate) mirror: Mirror,
    pub(crate) sha: String,
}

impl World {
    /// A healthy one.
    pub(crate) fn new() -> Self {
        Self::of(&[])
    }

    /// One whose repositories are made with these options of `git init`.
    pub(crate) fn of(format: &[&str]) -> Self {
        let mut world = Self::without_worktree(format);
        let repository = world.mirror.repository.clone();
        let worktree = world.mirror.worktree.clone();
        let arguments = ["worktree", "add", "--quiet", "-B", "localhost-sync"].map(Into::into);
        let arguments: Vec<PathBuf> = arguments.into_iter().chain([worktree, "origin/main".into()]).collect();
        world.home.git(&repository, arguments);
        world.config.mirror = Some(Arc::new(world.mirror.clone()));
        world
    }

    /// One in which the mirror was never made.
    pub(crate) fn without_worktree(format: &[&str]) -> Self {
        let home = Home::new();
        let remote = home.at("remote.git");
        std::fs::create_dir_all(&remote).expect("a part of the world");
        let init = ["init", "--quiet", "--initial-branch=main"];
        home.git(&remote, init.iter().chain(&["--bare"]).chain(format));
        home.write("dev/site/page.md", "one\n");
        let repository = home.at("dev/site");
        home.git(&repository, init.iter().chain(format));
        home.git(&repository, ["remote", "add", "origin", remote.to_str().expect("a part of the world")]);
        let sha = home.commit(&repository, "one");
        home.git(&repository, ["push", "--quiet", "origin", "main"]);
        home.git(&repository, ["fetch", "--quiet", "origin"]);
        let mirror = Mirror {
            repository,
            remote: "origin".to_owned(),
            upstream: "main".to_owned(),
            worktree: home.at("ops/worktree"),
            branch: "localhost-sync".to_owned(),
            every: Duration::from_mins(1),
            install: vec!["npm".to_owned(), "ci".to_owned()],
            build: Vec::new(),
            carry: vec![".env.local".into()],
        };
        let environment: BTreeMap<String, String> = home
            .environment()
            .iter()
            .map(|(name, value)| (name.clone(), value.to_string_lossy().into_owned()))
            .collect();
        let config = Config {
            trust: Trust::Trusted,
            environment,
            mirror: Some(Arc::new(mirror.clone())),
            ..Config::empty("site", home.at("housecall.toml"), home.path().to_owned(), home.at("ops"))
        };
        Self { home, machine: Machine::default(), config, mirror, sha }
    }

    pub(crate) fn canonical(&self) -> Canonical {
        git::canonical(&self.machine, &self.config, &self.mirror).expect("a part of the world")
    }

    pub(crate) fn repository(&self) -> Repository {
        match self.canonical() {
            Canonical::Present(repository) => repository,
            other => panic!("the repository is {other:?}"),
        }
    }

    pub(crate) fn worktree(&self) -> Worktree {
        git::worktree(&self.machine, &self.config, &self.mirror, &self.canonical())
            .expect("a part of the world")
    }

    pub(crate) fn checkout(&self) -> Checkout {
        match self.worktree() {
            Worktree::Present(checkout) => checkout,
            other => panic!("the worktree is {other:?}"),
        }
    }

    pub(crate) fn remote(&self) -> Result<Remote, housecall::error::ProbeError> {
        git::remote(&self.machine, &self.config, &self.mirror, &self.canonical())
    }

    /// Another address for the remote.
    pub(crate) fn set_remote(&self, url: &str) {
        self.home.git(&self.mirror.repository, ["remote", "set-url", "origin", url]);
    }

    /// The administrative directory of the worktree.
    pub(crate) fn admin(&self) -> PathBuf {
        self.mirror.repository.join(".git/worktrees/worktree")
    }
}
