//! Work on a volume that may hang is done apart, in a thread of its own. Hands read and write there in this very process: where
//! the volume falls silent in the middle of that, they are left behind, as if they had been killed, and end with the process.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;

use crate::config::Config;
use crate::error::ProbeError;
use crate::fixes::lock::Lock;
use crate::fixes::mend::Company;
use crate::fixes::{Remedy, Step, Told};
use crate::git;
use crate::probes::clock;
use crate::probes::machine::{Machine, Where};
use crate::probes::program::{Program, at_work};

/// As large as that of the thread that does it otherwise.
const STACK: usize = 8 << 20;

/// What is heard from there.
enum Said<T> {
    Event(Told),
    Ask(Remedy, Vec<Step>, Sender<bool>),
    Ended(T),
}

/// Why it came to no end.
pub(super) enum Unended {
    /// A volume fell silent under it.
    Behind(LeftBehind),
    /// It could not begin, or ended without a word.
    Failed(ProbeError),
}

/// Hands that were left behind. No lock is taken in this process any more, and theirs is held until this is dropped: whoever
/// has it writes down what came of it, and ends the process.
#[must_use = "the process is to end"]
pub(super) struct LeftBehind {
    /// Which volume is silent.
    pub(super) why: ProbeError,
    _locks: Vec<Lock>,
}

impl From<Unended> for ProbeError {
    fn from(unended: Unended) -> Self {
        match unended {
            Unended::Behind(left) => left.why,
            Unended::Failed(error) => error,
        }
    }
}

/// Does it: here, where no volume of the mirror may hang; else apart.
///
/// # Errors
/// The hands are left behind where a volume answers nobody for as long as a remote is waited for, and no program of ours is at work
/// there: those have deadlines of their own.
pub(super) fn run<T: Send + 'static>(
    config: &Arc<Config>,
    machine: &Arc<Machine>,
    company: &mut Company<'_>,
    work: impl FnOnce(&mut Company<'_>) -> T + Send + 'static,
) -> Result<T, Unended> {
    let places = feared(config, machine);
    if places.is_empty() {
        return Ok(work(company));
    }
    let (send, receive) = mpsc::channel();
    let worker = thread::Builder::new().name("hands".to_owned()).stack_size(STACK);
    let worker = worker
        .spawn(move || {
            let ended = work(&mut Company {
                ask: &mut |fix, steps| {
                    let (answer, answered) = mpsc::channel();
                    say(&send, Said::Ask(fix.clone(), steps.to_vec(), answer));
                    answered.recv().unwrap_or(false)
                },
                on_event: &mut |event| say(&send, Said::Event(Told::of(event))),
            });
            say(&send, Said::Ended(ended));
        })
        .map_err(|error| Unended::Failed(ProbeError::failed("begin a thread", &error)))?;
    let mut since = None;
    loop {
        match receive.recv_timeout(config.limits.timeout) {
            Ok(Said::Ended(ended)) => return Ok(ended),
            Ok(Said::Event(told)) => (company.on_event)(told.event()),
            Ok(Said::Ask(fix, steps, answer)) => {
                // Whoever asks waits for it.
                let _ = answer.send((company.ask)(&fix, &steps));
            }
            Err(RecvTimeoutError::Timeout) => {
                if let Some(mount) = silent(config, machine, &places) {
                    if since.get_or_insert_with(clock::instant).elapsed() >= git::silence(config) {
                        let why = ProbeError::Stuck { mount };
                        return Err(Unended::Behind(LeftBehind { why, _locks: Lock::left_behind() }));
                    }
                    continue;
                }
            }
            Err(RecvTimeoutError::Disconnected) => {
                if let Err(crash) = worker.join() {
                    std::panic::resume_unwind(crash);
                }
                return Err(Unended::Failed(ProbeError::failed("mend", &"it ended without a word")));
            }
        }
        since = None;
    }
}

/// Tells those who wait for it. Where nobody does any more, nothing more is done.
fn say<T>(send: &Sender<Said<T>>, said: Said<T>) {
    if send.send(said).is_err() {
        loop {
            thread::park();
        }
    }
}

/// What hands of this mirror touch on volumes that may hang.
fn feared(config: &Config, machine: &Machine) -> Vec<PathBuf> {
    let Some(mirror) = config.mirror.as_deref() else { return Vec::new() };
    let carried = mirror.carry.iter().map(|file| mirror.repository.join(file));
    let mut places: Vec<PathBuf> =
        [mirror.repository.clone(), mirror.worktree.clone()].into_iter().chain(carried).collect();
    places.retain(|place| machine.guard(place) != Ok(Where::Here));
    places
}

/// The first of these volumes that does not answer, while nothing else explains that nothing is heard.
fn silent(config: &Config, machine: &Machine, places: &[PathBuf]) -> Option<PathBuf> {
    if at_work::any() {
        return None;
    }
    places.iter().find_map(|place| {
        let mount = match machine.guard(place) {
            Ok(Where::InChild(mount)) => mount,
            Err(ProbeError::Stuck { mount }) => return Some(mount),
            Ok(Where::Here) | Err(_) => return None,
        };
        let asking = Program {
            argv: ["/bin/sh".into(), "-c".into(), "test -e \"$0\"".into(), place.into()].to_vec(),
            directory: None,
            environment: std::collections::BTreeMap::new(),
            deadline: config.limits.timeout,
            limit: 0,
        };
        let answer = machine.in_child(&mount, &asking);
        matches!(answer, Err(ProbeError::Stuck { .. } | ProbeError::TimedOut { .. })).then_some(mount.point)
    })
}
