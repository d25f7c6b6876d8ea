//! The embedded manager's keeper, as its state file and its lock show it.

use std::fs::TryLockError;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::ProbeError;
use crate::plain;
use crate::probes::{built, processes};

/// The keeper, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keeper {
    /// Nobody keeps this mirror.
    Absent,
    /// It runs.
    Running(Running),
    /// It was killed without a chance to take its server down; what it said last.
    Died(Running),
}

/// A running keeper: `<state>/keeper.json`, believed only while its lock is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// The version of this shape.
    pub schema: u32,
    /// Its process.
    pub pid: u32,
    /// Its kernel start time, see [`crate::probes::processes::Process::identity`].
    pub identity: u64,
    /// Since when.
    pub since: Timestamp,
    /// The server it keeps.
    pub server: Kept,
    /// What it read of the configuration; `None`: an older version, which does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keeps: Option<Keeps>,
    /// Why it could not follow its configuration, when it last tried to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfollowed: Option<Unfollowed>,
}

/// A configuration that a keeper could not follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unfollowed {
    /// When it tried to.
    pub at: Timestamp,
    /// A sentence.
    pub why: String,
}

/// What a keeper goes by: of its configuration, as it was when it read that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keeps {
    /// How often it syncs, in milliseconds, where it does.
    pub every_ms: Option<u64>,
    /// Where its server is to listen, where it has one.
    pub listen: Option<SocketAddr>,
    /// A digest of all that is said of the server; of one that runs, of when it was started.
    pub settings: String,
}

impl Keeps {
    /// What a keeper that read this configuration would go by.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let millis = |it: Duration| u64::try_from(it.as_millis()).unwrap_or(u64::MAX);
        Self {
            every_ms: config.mirror.as_ref().map(|it| millis(it.every)),
            listen: config.server.as_ref().map(|it| it.listen),
            settings: built::settings(config),
        }
    }
}

/// The server that a keeper keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// None: there is no `[serve]`, or it waits for the worktree.
    None,
    /// It was started, and may not answer yet.
    Started {
        /// The leader of its process group.
        pid: u32,
        /// Its kernel start time, see [`crate::probes::processes::Process::identity`].
        identity: u64,
        /// When.
        at: Timestamp,
        /// When it first answered, if it has: from then on silence is no start.
        #[serde(default)]
        answered: Option<Timestamp>,
    },
    /// It keeps ending; the next start is at this time.
    BackingOff {
        /// How many starts failed in a row.
        failures: u32,
        /// When it is tried again.
        next: Timestamp,
        /// How the last one ended: "exit 1", "signal 9".
        last: String,
    },
}

/// The shape of `keeper.json` that this version writes and reads.
pub const SCHEMA: u32 = 1;

/// How long a keeper that has just taken its lock is given to say who it is.
const WRITING: Duration = Duration::from_millis(500);

/// Reads the keeper.
///
/// # Errors
/// Where its files are there and may not be read, or make no sense.
pub fn read(config: &Config) -> Result<Keeper, ProbeError> {
    let start = super::clock::instant();
    // Between a keeper's taking its lock and its first word, and between its last and its end, it has no file.
    while is_held(config)? {
        if let Some(running) = said(config)?
            && running.lives()?
        {
            return Ok(Keeper::Running(running));
        }
        if start.elapsed() > WRITING {
            return Err(ProbeError::unreadable(name(config), &"the keeper has not written it"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(said(config)?.map_or(Keeper::Absent, Keeper::Died))
}

impl Running {
    /// Whether the process that said so is there: one that was killed leaves its file to the next, which holds the
    /// lock before it has written its own, and the process id may be anybody's by now.
    fn lives(&self) -> Result<bool, ProbeError> {
        Ok(processes::read(self.pid)?.is_some_and(|process| process.identity == self.identity))
    }

    /// Whether it goes by another configuration than this one.
    #[must_use]
    pub fn is_outdated(&self, config: &Config) -> bool {
        self.keeps.as_ref().is_some_and(|it| *it != Keeps::of(config))
    }

    /// When the server must have answered, if it was started and has until then.
    #[must_use]
    pub fn starting_until(&self, within: Duration, now: Timestamp) -> Option<Timestamp> {
        let Kept::Started { at, answered: None, .. } = self.server else { return None };
        let until = at.checked_add(within).ok()?;
        (now < until).then_some(until)
    }
}

/// Whether a living keeper holds the lock. A look takes it shared, for no longer than the question.
fn is_held(config: &Config) -> Result<bool, ProbeError> {
    let path = config.keeper_lock();
    let failed =
        |error: &dyn std::fmt::Display| ProbeError::failed(format!("read {}", config.tilde(&path)), error);
    match plain::open(&path, OFlags::empty()) {
        Ok(file) => match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(failed(&error)),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed(&error)),
    }
}

/// What the keeper's file says; `None`: there is none.
fn said(config: &Config) -> Result<Option<Running>, ProbeError> {
    let text = match plain::read(&config.keeper_file()) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ProbeError::failed(format!("read {}", name(config)), &error)),
    };
    let unreadable = |why: &dyn std::fmt::Display| ProbeError::unreadable(name(config), why);
    let value: serde_json::Value = serde_json::from_slice(&text).map_err(|error| unreadable(&error))?;
    match value.get("schema").and_then(serde_json::Value::as_u64) {
        Some(schema) if schema > u64::from(SCHEMA) => {
            Err(unreadable(&format!("it was written by a newer version, schema {schema}")))
        }
        _ => serde_json::from_value(value).map(Some).map_err(|error| unreadable(&error)),
    }
}

fn name(config: &Config) -> String {
    config.tilde(&config.keeper_file())
}

/// What a keeper said last, whoever holds the lock now: for a new one that holds it itself.
///
/// # Errors
/// As for [`read`].
pub fn read_said(config: &Config) -> Result<Keeper, ProbeError> {
    Ok(said(config)?.map_or(Keeper::Absent, Keeper::Died))
}
