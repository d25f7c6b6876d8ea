//! `housecall sync`: aligns the mirror once. The frame around the mend of the sync's units.
//!
//! One fetch under the lock answers for the remote in every look of the cycle, and the state is always written.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use crate::checks;
use crate::config::{Config, Mirror, Trust};
use crate::error::{ProbeError, StepError};
use crate::exit::Exit;
use crate::fixes::events::{self, Decision};
use crate::fixes::hands::{self, Hands, files};
use crate::fixes::lock::{Lock, NotTaken};
use crate::fixes::mend::{Company, Mend, Request};
use crate::fixes::{
    Action, Consent, Event, Guard, OnFailure, Remedy, Repair, RepairResult, Safety, Step, StepResult, state,
    sync,
};
use crate::probes::git::{self, Canonical, Remote, Worktree};
use crate::probes::installation;
use crate::probes::keeper::Keeper;
use crate::probes::machine::Machine;
use crate::probes::state::{LastSync, SyncStatus};
use crate::probes::{clock, state as written};
use crate::run::run;
use crate::selection::Selection;
use crate::services::Verb;
use crate::unit::Examined;
use crate::verdict::{Outcome, Verdict};

/// How long another one that is at work is waited for.
const WAIT: Duration = Duration::from_secs(10);

/// How a sync went.
#[derive(Debug, Clone)]
pub enum Synced {
    /// It came to an end, which the state says too; and what was mended, if anything was.
    Ended(LastSync, Option<Box<Repair>>),
    /// The mirror is stopped by its user.
    Stopped,
    /// The configuration is not trusted.
    NotTrusted,
    /// There is no mirror to align.
    NoMirror,
    /// Another one is at work.
    Busy(NotTaken),
    /// It could not even begin, or not write its state.
    Broken(StepError),
}

/// What a cycle came to, before it is written down.
struct Came {
    status: SyncStatus,
    contact: bool,
    reason: String,
    repair: Option<Box<Repair>>,
}

impl Synced {
    /// The exit code: 0 for noop, updated and stale.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Ended(last, _) => match last.status {
                SyncStatus::Failed => Exit::Unhealthy,
                _ => Exit::Healthy,
            },
            Self::Stopped | Self::Broken(_) => Exit::Unhealthy,
            Self::NoMirror => Exit::Usage,
            Self::NotTrusted | Self::Busy(_) => Exit::Undetermined,
        }
    }

    /// One line for people.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Ended(last, _) => {
                let sha = last.sha.as_deref().and_then(|sha| sha.get(..7)).unwrap_or("no commit");
                if last.reason.contains(sha) {
                    return format!("{}: {}", last.status.name(), last.reason);
                }
                format!("{}: {sha}, {}", last.status.name(), last.reason)
            }
            Self::Stopped => "the mirror is stopped: `housecall start` ends that".to_owned(),
            Self::NotTrusted => "the configuration is not trusted: `housecall trust` allows it".to_owned(),
            Self::NoMirror => "no [mirror] is configured".to_owned(),
            Self::Busy(why) => why.to_string(),
            Self::Broken(error) => error.to_string(),
        }
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
    match written::read(config) {
        Ok(state) if state.stopped.is_some() => return Synced::Stopped,
        Ok(_) => {}
        Err(error) => return Synced::Broken(error.into()),
    }
    let start = clock::instant();
    let (mut came, lock) = cycle(config, machine, mirror, lock, on_event);
    came.reason = config.redactor.text(&came.reason);
    let sha = head(config, machine, mirror);
    let contact = came.contact.then(clock::now);
    let ended = state::write(config, came.status, sha, contact, &came.reason);
    tell(config, &came, start.elapsed());
    drop(lock);
    match ended {
        Ok(last) => Synced::Ended(last, came.repair),
        Err(error) => Synced::Broken(error),
    }
}

fn came(status: SyncStatus, contact: bool, reason: impl Into<String>) -> Came {
    Came { status, contact, reason: reason.into(), repair: None }
}

/// One cycle: the fetch, a look, and the mend if it is needed.
fn cycle(
    config: &Arc<Config>,
    machine: &Arc<Machine>,
    mirror: &Mirror,
    lock: Lock,
    on_event: &mut dyn FnMut(Event<'_>),
) -> (Came, Option<Lock>) {
    match git::canonical(machine, config, mirror) {
        Ok(Canonical::Present(_)) => {}
        Ok(Canonical::Absent) => {
            let why = format!("the repository {} is not there", config.tilde(&mirror.repository));
            return (came(SyncStatus::Failed, false, why), Some(lock));
        }
        Ok(Canonical::Unmounted(place)) => {
            let why = format!("no volume is mounted at {}", config.tilde(&place));
            return (came(SyncStatus::Stale, false, why), Some(lock));
        }
        Ok(Canonical::NotGit(why)) => return (came(SyncStatus::Failed, false, why), Some(lock)),
        Err(error) => return (came(out_of_reach(&error), false, error.to_string()), Some(lock)),
    }
    let remote = match fetch(config, machine, mirror, &lock, on_event) {
        Ok(Remote::At { sha, took }) => Remote::At { sha, took },
        Ok(Remote::Unreachable(why)) => return (came(SyncStatus::Stale, false, why), Some(lock)),
        Ok(Remote::Refused(why)) => return (came(SyncStatus::Failed, false, why), Some(lock)),
        Ok(Remote::NoSuchRef) => {
            let why = format!("{} has no branch `{}`", mirror.remote, mirror.upstream);
            return (came(SyncStatus::Failed, true, why), Some(lock));
        }
        Err(StepError::Probe(error)) => {
            return (came(out_of_reach(&error), false, error.to_string()), Some(lock));
        }
        Err(error) => return (came(SyncStatus::Failed, false, error.to_string()), Some(lock)),
    };
    mend(config, machine, mirror, lock, remote, on_event)
}

/// Silence is a remote or a volume out of reach; all else is a failure.
fn out_of_reach(error: &ProbeError) -> SyncStatus {
    match error {
        ProbeError::TimedOut { .. } | ProbeError::Stuck { .. } => SyncStatus::Stale,
        _ => SyncStatus::Failed,
    }
}

/// The fetch that answers for the remote. A lock of a killed one is removed first, where nobody holds it.
fn fetch(
    config: &Arc<Config>,
    machine: &Arc<Machine>,
    mirror: &Mirror,
    lock: &Lock,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Remote, StepError> {
    let mut hands = Hands::new(config, machine, lock)?;
    for path in hands::locks::of_tracking(config, mirror)? {
        hands.apply(sync::FIX.id, &step(Action::RemoveLock(path), Guard::None), on_event);
    }
    let start = clock::instant();
    let output = hands.fetch_once(on_event)?;
    if !output.succeeded() {
        return Ok(git::failure(mirror, &output)?);
    }
    let sha = hands::git::tracking(config, mirror)?;
    Ok(Remote::At { sha, took: start.elapsed() })
}

fn mend(
    config: &Arc<Config>,
    machine: &Arc<Machine>,
    mirror: &Mirror,
    lock: Lock,
    remote: Remote,
    on_event: &mut dyn FnMut(Event<'_>),
) -> (Came, Option<Lock>) {
    // How the last sync ended is what this one writes: it is no reason to act.
    let of_sync = |id: &str| {
        let named = checks::by_id(id).and_then(|check| check.fix).is_some_and(|fix| fix.id == sync::FIX.id);
        named && id != "sync-recent"
    };
    let selection = Selection::new(config, &crate::selection::Wanted::default()).unwrap_or_default();
    let selection = selection.part(|unit| of_sync(&unit.id.check));
    let consent = Consent::Safe;
    let request = Request { config, machine, selection: &selection, consent, doing: "sync", wait: WAIT };
    let mut mend = Mend::holding(request, lock, remote);
    let examined = run(&selection, &mend.look());
    let of_sync = |it: &&Examined| of_sync(&it.unit.id.check);
    let before = head(config, machine, mirror);
    if examined.iter().filter(of_sync).all(|it| is_well(&it.outcome)) {
        return (came(SyncStatus::Noop, true, "nothing was needed"), mend.into_lock());
    }
    let mut company = Company { ask: &mut |_, _| false, on_event };
    let repair = match mend.mend_one(&Remedy::Built(&sync::FIX), &examined, &mut company) {
        Ok(repair) => repair,
        Err(error) => return (came(SyncStatus::Failed, true, error.to_string()), mend.into_lock()),
    };
    let examined = run(&selection, &mend.look());
    let troubled = examined.iter().find(|it| !is_well(&it.outcome));
    let after = head(config, machine, mirror);
    let (status, reason) = match (&repair.reason, troubled) {
        (Some(reason), _) if repair.result != RepairResult::Verified => (SyncStatus::Failed, reason.clone()),
        (_, Some(it)) => (SyncStatus::Failed, trouble(it)),
        (_, None) => (SyncStatus::Updated, what_was_done(&repair)),
    };
    let lock = mend.into_lock();
    let mut came = Came { status, contact: true, reason, repair: Some(Box::new(repair)) };
    if came.status == SyncStatus::Updated
        && let Some(lock) = &lock
        && let Err(why) = serve_it(config, machine, mirror, lock, &came, before != after, company.on_event)
    {
        came.status = SyncStatus::Failed;
        came.reason = why;
    }
    (came, lock)
}

/// Builds what has changed, and has a running keeper restart its server where it cannot notice by itself.
///
/// If the build fails, the old one serves on.
fn serve_it(
    config: &Arc<Config>,
    machine: &Arc<Machine>,
    mirror: &Mirror,
    lock: &Lock,
    came: &Came,
    moved: bool,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<(), String> {
    let is_install = |step: &crate::fixes::StepReport| matches!(step.action, Action::Install(_));
    let installed = came.repair.iter().any(|repair| repair.steps.iter().any(is_install));
    let mut steps = Vec::new();
    if !mirror.build.is_empty() && (moved || installed) {
        steps.push(step(Action::Build(mirror.build.clone()), Guard::OwnWorktree));
    }
    if installed || !steps.is_empty() {
        steps.extend(restart(config, machine).map_err(|error| error.to_string())?);
    }
    if steps.is_empty() {
        return Ok(());
    }
    let mut hands = Hands::new(config, machine, lock).map_err(|error| error.to_string())?;
    for step in &steps {
        let report = hands.apply(sync::FIX.id, step, on_event);
        if let StepResult::Failed(why) | StepResult::Refused(why) = report.result {
            return Err(why);
        }
    }
    Ok(())
}

/// What restarts the server, by whoever keeps it; nothing where nobody does.
fn restart(config: &Config, machine: &Machine) -> Result<Option<Step>, ProbeError> {
    let job = match installation::read(config)? {
        Some(installation) => installation::serve_job(machine, config, &installation)?,
        None => None,
    };
    let action = match job {
        Some(job) if job.observed.pid.is_none() => return Ok(None),
        Some(job) => Action::Service { manager: job.manager, job: job.job, verb: Verb::Restart },
        None if matches!(crate::probes::keeper::read(config)?, Keeper::Running(_)) => Action::RestartServer,
        None => return Ok(None),
    };
    Ok(Some(step(action, Guard::None)))
}

const fn step(action: Action, guard: Guard) -> Step {
    Step { action, safety: Safety::Safe, guard, on_failure: OnFailure::Keep, undo: None }
}

const fn is_well(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Judged(Verdict::Pass(_) | Verdict::NotApplicable(_)))
}

fn trouble(it: &Examined) -> String {
    match it.outcome.seen() {
        Outcome::Judged(Verdict::Fail(finding)) => format!("{}: {}", it.unit.id, finding.message),
        Outcome::Judged(Verdict::Pending { why, .. }) => format!("{}: {why}", it.unit.id),
        Outcome::Unknown(error) => format!("{}: could not look: {error}", it.unit.id),
        _ => format!("{}: it was not settled", it.unit.id),
    }
}

fn what_was_done(repair: &Repair) -> String {
    let mut done: Vec<String> = Vec::new();
    for step in &repair.steps {
        if let StepResult::Done { note, .. } = &step.result {
            let said = match (&step.action, note) {
                (Action::Record, _) | (Action::SetAside, None) => continue,
                (_, Some(note)) => note.clone(),
                (action, None) => action.name().replace('-', " "),
            };
            done.push(said);
        }
    }
    if done.is_empty() { "all is as it should be".to_owned() } else { done.join("; ") }
}

/// The commit that the mirror is on now, as well as that can be seen.
fn head(config: &Config, machine: &Machine, mirror: &Mirror) -> Option<String> {
    let canonical = git::canonical(machine, config, mirror).ok()?;
    match git::worktree(machine, config, mirror, &canonical).ok()? {
        Worktree::Present(checkout) => checkout.head,
        _ => None,
    }
}

/// A line in the sync's log, and one in the events unless nothing happened; neither breaks anything.
fn tell(config: &Config, came: &Came, took: Duration) {
    let line = format!(
        "{} {}: {} ({} ms)\n",
        clock::now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        came.status.name(),
        came.reason,
        took.as_millis()
    );
    let _ =
        files::open_private(&config.log_file("sync")).and_then(|mut file| file.write_all(line.as_bytes()));
    if came.status != SyncStatus::Noop {
        let decision = Decision {
            ev: "sync",
            outcome: Some(came.status.name()),
            reason: Some(&came.reason),
            age: Some(took),
            ..Decision::default()
        };
        events::record(config, &decision);
    }
}
