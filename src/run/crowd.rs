//! Who looks: a thread for each of our own units, and bounded workers for declared ones, of which there may be many.

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use crate::check::Bound;
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::probes::clock;
use crate::unit::{Pace, Unit};
use crate::verdict::Outcome;

/// How many programs and connections of declared checks are under way at once.
const WAITING: usize = 64;
/// How many declared checks that wait for nobody are looked at at once.
const QUICK: usize = 8;
/// How many of those are worth a worker of their own: it takes as long to begin as to look at one.
const SHARE: usize = 2;

/// A unit's position, what became of its look, and how long that took.
pub(super) type Answer = (usize, Outcome, Duration);

/// All who look in one run. They end by themselves when this is dropped and their queue is empty.
pub(super) struct Crowd<'a> {
    cx: &'a Arc<Cx>,
    answers: mpsc::Sender<Answer>,
    quick: Workers,
    waiting: Workers,
}

/// A queue, and how many more may begin to work on it.
struct Workers {
    queue: mpsc::Sender<(usize, Bound)>,
    turn: Arc<Mutex<mpsc::Receiver<(usize, Bound)>>>,
    more: usize,
    begun: usize,
}

impl<'a> Crowd<'a> {
    pub(super) fn new(units: &[Unit], cx: &'a Arc<Cx>, answers: mpsc::Sender<Answer>) -> Self {
        let of = |wanted: fn(Pace) -> bool| units.iter().filter(|unit| wanted(unit.pace)).count();
        let quick = match of(|pace| pace == Pace::Quick).div_ceil(SHARE) {
            several @ 2.. => several.min(QUICK).min(thread::available_parallelism().map_or(2, NonZero::get)),
            few => few,
        };
        let waiting = of(|pace| matches!(pace, Pace::Waiting | Pace::After)).min(WAITING);
        Self { cx, answers, quick: Workers::new(quick), waiting: Workers::new(waiting) }
    }

    /// Has a unit looked at; its answer comes in time, whatever happens.
    pub(super) fn look(&mut self, at: usize, unit: &Unit) {
        let look = Arc::clone(&unit.look);
        match unit.pace {
            Pace::Own => {
                let (cx, answers) = (Arc::clone(self.cx), self.answers.clone());
                let work = move || answer(at, &look, &cx, &answers);
                if let Err(error) = thread::Builder::new().name(format!("look {}", unit.id)).spawn(work) {
                    give_up(at, &error, &self.answers);
                }
            }
            Pace::Quick => self.quick.take(at, look, self.cx, &self.answers),
            Pace::Waiting | Pace::After => self.waiting.take(at, look, self.cx, &self.answers),
        }
    }
}

impl Workers {
    fn new(more: usize) -> Self {
        let (queue, turn) = mpsc::channel();
        Self { queue, turn: Arc::new(Mutex::new(turn)), more, begun: 0 }
    }

    /// Queues a look, and has one more begin to work while there may be more.
    fn take(&mut self, at: usize, look: Bound, cx: &Arc<Cx>, answers: &mpsc::Sender<Answer>) {
        // The receiver is this value's own: it cannot be gone.
        let _ = self.queue.send((at, look));
        if self.more == 0 {
            return;
        }
        self.more -= 1;
        let (turn, cx, to) = (Arc::clone(&self.turn), Arc::clone(cx), answers.clone());
        let work = move || {
            loop {
                let next = turn.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok((at, look)) = next else { return };
                answer(at, &look, &cx, &to);
            }
        };
        match thread::Builder::new().name("declared looks".to_owned()).spawn(work) {
            Ok(_) => self.begun += 1,
            Err(error) if self.begun == 0 => {
                let queued = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
                for (at, _) in queued.try_iter() {
                    give_up(at, &error, answers);
                }
            }
            Err(_) => {}
        }
    }
}

fn answer(at: usize, look: &Bound, cx: &Cx, answers: &mpsc::Sender<Answer>) {
    let start = clock::instant();
    let outcome = match catch_unwind(AssertUnwindSafe(|| look(cx))) {
        Ok(Ok(verdict)) => Outcome::Judged(verdict),
        Ok(Err(error)) => Outcome::Unknown(error),
        Err(panic) => Outcome::Crashed(panic_message(&*panic)),
    };
    // The receiver is gone only after the run gave this look up.
    let _ = answers.send((at, outcome, start.elapsed()));
}

fn give_up(at: usize, error: &std::io::Error, answers: &mpsc::Sender<Answer>) {
    let unknown = Outcome::Unknown(ProbeError::failed("start a thread", error));
    let _ = answers.send((at, unknown, Duration::ZERO));
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
