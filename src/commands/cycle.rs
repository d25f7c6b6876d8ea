//! One cycle of a sync: the fetch, a look beside it, and the mend if it is needed.

use std::sync::Arc;
use std::time::Duration;

use super::serving::{self, Served};
use crate::checks::{self, runtime::tools_present};
use crate::config::{Config, Mirror};
use crate::cx::{Cx, Probes};
use crate::error::{ProbeError, StepError};
use crate::fixes::hands::{self, Fetched, Hands};
use crate::fixes::lock::Lock;
use crate::fixes::mend::{Company, Mend, Request};
use crate::fixes::{
    Action, Consent, Event, Guard, OnFailure, Remedy, Repair, RepairResult, Safety, Step, StepReport,
    StepResult, sync,
};
use crate::probes::git::{self, Canonical, Remote, Repository, Worktree};
use crate::probes::machine::Machine;
use crate::probes::state::{LastSync, SyncStatus};
use crate::probes::{Keyed, Probe, clock, tools};
use crate::run::run;
use crate::selection::{Selection, Wanted};
use crate::unit::{Examined, Pace, Unit, UnitId};
use crate::verdict::{Outcome, Verdict};

/// How long another one that is at work is waited for.
pub(super) const WAIT: Duration = Duration::from_secs(10);

/// What a cycle came to, before it is written down.
pub(super) struct Came {
    pub(super) status: SyncStatus,
    /// Whether the remote answered.
    pub(super) contact: bool,
    pub(super) reason: String,
    pub(super) repair: Option<Box<Repair>>,
    /// The unit that was the reason, if one was.
    pub(super) cause: Option<UnitId>,
    /// The commit that the mirror is on, where that is known already.
    pub(super) sha: Option<String>,
    /// How many cycles in a row found all aligned, and no server that answers.
    pub(super) unserved: Option<u32>,
    /// Whether the remote did not answer.
    pub(super) is_away: bool,
}

fn came(status: SyncStatus, contact: bool, reason: impl Into<String>) -> Came {
    Came {
        status,
        contact,
        reason: reason.into(),
        repair: None,
        cause: None,
        sha: None,
        unserved: None,
        is_away: false,
    }
}

/// The remote did not answer; a failure to ask it is none of its doing.
fn away(status: SyncStatus, reason: impl Into<String>) -> Came {
    Came { is_away: status == SyncStatus::Stale, ..came(status, false, reason) }
}

/// A volume fell silent in the middle of it.
pub(super) fn unheard(error: &ProbeError) -> Came {
    came(out_of_reach(error), false, error.to_string())
}

/// One cycle: the fetch, a look, and the mend if it is needed.
pub(super) fn cycle(
    config: &Arc<Config>,
    machine: &Arc<Machine>,
    mirror: &Mirror,
    lock: Lock,
    before: Option<&LastSync>,
    on_event: &mut dyn FnMut(Event<'_>),
) -> (Came, Option<Lock>) {
    let repository = match git::canonical(machine, config, mirror) {
        Ok(Canonical::Present(repository)) => repository,
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
    };
    // They put back what a killed one had moved away: whoever looks before that sees a mirror that nobody has edited.
    let mut hands = match Hands::new(config, machine, &lock) {
        Ok(hands) => hands,
        Err(error) => return (came(SyncStatus::Failed, false, error.to_string()), Some(lock)),
    };
    let unchanged = Unchanged::new(config, machine, &repository);
    let (fetched, seen, served) = std::thread::scope(|scope| {
        let server = scope.spawn(|| serving::look(config, machine));
        let beside = unchanged.as_ref().map(|it| scope.spawn(|| it.look()));
        let fetched = fetch(&mut hands, mirror, &repository, on_event);
        (fetched, beside.and_then(|it| it.join().ok()).flatten(), server.join())
    });
    let remote = match fetched {
        Ok(Remote::At { sha, took }) => Remote::At { sha, took },
        Ok(Remote::Unreachable(why)) => return (away(SyncStatus::Stale, why), Some(lock)),
        Ok(Remote::Refused(why)) => return (came(SyncStatus::Failed, false, why), Some(lock)),
        Ok(Remote::NoSuchRef) => {
            let why = format!("{} has no branch `{}`", mirror.remote, mirror.upstream);
            return (came(SyncStatus::Failed, true, why), Some(lock));
        }
        Err(StepError::Probe(error)) => {
            return (away(out_of_reach(&error), error.to_string()), Some(lock));
        }
        Err(error) => return (came(SyncStatus::Failed, false, error.to_string()), Some(lock)),
    };
    let is_seen = seen.filter(|sha| matches!(&remote, Remote::At { sha: now, .. } if now == sha));
    let (sha, lock) = match is_seen {
        Some(sha) => (Some(sha), Some(lock)),
        None => match mend(config, machine, mirror, lock, remote, on_event) {
            (Some(came), lock) => return (came, lock),
            (None, lock) => (None, lock),
        },
    };
    // A look that crashed saw nothing.
    let served = served.unwrap_or_else(|_| Served::Not("the look at it crashed".to_owned()));
    let times = before.and_then(|it| it.unserved).unwrap_or(0).saturating_add(1);
    let came = match &lock {
        Some(lock) => aligned(config, machine, mirror, lock, (served, times), on_event),
        None => came(SyncStatus::Failed, true, "the mirror's lock was lost"),
    };
    // What was checked out is as new as its index.
    if came.status == SyncStatus::Noop && before.is_none_or(|it| it.status != SyncStatus::Noop) {
        hands::git::settle_index(config, mirror);
    }
    (Came { sha: sha.or(came.sha), ..came }, lock)
}

/// All is aligned: what it came to depends on the server, which so many cycles in a row found silent, with this one.
fn aligned(
    config: &Arc<Config>,
    machine: &Arc<Machine>,
    mirror: &Mirror,
    lock: &Lock,
    (served, times): (Served, u32),
    on_event: &mut dyn FnMut(Event<'_>),
) -> Came {
    let unserved = |why: String| {
        let reason = format!("aligned, and not served {why}");
        Came { unserved: Some(times), ..came(SyncStatus::Failed, true, reason) }
    };
    match served {
        Served::Well => match serving::renew(config, machine, mirror, lock, on_event) {
            Ok(None) => came(SyncStatus::Noop, true, "nothing was needed"),
            Ok(Some(why)) => came(SyncStatus::Updated, true, format!("restarted the server: {why}")),
            Err(last) => {
                came(SyncStatus::Failed, true, format!("aligned, and the server is not renewed: {last}"))
            }
        },
        Served::Starting => came(SyncStatus::Noop, true, "nothing was needed; the server is starting"),
        Served::Not(_) if times == 1 && serving::comes_soon(config) => {
            came(SyncStatus::Noop, true, "nothing was needed")
        }
        Served::Failing(last) => unserved(format!("(the server keeps ending): {last}")),
        Served::Not(why) => match serving::revive(config, machine, lock, times, on_event) {
            Ok(done) => came(SyncStatus::Updated, true, format!("{why}: {done}")),
            Err(last) => unserved(format!("({why}): {last}")),
        },
    }
}

/// A look that supposes that the remote has nothing new: it goes on beside the fetch, and counts if that says so too.
struct Unchanged<'a> {
    config: &'a Arc<Config>,
    machine: &'a Arc<Machine>,
    repository: &'a Repository,
    selection: Selection,
    sha: String,
}

impl<'a> Unchanged<'a> {
    fn new(config: &'a Arc<Config>, machine: &'a Arc<Machine>, repository: &'a Repository) -> Option<Self> {
        let sha = repository.tracking.clone()?;
        let mut whole = whole(config);
        // That git is there shows in the fetch, and asking for its version costs as much as the rest of the look.
        let is_tool = |unit: &Unit| unit.id.check == tools_present::CHECK.id.0;
        let tools: Vec<usize> = (0..whole.units.len()).filter(|&at| is_tool(&whole.units[at])).collect();
        for unit in &mut whole.units {
            unit.needs.retain(|need| !tools.contains(need));
            // Only git's own comparison of the files takes longer than a thread takes to begin.
            unit.pace = Pace::Quick;
        }
        Some(Self { config, machine, repository, selection: whole.part(is_of_sync), sha })
    }

    /// What is known. Nothing is installed or started where all is aligned: the versions that stand written will do.
    fn known(&self) -> Probes {
        let tools = self.config.tools.iter().map(|tool| tool.name.as_str()).chain(["node"]);
        let written = tools.filter_map(|name| {
            Some((name.to_owned(), Ok(Some(tools::written(self.machine, self.config, name)?))))
        });
        Probes {
            canonical: Probe::given(Ok(Canonical::Present(self.repository.clone()))),
            remote: Probe::given(Ok(Remote::At { sha: self.sha.clone(), took: Duration::ZERO })),
            tools: Keyed::given(written),
            ..Probes::default()
        }
    }

    /// The commit that all is aligned on, if it is.
    fn look(&self) -> Option<String> {
        let cx = Cx::new(Arc::clone(self.config), Arc::clone(self.machine)).knowing(self.known());
        let examined = run(&self.selection, &Arc::new(cx));
        let aligned = examined.iter().filter(|it| is_of_sync(&it.unit)).all(|it| is_well(&it.outcome));
        aligned.then(|| self.sha.clone())
    }
}

/// What a cycle looks at: how the last sync ended is what this one writes, and no reason to act.
fn is_of_sync(unit: &Unit) -> bool {
    let named = checks::by_id(&unit.id.check).and_then(|check| check.fix);
    named.is_some_and(|fix| fix.id == sync::FIX.id) && unit.id.check != "sync-recent"
}

fn whole(config: &Config) -> Selection {
    Selection::new(config, &Wanted::default()).unwrap_or_default()
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
    hands: &mut Hands<'_>,
    mirror: &Mirror,
    repository: &Repository,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Remote, StepError> {
    if let Some(path) = hands::locks::of_tracking(mirror, repository) {
        hands.apply(sync::FIX.id, &step(Action::RemoveLock(path), Guard::None), on_event);
    }
    let start = clock::instant();
    match hands.fetch_once(repository, on_event)? {
        Fetched::At(sha) => Ok(Remote::At { sha, took: start.elapsed() }),
        Fetched::Failed(output) => Ok(git::failure(mirror, &output)?),
    }
}

/// Mends what is not as it should be; `None`: all is.
fn mend(
    config: &Arc<Config>,
    machine: &Arc<Machine>,
    mirror: &Mirror,
    lock: Lock,
    remote: Remote,
    on_event: &mut dyn FnMut(Event<'_>),
) -> (Option<Came>, Option<Lock>) {
    let selection = whole(config).part(is_of_sync);
    let consent = Consent::Safe;
    let request = Request { config, machine, selection: &selection, consent, doing: "sync", wait: WAIT };
    let mut mend = Mend::holding(request, lock, remote);
    let examined = run(&selection, &mend.look());
    let of_sync = |it: &&Examined| is_of_sync(&it.unit);
    if examined.iter().filter(of_sync).all(|it| is_well(&it.outcome)) {
        return (None, mend.into_lock());
    }
    let mut company = Company { ask: &mut |_, _| false, on_event };
    let repair = match mend.mend_one(&Remedy::Built(&sync::FIX), &examined, &mut company) {
        Ok(repair) => repair,
        Err(error) => return (Some(came(SyncStatus::Failed, true, error.to_string())), mend.into_lock()),
    };
    let examined = run(&selection, &mend.look());
    let troubled = examined.iter().find(|it| !is_well(&it.outcome));
    let after = head(config, machine, mirror);
    let is_away = repair.steps.last().is_some_and(|it| matches!(it.result, StepResult::Away(_)));
    let (status, reason) = match (&repair.reason, troubled) {
        // Nothing was done, since it would fail again: why it failed is what counts.
        (Some(_), Some(it)) if repair.steps.is_empty() => (SyncStatus::Failed, trouble(it)),
        (Some(reason), _) if is_away => (SyncStatus::Stale, reason.clone()),
        (Some(reason), _) if repair.result != RepairResult::Verified => (SyncStatus::Failed, reason.clone()),
        (_, Some(it)) => (SyncStatus::Failed, trouble(it)),
        (_, None) => (SyncStatus::Updated, what_was_done(&repair)),
    };
    let lock = mend.into_lock();
    let cause = repair.for_units.first().cloned();
    let made = |step: &StepReport| matches!(step.action, Action::Install(_) | Action::Build(_));
    let has_made = repair.steps.iter().any(|step| made(step) && step.result.name() == "done");
    let mut came =
        Came { cause, sha: after, repair: Some(Box::new(repair)), is_away, ..came(status, true, reason) };
    // A server that lives through an install fails for ever, whatever failed after it.
    if (came.status == SyncStatus::Updated || has_made)
        && let Some(lock) = &lock
        && let Err(why) = serving::renew(config, machine, mirror, lock, company.on_event)
        && came.status == SyncStatus::Updated
    {
        came.status = SyncStatus::Failed;
        came.reason = why;
    }
    (Some(came), lock)
}

pub(super) const fn step(action: Action, guard: Guard) -> Step {
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
pub(super) fn head(config: &Config, machine: &Machine, mirror: &Mirror) -> Option<String> {
    let canonical = git::canonical(machine, config, mirror).ok()?;
    match git::worktree(machine, config, mirror, &canonical).ok()? {
        Worktree::Present(checkout) => checkout.head,
        _ => None,
    }
}
