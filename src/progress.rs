//! What is being waited for, on a terminal, where it takes longer than half a second; never in a pipe.

pub mod work;

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::report::words::clean_line;
use crate::selection::Selection;
use crate::unit::Unit;

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
    waiting: Vec<String>,
    bar: ProgressBar,
    /// Waits for its time, and ends when its other half is dropped.
    curtain: Option<(mpsc::Sender<()>, thread::JoinHandle<()>)>,
}

impl Progress {
    /// Begins to wait for every unit of a selection.
    #[must_use]
    pub fn new(selection: &Selection, audience: Audience) -> Self {
        let waiting = names(selection);
        let bar = bar(ProgressDrawTarget::hidden());
        bar.set_message(line(&waiting));
        let curtain = (audience == Audience::Terminal).then(|| curtain(&bar)).flatten();
        Self { waiting, bar, curtain }
    }

    /// These are looked at again, after a pause: they are named until they answer.
    pub fn again(&mut self, selection: &Selection) {
        self.waiting = names(selection);
        self.bar.set_message(line(&self.waiting));
        self.bar.tick();
    }

    /// One unit has answered: for `run_observed`.
    pub fn seen(&mut self, unit: &Unit) {
        let name = clean_line(&unit.id.to_string());
        self.waiting.retain(|waiting| *waiting != name);
        self.bar.set_message(line(&self.waiting));
        self.bar.tick();
    }
}

impl Drop for Progress {
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

fn names(selection: &Selection) -> Vec<String> {
    selection.units.iter().map(|unit| clean_line(&unit.id.to_string())).collect()
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

/// What is said while these are waited for.
#[must_use]
pub fn line(waiting: &[String]) -> String {
    match waiting {
        [] => "judging".to_owned(),
        [first, second, third, _, ..] => {
            format!("looking: {first}, {second}, {third} and {} more", waiting.len() - 3)
        }
        few => format!("looking: {}", few.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn the_line_names_what_is_waited_for() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            line(&names(&["remote-reachable", "http-status"])),
            "looking: remote-reachable, http-status"
        );
        assert_eq!(line(&names(&["a", "b", "c", "d", "e"])), "looking: a, b, c and 2 more");
    }
}
