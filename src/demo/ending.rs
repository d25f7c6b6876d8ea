//! How the demo ends: no process and no file is left, whatever ended it.
#![expect(clippy::disallowed_methods, reason = "the demo removes what it made")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};
use signal_hook::low_level::emulate_default_handler;
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

use super::{DemoError, Keep};

/// How long a process has to end by itself.
const GRACE: Duration = Duration::from_secs(3);

/// How often it is looked whether they are gone.
const EVERY: Duration = Duration::from_millis(30);

/// Ends the world when it is dropped, or when a signal ends the demo.
#[derive(Debug)]
pub(super) struct Ending {
    estate: Arc<Mutex<Estate>>,
    signals: Handle,
    watcher: Option<thread::JoinHandle<()>>,
}

/// What there is to end.
#[derive(Debug)]
struct Estate {
    directory: PathBuf,
    root: PathBuf,
    keep: Keep,
}

impl Ending {
    pub(super) fn new(directory: PathBuf, root: PathBuf, keep: Keep) -> Result<Self, DemoError> {
        let failed = |error: std::io::Error| DemoError::failed("watch for signals", &error);
        let estate = Arc::new(Mutex::new(Estate { directory, root, keep }));
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(failed)?;
        let handle = signals.handle();
        let inherited = Arc::clone(&estate);
        let watch = move || {
            if let Some(signal) = signals.forever().next() {
                inherited.lock().unwrap_or_else(PoisonError::into_inner).end();
                // It ends this process as the signal would have.
                let _ = emulate_default_handler(signal);
            }
        };
        let watcher = thread::Builder::new().name("demo ending".to_owned()).spawn(watch).map_err(failed)?;
        Ok(Self { estate, signals: handle, watcher: Some(watcher) })
    }

    /// Ends every process of the world.
    pub(super) fn end_processes(&self) {
        self.estate.lock().unwrap_or_else(PoisonError::into_inner).end_processes();
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.signals.close();
        if let Some(watcher) = self.watcher.take() {
            // A watcher that crashed has nothing more to say.
            let _ = watcher.join();
        }
        self.estate.lock().unwrap_or_else(PoisonError::into_inner).end();
    }
}

impl Estate {
    fn end(&self) {
        self.end_processes();
        if self.keep == Keep::Files {
            return;
        }
        // Whoever was writing at that moment may have made a file anew.
        for _ in 0..3 {
            if fs::remove_dir_all(&self.directory).is_ok() || !self.directory.exists() {
                return;
            }
            self.end_processes();
        }
    }

    /// Asks them to end, and kills what does not.
    fn end_processes(&self) {
        let mut waited = Duration::ZERO;
        loop {
            let alive = living(&self.root);
            if alive.is_empty() || waited > GRACE * 2 {
                return;
            }
            let signal = if waited < GRACE { Signal::TERM } else { Signal::KILL };
            for pid in alive {
                // One that has ended meanwhile is what was wanted.
                let _ = kill_process(pid, signal);
            }
            thread::sleep(EVERY);
            waited += EVERY;
        }
    }
}

/// The processes of this world: this very program, started for a path in its directory or standing in it, and what
/// this one has just started. A shell with which a user looks around there is none of them.
fn living(root: &Path) -> Vec<Pid> {
    // Where the system does not name its processes, the keeper still ends by its own `down`.
    let Ok(mut system) = System::new() else { return Vec::new() };
    let what = ProcessRefreshKind::nothing()
        .with_cmd(UpdateKind::Always)
        .with_cwd(UpdateKind::Always)
        .with_exe(UpdateKind::Always)
        .without_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
    let (name, own) = (root.to_string_lossy(), std::process::id());
    let program = std::env::current_exe().and_then(|path| path.canonicalize()).ok();
    let of_this_world = |process: &&sysinfo::Process| {
        let named = process.cmd().iter().any(|word| word.to_string_lossy().contains(&*name));
        let inside = process.cwd().is_some_and(|directory| directory.starts_with(root));
        let is_ours = program.is_some() && process.exe() == program.as_deref();
        let is_child = process.parent().is_some_and(|parent| parent.as_u32() == own);
        let zombie = matches!(process.status(), sysinfo::ProcessStatus::Zombie);
        (named || inside) && (is_ours || is_child) && !zombie && process.pid().as_u32() != own
    };
    let id = |process: &sysinfo::Process| Pid::from_raw(i32::try_from(process.pid().as_u32()).ok()?);
    system.processes().values().filter(of_this_world).filter_map(id).collect()
}
