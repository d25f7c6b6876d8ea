//! `housecall sync`: aligns the mirror once. The frame around the mend of the sync's units.
//!
//! One fetch under the lock answers for the remote in every look of the cycle, and the state is always written.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use super::apart::{self, Unended};
use super::cycle::{Came, WAIT, cycle, head, unheard};
use crate::config::{Config, Mirror, Trust};
use crate::error::{ProbeError, StepError, human_duration};
use crate::exit::Exit;
use crate::fixes::events::{self, Decision};
use crate::fixes::hands::{disk, files, git};
use crate::fixes::lock::{Lock, NotTaken};
use crate::fixes::mend::Company;
use crate::fixes::state::{self, Ended};
use crate::fixes::{Event, Repair};
use crate::probes::machine::Machine;
use crate::probes::state::{LastSync, SyncStatus};
use crate::probes::{clock, state as written};

/// The longest that a job waits so that many mirrors do not ask in the same moment.
const SPREAD: Duration = Duration::from_secs(2);

/// How a sync went.
#[derive(Debug, Clone)]
pub enum Synced {
    /// It came to an end, which the state says too; and what was mended, if anything was.
    Ended(LastSync, Option<Box<Repair>>),
    /// A volume fell silent under it, as the state says too. Its hands are left behind there, so the process is to end.
    LeftBehind(LastSync, ProbeError),
    /// The mirror is stopped by its user.
    Stopped,
    /// The configuration is not trusted.
    NotTrusted,
    /// There is no mirror to align.
    NoMirror,
    /// The remote did not answer, and is not asked yet.
    Away(String),
    /// Another one is at work.
    Busy(NotTaken),
    /// It could not even begin, or not write its state.
    Broken(StepError),
}

impl Synced {
    /// The exit code: 0 for noop, updated and stale.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Ended(last, _) | Self::LeftBehind(last, _) => match last.status {
                SyncStatus::Failed => Exit::Unhealthy,
                _ => Exit::Healthy,
            },
            Self::Away(_) => Exit::Healthy,
            Self::Stopped | Self::Broken(_) => Exit::Unhealthy,
            Self::NoMirror => Exit::Usage,
            Self::NotTrusted | Self::Busy(_) => Exit::Undetermined,
        }
    }

    /// One line for people.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Ended(last, _) | Self::LeftBehind(last, _) => {
                let sha = last.sha.as_deref().and_then(|sha| sha.get(..7)).unwrap_or("no commit");
                if last.reason.contains(sha) {
                    return format!("{}: {}", last.status.name(), last.reason);
                }
                format!("{}: {sha}, {}", last.status.name(), last.reason)
            }
            Self::Stopped => "the mirror is stopped: `housecall start` ends that".to_owned(),
            Self::NotTrusted => "the configuration is not trusted: `housecall trust` allows it".to_owned(),
            Self::NoMirror => "no [mirror] is configured".to_owned(),
            Self::Away(why) => format!("{}: {why}", SyncStatus::Stale.name()),
            Self::Busy(why) => why.to_string(),
            Self::Broken(error) => error.to_string(),
        }
    }
}

/// Aligns the mirror once, as its job does: not yet, where the remote is away, and not in the moment of all others.
pub fn run_scheduled(
    config: &Arc<Config>,
    machine: &Arc<Machine>,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Synced {
    if let (Some(mirror), Ok(state)) = (&config.mirror, written::read(config)) {
        if let (Some(pause), None) = (state.pause(clock::now()), state.stopped) {
            return Synced::Away(resting(mirror, state.last_sync.as_ref(), pause));
        }
        if state.last_sync.is_some_and(|it| matches!(it.status, SyncStatus::Noop | SyncStatus::Updated)) {
            std::thread::sleep(config.share_of(SPREAD.min(mirror.every / 10)));
        }
    }
    run_patiently(config, machine, on_event)
}

/// Aligns the mirror once, and leaves alone for a while what failed and would fail again.
pub fn run_patiently(
    config: &Arc<Config>,
    machine: &Arc<Machine>,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Synced {
    let mut patient = (**config).clone();
    patient.limits.patient = true;
    run_once(&Arc::new(patient), machine, on_event)
}

/// Since when the remote is away, and when it is asked again.
fn resting(mirror: &Mirror, last: Option<&LastSync>, pause: Duration) -> String {
    let (name, again) = (&mirror.remote, human_duration(pause));
    match last.and_then(|last| last.contact) {
        Some(contact) => {
            let age: Duration = clock::now().duration_since(contact).try_into().unwrap_or_default();
            format!("{name} was last reached {} ago, and is asked again in {again}", human_duration(age))
        }
        None => format!("{name} was never reached, and is asked again in {again}"),
    }
}

/// Aligns the mirror once.
pub fn run_once(config: &Arc<Config>, machine: &Arc<Machine>, on_event: &mut dyn FnMut(Event<'_>)) -> Synced {
    let Some(mirror) = config.mirror.as_deref() else { return Synced::NoMirror };
    if config.trust == Trust::Untrusted {
        return Synced::NotTrusted;
    }
    let lock = {
        let mut on_wait = |holder: Option<&written::Holder>| on_event(Event::Waiting(holder));
        match Lock::take(config, "sync", WAIT, &mut on_wait) {
            Ok(lock) => lock,
            Err(NotTaken::Failed(error)) => return Synced::Broken(error),
            Err(busy) => return Synced::Busy(busy),
        }
    };
    // Looked at under the lock: whoever stopped the mirror meanwhile is obeyed.
    let before = match written::read(config) {
        Ok(state) if state.stopped.is_some() => return Synced::Stopped,
        Ok(state) => state.last_sync,
        Err(error) => return Synced::Broken(error.into()),
    };
    let start = clock::instant();
    let mut company = Company { ask: &mut |_, _| false, on_event };
    let (its_config, its_machine, its_before) = (Arc::clone(config), Arc::clone(machine), before.clone());
    let ended = apart::run(config, machine, &mut company, move |company| {
        let mirror = its_config.mirror.as_deref()?;
        Some(cycle(&its_config, &its_machine, mirror, lock, its_before.as_ref(), company.on_event))
    });
    let (mut came, lock, left) = match ended {
        Ok(Some((came, lock))) => (came, lock, None),
        Ok(None) => return Synced::NoMirror,
        Err(Unended::Behind(left)) => (unheard(&left.why), None, Some(left)),
        Err(Unended::Failed(error)) => (unheard(&error), None, None),
    };
    if came.status == SyncStatus::Failed
        && let Some(trouble) = disk::trouble(config, &came.reason).filter(|it| !came.reason.contains(it))
    {
        came.reason = format!("{}: {trouble}", came.reason);
    }
    came.reason = config.redactor.text(&came.reason);
    let sha = came.sha.clone().or_else(|| head(config, machine, mirror));
    let upstream = match &came.sha {
        // Where nothing was needed, it is on its upstream.
        Some(sha) if came.status == SyncStatus::Noop => Some(sha.clone()),
        _ => git::tracking(machine, config, mirror).ok(),
    };
    let contact = came.contact.then(clock::now);
    let Came { status, reason, unserved, is_away, .. } = &came;
    let (status, unserved, is_away) = (*status, *unserved, *is_away);
    let ended = Ended { status, sha, upstream, contact, reason, unserved, is_away };
    let ended = state::write(config, ended);
    tell(config, mirror, &came, before.as_ref(), start.elapsed());
    drop(lock);
    match (ended, left) {
        (Ok(last), None) => Synced::Ended(last, came.repair),
        (Ok(last), Some(left)) => Synced::LeftBehind(last, left.why),
        (Err(error), _) => Synced::Broken(error),
    }
}

/// A line in the sync's log, and one in the events where something was decided; neither breaks anything.
fn tell(config: &Config, mirror: &Mirror, came: &Came, before: Option<&LastSync>, took: Duration) {
    let line = format!(
        "{} {}: {} ({} ms)\n",
        clock::now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        came.status.name(),
        came.reason,
        took.as_millis()
    );
    let _ = files::open_log(&config.log_file("sync")).and_then(|mut file| file.write_all(line.as_bytes()));
    let was_stale = before.is_some_and(|it| it.status == SyncStatus::Stale);
    let is_stale = came.status == SyncStatus::Stale;
    let away = before.and_then(|it| it.contact).map(|it| clock::now().duration_since(it));
    let away: Option<Duration> = away.and_then(|it| it.try_into().ok());
    let reason = match came.status {
        // That it is still away is no news.
        SyncStatus::Stale if was_stale => return,
        SyncStatus::Noop if was_stale => format!("{} answers again", mirror.remote),
        SyncStatus::Noop => return,
        _ => came.reason.clone(),
    };
    let cause = came.cause.as_ref().map(ToString::to_string);
    let decision = Decision {
        ev: "sync",
        subject: Some(&mirror.upstream_name()),
        outcome: Some(came.status.name()),
        cause: cause.as_deref(),
        reason: Some(&reason),
        // How old the last contact is, where that is what it is about.
        age: if was_stale || is_stale { away } else { Some(took) },
        ..Decision::default()
    };
    events::record(config, &decision);
}
