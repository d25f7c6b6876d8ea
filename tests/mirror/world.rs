//! A real mirror in a home of its own: remote, canonical repository, worktree; and what a person does to it.
#![expect(clippy::disallowed_methods, reason = "tests make the world that the product looks at")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use housecall::commands::sync::{Synced, run_once};
use housecall::config::{Config, Jobs, Manager, Mirror, Trust};
use housecall::probes::machine::Machine;
use housecall::probes::state::{LastSync, SyncStatus};
use support::Home;

/// The whole of it.
pub(crate) struct World {
    pub(crate) home: Home,
    pub(crate) config: Arc<Config>,
    pub(crate) machine: Arc<Machine>,
}

/// The configuration of a mirror in that home.
pub(crate) fn config(home: &Path) -> Config {
    let environment: BTreeMap<String, String> = [
        ("HOME", home.display().to_string()),
        ("LANG", "C.UTF-8".to_owned()),
        ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    Config {
        trust: Trust::Trusted,
        environment,
        runtime_path: vec![home.join("bin")],
        mirror: Some(Arc::new(Mirror {
            repository: home.join("dev/site"),
            remote: "origin".to_owned(),
            upstream: "main".to_owned(),
            worktree: home.join("ops/worktree"),
            branch: "localhost-sync".to_owned(),
            every: Duration::from_mins(1),
            install: Vec::new(),
            build: Vec::new(),
            carry: Vec::new(),
        })),
        jobs: Jobs { manager: Manager::Embedded, label: None, labels: BTreeMap::new() },
        ..Config::empty("site", home.join("housecall.toml"), home.to_owned(), home.join("ops"))
    }
}

impl World {
    /// A remote with one commit, a canonical repository that is its clone, no worktree yet.
    pub(crate) fn new() -> Self {
        Self::of(Home::new())
    }

    /// The same in that home.
    pub(crate) fn of(home: Home) -> Self {
        let remote = home.bare("remote.git");
        let author = home.at("author");
        home.git(home.path(), ["clone", "--quiet", &remote.display().to_string(), "author"]);
        home.write("author/index.html", "one\n");
        home.write("author/.gitignore", "node_modules/\n*.local\n");
        home.write("author/deep/page.html", "deep\n");
        home.commit(&author, "one");
        home.git(&author, ["push", "--quiet", "origin", "main"]);
        fs::create_dir_all(home.at("dev")).expect("a folder");
        home.git(&home.at("dev"), ["clone", "--quiet", &remote.display().to_string(), "site"]);
        let config = Arc::new(config(home.path()));
        Self { home, config, machine: Arc::new(Machine::default()) }
    }

    /// The same, synced once.
    pub(crate) fn synced() -> Self {
        let world = Self::new();
        assert_eq!(world.sync().status, SyncStatus::Updated);
        world
    }

    /// A remote and its clone of another shape, made with these options of `git init` and `git clone`.
    pub(crate) fn made_of(init: &[&str], clone: &[&str]) -> Self {
        let world = Self::new();
        let home = &world.home;
        for place in ["remote.git", "author", "dev/site"] {
            fs::remove_dir_all(home.at(place)).expect("removed");
        }
        let remote = home.at("remote.git").display().to_string();
        // An old git's clone of what is still empty would be of the usual format.
        for place in [&["--bare", "remote.git"][..], &["author"]] {
            home.git(home.path(), [&["init", "--quiet", "--initial-branch=main"], init, place].concat());
        }
        home.git(&home.at("author"), ["remote", "add", "origin", &remote]);
        for (file, content) in
            [("index.html", "one\n"), ("deep/page.html", "deep\n"), ("other/page.html", "other\n")]
        {
            home.write(format!("author/{file}"), content);
            home.commit(&home.at("author"), file);
        }
        home.git(&home.at("author"), ["push", "--quiet", "origin", "HEAD:main"]);
        home.git(&home.at("remote.git"), ["config", "uploadpack.allowFilter", "true"]);
        let url = format!("file://{remote}");
        home.git(&home.at("dev"), [&["clone", "--quiet"], clone, &[url.as_str(), "site"]].concat());
        world
    }

    /// Changes the mirror's part of the configuration.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Mirror)) -> Self {
        let mut config = (*self.config).clone();
        let mut mirror = (**config.mirror.as_ref().expect("a mirror")).clone();
        change(&mut mirror);
        config.mirror = Some(Arc::new(mirror));
        self.config = Arc::new(config);
        self
    }

    pub(crate) fn mirror(&self) -> &Mirror {
        self.config.mirror.as_deref().expect("a mirror")
    }

    pub(crate) fn worktree(&self) -> PathBuf {
        self.mirror().worktree.clone()
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.mirror().repository.clone()
    }

    /// Runs one sync, in whatever state it ends.
    pub(crate) fn run(&self) -> Synced {
        run_once(&self.config, &self.machine, &mut |_| ())
    }

    /// Runs one sync that must come to an end.
    #[track_caller]
    pub(crate) fn sync(&self) -> LastSync {
        match self.run() {
            Synced::Ended(last, _) => last,
            other => panic!("the sync does not end: {other:?}"),
        }
    }

    /// Runs one sync that must align the mirror with the remote, and nothing may differ afterwards.
    #[track_caller]
    pub(crate) fn heals(&self) -> LastSync {
        let last = self.sync();
        assert_eq!(last.status, SyncStatus::Updated, "{}", last.reason);
        self.assert_aligned();
        let again = self.sync();
        assert_eq!(again.status, SyncStatus::Noop, "a second sync has nothing to do: {}", again.reason);
        last
    }

    #[track_caller]
    pub(crate) fn assert_aligned(&self) {
        let worktree = self.worktree();
        assert_eq!(self.home.git(&worktree, ["rev-parse", "HEAD"]), self.upstream());
        assert_eq!(self.home.git(&worktree, ["symbolic-ref", "--short", "HEAD"]), "localhost-sync");
        assert_eq!(self.home.git(&worktree, ["status", "--porcelain"]), "");
        let text = fs::read_to_string(self.config.last_sync_file()).expect("the state for scripts");
        assert!(text.contains(&format!("LAST_SYNC_SHA=\"{}\"", self.upstream())), "{text}");
    }

    /// What the remote's branch is on.
    pub(crate) fn upstream(&self) -> String {
        self.home.git(&self.home.at("remote.git"), ["rev-parse", "main"])
    }

    /// Somebody pushes a change.
    pub(crate) fn push(&self, file: &str, content: &str) -> String {
        self.home.write(format!("author/{file}"), content);
        let author = self.home.at("author");
        let sha = self.home.commit(&author, "more");
        self.home.git(&author, ["push", "--quiet", "--force", "origin", "HEAD:main"]);
        sha
    }

    /// Writes a file in the worktree, as a person would.
    pub(crate) fn edit(&self, file: &str, content: &str) {
        let path = self.worktree().join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        fs::write(path, content).expect("the edit");
    }

    /// The refs of what was set aside.
    pub(crate) fn rescued(&self) -> Vec<String> {
        let refs = self
            .home
            .git(&self.repository(), ["for-each-ref", "--format=%(refname)", "refs/housecall/rescued"]);
        refs.lines().map(str::to_owned).collect()
    }

    /// A file as it was set aside in the only rescue.
    #[track_caller]
    pub(crate) fn rescued_file(&self, file: &str) -> String {
        let refs = self.rescued();
        assert_eq!(refs.len(), 1, "one rescue: {refs:?}");
        self.home.git(&self.repository(), ["show", &format!("{}:{file}", refs[0])])
    }

    /// Where git keeps what it knows of the worktree.
    pub(crate) fn administration(&self) -> PathBuf {
        self.repository().join(".git/worktrees/worktree")
    }

    /// All files of the canonical repository with their mode and content, but for what may change: the tracking ref,
    /// the mirror's branch, its administration, what was set aside, and objects.
    pub(crate) fn canonical(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        collect(&self.repository(), Path::new(""), &mut found);
        let may_change = |path: &Path| {
            [
                ".git/objects",
                ".git/worktrees/worktree",
                ".git/refs/housecall",
                ".git/refs/heads/localhost-sync",
                ".git/refs/remotes/origin/main",
                ".git/logs/refs/housecall",
                ".git/logs/refs/heads/localhost-sync",
                ".git/logs/refs/remotes/origin/main",
            ]
            .iter()
            .any(|allowed| path.starts_with(allowed))
        };
        found.retain(|path, _| !may_change(path));
        found
    }
}

fn collect(top: &Path, relative: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(top.join(relative)).expect("a folder") {
        let entry = entry.expect("an entry");
        let relative = relative.join(entry.file_name());
        if entry.file_type().expect("its type").is_dir() {
            collect(top, &relative, found);
        } else {
            let path = entry.path();
            let mode = entry.metadata().expect("its mode").permissions().mode();
            let content = match fs::read_link(&path) {
                Ok(target) => target.into_os_string().into_encoded_bytes(),
                Err(_) => fs::read(&path).unwrap_or_default(),
            };
            found.insert(relative, [format!("{mode:o} ").into_bytes(), content].concat());
        }
    }
}

/// Makes a file a minute old.
pub(crate) fn age(path: &Path) {
    let file = fs::File::options().write(true).open(path).expect("the file");
    file.set_modified(SystemTime::now() - Duration::from_mins(1)).expect("its time");
}

/// This test binary, as another process that runs one of its tests in that home.
pub(crate) fn child(home: &Path, test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this test"));
    command.args(["--exact", test, "--nocapture"]).env("HOUSECALL_TEST_HOME", home);
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    command
}

/// Every file beneath a folder.
pub(crate) fn walk(top: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(top).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() { found.extend(walk(&entry)) } else { found.push(entry) }
    }
    found
}
