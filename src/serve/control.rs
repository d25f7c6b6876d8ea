//! Talking to the keeper: start it, end it, have it restart its server, and believe the server only when it answers.
#![expect(clippy::disallowed_methods, reason = "the keeper is started here")]

use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::config::Config;
use crate::error::{StepError, human_duration};
use crate::fixes::hands::{disk, files};
use crate::probes::keeper::{Keeper, Kept, Running};
use crate::probes::{clock, http, keeper, logs, processes};
use crate::serve::{may_run, own_program};

/// How long a keeper has to say that it runs.
const STARTING: Duration = Duration::from_secs(10);
/// How long it has to take everything down: its server, and a sync that is under way.
const ENDING: Duration = Duration::from_secs(40);
/// How long it has to restart its server.
const RESTARTING: Duration = Duration::from_secs(20);
/// How long the first sync of a mirror may take to make the worktree.
const FIRST_SYNC: Duration = Duration::from_mins(15);
/// After so many failed starts the next one will fail too.
const HOPELESS: u32 = 3;
const TICK: Duration = Duration::from_millis(30);

/// Starts a keeper in a session of its own; returns once it runs. One that runs already has only to go by this
/// configuration.
///
/// # Errors
/// Refused where the mirror may not run; failed with the keeper's own last words.
pub fn start(config: &Config) -> Result<u32, StepError> {
    may_run(config)?;
    if let Keeper::Running(running) = keeper::read(config)? {
        if running.is_outdated(config) {
            follow(config, &running)?;
        }
        return Ok(running.pid);
    }
    let failed = |error: &dyn std::fmt::Display| StepError::failed("start the keeper", error);
    let path = config.log_file("keeper");
    files::private_directory(&config.state).map_err(|error| failed(&error))?;
    let log = files::open_private(&path).map_err(|error| failed(&error))?;
    let before = log.metadata().map_or(0, |it| it.len());
    let errors = log.try_clone().map_err(|error| failed(&error))?;
    let mut child = Command::new(own_program()?)
        .args(["up", "--session", "--config"])
        .arg(&config.file)
        // The home that the configuration was read for: `~` must mean the same to the keeper.
        .envs(&config.environment)
        .current_dir(&config.state)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .spawn()
        .map_err(|error| failed(&error))?;
    let start = clock::instant();
    loop {
        // A keeper of another's that was quicker does as well.
        if let Ok(Keeper::Running(running)) = keeper::read(config)
            && (running.pid == child.id() || processes::read(running.pid)?.is_some())
        {
            return Ok(running.pid);
        }
        if let Ok(Some(status)) = child.try_wait() {
            let said = std::fs::read(&path).unwrap_or_default();
            let said = said.get(usize::try_from(before).unwrap_or(0)..).unwrap_or_default();
            let said = String::from_utf8_lossy(said);
            let last = said.lines().rev().find(|line| !line.trim().is_empty());
            let ended = || format!("it ended with {status}");
            let why = last.map_or_else(ended, |line| line.trim_start_matches("error: ").to_owned());
            // On a full disk it has no last words.
            let trouble = disk::trouble(config, &why).filter(|it| !why.contains(it));
            return Err(failed(&trouble.map_or_else(|| why.clone(), |trouble| format!("{why}: {trouble}"))));
        }
        if start.elapsed() > STARTING {
            return Err(failed(&format!("it says nothing within {}", human_duration(STARTING))));
        }
        std::thread::sleep(TICK);
    }
}

/// Has a running keeper read its configuration again; it restarts its server only where that is to be another.
fn follow(config: &Config, keeper: &Running) -> Result<(), StepError> {
    let what = "have the keeper follow its configuration";
    signal(keeper, Signal::USR2)?;
    let start = clock::instant();
    while start.elapsed() < RESTARTING {
        let Some(now) = running(config)? else { return Err(StepError::failed(what, &"the keeper ended")) };
        if !now.is_outdated(config) {
            return Ok(());
        }
        if let Some(unfollowed) = now.unfollowed.filter(|it| Some(it) != keeper.unfollowed.as_ref()) {
            return Err(StepError::failed(what, &unfollowed.why));
        }
        std::thread::sleep(TICK);
    }
    // It may be of another version, or in the foreground of a person's terminal: that is theirs to end.
    let instead = "`housecall down`, then `housecall up --detach`, has another one do so";
    Err(StepError::failed(what, &format!("it does not within {}; {instead}", human_duration(RESTARTING))))
}

/// Becomes the leader of a session, so that no terminal's end is this process's.
pub fn own_session() {
    // It leads one already where it was started so.
    let _ = rustix::process::setsid();
}

/// Ends the keeper, its server and its sync, or what a killed one left behind; says whether there was any.
///
/// # Errors
/// It cannot be told, or does not end.
pub fn end(config: &Config) -> Result<bool, StepError> {
    let Some(running) = running(config)? else { return super::left::end_left(config) };
    signal(&running, Signal::TERM)?;
    let start = clock::instant();
    while start.elapsed() < ENDING {
        match self::running(config)? {
            Some(still) if still.pid == running.pid => std::thread::sleep(TICK),
            _ => return Ok(true),
        }
    }
    let what = format!("end the keeper, pid {}", running.pid);
    Err(StepError::failed(what, &format!("it still runs after {}", human_duration(ENDING))))
}

/// Stops the mirror durably: the mark first, so that nothing starts it again meanwhile; says whether a keeper ran.
///
/// # Errors
/// The mark cannot be written, or the keeper does not end.
pub fn stop(config: &Config) -> Result<bool, StepError> {
    let mark = format!("{}\n", clock::now());
    files::write_private(&config.stop_file(), mark.as_bytes())
        .map_err(|error| StepError::failed("write the mark of the stop", &error))?;
    end(config)
}

/// Takes the mark of a durable stop away; says whether there was one.
///
/// # Errors
/// It cannot be removed.
pub fn unstop(config: &Config) -> Result<bool, StepError> {
    match std::fs::remove_file(config.stop_file()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StepError::failed("remove the mark of the stop", &error)),
    }
}

/// Has the keeper restart its server, and returns once it was started; says whether there is a keeper.
///
/// # Errors
/// The keeper cannot be told, or cannot start it.
pub fn restart(config: &Config) -> Result<bool, StepError> {
    let Some(before) = running(config)? else { return Ok(false) };
    let what = "restart the server";
    if before.server == Kept::None && config.server.is_none() {
        return Err(StepError::Refused("no [serve] is configured".to_owned()));
    }
    signal(&before, Signal::USR1)?;
    let start = clock::instant();
    while start.elapsed() < RESTARTING {
        let Some(now) = running(config)? else {
            return Err(StepError::failed(what, &"the keeper ended"));
        };
        match &now.server {
            Kept::Started { pid, identity, .. } if !is_same(&before.server, *pid, *identity) => {
                return Ok(true);
            }
            Kept::BackingOff { last, .. } if now.server != before.server => {
                return Err(StepError::failed(what, last));
            }
            _ => std::thread::sleep(TICK),
        }
    }
    Err(StepError::failed(what, &format!("the keeper does not within {}", human_duration(RESTARTING))))
}

/// Waits until the kept server answers; returns how long that took.
///
/// # Errors
/// It does not in its time, or keeps ending: with what it said last.
pub fn await_server(config: &Config) -> Result<Option<Duration>, StepError> {
    let Some(server) = &config.server else { return Ok(None) };
    let url = server.url(&server.ready.path);
    let start = clock::instant();
    loop {
        let Some(keeper) = running(config)? else {
            return Err(StepError::failed("start the server", &"the keeper ended"));
        };
        match &keeper.server {
            Kept::Started { at, .. } => {
                let last = match http::get(&url, Duration::from_secs(5))? {
                    http::Answer::Response(it) if it.status < 500 => return Ok(Some(start.elapsed())),
                    http::Answer::Response(it) => format!("it answers {}", it.status),
                    http::Answer::Refused => "nobody listens".to_owned(),
                    http::Answer::Silent { .. } => "it accepts and does not answer".to_owned(),
                    http::Answer::Broken(why) | http::Answer::Distrusted(why) => why,
                };
                let age = clock::now().duration_since(*at);
                if age > jiff::SignedDuration::try_from(server.ready.within).unwrap_or_default() {
                    return Err(StepError::failed(format!("reach {url}"), &with_log(config, &last)));
                }
            }
            Kept::BackingOff { failures, last, .. } if *failures >= HOPELESS => {
                return Err(StepError::failed("start the server", &with_log(config, last)));
            }
            Kept::None if start.elapsed() > FIRST_SYNC => {
                return Err(StepError::failed(
                    "start the server",
                    &"the first sync has not made the worktree",
                ));
            }
            Kept::None | Kept::BackingOff { .. } => {}
        }
        std::thread::sleep(TICK);
    }
}

/// The running keeper, if there is one.
///
/// # Errors
/// See [`keeper::read`].
pub fn running(config: &Config) -> Result<Option<Running>, StepError> {
    match keeper::read(config)? {
        Keeper::Running(running) => Ok(Some(running)),
        Keeper::Absent | Keeper::Died(_) => Ok(None),
    }
}

fn signal(keeper: &Running, signal: Signal) -> Result<(), StepError> {
    let what = format!("signal the keeper, pid {}", keeper.pid);
    let pid = i32::try_from(keeper.pid).ok().filter(|it| *it > 1).and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| StepError::failed(what.clone(), &"its file names no process"))?;
    kill_process(pid, signal).map_err(|error| StepError::failed(what, &error))
}

fn is_same(kept: &Kept, wanted: u32, wanted_identity: u64) -> bool {
    matches!(kept, Kept::Started { pid, identity, .. } if (*pid, *identity) == (wanted, wanted_identity))
}

/// The reason, with the last line of the server's own log.
fn with_log(config: &Config, reason: &str) -> String {
    let tail = logs::read(config, "serve").map(|it| it.tail).unwrap_or_default();
    let last = tail.lines().rev().find(|line| !line.trim().is_empty() && !line.starts_with("--- housecall"));
    last.map_or_else(|| reason.to_owned(), |line| format!("{reason}; its last words: {}", line.trim()))
}
