//! The world of a campaign: a remote, a repository full of what a person has there, a mirror with all that it can have.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use support::housecall::binary;
use support::processes::Kept;
use support::{Mirror, Ran};

use crate::chance::Chance;
use crate::oracle::Written;
use crate::programs;
use crate::submodules::Parts;

/// One mirror, what a person wrote there, and the draws of its life.
pub(crate) struct World {
    pub(crate) mirror: Mirror,
    pub(crate) chance: Chance,
    pub(crate) written: Vec<Written>,
    /// How much of it is of rounds before this one.
    pub(crate) known: usize,
    pub(crate) serial: u64,
    /// Its submodules, in every second world.
    pub(crate) parts: Option<Parts>,
}

impl World {
    /// Everything but the mirror itself, which the first cycle makes; those of an odd seed have submodules.
    pub(crate) fn new(chance: Chance) -> Self {
        let has_parts = chance.is_odd();
        Self::made(chance, has_parts)
    }

    /// One with submodules.
    pub(crate) fn with_parts(chance: Chance) -> Self {
        Self::made(chance, true)
    }

    fn made(mut chance: Chance, has_parts: bool) -> Self {
        let mirror = Mirror::fixed();
        let home = &mirror.home;
        programs::write(home);
        mirror.configure("[mirror]", "[runtime]\npath = [\"~/bin\"]\n\n[mirror]");
        mirror.configure(
            "install = []",
            "install = [\"installer\"]\nbuild = [\"builder\"]\ncarry = [\".env.local\", \"private/keys.local\"]",
        );
        let repository = mirror.repository.clone();
        let git = |arguments: &[&str]| home.git(&repository, arguments);
        let filter = home.at("bin/filter").display().to_string();
        git(&["config", "filter.slow.smudge", &filter]);
        git(&["config", "filter.slow.clean", &filter]);
        git(&["config", "remote.origin.uploadpack", &home.at("bin/upload-pack").display().to_string()]);
        for file in 0..8 {
            home.write(format!("dev/site/slow/{file}.slow"), format!("slow {file}\n"));
            home.write(format!("dev/site/many/{file}.html"), format!("page {file}\n"));
        }
        home.write("dev/site/.gitattributes", "*.slow filter=slow\n");
        home.write("dev/site/.gitignore", "node_modules/\n*.local\ndist/\n");
        home.write("dev/site/package-lock.json", "{\"lockfileVersion\": 3, \"packages\": {}}\n");
        home.commit(&repository, "All that a site has");
        git(&["push", "--quiet", "origin", "main"]);
        git(&["clone", "--quiet", &mirror.origin.display().to_string(), "../../author"]);
        let parts = has_parts.then(|| Parts::add(home, &repository, &mut chance));
        // What a person has in their repository, none of it pushed.
        home.write("dev/site/public/index.html", "<h1>stashed</h1>\n");
        git(&["stash", "push", "--quiet", "--message", "for later"]);
        git(&["switch", "--quiet", "--create", "feature"]);
        home.write("dev/site/feature.html", "a feature\n");
        home.commit(&repository, "A feature");
        git(&["tag", "before"]);
        home.write("dev/site/many/0.html", "staged\n");
        git(&["add", "many/0.html"]);
        home.write("dev/site/many/1.html", "edited\n");
        home.write("dev/site/untracked note.txt", "a note\n");
        home.write("dev/site/.env.local", "KEY=1\n");
        home.write("dev/site/private/keys.local", "KEYS=1\n");
        home.program("dev/site/.git/hooks/pre-commit", "#!/bin/sh\nexit 0\n");
        Self { mirror, chance, written: Vec::new(), known: 0, serial: 0, parts }
    }

    /// Runs git in the mirror's worktree, as its person does.
    #[track_caller]
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        self.mirror.home.git(&self.mirror.worktree(), arguments)
    }

    /// The same, whether it succeeds or not.
    pub(crate) fn try_git(&self, arguments: &[&str]) {
        let mut command = self.mirror.home.command("git");
        command.args(arguments).current_dir(self.mirror.worktree());
        let _ = command.output().expect("git starts");
    }

    /// A text that nobody wrote before.
    pub(crate) fn text(&mut self) -> String {
        self.serial += 1;
        format!("{} of {:016x}\n", self.serial, self.chance.next())
    }

    /// Somebody pushes a change of a few files, one of them large.
    pub(crate) fn push(&mut self) {
        let author = self.mirror.home.at("author");
        let (text, slow) = (self.text(), self.text());
        let noise: Vec<u8> = (0..4096).flat_map(|_| self.chance.next().to_le_bytes()).collect();
        let home = &self.mirror.home;
        home.write("author/public/index.html", &text);
        home.write("author/public/noise.bin", &noise);
        for file in 0..4 {
            home.write(format!("author/slow/{file}.slow"), format!("{file} {slow}"));
            home.write(format!("author/many/{file}.html"), format!("{file} {text}"));
        }
        home.commit(&author, "More");
        home.git(&author, ["push", "--quiet", "--force", "origin", "HEAD:main"]);
    }

    /// What the remote's branch is on.
    pub(crate) fn upstream(&self) -> String {
        self.mirror.home.git(&self.mirror.origin, ["rev-parse", "main"])
    }

    /// Where git keeps what it knows of the mirror.
    pub(crate) fn administration(&self) -> PathBuf {
        self.mirror.repository.join(".git/worktrees/worktree")
    }

    /// A cycle of the real binary, as the sync job runs it.
    pub(crate) fn command(&self) -> Command {
        let home = &self.mirror.home;
        let mut command = home.command(binary());
        command.arg("--config").arg(&self.mirror.config).arg("sync").stdin(Stdio::null());
        self.lead_output(&mut command);
        command
    }

    /// Has what a command says written to two files of the home.
    pub(crate) fn lead_output(&self, command: &mut Command) {
        command.stdout(self.output("stdout")).stderr(self.output("stderr"));
    }

    /// A file for what a command says.
    pub(crate) fn output(&self, name: &str) -> File {
        File::create(self.mirror.home.at(name)).expect("a file for the output")
    }

    /// Starts a cycle.
    pub(crate) fn start(&self) -> Kept {
        Kept::start(&mut self.command())
    }

    /// Runs a cycle to its end.
    pub(crate) fn sync(&self) -> Ran {
        self.mirror.run(&["sync"])
    }

    /// All files of the person's repository: content and mode, but for what a sync may move.
    ///
    /// That is the tracking ref, the mirror's branch, its administration, what was set aside; and objects grow.
    pub(crate) fn canonical(&self) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
        let may_change = [
            ".git/objects",
            ".git/worktrees",
            ".git/refs/housecall",
            ".git/refs/heads/localhost-sync",
            ".git/refs/remotes/origin/main",
            ".git/refs/remotes/origin/main.lock",
            ".git/logs/refs/heads/localhost-sync",
            ".git/logs/refs/remotes/origin/main",
        ];
        let mut found = BTreeMap::new();
        for path in walk(&self.mirror.repository) {
            let name = path.strip_prefix(&self.mirror.repository).expect("inside").to_owned();
            if !may_change.iter().any(|it| name.starts_with(it)) {
                let mode = fs::symlink_metadata(&path).expect("a file").permissions().mode();
                found.insert(name, (mode, fs::read(&path).unwrap_or_default()));
            }
        }
        found
    }

    /// Lets a minute pass for what a killed cycle left, so that nobody has to wait for it.
    pub(crate) fn a_minute_passes(&self) {
        // Those that have a step of their own wait for their age.
        let waits = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default();
            ["index.lock", "HEAD.lock", "main.lock", "localhost-sync.lock", "packed-refs.lock"]
                .iter()
                .any(|it| name == *it)
        };
        let locks = walk(&self.mirror.repository.join(".git")).into_iter().filter(waits);
        locks.chain(walk(&self.mirror.state())).for_each(|path| age(&path));
    }
}

/// Makes a file a minute old; one that is gone by now is as good.
pub(crate) fn age(path: &Path) {
    if let Ok(file) = File::options().write(true).open(path) {
        let _ = file.set_modified(SystemTime::now() - Duration::from_mins(1));
    }
}

/// Every file beneath a folder, links as such; nothing where it is not there.
pub(crate) fn walk(top: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![top.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => pending.push(entry.path()),
                Ok(_) => found.push(entry.path()),
                Err(_) => {}
            }
        }
    }
    found.sort();
    found
}
