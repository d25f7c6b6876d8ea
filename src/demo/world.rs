//! The throwaway mirror: a remote, the repository of a developer, a home of its own.
#![expect(clippy::disallowed_methods, reason = "the demo makes and breaks a world of its own")]

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::ending::Ending;
use super::{DemoError, Keep};
use crate::config::{Config, Options, Surroundings};
use crate::git;
use crate::probes::keeper::{self, Keeper};
use crate::probes::machine::Machine;
use crate::probes::{clock, program, state};

/// How long a server of the demo may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the mirror must show.
const PAGE: &str = "<!doctype html><title>The corner shop</title><h1>Opening hours</h1>";

/// The world, gone when it is dropped.
#[derive(Debug)]
pub(super) struct World {
    /// The mirror.
    pub(super) config: Arc<Config>,
    /// The real machine.
    pub(super) machine: Arc<Machine>,
    root: PathBuf,
    keep: Keep,
    ending: Ending,
}

impl World {
    /// Makes a remote with two commits, a repository that follows it, and a configuration for its mirror.
    pub(super) fn build(keep: Keep) -> Result<Self, DemoError> {
        let made = tempfile::Builder::new().prefix("housecall-demo-").tempdir();
        let directory = made.map_err(|error| DemoError::failed("make a temporary directory", &error))?;
        let root = directory.path().canonicalize();
        let root = root.map_err(|error| DemoError::failed("find the temporary directory", &error))?;
        // From here on the files are the ending's to remove, also when a signal comes.
        let ending = Ending::new(TempDir::keep(directory), root.clone(), keep)?;
        let home = root.join("home");
        write(
            &home.join(".gitconfig"),
            "[user]\n\tname = Ada\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n",
        )?;
        let config = configuration(&home)?;
        let world =
            Self { config: Arc::new(config), machine: Arc::new(Machine::default()), root, keep, ending };
        let (remote, repository) = (world.root.join("remote/site.git"), world.repository());
        make(&remote)?;
        world.git(&remote, &["init", "--quiet", "--bare", "--initial-branch=main"])?;
        make(&home.join("dev"))?;
        world.git(&home.join("dev"), &["clone", "--quiet", &remote.to_string_lossy(), "site"])?;
        write(&repository.join(".gitignore"), ".env.local\n")?;
        write(&repository.join(".env.local"), "SHOP_KEY=for-your-eyes-only\n")?;
        world.publish("Open the shop", "the first edition")?;
        world.publish("Second edition", "the second edition")?;
        Ok(world)
    }

    /// Everything is beneath this directory.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The directory, if it stays.
    pub(super) fn kept(&self) -> Option<PathBuf> {
        (self.keep == Keep::Files).then(|| self.root.clone())
    }

    /// A file or directory of the mirror's worktree.
    pub(super) fn in_worktree(&self, name: &str) -> PathBuf {
        self.config.home.join("ops/site/worktree").join(name)
    }

    /// Where the developer works.
    pub(super) fn repository(&self) -> PathBuf {
        self.config.home.join("dev/site")
    }

    /// Runs git, as the product does.
    pub(super) fn git(&self, directory: &Path, arguments: &[&str]) -> Result<String, DemoError> {
        let output = program::run(&git::writing_command(&self.config, directory, arguments))?;
        if output.succeeded() {
            return Ok(git::said(&output));
        }
        Err(DemoError::failed(format!("run git {}", arguments.join(" ")), &git::complaint(&output)))
    }

    /// The developer commits a new edition and pushes it.
    pub(super) fn publish(&self, message: &str, edition: &str) -> Result<(), DemoError> {
        let repository = self.repository();
        write(&repository.join("public/index.html"), &format!("{PAGE}<p>{edition}</p>\n"))?;
        self.git(&repository, &["add", "--all"])?;
        self.git(&repository, &["commit", "--quiet", "--message", message])?;
        self.git(&repository, &["push", "--quiet", "origin", "HEAD:main"])?;
        Ok(())
    }

    /// Runs this program as a user of the throwaway home, to its end.
    pub(super) fn housecall(&self, arguments: &[&str]) -> Result<(), DemoError> {
        let mut child = self.start(&self.config.file, arguments)?;
        let status = child.wait().map_err(|error| DemoError::failed("wait for housecall", &error))?;
        if status.success() {
            return Ok(());
        }
        Err(DemoError::failed(format!("run housecall {}", arguments.join(" ")), &status))
    }

    /// The mirror of an old clone of the same project, one edition behind, that serves this mirror's address.
    pub(super) fn serve_from_old_clone(&self) -> Result<(), DemoError> {
        let old = self.config.home.join("old");
        make(&old)?;
        let remote = self.root.join("remote/site.git");
        self.git(&old, &["clone", "--quiet", &remote.to_string_lossy(), "site"])?;
        let add = ["worktree", "add", "--quiet", "-b", "localhost-sync", "../site-localhost", "HEAD~1"];
        self.git(&old.join("site"), &add)?;
        let text = text_of(self.listen()?, &old, ["site", "site-localhost", "state"]);
        let file = self.config.home.join(".config/housecall/old.toml");
        write(&file, &text)?;
        self.start(&file, &["serve"])?;
        let (start, listen) = (clock::instant(), self.listen()?);
        while TcpStream::connect(listen).is_err() {
            if start.elapsed() > PATIENCE {
                return Err(DemoError::failed("wait for the old clone's server", &"it does not answer"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Waits until a keeper that has just begun has made its first sync, which would mend what is broken meanwhile.
    pub(super) fn settle(&self) -> Result<(), DemoError> {
        let start = clock::instant();
        while start.elapsed() < PATIENCE {
            let state = state::read(&self.config)?;
            let synced = |since| state.last_sync.as_ref().is_some_and(|last| last.at >= since);
            match keeper::read(&self.config)? {
                Keeper::Running(running) if !synced(running.since) || state.holder.is_some() => {}
                _ => return Ok(()),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(DemoError::failed("wait for the keeper's first sync", &"it does not come"))
    }

    /// Ends every process of this world, and waits until they are gone.
    pub(super) fn kill_all(&self) {
        self.ending.end_processes();
    }

    fn listen(&self) -> Result<SocketAddr, DemoError> {
        let server = self.config.server.as_ref();
        server
            .map(|server| server.listen)
            .ok_or_else(|| DemoError::failed("find the server", &"there is none"))
    }

    fn start(&self, file: &Path, arguments: &[&str]) -> Result<std::process::Child, DemoError> {
        let program = std::env::current_exe().map_err(|error| DemoError::failed("find housecall", &error))?;
        let log = fs::File::options().append(true).create(true).open(self.root.join("log"));
        let log = log.map_err(|error| DemoError::failed("write the demo's log", &error))?;
        let copy = log.try_clone().map_err(|error| DemoError::failed("write the demo's log", &error))?;
        let path = std::env::join_paths(self.config.jobs_path());
        Command::new(program)
            .args(["--config".as_ref(), file.as_os_str()])
            .args(arguments)
            .env_clear()
            .envs(&self.config.environment)
            .env("PATH", path.unwrap_or_default())
            .current_dir(&self.config.home)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(copy)
            .spawn()
            .map_err(|error| DemoError::failed(format!("start housecall {}", arguments.join(" ")), &error))
    }
}

/// The configuration as it would be read for a user with that home, and nothing of the real one.
fn configuration(home: &Path) -> Result<Config, DemoError> {
    let real =
        Surroundings::of_process(None).map_err(|error| DemoError::failed("read the environment", &error))?;
    let kept = ["LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "PATH"];
    let environment: BTreeMap<String, String> =
        real.environment.into_iter().filter(|(name, _)| kept.contains(&name.as_str())).collect();
    let surroundings = Surroundings {
        home: home.to_owned(),
        directory: home.to_owned(),
        environment,
        odd: [].into(),
        uid: real.uid,
    };
    let file = surroundings.config_home().join("site.toml");
    write(&file, &text_of(free_address()?, home, ["dev/site", "ops/site/worktree", "ops/site"]))?;
    let options = Options { file: Some(file), ..Options::default() };
    Config::load(&options, &surroundings)
        .map_err(|error| DemoError::failed("read the demo's configuration", &error))
}

/// Its paths are absolute: whoever reads it with another home still means this world.
fn text_of(listen: SocketAddr, beneath: &Path, paths: [&str; 3]) -> String {
    let path = |name: &str| toml::Value::from(beneath.join(name).display().to_string());
    let [repository, worktree, state] = paths.map(path);
    format!(
        r#"name = "shop"

[mirror]
repository = {repository}
upstream = "origin/main"
worktree = {worktree}
branch = "localhost-sync"
state = {state}
every = "1h"
carry = [".env.local"]

[serve]
static = "public"
listen = "{listen}"
ready = {{ path = "/", within = "20s" }}

[[page]]
path = "/"
contains = ["Opening hours"]
"#
    )
}

/// An address that nobody uses now.
fn free_address() -> Result<SocketAddr, DemoError> {
    let bound = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    bound.map_err(|error| DemoError::failed("find a free port", &error))
}

/// Writes a file, and the directories above it.
pub(super) fn write(path: &Path, text: &str) -> Result<(), DemoError> {
    if let Some(parent) = path.parent() {
        make(parent)?;
    }
    fs::write(path, text).map_err(|error| DemoError::failed(format!("write {}", path.display()), &error))
}

fn make(path: &Path) -> Result<(), DemoError> {
    fs::create_dir_all(path).map_err(|error| DemoError::failed(format!("make {}", path.display()), &error))
}
