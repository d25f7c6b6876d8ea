//! A reload, whatever the manager: read the definition again, and believe it only when the service answers.
//!
//! Unload, wait until it is really gone, load, start, ask its health. Loaded but not serving gets exactly one restart,
//! and as many questions again; after that a person is told all they need. Whatever happens, the job is left loaded.

use std::net::{TcpStream, ToSocketAddrs};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::error::StepError;
use crate::fixes::lock::Lock;
use crate::probes::machine::Machine;
use crate::probes::{clock, http, logs, processes, sockets};
use crate::services::diagnosis::{Diagnosis, LINES, Probe, Tail};
use crate::services::{Job, Manager, Observed, State, Verb, systemd};

/// What is reloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The job.
    pub job: Job,
    /// Where it answers; without one, it must stay up, or have ended well.
    pub health: Option<Health>,
}

/// When a service is healthy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// The address; a redirect is not followed.
    pub url: String,
    /// The one status that is healthy.
    pub status: u16,
    /// How often it is asked before it counts as not serving.
    pub tries: u32,
    /// How long after one question comes the next.
    pub every: Duration,
    /// How long one answer may take.
    pub timeout: Duration,
}

impl Health {
    /// Asks this address as often as a person would: 30 times, once a second, 5 s each; 200 is healthy.
    #[must_use]
    pub fn of(url: String) -> Self {
        let (every, timeout) = (Duration::from_secs(1), Duration::from_secs(5));
        Self { url, status: 200, tries: 30, every, timeout }
    }
}

/// Whether a reload may start the job itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kickstart {
    /// After the load, and once more when it does not serve.
    Allowed,
    /// Never: what is loaded starts by itself, or does not.
    Skipped,
}

/// With what a reload is done.
#[derive(Clone, Copy)]
pub struct Engine<'a> {
    /// Who keeps the job.
    pub manager: &'a Manager,
    /// The machine.
    pub machine: &'a Machine,
    /// The configuration.
    pub config: &'a Config,
    /// Whether it may be started.
    pub kickstart: Kickstart,
    /// Whether the user has had enough; asked between two questions.
    pub is_over: &'a dyn Fn() -> bool,
}

/// It serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// How it was found to serve: "it runs, pid 4242".
    pub how: String,
    /// How long all of it took.
    pub took: Duration,
    /// Whether the one restart was needed.
    pub retried: bool,
    /// What its manager had to tell.
    pub note: Option<String>,
}

/// Why it does not serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotServed {
    /// Nothing was done, and the job is as it was: why.
    Untouched(StepError),
    /// It was reloaded, or that failed.
    Broken(Box<Diagnosis>),
}

impl Engine<'_> {
    /// Reloads a job and returns once it serves; the mirror's lock is let go once the job is loaded, since what is
    /// started then may need it.
    ///
    /// # Errors
    /// It was not touched, or does not serve.
    pub fn reload(&self, target: &Target, lock: Option<Lock>) -> Result<Served, NotServed> {
        let start = clock::instant();
        let job = &target.job;
        let before = self.observe(job).map_err(|error| NotServed::Untouched(error.into()))?;
        if before.state == State::Absent && self.manager.name == "embedded" {
            let why = "nobody keeps this mirror: `housecall up --detach` does".to_owned();
            return Err(NotServed::Untouched(StepError::Refused(why)));
        }
        let file = job.file.clone().or_else(|| before.file.clone());
        let target = &Target { job: Job { file, ..job.clone() }, health: target.health.clone() };
        let broken =
            |why: String, probe| Err(NotServed::Broken(Box::new(self.diagnose(target, &before, why, probe))));

        let note = match (self.manager.act)(self.machine, self.config, &target.job, Verb::Reload) {
            Ok(note) => note,
            Err(error @ (StepError::Refused(_) | StepError::Stopped)) => {
                return Err(NotServed::Untouched(error));
            }
            Err(error) => return broken(error.to_string(), None),
        };
        drop(lock);
        let mut failed_start = None;
        if self.kickstart == Kickstart::Allowed {
            // A job that starts by itself runs by now: then this does nothing, and need not succeed.
            failed_start = self.act(target, Verb::Start).err();
        }
        let served = |how: String, retried: bool| {
            Ok(Served { how, took: start.elapsed(), retried, note: note.clone() })
        };
        let first = match self.wait(target) {
            Ok(how) => return served(how, false),
            Err(probe) => probe,
        };
        let why = match failed_start {
            None => "it is loaded and does not serve".to_owned(),
            Some(error) => format!("it is loaded and does not serve; {error}"),
        };
        if (self.is_over)() {
            return broken(format!("{why}; the wait was interrupted"), Some(first));
        }
        if self.kickstart == Kickstart::Skipped {
            return broken(format!("{why}; no restart was tried, as asked"), Some(first));
        }
        if let Err(error) = self.act(target, Verb::Restart) {
            return broken(format!("{why}, and its restart failed: {error}"), Some(first));
        }
        match self.wait(target) {
            Ok(how) => served(how, true),
            Err(probe) => broken(format!("{why}, nor after one restart"), Some(probe)),
        }
    }

    /// The commands that a person would type for it.
    ///
    /// # Errors
    /// The job cannot be looked at.
    pub fn commands(&self, target: &Target) -> Result<Vec<String>, StepError> {
        let job = &target.job;
        let file = match &job.file {
            Some(file) => Some(file.clone()),
            None => self.observe(job)?.file,
        };
        let job = Job { file, ..job.clone() };
        let mut lines = (self.manager.commands)(self.config, &job, Verb::Reload);
        if self.kickstart == Kickstart::Allowed {
            lines.extend((self.manager.commands)(self.config, &job, Verb::Start));
        }
        lines.extend(target.health.as_ref().map(curl));
        Ok(lines)
    }

    fn observe(&self, job: &Job) -> Result<Observed, crate::error::ProbeError> {
        (self.manager.observe)(self.machine, self.config, job)
    }

    fn act(&self, target: &Target, verb: Verb) -> Result<Option<String>, StepError> {
        (self.manager.act)(self.machine, self.config, &target.job, verb)
    }

    /// Asks until it serves, as often as that is worth it; how it serves, or what was asked last.
    fn wait(&self, target: &Target) -> Result<String, Probe> {
        let plain = Health::of(String::new());
        let health = target.health.as_ref().unwrap_or(&plain);
        let mut last = Probe { asked: target.job.label.clone(), result: "it was not asked".to_owned() };
        let mut process = None;
        for attempt in 1..=health.tries.max(1) {
            let asked_at = clock::instant();
            let answer = match &target.health {
                Some(health) => self.ask(target, health, process),
                None => self.stays(target, &mut process),
            };
            match answer {
                Ok(how) => return Ok(how),
                Err(probe) => last = probe,
            }
            if attempt == health.tries || (self.is_over)() {
                break;
            }
            if target.health.is_some() && process.is_none() {
                // The server is being started: now is the time to learn which process it is.
                process = self.observe(&target.job).ok().and_then(|it| it.pid);
            }
            self.pause(target.health.as_ref(), &last, asked_at, health.every);
        }
        Err(last)
    }

    /// Waits for the next question; where nobody listened, no longer than until somebody does.
    fn pause(&self, health: Option<&Health>, last: &Probe, asked_at: Instant, every: Duration) {
        let address = health.filter(|_| last.result == REFUSED).and_then(|it| address_of(&it.url));
        while let Some(left) = every.checked_sub(asked_at.elapsed()).filter(|it| !it.is_zero()) {
            if (self.is_over)() {
                return;
            }
            sleep(left.min(TICK));
            let listens = |it| TcpStream::connect_timeout(&it, Duration::from_millis(200)).is_ok();
            if address.is_some_and(listens) {
                return;
            }
        }
    }

    /// One question to its health endpoint. An answer does not count for a job that has no process: another gave it.
    fn ask(&self, target: &Target, health: &Health, process: Option<u32>) -> Result<String, Probe> {
        let no = |result: String| Err(Probe { asked: health.url.clone(), result });
        let result = match http::get(&health.url, health.timeout) {
            Ok(http::Answer::Response(it)) if it.status == health.status => {
                if self.has_process(target, &health.url, process) {
                    return Ok(format!("{} answers {}", health.url, it.status));
                }
                format!("it answers {}, but not from this job, which has no process", it.status)
            }
            Ok(http::Answer::Response(it)) => match it.location {
                Some(location) => format!("it answers {}, not {}: to {location}", it.status, health.status),
                None => format!("it answers {}, not {}", it.status, health.status),
            },
            Ok(http::Answer::Refused) => REFUSED.to_owned(),
            Ok(http::Answer::Silent { after }) => {
                format!("it accepts and does not answer within {}", crate::error::human_duration(after))
            }
            Ok(http::Answer::Broken(why) | http::Answer::Distrusted(why)) => why,
            Err(error) => error.to_string(),
        };
        no(result)
    }

    /// Whether the job has a process, or may have: what its manager does not tell is no reason to doubt an answer. Where
    /// another listens there, as for a container, it must stay: one that finds its port taken ends a moment later.
    fn has_process(&self, target: &Target, url: &str, process: Option<u32>) -> bool {
        let lives = |pid: &u32| matches!(processes::read(*pid), Ok(Some(_)));
        let observed = self.observe(&target.job).ok();
        let of_now = observed.as_ref().and_then(|it| it.pid);
        let Some(pid) = process.filter(lives).or(of_now) else {
            let is_none =
                |it: Observed| matches!(it.state, State::BackingOff | State::Absent | State::Refused(_));
            return !observed.is_some_and(is_none);
        };
        let start = clock::instant();
        while !listens(url, pid) && start.elapsed() < STEADY {
            if !lives(&pid) || (self.is_over)() {
                return false;
            }
            sleep(TICK);
        }
        true
    }

    /// Whether a job without an address is up: the same process twice in a row, or none since it ended well.
    fn stays(&self, target: &Target, steady: &mut Option<u32>) -> Result<String, Probe> {
        let asked = target.job.label.clone();
        let no = |result: String| Err(Probe { asked, result });
        let observed = match self.observe(&target.job) {
            Ok(observed) => observed,
            Err(error) => return no(error.to_string()),
        };
        let ended_well = observed.last_exit.as_ref().is_none_or(|exit| exit.code == Some(0));
        match (&observed.state, observed.pid) {
            (State::Running, Some(pid)) if *steady == Some(pid) => Ok(format!("it runs, pid {pid}")),
            (State::Running, pid) => {
                *steady = pid;
                no(super::diagnosis::state(&observed))
            }
            (State::Idle, _) if ended_well => Ok(match observed.last_exit {
                Some(_) => "it ran and ended well".to_owned(),
                None => "it is loaded and waits for its time".to_owned(),
            }),
            _ => no(super::diagnosis::state(&observed)),
        }
    }

    fn diagnose(&self, target: &Target, before: &Observed, why: String, probe: Option<Probe>) -> Diagnosis {
        let observed = self.observe(&target.job);
        let now = observed.as_ref().ok();
        // What is loaded now says where it writes; only where nothing is, what was loaded before.
        let source = now.filter(|it| it.loaded.is_some()).unwrap_or(before);
        let command = |verb| (self.manager.commands)(self.config, &target.job, verb);
        let is_loaded = now.is_some_and(|it| it.state != State::Absent);
        let mut by_hand = command(if is_loaded { Verb::Restart } else { Verb::Load });
        by_hand.extend(target.health.as_ref().map(curl));
        // What names no file of its own goes to systemd's journal.
        let is_in_journal =
            self.manager.name == "systemd" && (source.stdout.is_none() || source.stderr.is_none());
        let journal = is_in_journal.then(|| {
            by_hand.push(systemd::journal_command(&target.job, LINES));
            systemd::journal(self.config, &target.job, LINES).map_err(|error| error.to_string())
        });
        Diagnosis {
            label: target.job.label.clone(),
            why,
            probe,
            stdout: tail(source.stdout.clone()),
            stderr: tail(source.stderr.clone()),
            journal,
            observed: observed.map_err(|error| error.to_string()),
            by_hand,
        }
    }
}

const REFUSED: &str = "nobody listens";
const TICK: Duration = Duration::from_millis(50);
/// How long a process must stay that is not seen to listen where it should answer.
const STEADY: Duration = Duration::from_secs(3);

/// Whether that process, or one that it started, is seen to listen there.
fn listens(url: &str, pid: u32) -> bool {
    let Some(address) = address_of(url) else { return false };
    let listeners = sockets::listening().unwrap_or_default();
    let there = listeners.iter().filter(|it| it.address.port() == address.port());
    there.flat_map(|it| &it.pids).any(|it| is_of(*it, pid))
}

/// Whether it is that process, or descends from it.
fn is_of(process: u32, ancestor: u32) -> bool {
    let parent = |pid: &u32| processes::read(*pid).ok().flatten().and_then(|it| it.parent);
    // A longer line is a circle of reused ids.
    std::iter::successors(Some(process), parent).take(32).any(|it| it == ancestor)
}

fn curl(health: &Health) -> String {
    format!(
        "curl -i --max-time {} {}",
        health.timeout.as_secs().max(1),
        crate::fixes::hands::commands::shell(&health.url)
    )
}

fn tail(path: Option<std::path::PathBuf>) -> Tail {
    let Some(path) = path else { return Tail::Unavailable };
    match logs::last_lines(&path, LINES) {
        Ok(Some(lines)) => Tail::Lines(path, lines),
        Ok(None) => Tail::Missing(path),
        Err(error) => Tail::Unreadable(path, error.to_string()),
    }
}

/// The one place to connect to before it is asked again; a name is asked for in its own time.
fn address_of(url: &str) -> Option<std::net::SocketAddr> {
    let url = reqwest::Url::parse(url).ok()?;
    let port = url.port_or_known_default()?;
    (url.host_str()?.trim_matches(['[', ']']), port).to_socket_addrs().ok()?.next()
}
