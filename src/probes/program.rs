//! Runs a program: with a deadline, in its own process group, its output bounded.
//!
//! Looks and hands alike run programs only through here, so that none outlives its deadline. One thread does it
//! all: both outputs are polled, the child's end is seen without being taken, its group is killed while its id is
//! still its own, and only then is it reaped. Where it runs must not hang: [`super::mounts`] knows.
#![expect(clippy::disallowed_methods, reason = "programs are run here, and only here")]

pub(crate) mod at_work;
mod pipes;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind, PipeReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::error::ProbeError;
use crate::probes::program::pipes::Pipes;

/// A program to run, with its whole environment.
#[derive(Debug, Clone)]
pub struct Program {
    /// The program and its arguments; the first is looked up on the PATH of `environment`.
    pub argv: Vec<OsString>,
    /// Where it runs; the root directory where there is none.
    pub directory: Option<PathBuf>,
    /// All the variables that it gets.
    pub environment: BTreeMap<OsString, OsString>,
    /// How long it may take, from its start to the end of its output.
    pub deadline: Duration,
    /// The most that is kept of each of its two outputs, in bytes; what is more is read and dropped.
    pub limit: usize,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// How it ended.
    pub ended: Ended,
    /// What it wrote.
    pub stdout: Vec<u8>,
    /// What it complained of.
    pub stderr: Vec<u8>,
    /// Whether either was longer than is kept.
    pub truncated: bool,
    /// Of the one and the other, whether it is not all: longer than is kept, or still held by somebody in the end.
    pub cut: [bool; 2],
    /// How long it took.
    pub took: Duration,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl Output {
    /// Whether it ended with 0.
    #[must_use]
    pub const fn succeeded(&self) -> bool {
        matches!(self.ended, Ended::Code(0))
    }
}

/// How long the outputs may stay open once the program itself has ended.
const HELD_OUTPUT: Duration = Duration::from_millis(200);
/// How long a killed program is waited for; one in the middle of a dead volume does not even die.
const DEATH: Duration = Duration::from_millis(500);
/// How often the end of a program whose outputs are open is looked for.
const TICK: Duration = Duration::from_millis(25);
/// What may take as long ends with this process from its very start; all else once it has taken a tick.
const LONG: Duration = Duration::from_secs(30);

/// Killed programs that did not die in time: reaped when they do, if this process lives that long.
static UNDEAD: Mutex<Vec<Child>> = Mutex::new(Vec::new());

/// What became of a program.
#[derive(Debug)]
pub(crate) enum Run {
    /// It ended.
    Ended(Output),
    /// The system did not start it.
    NotStarted(io::Error),
    /// Its deadline passed, and it was killed.
    TimedOut {
        /// Its id where it did not die: it is in the middle of a call that never returns.
        undead: Option<u32>,
        /// How long it was given: to its end, or for another word.
        after: Duration,
    },
}

/// What becomes of the group of a program that ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Orphans {
    /// What it left in the background lives, unless it holds an output.
    Spare,
    /// Nothing of it is left.
    Kill,
}

/// Asks a program: runs it to its end. Its group is killed at the deadline, and also when it ended and a grandchild holds
/// its output.
///
/// # Errors
/// It cannot be started, its deadline passed, or a signal ended it: that is neither a yes nor a no.
pub fn run(program: &Program) -> Result<Output, ProbeError> {
    watch(program, Orphans::Spare, program.deadline, &mut |_| ())?.answered(program)
}

/// The most that [`run_given`] hands to a program, in bytes: as much as any pipe holds.
pub const WORDS: usize = 4096;

/// The same for a program that reads: it is given these words, and then the end.
///
/// # Errors
/// As for [`run`]; also where there are more than [`WORDS`].
pub fn run_given(program: &Program, words: &[u8]) -> Result<Output, ProbeError> {
    let given = || -> io::Result<PipeReader> {
        let (reader, mut writer) = io::pipe()?;
        // They lie in the pipe before it starts, so that nobody waits for a program that does not read.
        rustix::io::ioctl_fionbio(&writer, true)?;
        writer.write_all(words)?;
        Ok(reader)
    };
    let given = given().map_err(|error| ProbeError::failed(format!("run {}", program.name()), &error))?;
    follow(program, given.into(), Orphans::Spare, program.deadline, &mut |_| ())?.answered(program)
}

/// Runs a program for what it does, to whatever end; hands over each chunk of either output as it comes, for logs and
/// progress.
///
/// # Errors
/// It cannot be started, or its deadline passed.
pub fn run_observed(program: &Program, on_output: &mut dyn FnMut(&[u8])) -> Result<Output, ProbeError> {
    run_while_it_speaks(program, program.deadline, on_output)
}

/// The same for a program that tells of its progress: it is also ended when it says nothing for that long.
///
/// # Errors
/// As for [`run_observed`].
pub fn run_while_it_speaks(
    program: &Program,
    silence: Duration,
    on_output: &mut dyn FnMut(&[u8]),
) -> Result<Output, ProbeError> {
    watch(program, Orphans::Spare, silence, on_output)?.ended(program)
}

/// Runs it and tells what became of it, death included.
pub(crate) fn watch(
    program: &Program,
    orphans: Orphans,
    silence: Duration,
    on_output: &mut dyn FnMut(&[u8]),
) -> Result<Run, ProbeError> {
    follow(program, Stdio::null(), orphans, silence, on_output)
}

/// The same with that for it to read.
fn follow(
    program: &Program,
    input: Stdio,
    orphans: Orphans,
    silence: Duration,
    on_output: &mut dyn FnMut(&[u8]),
) -> Result<Run, ProbeError> {
    reap_undead();
    let start = Instant::now();
    let failed = |error: &dyn std::fmt::Display| ProbeError::failed(format!("run {}", program.name()), error);
    if program.deadline >= LONG {
        at_work::watch();
    }
    let mut child = match program.spawn(input) {
        Err(error) => return Ok(Run::NotStarted(error)),
        Ok(child) => child,
    };
    let id = Pid::from_child(&child);
    let at_work = at_work::One::begin(id);
    let mut pipes = Pipes::of(&mut child, program.limit);

    let mut nap = Duration::from_micros(50);
    let mut ended_at: Option<Instant> = None;
    let mut spoke = start;
    loop {
        if ended_at.is_none() && has_ended(id) {
            ended_at = Some(Instant::now());
        }
        if let Some(ended_at) = ended_at {
            let held = pipes.are_open() && ended_at.elapsed() >= HELD_OUTPUT;
            if !pipes.are_open() || held {
                if held || orphans == Orphans::Kill {
                    kill_all(id);
                }
                break;
            }
        }
        let whole = program.deadline.saturating_sub(start.elapsed());
        let left = whole.min(silence.saturating_sub(spoke.elapsed()));
        if start.elapsed() >= TICK {
            at_work::watch();
        }
        if left.is_zero() {
            kill_all(id);
            drop(at_work);
            let after = if whole.is_zero() { program.deadline } else { silence };
            return Ok(Run::TimedOut { undead: bury(child), after });
        }
        if pipes.are_open() {
            let mut hear = |chunk: &[u8]| {
                spoke = Instant::now();
                on_output(chunk);
            };
            pipes.read(left.min(TICK), &mut hear);
        } else {
            sleep(nap.min(left));
            nap = (nap * 2).min(TICK);
        }
    }
    drop(at_work);
    let status = child.wait().map_err(|error| failed(&error))?;
    let ended = match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Code(code),
        (None, signal) => Ended::Signal(signal.unwrap_or_default()),
    };
    let [stdout, stderr] = pipes.0;
    let cut = [&stdout, &stderr].map(|pipe| pipe.truncated || pipe.source.is_some());
    let truncated = stdout.truncated || stderr.truncated;
    let took = start.elapsed();
    Ok(Run::Ended(Output { ended, stdout: stdout.kept, stderr: stderr.kept, truncated, cut, took }))
}

impl Run {
    /// What it wrote, or why it did not come to that.
    pub(crate) fn ended(self, program: &Program) -> Result<Output, ProbeError> {
        match self {
            Self::Ended(output) => Ok(output),
            Self::NotStarted(error) => Err(ProbeError::failed(format!("run {}", program.name()), &error)),
            Self::TimedOut { after, .. } => Err(ProbeError::TimedOut { what: program.name(), after }),
        }
    }

    /// The same where its exit status is an answer.
    pub(crate) fn answered(self, program: &Program) -> Result<Output, ProbeError> {
        let output = self.ended(program)?;
        match output.ended {
            Ended::Code(_) => Ok(output),
            Ended::Signal(signal) => {
                let why = format!("signal {signal} ended it");
                Err(ProbeError::failed(format!("run {}", program.name()), &why))
            }
        }
    }
}

impl Program {
    /// Its name for people: the program without its directory.
    #[must_use]
    pub fn name(&self) -> String {
        let program = self.argv.first().map_or(Path::new(""), Path::new);
        program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()
    }

    fn spawn(&self, input: Stdio) -> io::Result<Child> {
        let Some((name, arguments)) = self.argv.split_first() else {
            return Err(io::Error::new(ErrorKind::InvalidInput, "no program is named"));
        };
        let directory = self.directory.as_deref().unwrap_or(Path::new("/"));
        let path = self.environment.get(OsStr::new("PATH")).map_or(OsStr::new(""), OsString::as_os_str);
        let found = if name.as_encoded_bytes().contains(&b'/') {
            directory.join(name)
        } else {
            let on_path = std::env::split_paths(path).filter(|place| place.is_absolute());
            let not_found = || io::Error::new(ErrorKind::NotFound, "it is not on PATH");
            on_path.map(|place| place.join(name)).find(|file| is_program(file)).ok_or_else(not_found)?
        };
        let mut command = Command::new(found);
        command.arg0(name).args(arguments).env_clear().envs(&self.environment).current_dir(directory);
        command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0);
        let mut tries = 0;
        loop {
            match command.spawn() {
                // Another thread was just forking while the file was open for writing.
                Err(error) if error.kind() == ErrorKind::ExecutableFileBusy && tries < 20 => {
                    tries += 1;
                    sleep(Duration::from_millis(5));
                }
                other => return other,
            }
        }
    }
}

/// Whether this is a file that may be executed.
pub(crate) fn is_program(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

/// Whether it ended, without taking its end: until it is reaped, its id and its group's are its own.
fn has_ended(id: Pid) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    !matches!(waitid(WaitId::Pid(id), options), Ok(None) | Err(rustix::io::Errno::INTR))
}

fn kill_all(id: Pid) {
    // It may be gone already; then there is nobody to kill.
    let _ = kill_process_group(id, Signal::KILL);
}

/// Reaps a killed child, or keeps it for later when it does not die; names it then.
fn bury(mut child: Child) -> Option<u32> {
    let start = Instant::now();
    let mut nap = Duration::from_micros(50);
    while start.elapsed() < DEATH {
        if !matches!(child.try_wait(), Ok(None)) {
            return None;
        }
        sleep(nap);
        nap = (nap * 2).min(TICK);
    }
    let id = child.id();
    UNDEAD.lock().unwrap_or_else(PoisonError::into_inner).push(child);
    Some(id)
}

/// Whether a killed program still hangs in its last call.
pub(crate) fn is_undead(id: u32) -> bool {
    reap_undead();
    UNDEAD.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|child| child.id() == id)
}

fn reap_undead() {
    let mut undead = UNDEAD.lock().unwrap_or_else(PoisonError::into_inner);
    undead.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
}
