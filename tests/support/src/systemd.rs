//! A real user manager of systemd, in namespaces of the test's own: one for each home.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use libtest_mimic::Failed;

use crate::folder::Folder;
use crate::home::Home;
use crate::parts::{self, Part};
use crate::processes::{Kept, eventually, signal};
use crate::run;

/// So that each has a control group of its own.
static NEXT: AtomicU32 = AtomicU32::new(0);
/// Says that this process is inside.
const INSIDE: &str = "HOUSECALL_SYSTEMD_CGROUP";

/// A running `systemd --user`; it ends with the test.
#[derive(Debug)]
pub struct UserManager {
    process: Kept,
    group: PathBuf,
}

/// Whether a test has to be run again, by [`run_inside`], to have user managers.
#[must_use]
pub(crate) fn can_be_entered() -> bool {
    !is_inside() && Part::Systemd.present()
}

/// Runs one test of this program again, in namespaces where user managers can be started.
///
/// # Errors
/// Where it fails there.
pub(crate) fn run_inside(test: &str) -> Result<(), Failed> {
    let program = std::env::current_exe().expect("this program");
    let script = parts::root().join("tests/support/systemd.sh");
    // It runs in another pid namespace, so its homes belong to the run of this process.
    let folder = Folder::new();
    let mut again = Command::new(script);
    let status = again.arg(program).args(["--exact", test]).env(run::MARK, run::folder()).status();
    drop(folder);
    let status = status.map_err(|error| format!("the namespaces are not made: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("in its namespaces: {status}").into()) }
}

fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

impl UserManager {
    /// Starts one for that home and waits until it has started all of its own.
    ///
    /// # Panics
    /// Outside the namespaces, and where it does not start.
    #[must_use]
    pub fn start(home: &Home) -> Self {
        assert!(is_inside(), "a test must never start a user manager outside its own namespaces");
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        // By this name the journal knows what is a user's.
        let group = PathBuf::from(format!("/sys/fs/cgroup/user-{number}.slice/user@0.service"));
        fs::create_dir_all(&group).expect("a control group");
        let log = fs::File::create(home.at("run/systemd.log")).expect("its log");
        let mut command = home.command("/bin/sh");
        // It must be in its control group before it looks at it.
        command.arg("-c").arg("echo $$ > \"$1\" && exec /usr/lib/systemd/systemd --user").arg("sh");
        command.arg(group.join("cgroup.procs"));
        command.stdin(std::process::Stdio::null()).stdout(log.try_clone().expect("its log")).stderr(log);
        let manager = Self { process: Kept::start(&mut command), group };
        let is_up = || {
            let state = systemctl(home, ["is-system-running"]);
            matches!(String::from_utf8_lossy(&state.stdout).trim(), "running" | "degraded")
        };
        let told = || fs::read_to_string(home.at("run/systemd.log")).unwrap_or_default();
        assert!(eventually(Duration::from_secs(10), is_up), "systemd does not start:\n{}", told());
        manager
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }
}

impl Drop for UserManager {
    fn drop(&mut self) {
        signal(self.process.pid(), "TERM");
        let pid = self.process.pid();
        let _ = eventually(Duration::from_secs(3), || crate::processes::read(pid).is_none());
        let _ = fs::write(self.group.join("cgroup.kill"), "1");
    }
}

/// Starts the journal of these namespaces; it ends with the test.
///
/// # Panics
/// Outside them, and where it does not start.
#[must_use]
pub fn journal(home: &Home) -> Kept {
    assert!(is_inside(), "a test must never start a journal outside its own namespaces");
    // /run is these namespaces' own, and the machine's own messages are none of the test's.
    fs::create_dir_all("/run/systemd/journald.conf.d").expect("its folder");
    let settings = "[Journal]\nStorage=volatile\nAudit=no\nReadKMsg=no\n";
    fs::write("/run/systemd/journald.conf.d/test.conf", settings).expect("its settings");
    let mut command = home.command("/usr/lib/systemd/systemd-journald");
    command.stdin(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let journal = Kept::start(&mut command);
    let listens = || std::path::Path::new("/run/systemd/journal/stdout").exists();
    assert!(eventually(Duration::from_secs(10), listens), "the journal does not start");
    journal
}

/// Runs systemctl as the user of that home.
///
/// # Panics
/// Where it cannot be run.
pub fn systemctl<A: AsRef<OsStr>>(home: &Home, arguments: impl IntoIterator<Item = A>) -> Output {
    let mut command = home.command("systemctl");
    command.args(["--user", "--no-pager"]).args(arguments);
    command.output().expect("systemctl runs")
}

/// One property of a unit.
#[must_use]
pub fn property(home: &Home, unit: &str, name: &str) -> String {
    let output = systemctl(home, ["show", "--value", &format!("--property={name}"), unit]);
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
