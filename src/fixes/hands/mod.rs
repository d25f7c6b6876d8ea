//! The only code that writes. One step at a time: the journal first, then the guard, then the act.

pub mod align;
pub mod aside;
mod at_work;
mod carry;
pub mod commands;
mod declared;
pub mod disk;
pub mod files;
pub mod git;
pub mod guard;
mod held;
mod index;
pub mod install;
pub mod jobs;
pub mod keeper;
mod killed;
pub mod locks;
mod objects;
pub mod process;
mod refs;
mod submodules;
mod swap;
mod torn;
mod tree;
pub mod turns;
mod within;
pub mod worktree;

use std::sync::Arc;

use jiff::Timestamp;

use crate::config::{Config, Mirror};
use crate::error::StepError;
use crate::fixes::built;
use crate::fixes::events::{self, Decision};
use crate::fixes::journal::Journal;
use crate::fixes::lock::Lock;
use crate::fixes::state::{self as record, Ended};
use crate::fixes::{Action, Event, Guard, Safety, Step, StepReport, StepResult};
use crate::probes::git::Repository;
use crate::probes::machine::Machine;
use crate::probes::program::Output;
use crate::probes::state::SyncStatus;
use crate::probes::{self, clock};

/// What applies steps. It can only be had by whoever holds the mirror's lock.
#[derive(Debug)]
pub struct Hands<'a> {
    config: &'a Arc<Config>,
    machine: &'a Arc<Machine>,
    journal: Journal,
    fetched: Option<(String, Timestamp)>,
}

/// What came of the fetch that opens a sync.
#[derive(Debug)]
pub enum Fetched {
    /// The tracking branch is on this commit, as the remote's is.
    At(String),
    /// git failed; how, is for the caller to tell.
    Failed(Output),
}

impl<'a> Hands<'a> {
    /// Hands of whoever holds the lock. They remove first what those left that were killed at work.
    ///
    /// # Errors
    /// The journal cannot be written: then nothing may be done.
    pub fn new(config: &'a Arc<Config>, machine: &'a Arc<Machine>, _lock: &Lock) -> Result<Self, StepError> {
        let mut journal = Journal::open(config)?;
        killed::in_state(config);
        if let Some(mirror) = config.mirror.as_deref() {
            killed::half_packs_again(config, mirror);
            install::put_back(config);
        }
        if let (Some(began), Some(mirror)) = (journal.cut_off(), config.mirror.as_deref()) {
            killed::in_mirror(config, mirror, began.into());
            journal.swept();
        }
        Ok(Self { config, machine, journal, fetched: None })
    }

    /// What the last fetch of these hands brought, and when.
    #[must_use]
    pub const fn fetched(&self) -> Option<&(String, Timestamp)> {
        self.fetched.as_ref()
    }

    /// Tells these hands what a fetch brought that was made around them.
    pub fn tell_fetched(&mut self, sha: String) {
        self.fetched = Some((sha, clock::now()));
    }

    /// Applies one step, and says what became of it.
    pub fn apply(&mut self, fix: &str, step: &Step, on_event: &mut dyn FnMut(Event<'_>)) -> StepReport {
        let mut report = self.propose(&step.action, step.safety);
        on_event(Event::Began(fix, &step.action));
        self.done(fix, &mut report, &step.guard, on_event);
        on_event(Event::Ended(fix, &report));
        report
    }

    /// The fetch that opens a sync: journaled as any step, unless it brings nothing.
    ///
    /// # Errors
    /// The journal cannot be written, or git cannot be run.
    pub fn fetch_once(
        &mut self,
        repository: &Repository,
        on_event: &mut dyn FnMut(Event<'_>),
    ) -> Result<Fetched, StepError> {
        let (fix, mirror) = (crate::fixes::sync::FIX.id, mirror_of(self.config)?);
        let mut report = self.propose(&Action::Fetch, Safety::Safe);
        on_event(Event::Began(fix, &report.action));
        let mark = self.journal.begin_harmless(fix, &report)?;
        let (start, began) = (clock::instant(), clock::now());
        let mut tell = |chunk: &[u8]| on_event(Event::Output(chunk));
        let came = git::try_fetch(self.config, mirror, repository, &mut tell).and_then(|output| {
            if output.succeeded() {
                probes::git::tracking(self.machine, repository, mirror)
                    .map_or_else(|| git::tracking(self.machine, self.config, mirror), Ok)
                    .map(Fetched::At)
            } else {
                Ok(Fetched::Failed(output))
            }
        });
        if !matches!(&came, Ok(Fetched::At(_))) {
            killed::in_mirror(self.config, mirror, began.into());
        }
        report.result = match &came {
            Ok(Fetched::At(_)) => StepResult::Done { took: start.elapsed(), note: None },
            Ok(Fetched::Failed(output)) => StepResult::Failed(crate::git::complaint(output)),
            Err(error) => StepResult::Failed(error.to_string()),
        };
        match &came {
            Ok(Fetched::At(sha)) if repository.tracking.as_ref() == Some(sha) => self.journal.retract(mark),
            _ => self.journal.end(fix, &report),
        }
        on_event(Event::Ended(fix, &report));
        came
    }

    /// Takes back a step that was done, if it can be.
    pub fn undo(
        &mut self,
        fix: &str,
        step: &Step,
        report: &mut StepReport,
        on_event: &mut dyn FnMut(Event<'_>),
    ) {
        let Some((action, guard)) = &step.undo else { return };
        let mut undone = self.propose(action, step.safety);
        self.done(fix, &mut undone, guard, on_event);
        if let StepResult::Done { .. } = undone.result {
            report.result = StepResult::Undone;
        }
    }

    fn propose(&self, action: &Action, safety: Safety) -> StepReport {
        StepReport {
            action: action.clone(),
            safety,
            commands: action.commands(self.config),
            result: StepResult::Proposed,
        }
    }

    fn done(
        &mut self,
        fix: &str,
        report: &mut StepReport,
        guard: &Guard,
        on_event: &mut dyn FnMut(Event<'_>),
    ) {
        let (start, began) = (clock::instant(), clock::now());
        let came = guard
            .check(self.config)
            .and_then(|()| self.journal.begin(fix, report))
            // The disk may take its time over the journal: the world is looked at again.
            .and_then(|()| guard.check(self.config))
            .and_then(|()| self.act(&report.action, on_event));
        let took = start.elapsed();
        report.result = match came {
            Ok(note) => StepResult::Done { took, note },
            Err(StepError::Refused(why)) => StepResult::Refused(why),
            Err(error @ StepError::Stopped) => StepResult::Refused(error.to_string()),
            Err(StepError::Away(why)) => StepResult::Away(why),
            Err(error) => StepResult::Failed(self.with_disk(&error.to_string())),
        };
        if let (StepResult::Failed(_) | StepResult::Away(_), Some(mirror)) =
            (&report.result, self.config.mirror.as_deref())
        {
            // On a full disk git leaves what it could not finish.
            killed::in_mirror(self.config, mirror, began.into());
        }
        self.journal.end(fix, report);
        let reason = match &report.result {
            StepResult::Done { note, .. } => note.clone(),
            StepResult::Refused(why) | StepResult::Failed(why) | StepResult::Away(why) => Some(why.clone()),
            StepResult::Proposed | StepResult::Undone => None,
        };
        let decision = Decision {
            ev: "mend",
            subject: Some(fix),
            action: Some(report.action.name()),
            outcome: Some(report.result.name()),
            reason: reason.as_deref(),
            age: Some(took),
            ..Decision::default()
        };
        events::record(self.config, &decision);
    }

    /// Why something failed, and the disk that is the reason.
    fn with_disk(&self, why: &str) -> String {
        disk::trouble(self.config, why).map_or_else(|| why.to_owned(), |disk| format!("{why}: {disk}"))
    }

    fn act(
        &mut self,
        action: &Action,
        on_event: &mut dyn FnMut(Event<'_>),
    ) -> Result<Option<String>, StepError> {
        let config = self.config;
        let mirror = || mirror_of(config);
        let mut tell = |chunk: &[u8]| on_event(Event::Output(chunk));
        match action {
            Action::Fetch => {
                let sha = git::fetch(self.machine, config, mirror()?, &mut tell)?;
                let short = sha.get(..7).unwrap_or(&sha).to_owned();
                self.tell_fetched(sha);
                Ok(Some(format!("{} is {short}", mirror()?.upstream_name())))
            }
            Action::AddWorktree => {
                let mirror = mirror()?;
                let add = |tell: &mut dyn FnMut(&[u8])| worktree::add_worktree(config, mirror, tell);
                built::moving(config, self.machine, mirror, || objects::whole(config, mirror, &mut tell, add))
                    .map(|kept| Some(told("made the worktree", kept)))
            }
            Action::Relink => {
                worktree::relink(config, mirror()?).map(|()| Some(told("linked the worktree again", None)))
            }
            Action::LockWorktree => {
                worktree::lock_worktree(config, mirror()?).map(|()| Some(told("locked the worktree", None)))
            }
            Action::RemoveLock(path) => {
                let done = || told(&format!("removed the stale lock {}", config.tilde(path)), None);
                locks::remove(config, mirror()?, path).map(|()| Some(done()))
            }
            Action::SetAside => {
                let mirror = mirror()?;
                objects::whole(config, mirror, &mut tell, |tell| aside::set_aside(config, mirror, tell))
            }
            Action::Align(sha) => {
                let done = format!("aligned on {}", sha.get(..7).unwrap_or(sha));
                let mirror = mirror()?;
                let align = |tell: &mut dyn FnMut(&[u8])| align::align(config, mirror, sha, tell);
                built::moving(config, self.machine, mirror, || {
                    objects::whole(config, mirror, &mut tell, align)
                })
                .inspect(|_| forgive(config))
                .map(|kept| Some(told(&done, kept)))
            }
            Action::Carry(file) => {
                let done = format!("copied {}", file.display());
                let carried = built::moving(config, self.machine, mirror()?, || carry::carry(config, file));
                let carried = carried.inspect(|_| forgive(config));
                carried.map(|kept| Some(told(&done, kept)))
            }
            Action::Install(argv) => install::install(self.machine, config, mirror()?, argv, &mut tell),
            Action::Build(argv) => install::build(self.machine, config, mirror()?, argv, &mut tell),
            Action::Record => {
                let sha = git::commit(config, &mirror()?.worktree, "HEAD")?;
                let contact = self.fetched.as_ref().map(|(_, at)| *at);
                let upstream = git::tracking(self.machine, config, mirror()?).ok();
                let (status, reason) = (SyncStatus::Updated, "mended");
                let ended = Ended { status, sha, upstream, contact, reason, unserved: None, is_away: false };
                record::write(config, ended).map(|_| None)
            }
            Action::Run(fix) => declared::run(config, fix, &mut tell).map(Some),
            Action::StartKeeper => keeper::start(config).map(|()| None),
            Action::RestartServer => keeper::restart_server(config).map(|()| None),
            Action::StopProcess { pid, identity } => process::stop(*pid, *identity).map(|()| None),
            Action::Await { url, within } => process::wait_for(url, *within).map(|()| None),
            Action::MoveAside(path) => {
                let kept = files::move_aside(path)?;
                Ok(Some(format!("kept as {}", config.tilde(&kept))))
            }
            Action::RotateLog(path) => files::rotate(path).map(|()| None),
            Action::WriteJob { path, content } => jobs::write(config, path, content).map(Some),
            Action::RemoveJob(path) => jobs::remove(config, path).map(Some),
            Action::BackUp(path) => jobs::back_up(config, path).map(Some),
            Action::BringBack(path) => jobs::bring_back(config, path).map(Some),
            Action::Service { manager, job, verb } => (manager.act)(self.machine, config, job, *verb)
                .map(|note| Some(jobs::told(manager, job, *verb, note))),
            Action::Remember(installation) => jobs::remember(config, installation).map(|()| None),
            Action::Forget => jobs::forget(config).map(|()| None),
        }
    }
}

/// A build that failed may end well now that the files are as they should be.
fn forgive(config: &Config) {
    // Without it the build is tried all the same, only later.
    let _ = built::forgive(config);
}

/// What was done, and what was kept meanwhile.
fn told(done: &str, kept: Option<String>) -> String {
    kept.map_or_else(|| done.to_owned(), |kept| format!("{done}; {kept}"))
}

fn mirror_of(config: &Config) -> Result<&Mirror, StepError> {
    config.mirror.as_deref().ok_or_else(no_mirror)
}

fn no_mirror() -> StepError {
    StepError::Refused("no [mirror] is configured".to_owned())
}
