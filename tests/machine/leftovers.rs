//! The sweep of the test support: the next run ends the processes and removes the folders of an interrupted one.
#![expect(
    clippy::disallowed_methods,
    reason = "a test makes a run, interrupts it, and looks at what is left"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use support::processes::{Kept, eventually, read, signal};
use support::{Folder, Home};

const SOON: Duration = support::processes::HANG;
const CHILD: &str = "HOUSECALL_TEST_CHILD";

/// Not a test of its own: a run that leaves processes and folders, and lists them in a file; or one that ends at once.
#[test]
fn a_run_in_a_child() {
    let Some(list) = std::env::var_os(CHILD) else { return };
    let home = Home::new();
    if list.is_empty() {
        return;
    }
    let memory = Home::in_memory(0);
    let lines = "setsid sleep 300 >/dev/null 2>&1 & echo $! >daemon";
    let status = home.command("sh").args(["-c", lines]).current_dir(home.path()).status();
    assert!(status.is_ok_and(|it| it.success()), "the daemon starts");
    let daemon = fs::read_to_string(home.at("daemon")).expect("its pid");
    // Like sshd, whose environment does not name the run.
    let mute = Kept::start(Command::new("sleep").arg("300").env_clear());
    let facts = format!(
        "home {}\nmemory {}\nrun {}\ndaemon {daemon}mute {}\nself {}\n",
        home.path().display(),
        memory.path().display(),
        home.path().parent().expect("its run").display(),
        mute.pid(),
        std::process::id()
    );
    fs::write(home.at("facts"), facts).expect("the facts");
    fs::rename(home.at("facts"), list).expect("the facts");
    std::thread::sleep(Duration::from_mins(5));
}

/// Runs with a temporary directory of their own, which no run outside this test sweeps.
struct Runs {
    temporary: Folder,
}

impl Runs {
    fn new() -> Self {
        Self { temporary: Folder::new() }
    }

    /// The child above, started through this wrapper.
    fn child(&self, wrapper: &[&str], list: &Path) -> Command {
        let mut command = Command::new(wrapper[0]);
        command.args(&wrapper[1..]).arg(std::env::current_exe().expect("this test"));
        command.args(["--exact", "leftovers::a_run_in_a_child", "--nocapture"]);
        command.env("TMPDIR", self.temporary.path()).env(CHILD, list).env("NEXTEST", "1");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Starts a run, and waits for its list.
    fn begun(&self, wrapper: &[&str]) -> (Kept, Left) {
        let list = self.temporary.path().join("list");
        let run = Kept::start(&mut self.child(wrapper, &list));
        assert!(eventually(SOON, || list.exists()), "the run lists what it made");
        let text = fs::read_to_string(list).expect("its list");
        let facts = text.lines().filter_map(|it| it.split_once(' '));
        (run, Left(facts.map(|(name, fact)| (name.to_owned(), fact.to_owned())).collect()))
    }

    /// Starts another run, and waits for its end.
    fn next(&self) {
        let status = self.child(&["env"], Path::new("")).status();
        assert!(status.is_ok_and(|it| it.success()), "the next run passes");
    }
}

/// The processes and folders that a run lists.
struct Left(BTreeMap<String, String>);

impl Left {
    fn pid(&self, name: &str) -> u32 {
        self.0[name].parse().expect("a pid")
    }

    fn folders(&self) -> Vec<PathBuf> {
        let all = ["home", "memory", "run"].map(|it| PathBuf::from(&self.0[it]));
        all.into_iter().filter(|it| it.exists()).collect()
    }

    /// The names of those that are alive.
    fn processes(&self) -> Vec<&'static str> {
        ["daemon", "mute", "self"].into_iter().filter(|it| read(self.pid(it)).is_some()).collect()
    }
}

#[test]
fn what_a_killed_test_leaves_is_gone_once_the_next_run_begins() {
    let runs = Runs::new();
    let (mut run, left) = runs.begun(&["env"]);
    run.0.kill().expect("killed");
    run.0.wait().expect("ended");
    assert_eq!((left.folders().len(), left.processes()), (3, vec!["daemon", "mute"]), "all of it is left");
    runs.next();
    assert!(eventually(SOON, || left.processes().is_empty()), "{:?}", left.processes());
    assert_eq!(left.folders(), Vec::<PathBuf>::new());
}

#[test]
fn a_test_whose_runner_was_killed_is_ended_once_the_next_run_begins() {
    let runs = Runs::new();
    // The shell stands for the runner: it waits for the test that it started.
    let (mut runner, left) = runs.begun(&["sh", "-c", "\"$@\"; true", "runner"]);
    assert_ne!(runner.pid(), left.pid("self"));
    runner.0.kill().expect("killed");
    runner.0.wait().expect("ended");
    assert_eq!(left.processes(), ["daemon", "mute", "self"], "it runs on");
    runs.next();
    assert!(eventually(SOON, || left.processes().is_empty()), "{:?}", left.processes());
    assert_eq!(left.folders(), Vec::<PathBuf>::new());
}

#[test]
fn a_run_that_is_under_way_is_left_alone() {
    let runs = Runs::new();
    let (_run, left) = runs.begun(&["env"]);
    runs.next();
    assert_eq!(left.processes(), ["daemon", "mute", "self"]);
    assert_eq!(left.folders().len(), 3);
    signal(left.pid("self"), "KILL");
    assert!(eventually(SOON, || read(left.pid("self")).is_none()));
    runs.next();
}

#[test]
fn nothing_is_left_of_a_run_that_ends_by_itself() {
    let runs = Runs::new();
    runs.next();
    let found: Vec<_> = fs::read_dir(runs.temporary.path()).expect("the directory").collect();
    assert!(found.is_empty(), "{found:?}");
}
