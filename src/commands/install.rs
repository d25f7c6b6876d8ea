//! `install` and `uninstall`: the two jobs, written and loaded, and taken away again.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use super::serve::refused;
use super::sync::Synced;
use super::watched::Watched;
use super::{Call, check, sync};
use crate::cli::MendOptions;
use crate::config::{Config, ConfigError};
use crate::error::{StepError, human_duration};
use crate::exit::Exit;
use crate::fixes::hands::{Hands, process};
use crate::fixes::install::{self, Change, FIX, Plan};
use crate::fixes::lock::{Lock, NotTaken};
use crate::fixes::mend;
use crate::fixes::{Action, OnFailure, Step, StepReport, StepResult};
use crate::probes::machine::Machine;
use crate::probes::rivals::Rival;
use crate::probes::{clock, files, installation};
use crate::services::{MARKER, Manager, State, embedded, place, registry};

/// How long another mend is waited for.
const WAIT: Duration = Duration::from_secs(30);

/// What the command line says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    /// Whether jobs of others may be replaced.
    pub(super) adopt: bool,
    /// Whether nothing is changed.
    pub(super) dry_run: bool,
}

/// Writes and loads the two jobs, and examines the mirror.
pub(super) fn install(call: &mut Call<'_, '_>, wish: Wish) -> Result<Exit, ConfigError> {
    let config = call.load()?;
    let machine = Arc::new(Machine::default());
    match prepare_and_install(call, &config, &machine, wish) {
        Ok(true) => check::run(call, &MendOptions::default()),
        Ok(false) => Ok(Exit::Healthy),
        Err(error) => Ok(refused(call, &error)),
    }
}

/// Takes the jobs away, and brings back what was there before.
pub(super) fn uninstall(call: &mut Call<'_, '_>, wish: Wish) -> Result<Exit, ConfigError> {
    let config = call.load()?;
    Ok(match take_away(call, &config, &Arc::new(Machine::default()), wish) {
        Ok(()) => Exit::Healthy,
        Err(error) => refused(call, &error),
    })
}

/// Says whether there is something to examine afterwards.
fn prepare_and_install(
    call: &mut Call<'_, '_>,
    config: &Arc<Config>,
    machine: &Arc<Machine>,
    wish: Wish,
) -> Result<bool, StepError> {
    if let Some(why) = mend::refusal(config) {
        return Err(StepError::Refused(why));
    }
    if !config.file.starts_with(&config.home) {
        let file = config.file.display();
        return Err(StepError::Refused(format!(
            "{file} lies outside the home directory, and a job must find it at every login: move it to ~/.config/housecall"
        )));
    }
    if config.mirror.is_none() && config.server.is_none() {
        return Err(StepError::Refused(
            "neither a [mirror] nor a [serve] is configured: there is no job".to_owned(),
        ));
    }
    let manager = manager_for(config, machine)?;
    let before = installation::read(config)?;
    let mut basis = place::basis(config)?;
    if let Some(before) = &before {
        // A call without a language, as over ssh, takes none away.
        for (name, value) in &before.basis.variables {
            basis.variables.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    let plan = install::install(config, machine, manager, &basis, before.as_ref(), clock::now())?;
    if !plan.rivals.is_empty() && !wish.adopt {
        let text: String = plan.rivals.iter().map(|it| rival(config, it, &plan)).collect();
        say(call, &text);
        return Err(StepError::Refused(in_the_way(config, &plan.rivals, &call.command())));
    }
    let shown: String = plan.changes.iter().map(|it| shown(config, it)).collect();
    say(call, &shown);
    if plan.steps.is_empty() {
        say(call, &format!("unchanged: {} keeps the jobs as configured\n\n", manager.name));
        return Ok(true);
    }
    if wish.dry_run {
        say_planned(call, config, &plan.steps);
        return Ok(false);
    }
    if let Some(mirror) = &config.mirror
        && !files::is_there(&mirror.worktree.join(".git"))
    {
        say(call, "the first sync makes the worktree …\n");
        let synced = {
            let mut watched = Watched::new(call.console, config);
            sync::run_once(config, machine, &mut |event| watched.hear(&event))
        };
        if let Synced::LeftBehind(_, why) = synced {
            return Err(why.into());
        }
        say(call, &format!("{}\n", synced.sentence()));
    }
    apply(call, config, machine, &plan.steps)?;
    await_answer(call, config, &plan);
    say(call, "\n");
    Ok(true)
}

/// The manager that is named, or the one that this system has.
fn manager_for(config: &Config, machine: &Machine) -> Result<&'static Manager, StepError> {
    let nothing = "there is nothing to install: Housecall's own keeper needs no login job; \
                   `housecall up --detach` starts it, until the next reboot";
    match registry::configured(config) {
        Some(manager) if manager.name == embedded::MANAGER.name => {
            return Err(StepError::Refused(nothing.to_owned()));
        }
        Some(manager) => return Ok(manager),
        None => {}
    }
    let system = if cfg!(target_os = "macos") { "launchd" } else { "systemd" };
    if let Some(manager) = crate::services::named(system) {
        let job = registry::job_of(config, manager, "serve");
        let observed = (manager.observe)(machine, config, &job);
        if observed.is_ok_and(|it| !matches!(it.state, State::Refused(_) | State::Unknown(_))) {
            return Ok(manager);
        }
    }
    Err(StepError::Refused(format!("{system} does not answer for this user, so {nothing}")))
}

/// Does the steps under the mirror's lock. Where one fails, those before it are taken back as they say.
fn apply(
    call: &mut Call<'_, '_>,
    config: &Arc<Config>,
    machine: &Arc<Machine>,
    steps: &[Step],
) -> Result<(), StepError> {
    let lock = Lock::take(config, "install", WAIT, &mut |_| ()).map_err(|error| match error {
        NotTaken::Busy(_) => StepError::Refused(error.to_string()),
        NotTaken::Failed(error) => error,
    })?;
    let mut hands = Hands::new(config, machine, &lock)?;
    let mut reports: Vec<StepReport> = Vec::new();
    for step in steps {
        let report = hands.apply(FIX.id, step, &mut |_| ());
        let failed = match &report.result {
            StepResult::Refused(why) => Some(StepError::Refused(why.clone())),
            StepResult::Failed(why) | StepResult::Away(why) => {
                Some(StepError::failed(report.action.name().replace('-', " "), why))
            }
            _ => None,
        };
        if let Some(line) = told(&report) {
            say(call, &format!("{line}\n"));
        }
        let Some(error) = failed else {
            reports.push(report);
            continue;
        };
        for (step, report) in steps.iter().zip(&mut reports).rev() {
            if step.on_failure == OnFailure::Undo {
                hands.undo(FIX.id, step, report, &mut |_| ());
                if report.result == StepResult::Undone {
                    say(call, &format!("taken back: {}\n", report.action.name().replace('-', " ")));
                }
            }
        }
        let by_hand = step.action.commands(config);
        if !by_hand.is_empty() {
            call.console.tell(&format!("to try it by hand:\n{}", indented(&by_hand)));
        }
        return Err(error);
    }
    Ok(())
}

/// What would be done, and is not.
fn say_planned(call: &mut Call<'_, '_>, config: &Config, steps: &[Step]) {
    let lines: Vec<String> = steps.iter().flat_map(|it| planned(config, &it.action)).collect();
    say(call, &format!("it would\n{}", indented(&lines)));
}

/// A step that is only shown: the command for it, or what it is in words.
fn planned(config: &Config, action: &Action) -> Vec<String> {
    match action {
        Action::WriteJob { path, .. } => vec![format!("write {}", config.tilde(path))],
        action => action.commands(config),
    }
}

/// What was done, in one line; nothing of what Housecall only writes down for itself.
fn told(report: &StepReport) -> Option<String> {
    match &report.result {
        StepResult::Done { note, .. } => note.clone(),
        _ => None,
    }
}

/// Waits until the server answers, where one was just loaded; what does not is told by the examination too.
fn await_answer(call: &mut Call<'_, '_>, config: &Config, plan: &Plan) {
    let is_loaded = plan.steps.iter().any(|it| install::serves(&it.action));
    let Some(server) = config.server.as_deref().filter(|_| is_loaded) else { return };
    let (url, start) = (server.url(&server.ready.path), clock::instant());
    match process::wait_for(&url, server.ready.within + process::THROTTLE) {
        Ok(()) => say(call, &format!("{url} answers after {}\n", human_duration(start.elapsed()))),
        Err(error) => call.console.error(error),
    }
}

fn take_away(
    call: &mut Call<'_, '_>,
    config: &Arc<Config>,
    machine: &Arc<Machine>,
    wish: Wish,
) -> Result<(), StepError> {
    let Some(before) = installation::read(config)? else {
        if let Some(left) = forgotten(config)? {
            let command = call.command();
            return Err(StepError::Refused(format!(
                "{left} is ours, and {} is gone that tells how it came there: `{command} install` writes it again",
                config.tilde(&config.install_file())
            )));
        }
        say(call, "nothing is installed\n");
        return Ok(());
    };
    let steps = install::uninstall(config, machine, &before)?;
    if wish.dry_run {
        say_planned(call, config, &steps);
        return Ok(());
    }
    apply(call, config, machine, &steps)?;
    let command = call.command();
    say(call, &format!("uninstalled; `{command} up --detach` keeps the mirror without login jobs\n"));
    Ok(())
}

/// A file of ours that nothing remembers: the state was taken away.
fn forgotten(config: &Config) -> Result<Option<String>, StepError> {
    let basis = installation::Basis { program: "/".into(), variables: BTreeMap::new() };
    for manager in crate::services::ALL {
        for definition in crate::services::definitions(config, manager, &basis) {
            for file in (manager.render)(config, &definition) {
                if installation::job_text(&file.path)?.is_some_and(|it| it.contains(MARKER)) {
                    return Ok(Some(config.tilde(&file.path)));
                }
            }
        }
    }
    Ok(None)
}

/// A file that changes, as a person reads it: a new one by its name, another by what differs.
fn shown(config: &Config, change: &Change) -> String {
    let path = config.tilde(&change.path);
    match (&change.before, &change.after) {
        (None, Some(_)) => format!("{path} (new)\n"),
        (_, None) => format!("{path} (goes)\n"),
        (Some(before), Some(after)) if before == after => format!("{path} (its mode becomes 0644)\n"),
        (Some(before), Some(after)) => diff(&path, before, after),
    }
}

/// A job of somebody else's beside the one of ours that would take its place.
fn rival(config: &Config, rival: &Rival, plan: &Plan) -> String {
    let path = config.tilde(&rival.file);
    let role = format!("-{}.", rival.job.name);
    let ours = plan.changes.iter().find(|it| it.path == rival.file);
    let ours = ours.or_else(|| plan.changes.iter().find(|it| it.path.to_string_lossy().contains(&role)));
    let head = format!("{path} is another's job: {}\n", rival.why);
    match ours.and_then(|it| it.after.as_ref()) {
        Some(after) => format!("{head}{}", diff(&path, &rival.text, after)),
        None => head,
    }
}

fn in_the_way(config: &Config, rivals: &[Rival], command: &str) -> String {
    let names: Vec<String> = rivals.iter().map(|it| config.tilde(&it.file)).collect();
    let (verb, them) = if names.len() == 1 { ("does", "it") } else { ("do", "them") };
    format!(
        "{} {verb} this job already: `{command} install --adopt` takes its place and keeps {them} beside",
        names.join(", ")
    )
}

/// What changes in a text, as a unified diff.
pub(super) fn diff(path: &str, before: &str, after: &str) -> String {
    let diff = similar::TextDiff::from_lines(before, after);
    diff.unified_diff().context_radius(2).header(path, path).to_string()
}

fn indented(lines: &[String]) -> String {
    lines.iter().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "  {line}");
        text
    })
}

/// What is no report goes where a report is not.
fn say(call: &mut Call<'_, '_>, text: &str) {
    if text.is_empty() || call.global.quiet {
        return;
    }
    if call.is_json() { call.console.tell(text) } else { call.console.print(text) }
}
