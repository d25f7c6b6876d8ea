//! The real binary, run in a test's home, with an end that no hang can postpone.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::folder::Folder;
use crate::home::Home;
use crate::report::Report;

/// What became of one run.
#[derive(Debug)]
pub struct Ran {
    /// Its exit code; -1 where a signal ended it.
    pub code: i32,
    /// All it wrote to stdout.
    pub stdout: String,
    /// All it wrote to stderr.
    pub stderr: String,
    /// How long it took.
    pub took: Duration,
    /// The most memory it held, in KiB; 0 where it was too short to be seen.
    pub peak: u64,
}

/// A run that has not ended.
#[derive(Debug)]
pub struct Running {
    child: Child,
    output: Folder,
    since: Instant,
}

impl Home {
    /// Runs the binary to its end.
    ///
    /// # Panics
    /// Where it does not end within a minute and a half.
    pub fn housecall<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Ran {
        self.housecall_in(self.path(), arguments)
    }

    /// The same, in that directory.
    pub fn housecall_in<S: AsRef<OsStr>>(
        &self,
        directory: &Path,
        arguments: impl IntoIterator<Item = S>,
    ) -> Ran {
        self.start_in(directory, arguments).wait(Duration::from_secs(90))
    }

    /// Starts the binary.
    ///
    /// # Panics
    /// Where it cannot be started.
    pub fn start_in<S: AsRef<OsStr>>(
        &self,
        directory: &Path,
        arguments: impl IntoIterator<Item = S>,
    ) -> Running {
        // Files, not pipes: a grandchild that keeps them open must not keep the test waiting.
        let output = Folder::new();
        let file = |name| fs::File::create(output.path().join(name)).expect("a file for the output");
        let mut command = self.command(self.program.clone().unwrap_or_else(binary));
        command.args(arguments).current_dir(directory).stdin(Stdio::null());
        command.stdout(file("stdout")).stderr(file("stderr"));
        Running { child: command.spawn().expect("housecall starts"), output, since: Instant::now() }
    }

    /// A command in this home's environment, and in a process group of its own.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.environment().iter().map(|(name, value)| (name, value)));
        command.process_group(0);
        command
    }
}

impl Running {
    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// Where it does not end in time; it is killed then.
    #[must_use]
    pub fn wait(mut self, within: Duration) -> Ran {
        let mut peak = 0;
        let status = loop {
            peak = peak.max(crate::processes::peak(self.pid()));
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                break status;
            }
            if self.since.elapsed() > within {
                let _ = self.child.kill();
                let _ = self.child.wait();
                panic!("housecall does not end within {within:?}\n{}", self.text("stderr"));
            }
            thread::sleep(Duration::from_millis(2));
        };
        let took = self.since.elapsed();
        let (stdout, stderr) = (self.text("stdout"), self.text("stderr"));
        Ran { code: status.code().unwrap_or(-1), stdout, stderr, took, peak }
    }

    /// What it has written so far.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        let bytes = fs::read(self.output.path().join(name)).unwrap_or_default();
        String::from_utf8(bytes).expect("housecall writes UTF-8")
    }
}

impl Ran {
    /// Its report; stdout must be one JSON document and nothing else.
    ///
    /// # Panics
    /// Where it is not.
    #[must_use]
    #[track_caller]
    pub fn report(&self) -> Report {
        match serde_json::from_str(&self.stdout) {
            Ok(value) => Report::new(value),
            Err(error) => panic!("stdout is no JSON document: {error}\n{self}"),
        }
    }

    /// The same run, which must have ended with this code.
    ///
    /// # Panics
    /// Where it has not.
    #[track_caller]
    #[must_use]
    pub fn exits(self, code: i32) -> Self {
        assert!(self.code == code, "expected exit code {code}\n{self}");
        self
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { code, stdout, stderr, took, .. } = self;
        // Of a report, what went wrong; of all else, everything.
        let told = serde_json::from_str(stdout).map(|it| crate::report::Report(it).troubles());
        let stdout = told.as_ref().unwrap_or(stdout);
        write!(f, "exit code {code} after {took:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}

/// The binary that cargo built beside this test.
///
/// # Panics
/// Where there is none.
#[must_use]
pub fn binary() -> PathBuf {
    if let Some(binary) = std::env::var_os("NEXTEST_BIN_EXE_housecall") {
        return PathBuf::from(binary);
    }
    let test = std::env::current_exe().expect("the test's own path");
    let folder = test.ancestors().nth(2).expect("target/<profile>/deps/<test>");
    let binary = folder.join("housecall");
    assert!(binary.exists(), "{} is not built", binary.display());
    binary
}
