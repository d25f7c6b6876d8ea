//! Processes: those a test started, what they hold, and their end, always by pid.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use crate::run;

/// A limit that only a hang exceeds: at least ten times what any test waits for, for machines that are busy.
pub const HANG: Duration = Duration::from_mins(1);

/// A process as /proc shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// Its command line.
    pub command: String,
    /// Its working directory.
    pub directory: PathBuf,
}

/// What a process holds at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Its threads.
    pub threads: usize,
    /// Its open descriptors.
    pub descriptors: usize,
    /// Its children.
    pub children: usize,
}

/// A process of the test's own, killed when the test leaves it.
#[derive(Debug)]
pub struct Kept(pub Child);

impl Kept {
    /// Starts it.
    ///
    /// # Panics
    /// Where it cannot be started.
    pub fn start(command: &mut Command) -> Self {
        let child = command.spawn().expect("the process starts");
        run::remember(child.id());
        Self(child)
    }

    /// Its id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Whether it still runs.
    pub fn alive(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
        run::forget(self.0.id());
    }
}

/// What that process holds now.
#[must_use]
pub fn held(pid: u32) -> Held {
    let count = |of: &str| fs::read_dir(format!("/proc/{pid}/{of}")).map_or(0, Iterator::count);
    let children = all().filter(|it| parent(*it) == Some(pid)).count();
    Held { threads: count("task"), descriptors: count("fd"), children }
}

/// The most memory it has held, in KiB; 0 where it has ended.
#[must_use]
pub fn peak(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|it| it.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

/// Who listens on that port, by lsof: another pair of eyes than the product's.
#[must_use]
pub fn listening(port: u16) -> Option<u32> {
    let output =
        Command::new("lsof").args(["-nP", "-t", "-sTCP:LISTEN", &format!("-iTCP:{port}")]).output().ok()?;
    String::from_utf8_lossy(&output.stdout).lines().next()?.parse().ok()
}

/// Everything alive whose HOME is this one; a zombie is not alive.
#[must_use]
pub fn of_home(home: &Path) -> Vec<Process> {
    let variable = format!("HOME={}", home.display());
    all()
        .filter(|pid| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|it| *it == 0).any(|it| it == variable.as_bytes())
        })
        .filter_map(read)
        .collect()
}

/// That process, if it is alive.
#[must_use]
pub fn read(pid: u32) -> Option<Process> {
    let words = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let command = String::from_utf8_lossy(&words).trim_end_matches('\0').replace('\0', " ");
    let directory = fs::read_link(format!("/proc/{pid}/cwd")).ok()?;
    (!command.is_empty()).then_some(Process { pid, command, directory })
}

/// Sends a signal to one process.
///
/// # Panics
/// Where there is no such signal, or that is no process.
pub fn signal(pid: u32, name: &str) {
    let signal = match name {
        "CONT" => Signal::CONT,
        "HUP" => Signal::HUP,
        "INT" => Signal::INT,
        "KILL" => Signal::KILL,
        "STOP" => Signal::STOP,
        "TERM" => Signal::TERM,
        other => panic!("no test sends {other}"),
    };
    let pid = i32::try_from(pid).ok().filter(|it| *it > 0).and_then(Pid::from_raw).expect("a pid");
    // It may have ended by now.
    let _ = rustix::process::kill_process(pid, signal);
}

/// Waits until it holds, for no longer than that; says whether it does.
pub fn eventually(within: Duration, holds: impl Fn() -> bool) -> bool {
    let end = Instant::now() + within;
    loop {
        if holds() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Every process.
pub(crate) fn all() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc").into_iter().flatten().filter_map(|it| it.ok()?.file_name().to_str()?.parse().ok())
}

fn parent(pid: u32) -> Option<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    text.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// The start time of a process, in clock ticks: with the pid it identifies one process. A zombie does not count.
pub(crate) fn started(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut words = text.rsplit_once(')')?.1.split_whitespace();
    let state = words.next()?;
    if matches!(state, "Z" | "X") { None } else { words.nth(18)?.parse().ok() }
}
