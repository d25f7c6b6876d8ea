//! What is being waited for, on a terminal, where it takes longer than half a second; never in a pipe.

pub mod work;

use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::report::words::clean_line;
use crate::selection::Selection;
use crate::unit::{Unit, UnitId};

/// How long an examination or a step may be silent.
const PATIENCE: Duration = Duration::from_millis(500);

/// Who reads stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// A person, at a terminal.
    Terminal,
    /// A file, a pipe or an agent, or nothing is to be shown.
    Nobody,
}

/// One line on stderr that names what has not answered yet; it is taken away when this is dropped.
#[derive(Debug)]
pub struct Progress {
    /// Nothing is kept for nobody.
    line: Option<Line>,
}

/// The line, and what it names.
#[derive(Debug)]
struct Line {
    waiting: Waiting,
    bar: ProgressBar,
    /// Waits for its time, and ends when its other half is dropped.
    curtain: Option<(mpsc::Sender<()>, thread::JoinHandle<()>)>,
}

/// The units that have not answered, in chain order; there may be thousands.
#[derive(Debug, Default)]
struct Waiting {
    names: BTreeMap<usize, String>,
    places: HashMap<UnitId, usize>,
}

impl Progress {
    /// Begins to wait for every unit of a selection.
    #[must_use]
    pub fn new(selection: &Selection, audience: Audience) -> Self {
        let line = || {
            let waiting = Waiting::of(selection);
            let bar = bar(ProgressDrawTarget::hidden());
            bar.set_message(waiting.told());
            let curtain = curtain(&bar);
            Line { waiting, bar, curtain }
        };
        Self { line: (audience == Audience::Terminal).then(line) }
    }

    /// These are looked at again, after a pause: they are named until they answer.
    pub fn again(&mut self, selection: &Selection) {
        if let Some(line) = &mut self.line {
            line.waiting = Waiting::of(selection);
            line.tell();
        }
    }

    /// One unit has answered: for `run_observed`.
    pub fn seen(&mut self, unit: &Unit) {
        if let Some(line) = &mut self.line {
            line.waiting.answered(&unit.id);
            line.tell();
        }
    }
}

impl Waiting {
    fn of(selection: &Selection) -> Self {
        let units = || selection.units.iter().map(|unit| &unit.id).enumerate();
        Self {
            names: units().map(|(at, id)| (at, clean_line(&id.to_string()))).collect(),
            places: units().map(|(at, id)| (id.clone(), at)).collect(),
        }
    }

    fn answered(&mut self, unit: &UnitId) {
        if let Some(at) = self.places.get(unit) {
            self.names.remove(at);
        }
    }

    /// What is said while these are waited for.
    fn told(&self) -> String {
        let first: Vec<&str> = self.names.values().take(4).map(String::as_str).collect();
        match first.as_slice() {
            [] => "judging".to_owned(),
            [first, second, third, _] => {
                format!("looking: {first}, {second}, {third} and {} more", self.names.len() - 3)
            }
            few => format!("looking: {}", few.join(", ")),
        }
    }
}

impl Line {
    fn tell(&self) {
        self.bar.set_message(self.waiting.told());
        self.bar.tick();
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some((open, waiting)) = self.curtain.take() {
            drop(open);
            // It cannot have crashed in a way that matters now.
            let _ = waiting.join();
        }
        self.bar.finish_and_clear();
    }
}

/// One line that holds a message and nothing else.
fn bar(target: ProgressDrawTarget) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, target);
    if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
        bar.set_style(style);
    }
    bar
}

/// Shows the line when patience is over. Without a thread for it there is no line, which hurts nobody.
fn curtain(bar: &ProgressBar) -> Option<(mpsc::Sender<()>, thread::JoinHandle<()>)> {
    let (open, closed) = mpsc::channel();
    let bar = bar.clone();
    let wait = move || {
        if closed.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            bar.set_draw_target(ProgressDrawTarget::stderr());
            bar.tick();
        }
    };
    let thread = thread::Builder::new().name("progress".to_owned()).spawn(wait).ok()?;
    Some((open, thread))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Waiting;
    use crate::selection::Selection;
    use crate::unit::{Unit, UnitId};
    use crate::verdict::Verdict;

    #[test]
    fn the_line_names_what_is_waited_for() {
        let look = || Arc::new(|_: &crate::cx::Cx| Ok(Verdict::pass()));
        let unit = |name: &'static str| Unit::new(UnitId::of(name), "checks", look());
        let units = ["a", "b", "c", "d", "e"].map(unit).to_vec();
        let mut waiting = Waiting::of(&Selection { units });
        assert_eq!(waiting.told(), "looking: a, b, c and 2 more");
        waiting.answered(&UnitId::of("b"));
        assert_eq!(waiting.told(), "looking: a, c, d and 1 more");
        for name in ["a", "e", "e"] {
            waiting.answered(&UnitId::of(name));
        }
        assert_eq!(waiting.told(), "looking: c, d");
        for name in ["c", "d"] {
            waiting.answered(&UnitId::of(name));
        }
        assert_eq!(waiting.told(), "judging");
    }
}
