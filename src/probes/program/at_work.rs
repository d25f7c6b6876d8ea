//! The programs at work: each has a deadline, and explains why nothing else goes on. Whoever ends this process by a signal ends them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread;

use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

/// Their process groups, whose ids are their own until they are reaped.
static GROUPS: Mutex<Vec<Pid>> = Mutex::new(Vec::new());
/// Whether they end with this process.
static SHARED: AtomicBool = AtomicBool::new(false);

/// One of them, for as long as this lives: to be dropped before it is reaped.
#[derive(Debug)]
pub(super) struct One(Pid);

impl One {
    pub(super) fn begin(group: Pid) -> Self {
        groups().push(group);
        Self(group)
    }
}

impl Drop for One {
    fn drop(&mut self) {
        groups().retain(|group| *group != self.0);
    }
}

/// Whether any is that this process began.
pub(crate) fn any() -> bool {
    !groups().is_empty()
}

/// From now on SIGINT and SIGTERM end the programs at work, and then this process: what answers a signal in another way,
/// as a keeper does, does not say so.
pub(crate) fn share_fate() {
    SHARED.store(true, Ordering::Relaxed);
}

/// Has somebody wait for these signals. Most programs end before that is worth a thread.
pub(super) fn watch() {
    static BEGUN: Once = Once::new();
    if !SHARED.load(Ordering::Relaxed) {
        return;
    }
    BEGUN.call_once(|| {
        // Where nobody can wait for them, the programs end by their deadlines as ever.
        let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
        let wait = move || {
            if let Some(signal) = signals.forever().next() {
                // Held to the end: nobody goes on with what is ended here, or begins another.
                let groups = groups();
                for group in &*groups {
                    // It may be gone already; then there is nobody to end.
                    let _ = kill_process_group(*group, Signal::KILL);
                }
                let _ = emulate_default_handler(signal);
                drop(groups);
            }
        };
        let _ = thread::Builder::new().name("ending".to_owned()).spawn(wait);
    });
}

fn groups() -> MutexGuard<'static, Vec<Pid>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}
