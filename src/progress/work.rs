//! What a long step is at, on a terminal: its phase, sizes and time, in one line that is taken away at its end.

use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use indicatif::ProgressDrawTarget;

use super::{Audience, PATIENCE, bar};
use crate::config::Config;
use crate::error::human_duration;
use crate::fixes::Action;
use crate::probes::deps::TREE;
use crate::probes::{clock, size};
use crate::redact::Redactor;
use crate::report::words::{bytes, clean_line};

/// How often the line is drawn anew.
const TICK: Duration = Duration::from_millis(200);
/// The least time between two looks at how large a tree is.
const REST: Duration = Duration::from_secs(1);
/// A look rests so many times as long as it took: it takes a tenth of a core at most.
const REST_SHARE: u32 = 10;
/// What is kept of a line that has not ended yet.
const LONGEST: usize = 4096;

/// The line of one step; it is taken away when this is dropped.
#[derive(Debug)]
pub struct Work {
    said: Arc<Mutex<Said>>,
    /// Draws, and ends when its other half is dropped.
    drawing: Option<(mpsc::Sender<()>, JoinHandle<()>)>,
}

/// What the programs of the step said so far.
#[derive(Debug, Default)]
struct Said {
    /// Whether it is git, whose lines mean something.
    is_git: bool,
    unfinished: Vec<u8>,
    last: String,
}

impl Work {
    /// Begins to tell of a step; `None`: nobody is there to read it.
    #[must_use]
    pub fn of(fix: &str, action: &Action, config: &Config, audience: Audience) -> Option<Self> {
        if audience == Audience::Nobody {
            return None;
        }
        let is_git = !matches!(action, Action::Install(_) | Action::Build(_) | Action::Run(_));
        let said = Arc::new(Mutex::new(Said { is_git, ..Said::default() }));
        let installs = matches!(action, Action::Install(_));
        let tree = config.mirror.as_deref().filter(|_| installs).map(|it| it.worktree.join(TREE));
        let line = Line {
            step: clean_line(&format!("{fix}: {}", action.name().replace('-', " "))),
            tree,
            redactor: config.redactor.clone(),
        };
        let (stop, stopped) = mpsc::channel();
        let heard = Arc::clone(&said);
        let draw = move || line.draw(&heard, &stopped);
        // Without a thread for it there is no line, which hurts nobody.
        let thread = Builder::new().name("progress".to_owned()).spawn(draw).ok();
        Some(Self { said, drawing: thread.map(|thread| (stop, thread)) })
    }

    /// A program of the step wrote this.
    pub fn hear(&self, chunk: &[u8]) {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).hear(chunk);
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.drawing.take() {
            drop(stop);
            // It cannot have crashed in a way that matters now.
            let _ = thread.join();
        }
    }
}

impl Said {
    fn hear(&mut self, chunk: &[u8]) {
        for &byte in chunk {
            if byte != b'\n' && byte != b'\r' {
                if self.unfinished.len() < LONGEST {
                    self.unfinished.push(byte);
                }
                continue;
            }
            let line = String::from_utf8_lossy(&self.unfinished).trim().to_owned();
            self.unfinished.clear();
            match phase(&line) {
                Some(phase) => self.last = phase,
                None if !self.is_git && !line.is_empty() => self.last = line,
                None => {}
            }
        }
    }
}

/// What the line is made of beside what the programs say.
struct Line {
    step: String,
    /// The tree that grows.
    tree: Option<PathBuf>,
    redactor: Redactor,
}

impl Line {
    /// Draws until it is stopped; nothing before patience is over.
    fn draw(&self, said: &Mutex<Said>, stopped: &mpsc::Receiver<()>) {
        let start = clock::instant();
        if stopped.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
            return;
        }
        let bar = bar(ProgressDrawTarget::stderr());
        let (mut large, mut next) = (None, clock::instant());
        loop {
            if let Some(tree) = self.tree.as_deref().filter(|_| clock::instant() >= next) {
                let began = clock::instant();
                let mut may_go_on = || stopped.try_recv() == Err(mpsc::TryRecvError::Empty);
                large = size::of_tree(tree, &mut may_go_on).or(large);
                next = clock::instant() + REST.max(began.elapsed() * REST_SHARE);
            }
            let last = said.lock().unwrap_or_else(PoisonError::into_inner).last.clone();
            bar.set_message(self.text(&self.redactor.text(&last), large, start.elapsed()));
            bar.tick();
            if stopped.recv_timeout(TICK) != Err(RecvTimeoutError::Timeout) {
                break;
            }
        }
        bar.finish_and_clear();
    }

    fn text(&self, last: &str, large: Option<u64>, took: Duration) -> String {
        let whole = Duration::from_secs(took.as_secs());
        let took = (!whole.is_zero()).then(|| human_duration(whole));
        let large = large.filter(|size| *size > 0).map(bytes);
        let facts: Vec<String> = [Some(self.step.clone()), large, took].into_iter().flatten().collect();
        let last = clean_line(last);
        let last = if last.is_empty() { last } else { format!(": {last}") };
        format!("{}{last}", facts.join(", "))
    }
}

/// What git says of its progress, shorter: "receiving objects 45%, 1.20 MiB at 500.00 KiB/s".
fn phase(line: &str) -> Option<String> {
    let line = line.strip_prefix("remote: ").unwrap_or(line);
    let (what, rest) = line.split_once(": ")?;
    let rest = rest.trim_start();
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (count, rest) = rest.split_at(digits);
    if count.is_empty() || !what.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b' ') {
        return None;
    }
    let what = what.to_lowercase();
    let Some(rest) = rest.strip_prefix("% (") else {
        return (rest.is_empty() || rest.starts_with(", done")).then(|| format!("{what} {count}"));
    };
    let (_, sizes) = rest.split_once(')')?;
    let sizes = sizes.trim_end_matches('.').trim_end_matches("done").trim_end_matches([',', ' ']);
    Some(format!("{what} {count}%{}", sizes.replace(" | ", " at ")))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Line, Said, phase};
    use crate::redact::Redactor;

    #[test]
    fn what_git_says_is_shortened_and_all_else_is_none_of_it() {
        let shorter = |line: &str| phase(line).unwrap_or_default();
        assert_eq!(
            shorter("Receiving objects:  45% (450/1000), 1.20 MiB | 500.00 KiB/s"),
            "receiving objects 45%, 1.20 MiB at 500.00 KiB/s"
        );
        assert_eq!(shorter("remote: Counting objects: 100% (5/5), done."), "counting objects 100%");
        assert_eq!(shorter("remote: Enumerating objects: 1234, done."), "enumerating objects 1234");
        assert_eq!(shorter("Updating files:   7% (70/1000)"), "updating files 7%");
        for other in ["From http://x:80/y", "fatal: no", "   a..b  main -> origin/main", "", "x: 1.2"] {
            assert_eq!(phase(other), None, "{other}");
        }
    }

    #[test]
    fn the_line_says_the_step_the_size_the_time_and_what_came_last() {
        let line = Line { step: "sync: install".to_owned(), tree: None, redactor: Redactor::default() };
        assert_eq!(line.text("", Some(0), Duration::from_millis(600)), "sync: install");
        let took = Duration::from_millis(14_300);
        assert_eq!(line.text("", None, took), "sync: install, 14 s");
        let text = line.text("added 3 \u{1b}[2Jpackages", Some(210 << 20), took);
        assert!(text.starts_with("sync: install, 210.0 MiB, 14 s: added 3 "), "{text}");
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }

    #[test]
    fn a_line_may_come_in_pieces() {
        let mut said = Said { is_git: true, ..Said::default() };
        for piece in ["Receiving obj", "ects:  1% (1/100)\rReceiving objects:  2% (2/1", "00)\rFrom x\n"] {
            said.hear(piece.as_bytes());
        }
        assert_eq!(said.last, "receiving objects 2%");
    }
}
