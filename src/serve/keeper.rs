//! The keeper: both roles in one process. It syncs every so often, and keeps the server alive.
#![expect(clippy::disallowed_methods, reason = "the keeper writes its own state")]

mod follow;

use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Write};
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::checks::server::on_port;
use crate::config::Config;
use crate::error::StepError;
use crate::fixes::hands::{files, guard};
use crate::plain;
use crate::probes::http::Answer;
use crate::probes::keeper::{Keeper, Keeps, Kept, Running, SCHEMA, Unfollowed};
use crate::probes::machine::Machine;
use crate::probes::{clock, http, keeper, processes, sockets, state};
use crate::serve::kept::{Role, is_there};
use crate::serve::left::end_what_was_left;
use crate::serve::may_run;
use crate::serve::signals::Signals;

/// How often the stop mark and the clock are looked at.
const TICK: Duration = Duration::from_secs(1);
/// A server that lived so long was no failed start.
const GOOD: Duration = Duration::from_mins(1);
/// The longest pause between two starts, and between two looks at a configuration that asks for no sync.
const LONGEST: Duration = Duration::from_mins(1);
/// How long a sync may go on once the keeper was told to end.
const LAST_SYNC: Duration = Duration::from_secs(10);
/// How long one question to a starting server may take.
const ASKED: Duration = Duration::from_secs(5);
/// How long a lock is tried for: a look holds it for a moment.
const LOCK: Duration = Duration::from_secs(1);

/// Keeps the mirror until it is told to end; says in `out` what it does.
///
/// # Errors
/// Refused where it may not run or another keeper does; failed where its own state cannot be written.
pub fn keep(config: Arc<Config>, reread: Reread<'_>, out: &mut dyn Write) -> Result<(), StepError> {
    may_run(&config)?;
    let lock = take_lock(&config)?;
    let signals = Signals::register()?;
    end_what_was_left(&config)?;
    let (stop_file, keeper_file) = (config.stop_file(), config.keeper_file());
    let mut keeping = Keeping::new(config, reread, out)?;
    keeping.write()?;
    while !signals.down.load(Ordering::Relaxed) && !is_there(&stop_file) {
        if signals.restart.swap(false, Ordering::Relaxed) {
            keeping.follow();
            keeping.restart()?;
        }
        let is_asked = signals.reread.swap(false, Ordering::Relaxed);
        if (is_asked || keeping.is_to_follow()) && keeping.follow_with_care() {
            keeping.renew()?;
        }
        keeping.tick();
        keeping.write()?;
        signals.wait(keeping.pause());
    }
    keeping.end();
    // Its absence is as good as its last word.
    let _ = std::fs::remove_file(keeper_file);
    drop(lock);
    Ok(())
}

/// Reads the configuration again, as it is now; or why that cannot be.
pub type Reread<'a> = &'a dyn Fn() -> Result<Arc<Config>, String>;

/// What the keeper has in hand.
struct Keeping<'a> {
    config: Arc<Config>,
    reread: Reread<'a>,
    /// What it goes by, as it tells whoever looks.
    keeps: Keeps,
    /// Why it could not go by its configuration as that is now, when it last looked.
    unfollowed: Option<Unfollowed>,
    machine: Machine,
    out: &'a mut dyn Write,
    /// What tells this process from a later one of its id.
    identity: u64,
    since: Timestamp,
    server: State,
    failures: u32,
    sync: Option<Role>,
    next_sync: Instant,
    synced: bool,
    /// Whether the worktree was there before the first sync: one that is being made has no files yet.
    was_there: bool,
    written: Option<Running>,
    /// What kept it from being written lately: of the same, the words differ each time.
    unwritten: Option<ErrorKind>,
    answered: Arc<OnceLock<Timestamp>>,
}

enum State {
    /// There is none to keep.
    None,
    /// It waits for the worktree that the first sync makes.
    Waiting,
    Started(Role),
    BackingOff {
        at: Instant,
        next: Timestamp,
        last: String,
    },
}

impl<'a> Keeping<'a> {
    fn new(config: Arc<Config>, reread: Reread<'a>, out: &'a mut dyn Write) -> Result<Self, StepError> {
        let server = if config.server.is_some() { State::Waiting } else { State::None };
        let own = processes::read(std::process::id())?;
        let own = own.ok_or_else(|| StepError::failed("find this very process", &"the system has none"))?;
        Ok(Self {
            keeps: Keeps::of(&config),
            was_there: follow::has_worktree(&config),
            unfollowed: None,
            machine: Machine::default(),
            config,
            reread,
            out,
            identity: own.identity,
            since: clock::now(),
            server,
            failures: 0,
            sync: None,
            next_sync: clock::instant(),
            synced: false,
            written: None,
            unwritten: None,
            answered: Arc::default(),
        })
    }

    fn tick(&mut self) {
        self.tick_sync();
        match &mut self.server {
            State::None => {}
            State::Waiting => {
                if self.synced || self.was_there {
                    self.start();
                }
            }
            State::Started(role) => {
                let lived = role.age();
                if let Some(last) = role.ended() {
                    if let State::Started(role) = std::mem::replace(&mut self.server, State::Waiting)
                        && let Err(error) = role.end()
                    {
                        self.say(&format!("{error}"));
                    }
                    if lived >= GOOD {
                        self.failures = 0;
                    }
                    self.back_off(last);
                }
            }
            State::BackingOff { at, .. } => {
                if clock::instant() >= *at {
                    self.start();
                }
            }
        }
    }

    fn tick_sync(&mut self) {
        let Some(mirror) = self.config.mirror.clone() else {
            self.synced = true;
            // Its configuration is looked at again all the same.
            if clock::instant() >= self.next_sync {
                self.next_sync = clock::instant() + LONGEST;
            }
            return;
        };
        if self.sync.as_mut().is_some_and(|sync| sync.ended().is_some()) {
            self.sync = None;
            self.synced = true;
        }
        if self.sync.is_none() && clock::instant() >= self.next_sync {
            let every = mirror.every.max(TICK);
            // Keepers that start together, at a login, do not go on together.
            let pause = if self.synced { every } else { every / 2 + self.config.share_of(every / 2) };
            self.next_sync = clock::instant() + pause;
            if self.synced && state::read(&self.config).is_ok_and(|it| it.pause(clock::now()).is_some()) {
                return;
            }
            // A child that reads it would hang, as this one would.
            if let Some(why) = self.silent() {
                self.synced = true;
                self.leave(&why);
                return;
            }
            match Role::start(&self.config, "sync") {
                Ok(role) => self.sync = Some(role),
                Err(error) => {
                    self.synced = true;
                    self.say(&error.to_string());
                }
            }
        }
    }

    fn start(&mut self) {
        if let Some(why) = self.silent() {
            return self.back_off(why);
        }
        // The server reads its configuration itself: what is told of it is then what it has read.
        if self.differs() {
            self.follow();
        }
        if self.config.server.is_none() {
            self.server = State::None;
            return;
        }
        // Many servers move to the next port where theirs is taken, and would then be kept in the wrong place.
        if let Some(holder) = self.port_holder() {
            return self.back_off(holder);
        }
        match Role::start(&self.config, "serve") {
            Ok(role) => {
                self.say(&format!("server started, pid {}", role.pid()));
                self.answered = Arc::default();
                self.watch_answer();
                self.server = State::Started(role);
            }
            Err(error) => self.back_off(error.to_string()),
        }
    }

    /// Asks the server, in a thread of its own, until it answers or its time to start is over.
    fn watch_answer(&self) {
        let Some(server) = self.config.server.clone() else { return };
        let answered = Arc::clone(&self.answered);
        std::thread::spawn(move || {
            let (url, start) = (server.url(&server.ready.path), clock::instant());
            // Nobody but the keeper holds the other end: without it nobody wants to know.
            while Arc::strong_count(&answered) > 1 && start.elapsed() < server.ready.within {
                if let Ok(Answer::Response(it)) = http::get(&url, ASKED)
                    && it.status < 500
                {
                    let _ = answered.set(clock::now());
                    return;
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        });
    }

    fn port_holder(&self) -> Option<String> {
        let listen = self.config.server.as_ref()?.listen;
        let listeners = sockets::listening().ok()?;
        let listener =
            on_port(&listeners, listen).filter(|it| it.address.ip().is_ipv4() == listen.is_ipv4())?;
        Some(match listener.pids.first() {
            Some(pid) => format!("{listen} held by pid {pid}"),
            None => format!("{listen} held by another"),
        })
    }

    fn back_off(&mut self, last: String) {
        self.failures = self.failures.saturating_add(1);
        let doubled = Duration::from_secs(1 << self.failures.saturating_sub(1).min(6));
        let pause = doubled.min(LONGEST);
        self.say(&format!("server ended ({last}), next start in {} s", pause.as_secs()));
        let next = clock::now().saturating_add(pause).unwrap_or(Timestamp::MAX);
        self.server = State::BackingOff { at: clock::instant() + pause, next, last };
    }

    fn restart(&mut self) -> Result<(), StepError> {
        let before = if self.config.server.is_some() { State::Waiting } else { State::None };
        if let State::Started(role) = std::mem::replace(&mut self.server, before) {
            role.end()?;
        }
        if self.config.server.is_none() {
            return Ok(());
        }
        self.failures = 0;
        self.start();
        Ok(())
    }

    /// How long nothing of its own is due.
    fn pause(&self) -> Duration {
        let due = match &self.server {
            State::BackingOff { at, .. } => at.saturating_duration_since(clock::instant()),
            State::Waiting => Duration::from_millis(100),
            State::Started(_) if self.answered.get().is_none() => Duration::from_millis(100),
            State::None | State::Started(_) => TICK,
        };
        let sync = match (&self.config.mirror, &self.sync) {
            (Some(_), None) => self.next_sync.saturating_duration_since(clock::instant()),
            _ => TICK,
        };
        due.min(sync).clamp(Duration::from_millis(10), TICK)
    }

    fn end(&mut self) {
        if let State::Started(role) = std::mem::replace(&mut self.server, State::None)
            && let Err(error) = role.end()
        {
            self.say(&error.to_string());
        }
        if let Some(mut sync) = self.sync.take()
            && !sync.wait(LAST_SYNC)
            && let Err(error) = sync.end()
        {
            self.say(&error.to_string());
        }
        self.say("ended");
    }

    /// Tells whoever looks, where anything has changed.
    fn write(&mut self) -> Result<(), StepError> {
        let server = match &self.server {
            State::None | State::Waiting => Kept::None,
            State::Started(role) => Kept::Started {
                pid: role.pid(),
                identity: role.identity,
                at: role.at,
                answered: self.answered.get().copied(),
            },
            State::BackingOff { next, last, .. } => {
                Kept::BackingOff { failures: self.failures, next: *next, last: last.clone() }
            }
        };
        let (pid, identity) = (std::process::id(), self.identity);
        let mut keeps = self.keeps.clone();
        if let State::Started(role) = &self.server {
            keeps.settings.clone_from(&role.settings);
        }
        let (keeps, unfollowed) = (Some(keeps), self.unfollowed.clone());
        let now = Running { schema: SCHEMA, pid, identity, since: self.since, server, keeps, unfollowed };
        let failed = |error: &dyn std::fmt::Display| StepError::failed("write the keeper's state", error);
        let text = serde_json::to_vec_pretty(&now).map_err(|error| failed(&error))?;
        let file = self.config.keeper_file();
        // Somebody may have spoilt it, or moved it aside.
        if self.written.as_ref() == Some(&now) && plain::read(&file).is_ok_and(|it| it == text) {
            return Ok(());
        }
        match files::write_private(&file, &text) {
            Ok(()) => {
                self.written = Some(now);
                if self.unwritten.take().is_some() {
                    self.say("the keeper's state is written again");
                }
            }
            // A keeper that nobody ever saw must not go on.
            Err(error) if self.written.is_none() => {
                self.end();
                return Err(failed(&error));
            }
            Err(error) => {
                // What it said last is true no more, and a full disk is no reason to take the server down.
                let _ = std::fs::remove_file(&file);
                if self.unwritten.replace(error.kind()) != Some(error.kind()) {
                    self.say(&failed(&error).to_string());
                }
            }
        }
        Ok(())
    }

    fn say(&mut self, text: &str) {
        // Whoever listened may have gone; the keeper goes on.
        let text = self.config.redactor.text(text);
        let _ = writeln!(self.out, "{} {text}", clock::now()).and_then(|()| self.out.flush());
    }
}

/// Holds the keeper's lock for as long as the file lives.
pub(super) fn take_lock(config: &Config) -> Result<File, StepError> {
    let failed = |error: &dyn std::fmt::Display| StepError::failed("take the keeper's lock", error);
    let path = config.keeper_lock();
    let mut file = files::open_private(&path).map_err(|error| failed(&error))?;
    let start = clock::instant();
    loop {
        match file.try_lock() {
            Ok(()) if guard::is_at(&file, &path) => return Ok(file),
            // The state directory was removed meanwhile, and made again: that lock is nobody's.
            Ok(()) => file = files::open_private(&path).map_err(|error| failed(&error))?,
            Err(TryLockError::Error(error)) => return Err(failed(&error)),
            Err(TryLockError::WouldBlock) if start.elapsed() < LOCK => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(TryLockError::WouldBlock) => {
                let who = match keeper::read(config) {
                    Ok(Keeper::Running(it)) => format!("pid {}", it.pid),
                    _ => "another process".to_owned(),
                };
                return Err(StepError::Refused(format!("{who} keeps this mirror already")));
            }
        }
    }
}
