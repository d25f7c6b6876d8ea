//! What outlives one look: one `Machine` for all mirrors and all looks of a process.
//!
//! It knows which volumes can hang, keeps looks away from one that does, and remembers what a program at a known
//! identity answers.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::clock;
use super::mounts::{Kind, Mount, Mounts};
use super::program::{self, Orphans, Output, Program, Run};
use crate::error::ProbeError;

/// How long the mount table is believed.
const TABLE: Duration = Duration::from_secs(1);
/// How long a volume that did not answer is left alone.
const QUIET: Duration = Duration::from_secs(30);
/// The hidden command of ours that looks at one thing and prints it as JSON.
pub const LOOK: &str = "__look";

/// What is known of this machine: what hangs, and what a program at a known identity answers.
#[derive(Debug, Default)]
pub struct Machine {
    mounts: Mutex<Option<(Instant, Arc<Mounts>)>>,
    volumes: Mutex<HashMap<PathBuf, Arc<Mutex<Volume>>>>,
    pub(super) versions: Mutex<HashMap<Identity, (Instant, String)>>,
    own_program: Option<PathBuf>,
}

/// Where something is to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Where {
    /// In this process: the volume cannot hang.
    Here,
    /// Through [`Machine::in_child`]: the volume can.
    InChild(Mount),
}

/// What tells one state of a file from another: real path, device, inode, size, time of change.
pub(super) type Identity = (PathBuf, u64, u64, u64, i128);

/// A volume that can hang. Whoever looks at it holds its lock, so there is one look at a time.
#[derive(Debug, Default)]
struct Volume {
    silent: Option<Silence>,
}

/// A volume did not answer.
#[derive(Debug)]
struct Silence {
    since: Instant,
    /// The child that did not even die, if so.
    undead: Option<u32>,
}

impl Machine {
    /// One whose children are this program rather than the one that runs: for tests, which run inside another.
    #[must_use]
    pub fn with_program(program: PathBuf) -> Self {
        Self { own_program: Some(program), ..Self::default() }
    }

    /// Says where to look at this path, without touching a volume that can hang.
    ///
    /// # Errors
    /// [`ProbeError::Stuck`] where its volume did not answer a moment ago; also where the mount table cannot be read.
    pub fn guard(&self, path: &Path) -> Result<Where, ProbeError> {
        let mounts = self.mounts()?;
        // Where nothing can hang, no link has to be followed to see that this cannot.
        if mounts.are_local() {
            return Ok(Where::Here);
        }
        let mount = mounts.holding(path);
        if mount.kind == Kind::Local {
            return Ok(Where::Here);
        }
        // Whoever looks there now will tell; waiting for that is the look's business.
        if let Ok(volume) = self.volume(&mount.point).try_lock() {
            volume.answers(&mount.point)?;
        }
        Ok(Where::InChild(mount))
    }

    /// The volume that holds this path once its links are followed.
    ///
    /// # Errors
    /// Where the mount table cannot be read.
    pub fn mount_of(&self, path: &Path) -> Result<Mount, ProbeError> {
        Ok(self.mounts()?.holding(path))
    }

    /// The mount table, at most a second old.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn mounts(&self) -> Result<Arc<Mounts>, ProbeError> {
        let mut known = lock(&self.mounts);
        let now = clock::instant();
        if let Some((read, mounts)) = &*known
            && now.duration_since(*read) < TABLE
        {
            return Ok(Arc::clone(mounts));
        }
        let mounts = Arc::new(Mounts::read()?);
        *known = Some((now, Arc::clone(&mounts)));
        Ok(mounts)
    }

    /// Our own program, told to look at one thing with the hidden command: for [`Self::in_child`].
    ///
    /// Its deadline is that of one probe; the looks inside it end by it too.
    #[must_use]
    pub fn look_program<A: AsRef<OsStr>>(
        &self,
        arguments: &[A],
        environment: &BTreeMap<String, String>,
        deadline: Duration,
    ) -> Program {
        let this = self.own_program.clone().unwrap_or_else(own_program);
        let arguments = arguments.iter().map(|it| it.as_ref().to_owned());
        Program {
            argv: [this.into_os_string(), LOOK.into()].into_iter().chain(arguments).collect(),
            directory: None,
            environment: environment
                .iter()
                .map(|(name, value)| (name.into(), OsString::from(value)))
                .collect(),
            deadline,
            limit: 4 << 20,
        }
    }

    /// Runs a program that looks at a volume that can hang: one at a time for each volume, all of it killed in the end.
    ///
    /// It runs in the root directory, since entering one on such a volume could hang already.
    ///
    /// # Errors
    /// [`ProbeError::Stuck`] where the volume did not answer a moment ago, [`ProbeError::TimedOut`] where it does not
    /// answer now, and whatever starting a program may bring.
    pub fn in_child(&self, mount: &Mount, program: &Program) -> Result<Output, ProbeError> {
        let volume = self.volume(&mount.point);
        let mut volume = lock(&volume);
        volume.answers(&mount.point)?;
        volume.silent = None;
        let program = Program { directory: None, ..program.clone() };
        match program::watch(&program, Orphans::Kill, program.deadline, &mut |_| ())? {
            Run::TimedOut { undead, after } => {
                volume.silent = Some(Silence { since: clock::instant(), undead });
                let what = format!("the volume at {}", mount.point.display());
                Err(ProbeError::TimedOut { what, after })
            }
            other => other.ended(&program),
        }
    }

    /// The volumes that do not answer.
    #[must_use]
    pub fn stuck(&self) -> Vec<PathBuf> {
        let volumes: Vec<_> =
            lock(&self.volumes).iter().map(|(point, it)| (point.clone(), Arc::clone(it))).collect();
        let silent =
            volumes.into_iter().filter(|(_, volume)| volume.try_lock().is_ok_and(|it| it.is_silent()));
        silent.map(|(point, _)| point).collect()
    }

    fn volume(&self, point: &Path) -> Arc<Mutex<Volume>> {
        Arc::clone(lock(&self.volumes).entry(point.to_owned()).or_default())
    }
}

impl Volume {
    fn answers(&self, point: &Path) -> Result<(), ProbeError> {
        if self.is_silent() { Err(ProbeError::Stuck { mount: point.to_owned() }) } else { Ok(()) }
    }

    /// A volume is left alone for a while, and for as long as a child of ours hangs on it.
    fn is_silent(&self) -> bool {
        self.silent.as_ref().is_some_and(|silence| {
            clock::instant().duration_since(silence.since) < QUIET
                || silence.undead.is_some_and(program::is_undead)
        })
    }
}

/// This very program, even where its file was replaced meanwhile.
fn own_program() -> PathBuf {
    if cfg!(target_os = "linux") {
        return PathBuf::from("/proc/self/exe");
    }
    std::env::current_exe().unwrap_or_else(|_| PathBuf::from("housecall"))
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The name of this machine.
#[must_use]
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
