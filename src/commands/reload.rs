//! `reload`: has the service manager read a definition again, and believes it only when the service answers.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::Call;
use super::serve::refused;
use crate::cli::ReloadOptions;
use crate::config::{Config, ConfigError, Limits, Trust};
use crate::error::{StepError, human_duration};
use crate::exit::Exit;
use crate::fixes::events::{self, Decision};
use crate::fixes::lock::{Lock, NotTaken};
use crate::probes::machine::Machine;
use crate::probes::state;
use crate::progress::Audience;
use crate::report::words::clean_line;
use crate::services::Scope;
use crate::services::diagnosis;
use crate::services::reload::{Engine, Kickstart, NotServed, Served};
use crate::services::targets::{self, Found, Origin};

/// How long a sync or a mend that is at work is waited for.
const WAIT: Duration = Duration::from_secs(10);

/// Reloads what is named; nothing named: the mirror's own jobs.
///
/// # Errors
/// The configuration makes no sense; a label alone needs none.
pub(super) fn run(call: &mut Call<'_, '_>, options: &ReloadOptions) -> Result<Exit, ConfigError> {
    let (config, has_file) = match call.load() {
        Ok(config) => (config, true),
        Err(ConfigError::Absent { .. }) if !options.names.is_empty() && !options.all => {
            (nothing(call)?, false)
        }
        Err(error) => return Err(error),
    };
    let machine = Machine::default();
    let found = match found(&machine, &config, options) {
        Ok(found) => found,
        Err(error) => {
            let exit = refused(call, &error);
            if options.all || options.names.len() > 1 {
                call.console.tell("nothing was reloaded\n");
            }
            return Ok(exit);
        }
    };
    let is_over = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // Between unload and load nothing may end this process; where that cannot be had, it goes on as it can.
        let _ = signal_hook::flag::register(signal, Arc::clone(&is_over));
    }
    let is_over = || is_over.load(Ordering::Relaxed);
    let mut exit = Exit::Healthy;
    for it in &found {
        if is_over() {
            break;
        }
        let kickstart = if options.skip_kickstart { Kickstart::Skipped } else { Kickstart::Allowed };
        let engine =
            Engine { manager: it.manager, machine: &machine, config: &config, kickstart, is_over: &is_over };
        let ended =
            if options.dry_run { shown(call, &engine, it) } else { reloaded(call, &engine, it, has_file) };
        exit = worse(exit, ended);
    }
    Ok(if is_over() { worse(exit, Exit::Unhealthy) } else { exit })
}

/// What to reload, nothing twice.
fn found(machine: &Machine, config: &Config, options: &ReloadOptions) -> Result<Vec<Found>, StepError> {
    let scope = Scope::from(options.scope);
    let mut found: Vec<Found> = Vec::new();
    let all = if options.all {
        targets::declared(machine, config)?
    } else if options.names.is_empty() {
        targets::of_mirror(config)?
    } else {
        let each = options.names.iter().map(|name| targets::of_name(machine, config, name, scope));
        each.collect::<Result<_, _>>()?
    };
    for it in all {
        if !found.iter().any(|other| other.target.job == it.target.job) {
            found.push(it);
        }
    }
    if found.is_empty() {
        let names: Vec<&str> = config.services.iter().map(|it| it.name.as_str()).collect();
        let which = if names.is_empty() { "a label".to_owned() } else { names.join(", ") };
        return Err(StepError::Refused(format!("there is nothing to reload: name {which}")));
    }
    if let Some(it) = found.iter().find(|it| it.origin != Origin::Named)
        && config.trust == Trust::Untrusted
    {
        let name = &it.target.job.name;
        let why =
            format!("{name} is named by a configuration that is not trusted: `housecall trust` allows it");
        return Err(StepError::Refused(why));
    }
    if found.iter().any(|it| it.origin == Origin::Mirror) {
        must_not_be_stopped(config)?;
    }
    // A sync that is started again holds the lock that the mirror's other job needs.
    found.sort_by_key(|it| it.origin == Origin::Mirror && it.target.job.name == "sync");
    Ok(found)
}

fn must_not_be_stopped(config: &Config) -> Result<(), StepError> {
    if state::read(config)?.stopped.is_some() { Err(StepError::Stopped) } else { Ok(()) }
}

/// The mirror's lock for a job of its own, so that no sync is ended midway.
fn lock_for(call: &mut Call<'_, '_>, config: &Config, it: &Found) -> Result<Option<Lock>, Exit> {
    if it.origin != Origin::Mirror {
        return Ok(None);
    }
    let label = &it.target.job.label;
    let mut on_wait = |holder: Option<&state::Holder>| {
        let who =
            holder.map_or_else(String::new, |it| format!(": pid {}, `{}`", it.pid, clean_line(&it.doing)));
        call.console.tell(&format!("{label} waits for another one at work on this mirror{who}\n"));
    };
    match Lock::take(config, "reload", WAIT, &mut on_wait) {
        // Whoever stopped the mirror meanwhile is obeyed.
        Ok(lock) => match must_not_be_stopped(config) {
            Ok(()) => Ok(Some(lock)),
            Err(error) => Err(refused(call, &error)),
        },
        Err(NotTaken::Failed(error)) => Err(refused(call, &error)),
        Err(busy @ NotTaken::Busy(_)) => {
            call.console.error(format!("{label} was not reloaded: {busy}"));
            Err(Exit::Undetermined)
        }
    }
}

fn shown(call: &mut Call<'_, '_>, engine: &Engine<'_>, it: &Found) -> Exit {
    match engine.commands(&it.target) {
        Ok(lines) => {
            let mut text = String::new();
            for line in lines {
                let _ = writeln!(text, "{line}");
            }
            call.console.print(&text);
            Exit::Healthy
        }
        Err(error) => refused(call, &error),
    }
}

fn reloaded(call: &mut Call<'_, '_>, engine: &Engine<'_>, it: &Found, has_file: bool) -> Exit {
    let label = &it.target.job.label;
    if call.console.terminal.audience == Audience::Terminal {
        call.console.tell(&format!("reloading {label} …\n"));
    }
    let lock = match lock_for(call, engine.config, it) {
        Ok(lock) => lock,
        Err(exit) => return exit,
    };
    let came = engine.reload(&it.target, lock);
    if has_file {
        record(engine.config, label, &came);
    }
    match came {
        Ok(served) => {
            call.console.print(&sentence(label, &served));
            Exit::Healthy
        }
        Err(NotServed::Untouched(error)) => refused(call, &error),
        Err(NotServed::Broken(diagnosis)) => {
            call.console.error(format!("{label} was not reloaded well"));
            call.console.tell(&diagnosis::render(engine.config, &diagnosis));
            Exit::Unhealthy
        }
    }
}

fn sentence(label: &str, served: &Served) -> String {
    let retried = if served.retried { "after one more restart" } else { "without a further restart" };
    let note = served.note.as_ref().map_or_else(String::new, |note| format!("; {note}"));
    format!("{label} reloaded: {} {retried}, {} in all{note}\n", served.how, human_duration(served.took))
}

fn record(config: &Config, label: &str, came: &Result<Served, NotServed>) {
    let (outcome, reason, age) = match came {
        Ok(served) => ("done", served.how.clone(), Some(served.took)),
        Err(NotServed::Untouched(error)) => ("refused", error.to_string(), None),
        Err(NotServed::Broken(diagnosis)) => ("failed", diagnosis.why.clone(), None),
    };
    let decision = Decision {
        ev: "reload",
        subject: Some(label),
        outcome: Some(outcome),
        reason: Some(&reason),
        age,
        ..Decision::default()
    };
    events::record(config, &decision);
}

/// A configuration that says nothing: enough for a label.
fn nothing(call: &Call<'_, '_>) -> Result<Arc<Config>, ConfigError> {
    let default = Limits::default();
    let limits = Limits {
        timeout: call.global.timeout.unwrap_or(default.timeout),
        offline: call.global.offline,
        ..default
    };
    let file = call.surroundings.directory.join(crate::config::FILE_NAME);
    Config::of_text("name = \"no mirror\"\n", &file, &call.surroundings, limits).map(Arc::new)
}

/// What was found broken counts for more than what was refused.
const fn worse(one: Exit, other: Exit) -> Exit {
    const fn rank(exit: Exit) -> u8 {
        match exit {
            Exit::Healthy => 0,
            Exit::Usage => 1,
            Exit::Undetermined => 2,
            Exit::Unhealthy => 3,
        }
    }
    if rank(other) > rank(one) { other } else { one }
}
