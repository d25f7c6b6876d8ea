//! Package managers themselves, each with husky: recognised by its lockfile, never believed half way, and kept out of
//! the person's repository.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use housecall::commands::sync::run_once;
use housecall::probes::project;
use housecall::probes::state::SyncStatus::{Failed, Noop};
use support::parts::{self, Part, lacks};
use support::processes::{eventually, signal};

use super::oracle::Oracle;
use crate::world::{World, child, config};

/// One of them.
struct Manager {
    /// Its folder among the parts.
    part: &'static str,
    /// Whose lockfile it is.
    name: &'static str,
    /// What makes the lockfile.
    lock: &'static [&'static str],
    /// What the mirror runs.
    install: &'static [&'static str],
    /// When it runs a project's own script.
    script: &'static str,
    /// What it wants beside `package.json`.
    settings: &'static [(&'static str, &'static str)],
}

const ALL: [Manager; 5] = [
    Manager {
        part: "npm",
        name: "npm",
        lock: &["npm", "install", "--offline", "--no-audit", "--ignore-scripts"],
        install: &["npm", "ci", "--offline", "--no-audit"],
        script: "prepare",
        settings: &[],
    },
    Manager {
        part: "pnpm",
        name: "pnpm",
        lock: &["pnpm", "install", "--offline", "--ignore-scripts"],
        install: &["pnpm", "install", "--offline", "--frozen-lockfile"],
        script: "prepare",
        settings: &[],
    },
    Manager {
        part: "yarn-1",
        name: "yarn",
        lock: &["yarn", "install", "--offline", "--ignore-scripts"],
        install: &["yarn", "install", "--offline", "--frozen-lockfile"],
        script: "prepare",
        settings: &[],
    },
    Manager {
        part: "yarn-4",
        name: "yarn",
        lock: &["yarn", "install", "--mode=skip-build"],
        install: &["yarn", "install", "--immutable"],
        script: "postinstall",
        settings: &[(".yarnrc.yml", "nodeLinker: node-modules\nenableTelemetry: false\n")],
    },
    Manager {
        part: "bun",
        name: "bun",
        lock: &["bun", "install", "--ignore-scripts"],
        install: &["bun", "install", "--frozen-lockfile"],
        script: "prepare",
        settings: &[],
    },
];

/// husky as it is asked to, and once more as it is when nobody told it to be still.
const SCRIPT: &str = "#!/bin/sh\nset -e\n[ -e \"$HOME/slow\" ] && { touch \"$HOME/begun\"; sleep 600; }\n\
    [ -e \"$HOME/broken\" ] && { echo 'ERR a script of the project' >&2; exit 3; }\n\
    husky\nenv -u HUSKY husky\n";

impl Manager {
    fn of(part: &str) -> &'static Self {
        ALL.iter().find(|it| it.part == part).expect("it is one of them")
    }

    /// Where its program and node's are found.
    fn path(&self) -> [PathBuf; 2] {
        [parts::folder().join("managers").join(self.part).join("node_modules/.bin"), parts::node(22)]
    }

    /// The configuration of a mirror that installs by it.
    fn configure(&self, config: &mut housecall::config::Config) {
        config.runtime_path.splice(0..0, self.path());
        let mut mirror = (**config.mirror.as_ref().expect("a mirror")).clone();
        mirror.install = self.install.iter().map(ToString::to_string).collect();
        config.mirror = Some(Arc::new(mirror));
    }

    /// A mirror whose project it installs, with husky among its dependencies.
    fn world(&self) -> World {
        let mut world = World::new();
        let mut config = (*world.config).clone();
        self.configure(&mut config);
        world.config = Arc::new(config);
        let author = world.home.at("author");
        let husky = fs::read(parts::folder().join("managers/husky.tgz")).expect("husky");
        world.home.write("author/vendor/husky.tgz", husky);
        world.home.write("author/script.sh", SCRIPT);
        world.home.write("author/.gitignore", "node_modules/\n.yarn/\n.husky/_/\n");
        for (file, text) in self.settings {
            world.home.write(format!("author/{file}"), text);
        }
        self.project(&world, "one");
        world.home.git(&author, ["push", "--quiet", "origin", "HEAD:main"]);
        world
    }

    /// Somebody pushes that project, with its lockfile made by the manager itself.
    fn project(&self, world: &World, dependency: &str) {
        let script = self.script;
        let package = format!(
            "{{\"name\": \"site\", \"private\": true, \"scripts\": {{\"{script}\": \"sh script.sh\"}},\n \
             \"devDependencies\": {{\"husky\": \"file:vendor/husky.tgz\", \"{dependency}\": \"file:vendor/husky.tgz\"}}}}\n"
        );
        world.home.write("author/package.json", package);
        let path = world.home.environment().iter().find(|(name, _)| name == "PATH").expect("a PATH");
        let path = self.path().into_iter().chain(std::env::split_paths(&path.1));
        let path = std::env::join_paths(path).expect("a PATH");
        // The program itself is looked up there too.
        let mut command = world.home.command("env");
        command.args(self.lock).current_dir(world.home.at("author")).env("PATH", path);
        command.env("CI", "").env("YARN_ENABLE_IMMUTABLE_INSTALLS", "false");
        let made = command.output().expect("it starts");
        assert!(
            made.status.success(),
            "{}: {}",
            self.part,
            String::from_utf8_lossy(&[made.stdout, made.stderr].concat())
        );
        world.push("index.html", dependency);
    }
}

fn stamp(world: &World) -> bool {
    world.worktree().join("node_modules/.housecall.json").exists()
}

/// The whole life with one of them.
#[track_caller]
fn installs_with(part: &str) {
    if lacks(Part::Managers) || lacks(Part::Node(22)) {
        return;
    }
    let manager = Manager::of(part);
    let world = manager.world();
    let oracle = Oracle::of(&world);
    let last = oracle.heals(&world);
    assert!(last.reason.contains("config"), "husky's write is put back and told: {}", last.reason);
    assert!(world.worktree().join("node_modules/husky/package.json").exists());
    assert!(stamp(&world));
    let project = project::read(world.mirror()).expect("the project");
    assert_eq!(project.lockfile.map(|it| it.manager), Some(manager.name));
    assert_eq!(world.home.git(&world.repository(), ["config", "--default", "", "core.hooksPath"]), "");

    // What it was killed in the middle of is no install, and what fails is none either.
    manager.project(&world, "other");
    world.home.write("slow", "");
    let mut command = child(world.home.path(), "sync_faults::managers::one_sync_in_a_child");
    let mut sync = command.env("HOUSECALL_TEST_MANAGER", part).spawn().expect("a sync");
    assert!(eventually(Duration::from_mins(1), || world.home.at("begun").exists()), "the install begins");
    sync.kill().expect("it is killed");
    sync.wait().expect("it ended");
    assert!(!stamp(&world), "half a tree is taken for no install");
    for process in world.home.processes() {
        signal(process.pid, "KILL");
    }
    fs::remove_file(world.home.at("slow")).expect("the file");
    world.home.write("broken", "");
    let last = world.sync();
    assert_eq!(last.status, Failed, "{}", last.reason);
    assert!(!world.worktree().join("node_modules/other").exists() || !stamp(&world), "{}", last.reason);
    fs::remove_file(world.home.at("broken")).expect("the file");
    oracle.heals(&world);
    assert!(world.worktree().join("node_modules/other/package.json").exists());
    assert_eq!(world.sync().status, Noop);
}

/// Not a test of its own: what is killed.
#[test]
fn one_sync_in_a_child() {
    let Some(home) = std::env::var_os("HOUSECALL_TEST_HOME").map(PathBuf::from) else { return };
    let Ok(part) = std::env::var("HOUSECALL_TEST_MANAGER") else { return };
    let mut config = config(&home);
    Manager::of(&part).configure(&mut config);
    let _ = run_once(&config.into(), &Arc::default(), &mut |_| ());
}

#[test]
fn npm_with_husky() {
    installs_with("npm");
}

#[test]
fn pnpm_with_husky() {
    installs_with("pnpm");
}

#[test]
fn yarn_1_with_husky() {
    installs_with("yarn-1");
}

#[test]
fn yarn_4_with_husky() {
    installs_with("yarn-4");
}

#[test]
fn bun_with_husky() {
    installs_with("bun");
}
