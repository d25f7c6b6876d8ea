//! What earlier runs wrote down: the last sync, the stop mark, who holds the mirror's lock.
#![expect(clippy::disallowed_methods, reason = "probes are where files are read")]

use std::fs::{self, TryLockError};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rustix::fs::OFlags;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};

use crate::config::Config;
use crate::error::ProbeError;
use crate::plain;
use crate::probes::built::Built;
use crate::probes::clock;

/// How a sync ended: `<state>/sync.json`, and in short `<state>/last-sync.env`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastSync {
    /// The version of this shape.
    pub schema: u32,
    /// When it ended.
    #[serde(serialize_with = "of_one_length")]
    pub at: Timestamp,
    /// The boot it ended in; an opaque name.
    pub boot: String,
    /// How long the machine had been awake then, in milliseconds.
    pub awake_ms: u64,
    /// When the remote last answered.
    #[serde(serialize_with = "of_one_length_or_none")]
    pub contact: Option<Timestamp>,
    /// The commit of the worktree then.
    pub sha: Option<String>,
    /// The last commit that it was seen on and that was the upstream: what a sync checks out again is not lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aligned: Option<String>,
    /// How it ended.
    pub status: SyncStatus,
    /// Why, in one sentence.
    pub reason: String,
    /// How many syncs in a row did not reach the remote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub misses: Option<u32>,
    /// How many syncs in a row found all aligned, and no server that answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unserved: Option<u32>,
    /// How long the jobs leave the remote alone after that, in milliseconds awake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause_ms: Option<u64>,
}

/// How a sync ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SyncStatus {
    /// Nothing was needed.
    Noop,
    /// A new commit, cleaned, or installed.
    Updated,
    /// The remote or the repository's volume could not be reached.
    Stale,
    /// It could not be done.
    Failed,
}

/// The state directory, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The last sync; `None`: never.
    pub last_sync: Option<LastSync>,
    /// How long ago that was, counting only time awake.
    pub last_sync_age: Option<Duration>,
    /// What was last built and served; nothing where that is not known.
    pub built: Built,
    /// When the user stopped the mirror, if it is stopped.
    pub stopped: Option<Timestamp>,
    /// Who is mending or syncing now.
    pub holder: Option<Holder>,
    /// Files that are torn, foreign or of a newer schema, and why.
    pub bad: Vec<(PathBuf, Fault)>,
}

/// Why a state file cannot be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Fault {
    /// What that means for whoever would mend it.
    pub kind: FaultKind,
    /// Why, in words.
    pub why: String,
}

/// What it means that a state file cannot be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// It is ours, and was cut off or spoilt.
    Torn,
    /// It is somebody else's, or none may know.
    Foreign,
    /// A newer version wrote it.
    Newer,
}

/// Who holds the mirror's lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its process.
    pub pid: u32,
    /// What it does: "sync", "fix".
    pub doing: String,
    /// Since when.
    pub since: Timestamp,
}

/// Nine digits of a second, zeros too: what is as long as before is written over it.
fn of_one_length<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&time.strftime("%Y-%m-%dT%H:%M:%S.%9fZ"))
}

#[expect(clippy::ref_option, reason = "what serde hands over")]
fn of_one_length_or_none<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => of_one_length(time, serializer),
        None => serializer.serialize_none(),
    }
}

impl SyncStatus {
    /// Its name, as in `last-sync.env`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Noop => "noop",
            Self::Updated => "updated",
            Self::Stale => "stale",
            Self::Failed => "failed",
        }
    }
}

impl Fault {
    fn torn(why: impl Into<String>) -> Self {
        Self { kind: FaultKind::Torn, why: why.into() }
    }

    fn foreign(why: impl Into<String>) -> Self {
        Self { kind: FaultKind::Foreign, why: why.into() }
    }
}

impl State {
    /// How long the jobs leave a remote alone that did not answer; `None`: it may be asked.
    ///
    /// A sleep, a new start or a change of the clock ends that: the network may be another one.
    #[must_use]
    pub fn pause(&self, now: Timestamp) -> Option<Duration> {
        let last = self.last_sync.as_ref().filter(|it| it.status == SyncStatus::Stale)?;
        let (pause, awake) = (Duration::from_millis(last.pause_ms?), self.last_sync_age?);
        let passed: Duration = now.duration_since(last.at).try_into().ok()?;
        let rest = pause.checked_sub(awake).filter(|it| !it.is_zero())?;
        (passed.abs_diff(awake) < JUMP).then_some(rest)
    }
}

/// The version of the state files that is written and understood.
pub const SCHEMA: u32 = 1;

/// The time of day and the time awake differ by less, unless the machine slept or its clock was set.
const JUMP: Duration = Duration::from_secs(20);

/// The most that is read of a state file; a longer one is none of ours.
const LIMIT: u64 = 1 << 20;

/// Reads the state directory; one that is not there yet is an empty one.
///
/// # Errors
/// Where it is there and may not be read.
pub fn read(config: &Config) -> Result<State, ProbeError> {
    match fs::read_dir(&config.state) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => {
            return Err(ProbeError::failed(format!("read {}", config.tilde(&config.state)), &error));
        }
    }
    let mut bad = Vec::new();
    for folder in folders(config) {
        match plain::not_own_directory(&folder) {
            Ok(None) => {}
            Ok(Some(why)) => bad.push((folder, Fault::foreign(why))),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => bad.push((folder, Fault::foreign(format!("cannot be looked at: {error}")))),
        }
    }
    let mut checked = |path: PathBuf, schema: Schema| match content(&path) {
        Ok(None) => None,
        Ok(Some(text)) => match parsed(&text, schema) {
            Ok(value) => Some(value),
            Err(why) => {
                bad.push((path, why));
                None
            }
        },
        Err(why) => {
            bad.push((path, why));
            None
        }
    };
    let sync = checked(config.sync_file(), Schema::Required);
    let built = checked(config.built_file(), Schema::Required);
    checked(config.keeper_file(), Schema::Required);
    let lines = checked(config.last_sync_file(), Schema::Lines);
    let holder = checked(config.lock_file(), Schema::Free);
    drop(lines);
    let last_sync = shaped::<LastSync>(sync, config.sync_file(), &mut bad);
    let built = shaped::<Built>(built, config.built_file(), &mut bad).unwrap_or_default();
    for path in [config.journal_file(), config.keeper_lock()] {
        if let Err(why) = owned(&path) {
            bad.push((path, why));
        }
    }
    let holder = holder
        .and_then(|value| serde_json::from_value::<Holder>(value).ok())
        .filter(|_| is_held(&config.lock_file()));
    let last_sync_age = last_sync.as_ref().map(age);
    Ok(State { last_sync, last_sync_age, built, stopped: stopped(config)?, holder, bad })
}

/// What a file of a sync says; it is torn where it says something else.
fn shaped<T: DeserializeOwned>(
    value: Option<serde_json::Value>,
    path: PathBuf,
    bad: &mut Vec<(PathBuf, Fault)>,
) -> Option<T> {
    match serde_json::from_value(value?) {
        Ok(found) => Some(found),
        Err(error) => {
            bad.push((path, Fault::torn(format!("it is not what a sync writes: {error}"))));
            None
        }
    }
}

/// The directories of the state, outermost first: in each of them only this user may write.
#[must_use]
pub fn folders(config: &Config) -> [PathBuf; 3] {
    [config.state.clone(), config.state.join("logs"), config.state.join("rescued")]
}

/// What a state file must be.
#[derive(Clone, Copy)]
enum Schema {
    /// One JSON object with the number of its shape.
    Required,
    /// One JSON object, or nothing.
    Free,
    /// The three lines of `last-sync.env`.
    Lines,
}

/// The text of a state file; why it is not one, if it is not.
fn content(path: &Path) -> Result<Option<String>, Fault> {
    if !owned(path)? {
        return Ok(None);
    }
    let mut text = String::new();
    let mut options = fs::OpenOptions::new();
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or(0);
    match options.read(true).custom_flags(flags).open(path) {
        Ok(file) => {
            file.take(LIMIT)
                .read_to_string(&mut text)
                .map_err(|error| Fault::foreign(format!("cannot be read: {error}")))?;
        }
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Fault::foreign(format!("cannot be read: {error}"))),
    }
    Ok(Some(text))
}

/// Whether a file is there, and this user's own plain one; why not, if it is something else.
fn owned(path: &Path) -> Result<bool, Fault> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Fault::foreign(format!("cannot be looked at: {error}"))),
    };
    let user = rustix::process::geteuid().as_raw();
    if found.file_type().is_symlink() {
        return Err(Fault::foreign("it is a link"));
    }
    if !found.is_file() {
        return Err(Fault::foreign("it is no plain file"));
    }
    if found.uid() != user {
        let why = format!("it belongs to user {}, not to user {user}", found.uid());
        return Err(Fault::foreign(why));
    }
    if found.mode() & 0o022 != 0 {
        let why = format!("others may write to it: its mode is {:o}", found.mode() & 0o7777);
        return Err(Fault::foreign(why));
    }
    Ok(true)
}

fn parsed(text: &str, schema: Schema) -> Result<serde_json::Value, Fault> {
    use serde_json::Value;
    match schema {
        Schema::Free if text.trim().is_empty() => return Ok(Value::Null),
        Schema::Lines => {
            let keys = ["LAST_SYNC_AT=\"", "LAST_SYNC_SHA=\"", "LAST_SYNC_STATUS=\""];
            let whole = keys.iter().all(|key| {
                text.lines().any(|line| line.strip_prefix(key).is_some_and(|rest| rest.ends_with('"')))
            });
            return if whole {
                Ok(Value::Null)
            } else {
                Err(Fault::torn("it does not have its three lines"))
            };
        }
        _ => {}
    }
    let value: Value = serde_json::from_str(text).map_err(|error| match text.trim() {
        "" => Fault::torn("it is empty"),
        _ => Fault::torn(format!("it is torn: {error}")),
    })?;
    if let Schema::Free = schema {
        return Ok(value);
    }
    match value.get("schema").and_then(Value::as_u64) {
        Some(found) if found == u64::from(SCHEMA) => Ok(value),
        Some(found) if found > u64::from(SCHEMA) => {
            let why = format!("it is of schema {found}, and this version understands {SCHEMA}");
            Err(Fault { kind: FaultKind::Newer, why })
        }
        _ => Err(Fault::foreign("it is not Housecall's: it has no schema number")),
    }
}

/// Whether somebody holds that lock. A shared one is tried for an instant, which a mender survives: it tries again.
fn is_held(path: &Path) -> bool {
    let Ok(file) = plain::open(path, OFlags::NOFOLLOW) else {
        return false;
    };
    match file.try_lock_shared() {
        Ok(()) => {
            let _ = file.unlock();
            false
        }
        Err(TryLockError::WouldBlock) => true,
        Err(TryLockError::Error(_)) => false,
    }
}

/// When the mirror was stopped. A mark counts by being there: a torn one stops as well.
fn stopped(config: &Config) -> Result<Option<Timestamp>, ProbeError> {
    match fs::symlink_metadata(config.stop_file()) {
        Ok(found) => {
            let made = found.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
            Ok(Some(made.unwrap_or(Timestamp::UNIX_EPOCH)))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ProbeError::failed("look for the stop mark", &error)),
    }
}

/// The time awake since a sync; after a new start, that since the start, which is the least it can be.
fn age(last: &LastSync) -> Duration {
    let awake = clock::awake();
    match clock::boot() {
        boot if boot == last.boot => awake.saturating_sub(Duration::from_millis(last.awake_ms)),
        _ => awake,
    }
}
