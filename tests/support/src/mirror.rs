//! A whole world for a mirror: a remote, the canonical repository, a configuration.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::home::Home;
use crate::housecall::{Ran, Running};
use crate::launchd;
use crate::parts;
use crate::processes;
use crate::remotes::Remote;
use crate::report::Report;
use crate::servers::free_port;

/// The world of one mirror; its jobs end with it.
#[derive(Debug)]
pub struct Mirror {
    /// The home it lies in.
    pub home: Home,
    /// The bare repository that everybody follows.
    pub origin: PathBuf,
    /// The repository where a person works.
    pub repository: PathBuf,
    /// The configuration's file.
    pub config: PathBuf,
    /// Where the mirror is to answer.
    pub port: u16,
    remote: Option<Remote>,
}

impl Mirror {
    /// A static site whose remote is a folder.
    #[must_use]
    pub fn fixed() -> Self {
        Self::fixed_with("sha1")
    }

    /// The same, in repositories of that object format.
    #[must_use]
    pub fn fixed_with(format: &str) -> Self {
        let mut home = Home::new();
        home.set("GIT_DEFAULT_HASH", format);
        let origin = home.bare("remotes/site.git");
        let repository = home.at("dev/site");
        home.write("dev/site/public/index.html", "<h1>Essays</h1><p>The first text.</p>\n");
        Self::made(home, origin, repository, free_port(), "static = \"public\"\n", "")
    }

    /// The real astro site, with its remote over HTTP.
    #[must_use]
    pub fn astro() -> Self {
        let home = Home::new();
        let origin = home.bare("remotes/essays.git");
        let repository = home.at("dev/essays");
        fs::create_dir_all(&repository).expect("the repository's folder");
        let fixture = parts::root().join("tests/fixtures/astro-site/.");
        let copied = Command::new("cp").arg("-R").arg(fixture).arg(&repository).status();
        assert!(copied.is_ok_and(|it| it.success()), "the site is copied");
        let port = free_port();
        let serve = format!(
            "run = [\"node\", \"node_modules/.bin/astro\", \"dev\", \"--host\", \"127.0.0.1\", \"--port\", \"{port}\"]\n\
             env = {{ ASTRO_TELEMETRY_DISABLED = \"1\" }}\n"
        );
        let runtime = format!("[runtime]\npath = [\"{}\"]\n", parts::node(22).display());
        let mirror = Self::made(home, origin, repository, port, &serve, &runtime);
        mirror.over_http()
    }

    fn made(home: Home, origin: PathBuf, repository: PathBuf, port: u16, serve: &str, more: &str) -> Self {
        home.git(&repository, ["init", "--quiet", "--initial-branch=main"]);
        home.git(&repository, ["remote", "add", "origin", &origin.to_string_lossy()]);
        home.commit(&repository, "The first text");
        home.git(&repository, ["push", "--quiet", "--set-upstream", "origin", "main"]);
        let install = if repository.join("package-lock.json").exists() { "[\"npm\", \"ci\"]" } else { "[]" };
        let text = format!(
            "name = \"site\"\n\n{more}\n[mirror]\nrepository = \"{}\"\nupstream = \"origin/main\"\n\
             worktree = \"~/ops/worktree\"\nbranch = \"localhost-sync\"\nstate = \"~/ops/state\"\nevery = \"1h\"\n\
             install = {install}\n\n[serve]\n{serve}listen = \"127.0.0.1:{port}\"\n\
             ready = {{ path = \"/\", within = \"30s\" }}\n\n\
             [[page]]\npath = \"/\"\ncontains = [\"The first text\"]\n\n[jobs]\nmanager = \"embedded\"\n",
            repository.display(),
        );
        let config = home.write(".config/housecall/site.toml", text);
        Self { home, origin, repository, config, port, remote: None }
    }

    /// The same, with the binary where a user has it, and launchd's stand-in to keep the jobs.
    #[must_use]
    pub fn with_launchd(mut self) -> Self {
        let _ = self.home.install_binary();
        launchd::stand_in(&mut self.home, &[]);
        self.configure("manager = \"embedded\"", "manager = \"launchd\"");
        self
    }

    /// The same, with its remote over HTTP.
    #[must_use]
    pub fn over_http(mut self) -> Self {
        let remote = Remote::http(self.origin.parent().expect("the remotes' folder"));
        let name = self.origin.file_name().expect("its name").to_string_lossy().into_owned();
        self.home.git(&self.repository, ["remote", "set-url", "origin", &remote.http_url(&name)]);
        self.remote = Some(remote);
        self
    }

    /// The same, with its remote over ssh, reached by the repository's own `core.sshCommand`.
    #[must_use]
    pub fn over_ssh(mut self) -> Self {
        let remote = Remote::ssh();
        self.home.git(&self.repository, ["config", "core.sshCommand", &remote.ssh_command()]);
        self.home.git(&self.repository, ["remote", "set-url", "origin", &remote.ssh_url(&self.origin)]);
        self.remote = Some(remote);
        self
    }

    /// The mirror's worktree.
    #[must_use]
    pub fn worktree(&self) -> PathBuf {
        self.home.at("ops/worktree")
    }

    /// The mirror's state.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.home.at("ops/state")
    }

    /// Where the mirror is to answer.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// Changes a text of the configuration.
    ///
    /// # Panics
    /// Where it is not there.
    pub fn configure(&self, from: &str, to: &str) {
        let text = fs::read_to_string(&self.config).expect("the configuration");
        assert!(text.contains(from), "{from} is in {text}");
        fs::write(&self.config, text.replacen(from, to, 1)).expect("the configuration");
    }

    /// Runs the binary for this mirror.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.home.housecall(self.arguments(arguments))
    }

    /// Starts the binary for this mirror.
    #[must_use]
    pub fn start(&self, arguments: &[&str]) -> Running {
        self.home.start_in(self.home.path(), self.arguments(arguments))
    }

    /// Examines it.
    #[must_use]
    #[track_caller]
    pub fn examine(&self) -> Report {
        self.run(&["--json"]).report()
    }

    /// Mends what is safe; the report of the examination after it.
    #[must_use]
    #[track_caller]
    pub fn mend(&self) -> Report {
        let report = self.run(&["--fix", "--json"]).report();
        self.settle();
        report
    }

    /// Waits until the sync of its keeper or of its job is done: what a test does next is then the only thing that happens.
    ///
    /// # Panics
    /// Where it is not done within half a minute.
    pub fn settle(&self) {
        // A keeper names the verb first, a job its configuration.
        let is_sync =
            |command: &str| command.contains("housecall") && command.split(' ').any(|it| it == "sync");
        let at_work = || self.home.processes().iter().any(|it| is_sync(&it.command));
        let done = processes::eventually(Duration::from_secs(30), || !at_work());
        assert!(done, "a sync does not end: {:?}", self.home.processes());
    }

    /// Pushes a new text of the page to the remote, from another clone; the new SHA.
    pub fn publish(&self, file: &str, from: &str, to: &str) -> String {
        let clone = self.home.at("elsewhere");
        if !clone.exists() {
            let origin = self.origin.to_string_lossy().into_owned();
            self.home.git(self.home.path(), ["clone", "--quiet", &origin, "elsewhere"]);
        }
        self.home.git(&clone, ["pull", "--quiet"]);
        let path = clone.join(file);
        let text = fs::read_to_string(&path).expect("the page");
        assert!(text.contains(from), "{from} is in {text}");
        fs::write(&path, text.replace(from, to)).expect("the page");
        let sha = self.home.commit(&clone, "Another text");
        self.home.git(&clone, ["push", "--quiet"]);
        sha
    }

    /// What the page says now.
    #[must_use]
    pub fn page(&self, path: &str) -> String {
        let url = format!("http://{}{path}", self.address());
        let output = Command::new("curl").args(["-s", "-m", "10", &url]).output().expect("curl starts");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Who answers there, by other eyes than the product's.
    #[must_use]
    pub fn listener(&self) -> Option<u32> {
        processes::listening(self.port)
    }

    /// A clone of the site as it was, elsewhere in the home.
    #[must_use]
    pub fn stale_clone(&self, relative: &str) -> PathBuf {
        let origin = self.origin.to_string_lossy().into_owned();
        self.home.git(self.home.path(), ["clone", "--quiet", &origin, relative]);
        let url = self.home.git(&self.repository, ["remote", "get-url", "origin"]);
        self.home.git(&self.home.at(relative), ["remote", "set-url", "origin", &url]);
        self.home.at(relative)
    }

    fn arguments(&self, arguments: &[&str]) -> Vec<String> {
        let config = self.config.to_string_lossy().into_owned();
        let mut all = vec!["--config".to_owned(), config];
        all.extend(arguments.iter().map(ToString::to_string));
        all
    }
}
