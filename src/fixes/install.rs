//! The fix `install`, and what the command of that name plans: the jobs' files, their manager, and others' jobs.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::checks::runtime::runtime_version;
use crate::config::{Config, Trust};
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::fixes::hands::process;
use crate::fixes::{Action, Fix, Guard, OnFailure, Safety, Step, Turn, rerun};
use crate::probes::installation::{self, Adopted, Basis, Installation, Installed, SCHEMA, job_text};
use crate::probes::keeper::{self, Keeper, Keeps};
use crate::probes::machine::Machine;
use crate::probes::rivals::{self, Rival};
use crate::services::{
    Definition, Loaded, MARKER, Manager, Observed, State, Verb, definitions, embedded, named,
};
use crate::unit::Examined;

/// Have the jobs be what the configuration says, and loaded; only where `install` installed them before.
pub static FIX: Fix = Fix {
    id: "install",
    title: "have the jobs be as configured, and loaded",
    plan,
    but: &[("job-state:sync", &rerun::FIX)],
    turn: Turn::InOrder,
};

/// What installing comes to.
#[derive(Debug)]
pub struct Plan {
    /// Files that would be other than they are.
    pub changes: Vec<Change>,
    /// The jobs of others in the way.
    pub rivals: Vec<Rival>,
    /// What is done, in order; nothing where all is as it should be.
    pub steps: Vec<Step>,
    /// The files of ours, changed or not.
    pub files: Vec<PathBuf>,
}

/// A file that would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where.
    pub path: PathBuf,
    /// What it holds; `None`: it is not there.
    pub before: Option<String>,
    /// What it would hold; `None`: it goes.
    pub after: Option<String>,
}

fn plan(cx: &Cx, broken: &[&Examined]) -> Result<Vec<Step>, ProbeError> {
    let config = cx.config();
    if broken.is_empty() || config.trust == Trust::Untrusted || cx.state()?.stopped.is_some() {
        return Ok(Vec::new());
    }
    let Some(before) = (*cx.installation()?).clone() else { return follow(cx) };
    let Some(manager) = named(&before.manager) else { return Ok(Vec::new()) };
    let Some(machine) = cx.real_machine() else { return Ok(Vec::new()) };
    let plan = install(config, machine, manager, &before.basis, Some(&before), cx.now())?;
    if !plan.rivals.is_empty() {
        // Somebody else's job in the way is a person's to decide.
        return Ok(Vec::new());
    }
    let mut steps = plan.steps;
    // What somebody has disabled is stopped for good, which no mend undoes.
    steps.retain(|it| match &it.action {
        Action::Service { manager, job, verb: Verb::Load } => {
            !(manager.observe)(machine, config, job).is_ok_and(|it| it.disabled)
        }
        _ => true,
    });
    if let Some(server) = config.server.as_deref()
        && steps.iter().any(|it| serves(&it.action))
    {
        let within = server.ready.within + process::THROTTLE;
        steps.push(step(Action::Await { url: server.url(&server.ready.path), within }, Guard::None));
    }
    let interrupts = |action: &Action| matches!(action, Action::Service { job, verb: Verb::Reload | Verb::Restart, .. } if job.name == "serve");
    Ok(if steps.iter().any(|it| interrupts(&it.action)) { with_care(cx, steps) } else { steps })
}

/// A server that runs is not ended safely where it would not start again.
fn with_care(cx: &Cx, mut steps: Vec<Step>) -> Vec<Step> {
    if runtime_version::fails(cx) {
        for step in &mut steps {
            step.safety = Safety::Risky;
        }
    }
    steps
}

/// Where nothing is installed, a keeper that runs reads its configuration again, if that has changed.
fn follow(cx: &Cx) -> Result<Vec<Step>, ProbeError> {
    let config = cx.config();
    let keeper = cx.keeper()?;
    let Keeper::Running(running) = &*keeper else { return Ok(Vec::new()) };
    if !running.is_outdated(config) {
        return Ok(Vec::new());
    }
    let wanted = Keeps::of(config).settings;
    let interrupts = running.keeps.as_ref().is_some_and(|it| it.settings != wanted);
    // By itself it would not end what runs for what does not start.
    let verb = if interrupts && runtime_version::fails(cx) { Verb::Restart } else { Verb::Start };
    let manager = &embedded::MANAGER;
    let role = if config.server.is_some() { "serve" } else { "sync" };
    let job = crate::services::registry::job_of(config, manager, role);
    let again = step(Action::Service { manager, job, verb }, Guard::None);
    let answer = config.server.as_ref().map(|server| {
        let (url, within) = (server.url(&server.ready.path), server.ready.within);
        step(Action::Await { url, within }, Guard::None)
    });
    let steps = [again].into_iter().chain(answer).collect();
    Ok(if interrupts { with_care(cx, steps) } else { steps })
}

/// Whether this starts the job that serves.
#[must_use]
pub fn serves(action: &Action) -> bool {
    let starts = |verb: &Verb| matches!(verb, Verb::Load | Verb::Reload);
    matches!(action, Action::Service { job, verb, .. } if job.name == "serve" && starts(verb))
}

/// Plans the installation with that manager.
///
/// # Errors
/// A file, the manager or the keeper cannot be looked at.
pub fn install(
    config: &Config,
    machine: &Machine,
    manager: &'static Manager,
    basis: &Basis,
    before: Option<&Installation>,
    now: Timestamp,
) -> Result<Plan, ProbeError> {
    let definitions = definitions(config, manager, basis);
    let rendered: Vec<_> = definitions.iter().map(|it| (manager.render)(config, it)).collect();
    let files: Vec<PathBuf> = rendered.iter().flatten().map(|it| it.path.clone()).collect();
    let labels: Vec<String> = definitions.iter().map(|it| it.job.label.clone()).collect();
    let rivals = rivals::find(config, &labels, &files)?;
    let (mut steps, mut changes, mut loads) = (Vec::new(), Vec::new(), Vec::new());

    if let Keeper::Running(_) = keeper::read(config)?
        && manager.name != embedded::MANAGER.name
    {
        let keeper = crate::services::registry::job_of(config, &embedded::MANAGER, "serve");
        let service = |verb| Action::Service { manager: &embedded::MANAGER, job: keeper.clone(), verb };
        steps.push(undoable(service(Verb::Unload), Guard::None, (service(Verb::Load), Guard::None)));
    }
    let mut adopted: Vec<Adopted> = before.map(|it| it.adopted.clone()).unwrap_or_default();
    for rival in &rivals {
        let Some(manager) = named(rival.manager) else { continue };
        let observed = (manager.observe)(machine, config, &rival.job)?;
        let was_loaded = observed.state != State::Absent;
        let service = |verb| Action::Service { manager, job: rival.job.clone(), verb };
        if was_loaded {
            steps.push(undoable(service(Verb::Unload), Guard::None, (service(Verb::Load), Guard::None)));
        }
        for file in [Some(&rival.file), rival.timer.as_ref()].into_iter().flatten() {
            let back = (Action::BringBack(file.clone()), Guard::Vacant(file.clone()));
            steps.push(undoable(Action::BackUp(file.clone()), Guard::same_file(file), back));
            adopted.push(Adopted {
                file: file.clone(),
                manager: rival.manager.to_owned(),
                label: rival.job.label.clone(),
                // A timer is loaded with its service.
                was_loaded: was_loaded && *file == rival.file,
            });
        }
    }
    let is_rival = |path: &Path| rivals.iter().any(|it| it.file == path);
    let jobs: Vec<Installed> = definitions
        .iter()
        .zip(&rendered)
        .map(|(it, files)| Installed {
            name: it.job.name.clone(),
            label: it.job.label.clone(),
            files: files.iter().map(|it| it.path.clone()).collect(),
        })
        .collect();
    drop_outdated(before, manager, &jobs, &mut steps, &mut changes)?;
    for (definition, files) in definitions.iter().zip(&rendered) {
        let mut is_changed = false;
        for file in files {
            let there = job_text(&file.path)?;
            if there.as_ref() == Some(&file.content) && installation::is_plain(&file.path) {
                continue;
            }
            is_changed = true;
            let write = Action::WriteJob { path: file.path.clone(), content: file.content.clone() };
            let step = if there.is_none() || is_rival(&file.path) {
                // A rival's file is gone by then.
                let guard = Guard::Vacant(file.path.clone());
                undoable(write, guard, (Action::RemoveJob(file.path.clone()), Guard::None))
            } else {
                step(write, Guard::same_file(&file.path))
            };
            steps.push(step);
            changes.push(Change {
                path: file.path.clone(),
                before: there,
                after: Some(file.content.clone()),
            });
        }
        let observed = (manager.observe)(machine, config, &definition.job)?;
        let is_rivals = rivals.iter().any(|it| it.job.label == definition.job.label);
        let service = |verb| Action::Service { manager, job: definition.job.clone(), verb };
        if observed.state == State::Absent || is_rivals {
            loads.push(undoable(service(Verb::Load), Guard::None, (service(Verb::Unload), Guard::None)));
        } else if is_changed || is_outdated(&observed, definition) {
            loads.push(step(service(Verb::Reload), Guard::None));
        } else if is_idle(&observed, definition) {
            loads.push(step(service(Verb::Start), Guard::None));
        }
    }
    let after = Installation {
        schema: SCHEMA,
        at: now,
        manager: manager.name.to_owned(),
        basis: basis.clone(),
        jobs,
        adopted,
    };
    let is_known = before.is_some_and(|it| Installation { at: now, ..it.clone() } == after);
    if !is_known && manager.name != embedded::MANAGER.name {
        let undo = before.map_or(Action::Forget, |it| Action::Remember(Box::new(it.clone())));
        steps.push(undoable(Action::Remember(Box::new(after)), Guard::None, (undo, Guard::None)));
    }
    steps.extend(loads);
    Ok(Plan { changes, rivals, steps, files })
}

/// What was installed under other names, or with another manager, goes first.
fn drop_outdated(
    before: Option<&Installation>,
    manager: &Manager,
    jobs: &[Installed],
    steps: &mut Vec<Step>,
    changes: &mut Vec<Change>,
) -> Result<(), ProbeError> {
    let Some(before) = before else { return Ok(()) };
    let Some(old) = named(&before.manager) else { return Ok(()) };
    for job in &before.jobs {
        if old != manager || jobs.iter().all(|it| it.label != job.label) {
            steps.push(step(
                Action::Service { manager: old, job: job.job(), verb: Verb::Unload },
                Guard::None,
            ));
        }
        for file in job.files.iter().filter(|file| jobs.iter().all(|it| !it.files.contains(file))) {
            let there = job_text(file)?;
            if there.as_ref().is_some_and(|text| text.contains(MARKER)) {
                steps.push(step(Action::RemoveJob(file.clone()), Guard::same_file(file)));
                changes.push(Change { path: file.clone(), before: there, after: None });
            }
        }
    }
    Ok(())
}

/// Plans the inverse: our jobs go, and what was there before comes back.
///
/// # Errors
/// A file or a manager cannot be looked at.
pub fn uninstall(config: &Config, machine: &Machine, before: &Installation) -> Result<Vec<Step>, ProbeError> {
    let mut steps = Vec::new();
    let is_stopped = crate::probes::state::read(config)?.stopped.is_some();
    let Some(manager) = named(&before.manager) else { return Ok(steps) };
    for installed in before.jobs.iter().rev() {
        let job = installed.job();
        let service = |verb| step(Action::Service { manager, job: job.clone(), verb }, Guard::None);
        let observed = (manager.observe)(machine, config, &job)?;
        if observed.state != State::Absent {
            steps.push(service(Verb::Unload));
        }
        for file in installed.files.iter().rev() {
            if job_text(file)?.is_some() {
                steps.push(step(Action::RemoveJob(file.clone()), Guard::same_file(file)));
            }
        }
        if observed.disabled && is_stopped && manager.name == "launchd" {
            // launchd keeps a disable when the job is gone; it was ours, and whoever takes the label next is free.
            steps.push(service(Verb::Enable));
        }
    }
    for adopted in before.adopted.iter().rev() {
        steps.push(step(Action::BringBack(adopted.file.clone()), Guard::Vacant(adopted.file.clone())));
    }
    for adopted in before.adopted.iter().filter(|it| it.was_loaded && !is_stopped) {
        if let Some(manager) = named(&adopted.manager) {
            steps.push(step(Action::Service { manager, job: adopted.job(), verb: Verb::Load }, Guard::None));
        }
    }
    steps.push(step(Action::Forget, Guard::None));
    Ok(steps)
}

/// Whether it is loaded and should run, and has no process: it ended well, or somebody ended it.
fn is_idle(observed: &Observed, definition: &Definition) -> bool {
    observed.state == State::Idle && definition.keep == crate::services::Keep::Alive && !observed.disabled
}

/// Whether what the manager has cached is no longer what the configuration wants.
fn is_outdated(observed: &Observed, definition: &Definition) -> bool {
    let Loaded { arguments, environment, interval, .. } = observed.loaded.clone().unwrap_or_default();
    let wanted = match definition.keep {
        crate::services::Keep::Every(period) => Some(period),
        crate::services::Keep::Alive => None,
    };
    observed.is_outdated == Some(true)
        || arguments.is_some_and(|it| it != definition.argv)
        || environment
            .is_some_and(|it| definition.environment.iter().any(|(name, value)| it.get(name) != Some(value)))
        || interval.is_some_and(|it| Some(it) != wanted)
}

const fn step(action: Action, guard: Guard) -> Step {
    Step { action, safety: Safety::Safe, guard, on_failure: OnFailure::Keep, undo: None }
}

const fn undoable(action: Action, guard: Guard, undo: (Action, Guard)) -> Step {
    Step { action, safety: Safety::Safe, guard, on_failure: OnFailure::Undo, undo: Some(undo) }
}
