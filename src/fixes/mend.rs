//! Mends: plans a round from a fresh look, applies it, looks again; until nothing is left to do, or nothing helps.

use std::sync::Arc;
use std::time::Duration;

use crate::config::{Config, Trust};
use crate::cx::{Cx, Probes};
use crate::error::StepError;
use crate::fixes::hands::Hands;
use crate::fixes::later::later;
use crate::fixes::lock::{Lock, NotTaken};
use crate::fixes::{
    Action, Consent, Event, Mended, OnFailure, Remedy, Repair, RepairResult, Safety, Step, StepReport,
    StepResult,
};
use crate::probes::git::Remote;
use crate::probes::machine::Machine;
use crate::probes::{Probe, clock};
use crate::run::run;
use crate::selection::Selection;
use crate::unit::{Examined, UnitId};
use crate::verdict::{Outcome, Verdict};

/// More rounds than this are a circle.
const ROUNDS: usize = 8;

/// How often a look is repeated while what was done takes effect.
const SETTLING: Duration = Duration::from_millis(200);

/// Who asks and hears, while a mend goes on.
pub struct Company<'a> {
    /// Asked before a risky round, where the user allows risky ones; the lock is not held meanwhile.
    pub ask: &'a mut dyn FnMut(&Remedy, &[Step]) -> bool,
    /// Hears what happens.
    pub on_event: &'a mut dyn FnMut(Event<'_>),
}

/// What is mended, and how far that may go.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The configuration.
    pub config: &'a Arc<Config>,
    /// The machine.
    pub machine: &'a Arc<Machine>,
    /// What is examined; whatever fails in it and names a fix is mended.
    pub selection: &'a Selection,
    /// What the user allows.
    pub consent: Consent,
    /// What the lock says: "fix", "sync".
    pub doing: &'static str,
    /// How long another mend is waited for.
    pub wait: Duration,
}

/// One mend: the lock, while it is held, and what was answered once for all its looks.
#[derive(Debug)]
pub struct Mend<'a> {
    request: Request<'a>,
    lock: Option<Lock>,
    remote: Option<Remote>,
}

/// Examines, mends what fails, and examines again.
///
/// # Errors
/// Another one is at work, or the lock cannot be asked for. All else is in the repairs.
pub fn mend(request: Request<'_>, company: &mut Company<'_>) -> Result<Mended, NotTaken> {
    let refusal = refusal(request.config);
    let mut mend = Mend { request, lock: None, remote: None };
    if request.consent > Consent::DryRun && refusal.is_none() {
        mend.take_lock(company)?;
    }
    let first = mend.look();
    let (before, mut at) = (run(request.selection, &first), first.now());
    let mut after = before.clone();
    let mut repairs: Vec<Repair> = Vec::new();
    while let Some(fix) = next(&after, &repairs) {
        let repair = match &refusal {
            Some(why) => closed(&fix, &for_fix(&after, &fix), RepairResult::Refused, Some(why.clone())),
            None => mend.mend_one(&fix, &after, company)?,
        };
        let acted = repair.steps.iter().any(|step| step.result != StepResult::Proposed);
        (company.on_event)(Event::Closed(&repair));
        repairs.push(repair);
        if acted {
            let taken = mend.take_lock(company);
            // What it started may be at work still, and hold it: then the look says so.
            if !fix.is_last() {
                taken?;
            }
            let look = mend.look();
            (after, at) = (run(request.selection, &look), look.now());
        }
    }
    for repair in &mut repairs {
        repair.units = units_of(&after, &repair.for_units);
        // What one fix brought, a later one may have broken: the last look has the last word.
        if repair.result == RepairResult::Verified {
            repair.result = came_to(&repair.units);
        }
    }
    Ok(Mended { before, repairs, after, at })
}

/// Why nothing at all may be mended, if so.
#[must_use]
pub fn refusal(config: &Config) -> Option<String> {
    if config.trust == Trust::Untrusted {
        return Some("the configuration is not trusted: `housecall trust` allows it".to_owned());
    }
    match crate::probes::state::read(config) {
        Ok(state) if state.stopped.is_some() => {
            Some("the mirror is stopped: `housecall start` ends that".to_owned())
        }
        Ok(_) => None,
        Err(error) => Some(error.to_string()),
    }
}

/// The first fix that a failure names and that was not tried yet; one that is to be the last, after all others.
fn next(examined: &[Examined], repairs: &[Repair]) -> Option<Remedy> {
    let named = examined.iter().filter(|it| it.outcome.is_failure()).filter_map(|it| it.unit.fix.as_ref());
    let mut fixes = named.filter(|fix| repairs.iter().all(|repair| repair.fix != **fix));
    fixes.clone().find(|fix| !fix.is_last()).or_else(|| fixes.next()).cloned()
}

/// The units that name a fix and fail, for themselves or since another of them does.
fn for_fix<'a>(examined: &'a [Examined], fix: &Remedy) -> Vec<&'a Examined> {
    let of_fix = |it: &&Examined| it.unit.fix.as_ref() == Some(fix);
    let root_of_fix = |id: &UnitId| examined.iter().filter(of_fix).any(|it| it.unit.id == *id);
    let counts = |it: &&Examined| match &it.outcome {
        Outcome::Blocked { by, .. } => it.outcome.saw_failure() && root_of_fix(by),
        outcome => outcome.is_failure(),
    };
    examined.iter().filter(of_fix).filter(counts).collect()
}

fn units_of(examined: &[Examined], ids: &[UnitId]) -> Vec<(UnitId, Outcome)> {
    let wanted = examined.iter().filter(|it| ids.contains(&it.unit.id));
    wanted.map(|it| (it.unit.id.clone(), it.outcome.clone())).collect()
}

fn closed(fix: &Remedy, broken: &[&Examined], result: RepairResult, reason: Option<String>) -> Repair {
    Repair {
        fix: fix.clone(),
        safety: Safety::Safe,
        for_units: broken.iter().map(|it| it.unit.id.clone()).collect(),
        steps: Vec::new(),
        later: None,
        result,
        reason,
        units: broken.iter().map(|it| (it.unit.id.clone(), it.outcome.clone())).collect(),
    }
}

impl<'a> Mend<'a> {
    /// A mend by whoever holds the lock already, and knows what the remote says.
    #[must_use]
    pub const fn holding(request: Request<'a>, lock: Lock, remote: Remote) -> Self {
        Self { request, lock: Some(lock), remote: Some(remote) }
    }

    /// Gives the lock back.
    #[must_use]
    pub fn into_lock(self) -> Option<Lock> {
        self.lock
    }

    /// A fresh look, which knows what the remote said if that is known.
    #[must_use]
    pub fn look(&self) -> Arc<Cx> {
        let (config, machine) = (Arc::clone(self.request.config), Arc::clone(self.request.machine));
        Arc::new(match &self.remote {
            Some(remote) => {
                let remote = Probe::given(Ok(remote.clone()));
                Cx::new(config, machine).knowing(Probes { remote, ..Probes::default() })
            }
            None => Cx::new(config, machine),
        })
    }

    fn take_lock(&mut self, company: &mut Company<'_>) -> Result<(), NotTaken> {
        if self.lock.is_none() {
            let mut on_wait =
                |holder: Option<&crate::probes::state::Holder>| (company.on_event)(Event::Waiting(holder));
            let request = &self.request;
            self.lock = Some(Lock::take(request.config, request.doing, request.wait, &mut on_wait)?);
        }
        Ok(())
    }

    /// One fix, in rounds, until it is closed.
    ///
    /// # Errors
    /// The lock, which is not held while a question waits, was not had again.
    pub fn mend_one(
        &mut self,
        fix: &Remedy,
        examined: &[Examined],
        company: &mut Company<'_>,
    ) -> Result<Repair, NotTaken> {
        let part = self.request.selection.part(|unit| unit.fix.as_ref() == Some(fix));
        let mut repair = closed(fix, &for_fix(examined, fix), RepairResult::Unverified, None);
        let mut seen: Vec<Examined> = examined.to_vec();
        let mut cx = self.look();
        let mut allowed: Option<Vec<Action>> = None;
        for round in 0..ROUNDS {
            let broken = for_fix(&seen, fix);
            let steps = match fix.plan(&cx, &broken) {
                Ok(steps) => steps,
                Err(error) => {
                    repair.result = RepairResult::Failed;
                    repair.reason = Some(error.to_string());
                    return Ok(repair);
                }
            };
            let done = |step: &Step| repair.steps.iter().any(|before| before.action == step.action);
            if steps.is_empty() || steps.iter().any(done) {
                return Ok(judged(repair, &seen));
            }
            (company.on_event)(Event::Planned(fix.id(), &steps));
            let safety = steps.iter().map(|step| step.safety).max().unwrap_or(Safety::Safe);
            repair.safety = repair.safety.max(safety);
            let consented = match (safety, self.request.consent) {
                (_, Consent::DryRun) | (Safety::Risky, Consent::Safe) => false,
                (Safety::Safe, _) => true,
                (Safety::Risky, Consent::Risky) => {
                    let actions: Vec<Action> = steps.iter().map(|step| step.action.clone()).collect();
                    if allowed.as_ref() != Some(&actions) {
                        self.lock = None;
                        let yes = (company.ask)(fix, &steps);
                        self.take_lock(company)?;
                        if yes {
                            // Time has passed: the plan is made again, and done if it is still the same.
                            allowed = Some(actions);
                            cx = self.look();
                            seen = run(&part, &cx);
                            continue;
                        }
                    }
                    allowed.as_ref() == Some(&actions)
                }
            };
            if !consented {
                let proposed = steps.iter().map(|step| StepReport {
                    action: step.action.clone(),
                    safety: step.safety,
                    commands: step.action.commands(self.request.config),
                    result: StepResult::Proposed,
                });
                repair.steps.extend(proposed);
                repair.later = later(&steps, self.request.config);
                repair.result = if round == 0 || repair.steps.is_empty() {
                    RepairResult::Proposed
                } else {
                    judged(repair.clone(), &seen).result
                };
                if repair.result == RepairResult::StillFailing {
                    repair.result = RepairResult::Proposed;
                }
                return Ok(repair);
            }
            if let Some(reason) = self.round(fix, &steps, &mut repair, company) {
                repair.reason = Some(reason);
                return Ok(repair);
            }
            (company.on_event)(Event::Looking(fix.id()));
            if fix.is_last() {
                self.lock = None;
            }
            (cx, seen) = self.settled(fix, &part);
        }
        Ok(judged(repair, &seen))
    }

    /// A fresh look once what was done has taken effect, or its time is over.
    fn settled(&self, fix: &Remedy, part: &Selection) -> (Arc<Cx>, Vec<Examined>) {
        let applied = clock::instant();
        loop {
            let cx = self.look();
            let rest = fix.settles().saturating_sub(applied.elapsed());
            if rest.is_zero() || !fix.is_at_work(&cx) {
                let seen = run(part, &cx);
                if rest.is_zero() || fix.is_last() || for_fix(&seen, fix).is_empty() {
                    return (cx, seen);
                }
            }
            clock::pause(SETTLING.min(rest));
        }
    }

    /// Applies one round. Where a step of it fails, those before are undone as they say, and the reason is told.
    fn round(
        &mut self,
        fix: &Remedy,
        steps: &[Step],
        repair: &mut Repair,
        company: &mut Company<'_>,
    ) -> Option<String> {
        let Some(lock) = &self.lock else {
            repair.result = RepairResult::Refused;
            return Some("the mirror's lock is not held".to_owned());
        };
        let mut hands = match Hands::new(self.request.config, self.request.machine, lock) {
            Ok(hands) => hands,
            Err(error) => {
                repair.result = RepairResult::Refused;
                return Some(no_journal(&error));
            }
        };
        if let Some(Remote::At { sha, .. }) = &self.remote {
            hands.tell_fetched(sha.clone());
        }
        let first = repair.steps.len();
        let mut reason = None;
        for step in steps {
            let report = hands.apply(fix.id(), step, company.on_event);
            reason = match &report.result {
                StepResult::Refused(why) => {
                    repair.result = RepairResult::Refused;
                    Some(why.clone())
                }
                StepResult::Failed(why) | StepResult::Away(why) => {
                    repair.result = RepairResult::Failed;
                    Some(why.clone())
                }
                _ => None,
            };
            repair.steps.push(report);
            if reason.is_some() {
                break;
            }
        }
        if reason.is_some() {
            let done = repair.steps.len() - 1 - first;
            for (step, report) in steps.iter().zip(&mut repair.steps[first..]).take(done).rev() {
                if step.on_failure == OnFailure::Undo {
                    hands.undo(fix.id(), step, report, company.on_event);
                }
            }
        }
        if let Some((sha, _)) = hands.fetched() {
            self.remote = Some(Remote::At { sha: sha.clone(), took: Duration::ZERO });
        }
        reason
    }
}

fn no_journal(error: &StepError) -> String {
    format!("nothing is done without its journal: {error}")
}

/// What a fix came to, as its units see it.
fn judged(mut repair: Repair, seen: &[Examined]) -> Repair {
    for it in for_fix(seen, &repair.fix) {
        if !repair.for_units.contains(&it.unit.id) {
            repair.for_units.push(it.unit.id.clone());
        }
    }
    repair.units = units_of(seen, &repair.for_units);
    repair.result = came_to(&repair.units);
    if repair.result == RepairResult::StillFailing && repair.steps.is_empty() {
        repair.reason = Some("there is nothing that it could do about it".to_owned());
    }
    repair
}

/// What a fix came to, once all is done that it planned.
fn came_to(units: &[(UnitId, Outcome)]) -> RepairResult {
    let settled =
        |outcome: &Outcome| matches!(outcome, Outcome::Judged(Verdict::Pass(_) | Verdict::NotApplicable(_)));
    match () {
        () if units.iter().any(|(_, outcome)| outcome.saw_failure()) => RepairResult::StillFailing,
        () if units.iter().all(|(_, outcome)| settled(outcome)) => RepairResult::Verified,
        () => RepairResult::Unverified,
    }
}
