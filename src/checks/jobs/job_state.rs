//! `job-state`: the job does its work, or is about to.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::check::{Check, CheckId, Group, Look, Needs, Severity};
use crate::checks::jobs::{STOPPED, is_stopped, job_loaded, managed, reload};
use crate::checks::logs::last::with_last_words;
use crate::config::Kept;
use crate::cx::Cx;
use crate::error::{ProbeError, human_duration};
use crate::exit::Exit;
use crate::fixes::install;
use crate::probes::logs::Log;
use crate::probes::state::SyncStatus;
use crate::services::{LastExit, Observed, State};
use crate::verdict::{Fact, Seen, Verdict};

/// The job runs, or its last run went well and the next is due.
pub static CHECK: Check = Check {
    id: CheckId("job-state"),
    group: Group::Jobs,
    summary: "the job runs, or its last run went well",
    docs: include_str!("job_state.md"),
    severity: Severity::Error,
    requires: &[Needs::same(&job_loaded::CHECK)],
    fix: Some(&install::FIX),
    look: Look::Job(look),
};

/// A start, launchd's own pause of ten seconds before it included.
const STARTING: Duration = Duration::from_secs(20);
/// As long as a manager lets a job end before it kills it, and a little more.
const ENDING: Duration = Duration::from_secs(30);
/// How long a sync that failed may be at work again before nothing is expected of it any more.
const AT_WORK: Duration = Duration::from_mins(15);
/// A process younger than this says little after many starts: the next failure is seconds away.
const YOUNG: Duration = Duration::from_secs(15);
/// What fails where a sync finds all aligned, and no server that answers.
const OF_SERVER: [&str; 3] = ["job-state:serve", "listener", "http-status"];
/// So many starts that end in failure are a loop.
const MANY: u64 = 4;

fn look(cx: &Cx, kept: &Kept) -> Seen {
    let managed = match managed(cx, kept)? {
        Ok(managed) => managed,
        Err(verdict) => return Ok(verdict),
    };
    if is_stopped(cx, kept)? {
        return Ok(Verdict::not_applicable(STOPPED));
    }
    let observed = cx.observed(&managed)?;
    let verdict = judge(cx, kept, &managed.job.name, &observed)?;
    Ok(if kept.is_ours() { verdict } else { verdict_for_others(verdict, reload(&managed)) })
}

fn verdict_for_others(verdict: Verdict, reload: String) -> Verdict {
    match verdict {
        Verdict::Fail(_) => verdict.with("remedy", Fact::Command(reload)),
        other => other,
    }
}

fn judge(cx: &Cx, kept: &Kept, name: &str, observed: &Observed) -> Seen {
    let failed = observed.last_exit.as_ref().filter(|it| is_failure(kept, it));
    let runs = observed.runs.unwrap_or(0);
    let is_young = observed.since.is_some_and(|it| cx.since(it) < YOUNG);
    let began = observed.since.unwrap_or_else(|| cx.now());
    Ok(match (&observed.state, failed) {
        (State::Unknown(why), _) => {
            return Err(ProbeError::unreadable(format!("the state of `{name}`"), why));
        }
        (State::Absent, _) => Verdict::fail(format!("`{name}` is not loaded, so nothing runs")),
        (State::Refused(why), _) => {
            facts(cx, Verdict::fail(format!("`{name}` is not started: {why}")), observed)
        }
        (State::BackingOff, failed) => {
            let told = failed.map_or("it ended at once", |it| &it.told);
            facts(cx, Verdict::fail(format!("`{name}` keeps failing: {told}")), observed)
        }
        (State::Running, Some(exit)) if is_young && runs >= MANY => {
            let message = format!("`{name}` was started {runs} times, and keeps failing: {}", exit.told);
            facts(cx, Verdict::fail(message), observed)
        }
        (State::Running, _) if failed_before(cx, kept, observed, failed)? => {
            let why = format!("the last run of `{name}` failed, and ");
            if cx.now() < began + AT_WORK {
                Verdict::pending(why + "it is at work again", began + AT_WORK)
            } else {
                let age = human_duration(cx.since(began));
                facts(cx, Verdict::fail(format!("{why}the next has not ended in {age}")), observed)
            }
        }
        (State::Running, _) => running(cx, kept, name, observed),
        (State::Starting, Some(exit)) if runs >= MANY => {
            facts(cx, Verdict::fail(format!("`{name}` keeps failing: {}", exit.told)), observed)
        }
        (State::Starting, _) => Verdict::pending(format!("`{name}` is being started"), began + STARTING),
        (State::Draining, _) => Verdict::pending(format!("`{name}` is ending"), began.max(cx.now()) + ENDING),
        (State::Idle, Some(exit)) => {
            let message = match kept {
                Kept::Sync => format!("the last run of `{name}` failed: {}", exit.told),
                Kept::Serve | Kept::Service(_) => format!("`{name}` has no process: {}", exit.told),
            };
            let verdict = facts(cx, Verdict::fail(message), observed);
            // The last thing that a sync asks is whether the server answers, which has checks of its own.
            let is_unserved = matches!(kept, Kept::Sync) && was_unserved(cx, observed, exit);
            if is_unserved { verdict.repeating(&OF_SERVER) } else { verdict }
        }
        (State::Idle, None) => idle(cx, kept, name, observed),
    })
}

/// Whether the sync that is at work ended badly the last time: as its manager tells, or as it wrote down itself, since
/// systemd forgets how a unit ended once it is at work again.
fn failed_before(
    cx: &Cx,
    kept: &Kept,
    observed: &Observed,
    failed: Option<&LastExit>,
) -> Result<bool, ProbeError> {
    if !matches!(kept, Kept::Sync) || observed.last_exit.is_some() {
        return Ok(matches!(kept, Kept::Sync) && failed.is_some());
    }
    Ok(cx.state()?.last_sync.as_ref().is_some_and(|it| it.status == SyncStatus::Failed))
}

/// Whether the run that ended so is the one that wrote down that nothing is served: it ended as such a sync does, and what it
/// wrote down are the last words of its log. No manager tells when that was.
fn was_unserved(cx: &Cx, observed: &Observed, exit: &LastExit) -> bool {
    let Ok(state) = cx.state() else { return false };
    let last = state.last_sync.as_ref().filter(|it| it.unserved.is_some());
    let reason = last.and_then(|it| it.reason.trim_end().lines().next_back());
    let said = complaints(cx, observed);
    let words = said.as_ref().and_then(|it| it.tail.trim_end().lines().next_back());
    exit.code == Some(Exit::Unhealthy.code().into())
        && reason.is_some_and(|reason| words.is_none_or(|words| words.contains(reason.trim())))
}

/// How it ended, unless that is no failure: a restart ends it with SIGTERM, and our own 3 says "busy, try again".
fn is_failure(kept: &Kept, exit: &LastExit) -> bool {
    match (exit.code, exit.signal) {
        (Some(0), _) | (None, Some(15)) => false,
        // Some managers tell a signal as a code.
        (Some(code), _) => code != 143 && code != 15 && !(matches!(kept, Kept::Sync) && code == 3),
        (None, _) => true,
    }
}

fn running(cx: &Cx, kept: &Kept, name: &str, observed: &Observed) -> Verdict {
    let pid = observed.pid.map_or_else(String::new, |pid| format!(", pid {pid}"));
    let note = match kept {
        Kept::Sync => format!("{name} at work{pid}"),
        Kept::Serve | Kept::Service(_) => format!("{name} running{pid}"),
    };
    facts(cx, Verdict::pass_with(note), observed)
}

/// Loaded, no process, and no failure.
fn idle(cx: &Cx, kept: &Kept, name: &str, observed: &Observed) -> Verdict {
    let must_run = match kept {
        Kept::Sync => false,
        Kept::Serve => true,
        Kept::Service(service) => service.health.is_some(),
    };
    if must_run {
        let never = observed.last_exit.is_none() && observed.runs.unwrap_or(0) == 0;
        let why = if never { "it was never started" } else { "it ended, and nothing starts it again" };
        return facts(cx, Verdict::fail(format!("`{name}` is loaded, and nothing runs: {why}")), observed);
    }
    let every = cx.config().mirror.as_ref().filter(|_| matches!(kept, Kept::Sync)).map(|it| it.every);
    let exit = observed.last_exit.as_ref().and_then(|it| it.code);
    let note = match (every, exit) {
        (Some(every), Some(exit)) => format!("{name} every {}, last exit {exit}", human_duration(every)),
        (Some(every), None) => format!("{name} every {}", human_duration(every)),
        (None, _) => format!("{name} loaded"),
    };
    facts(cx, Verdict::pass_with(note), observed)
}

/// What its manager says of it.
fn facts(cx: &Cx, verdict: Verdict, observed: &Observed) -> Verdict {
    let verdict = match observed.pid {
        Some(pid) => verdict.with("who", Fact::Pid(pid)),
        None => verdict,
    };
    let verdict = match observed.since {
        Some(since) => verdict.with("since", Fact::Time(since)),
        None => verdict,
    };
    let verdict = match observed.runs {
        Some(runs) => verdict.with("runs", runs.to_string()),
        None => verdict,
    };
    let verdict = match &observed.last_exit {
        Some(exit) => verdict.with("last exit", exit.told.as_str()),
        None => verdict,
    };
    let Some(first) = logs(observed).next().filter(|_| matches!(verdict, Verdict::Fail(_))) else {
        return verdict;
    };
    match complaints(cx, observed) {
        Some(log) => with_last_words(verdict, &log, &cx.config().redactor).with("log", log.path.as_path()),
        None => verdict.with("log", first.as_path()),
    }
}

fn logs(observed: &Observed) -> impl Iterator<Item = &PathBuf> {
    [&observed.stderr, &observed.stdout].into_iter().flatten()
}

/// The log in which something is written, that of its complaints first.
fn complaints(cx: &Cx, observed: &Observed) -> Option<Arc<Log>> {
    // A log on another volume may hang, and that is what `job-paths` is about.
    let own = logs(observed).filter(|it| it.starts_with(&cx.config().home));
    own.filter_map(|it| cx.job_log(it).ok()).find(|it| !it.tail.trim().is_empty())
}
