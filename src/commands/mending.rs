//! What people see of a mend: the plan, questions, what happens, and the verdict after it.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{Call, check, fix, sync};
use crate::cli::MendOptions;
use crate::config::{Config, ConfigError};
use crate::exit::Exit;
use crate::fixes::lock::{Lock, NotTaken};
use crate::fixes::mend::{self, Company};
use crate::fixes::{Consent, Event, Mended, Remedy, Safety, Step};
use crate::probes::machine::Machine;
use crate::probes::state::Holder;
use crate::probes::{clock, state};
use crate::progress::Audience;
use crate::report::words::clean_line;
use crate::report::{Report, human, json, plan};
use crate::selection::Selection;

use super::Console;

/// `--fix`: the plan first, then the mend, then a fresh look at everything.
pub(super) fn run(
    call: &mut Call<'_, '_>,
    options: &MendOptions,
    config: &Arc<Config>,
    selection: &Selection,
) -> Exit {
    let machine = Arc::new(Machine::default());
    let (at, start) = (clock::now(), clock::instant());
    if !options.dry_run
        && let Err(busy) = wait_for_others(call, config)
    {
        call.console.error(busy);
        return Exit::Undetermined;
    }
    let mut silent = Company { ask: &mut |_, _| false, on_event: &mut |_| () };
    let planned = match fix::run(config, &machine, selection, Consent::DryRun, &mut silent) {
        Ok(planned) => planned,
        Err(busy) => {
            call.console.error(busy);
            return Exit::Undetermined;
        }
    };
    let unasked = options.risky && !options.yes && !call.console.terminal.can_ask;
    let report = reported(call, config, &planned, at, start.elapsed());
    let view = check::view(call);
    if options.dry_run || report.repairs.is_empty() {
        let text = match (call.is_json(), options.dry_run) {
            (true, _) => json::render(&report),
            (_, true) => format!("{}\n{}", human::render(&report, &view), plan::plan(&report.repairs, &view)),
            _ => human::render(&report, &view),
        };
        call.console.publish(&text);
        return report.exit();
    }
    if !call.is_json() && !call.global.quiet {
        call.console.publish(&format!("{}\n", plan::plan(&report.repairs, &view)));
    }
    let mended = match mend(call, options, config, &machine, selection) {
        Ok(mended) => mended,
        Err(busy) => {
            call.console.error(busy);
            return Exit::Undetermined;
        }
    };
    let mut after = reported(call, config, &mended, at, start.elapsed());
    after.about.unasked = unasked;
    let text = if call.is_json() {
        json::render(&after)
    } else {
        let outcome = if call.global.quiet { String::new() } else { plan::outcome(&after, &view) };
        let space = if outcome.is_empty() { "" } else { "\n" };
        format!("{outcome}{space}{}", human::render_after(&report, &after, &view))
    };
    call.console.publish(&text);
    after.exit()
}

/// What somebody else is mending looks pending, and nothing would be planned for it: that one is waited for first.
fn wait_for_others(call: &mut Call<'_, '_>, config: &Config) -> Result<(), NotTaken> {
    let is_free = state::read(config).map_or(true, |state| state.holder.is_none());
    if is_free || mend::refusal(config).is_some() {
        return Ok(());
    }
    let mut on_wait = |holder: Option<&Holder>| heard(call.console, &Event::Waiting(holder));
    Lock::take(config, "fix", fix::WAIT, &mut on_wait).map(drop)
}

/// Who asks for a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// Somebody, now.
    Person,
    /// The job, as every so often.
    Job,
}

/// `sync`: one line of what came of it.
pub(super) fn sync(call: &mut Call<'_, '_>, who: Caller) -> Result<Exit, ConfigError> {
    let config = call.load()?;
    let machine = Arc::new(Machine::default());
    let console = RefCell::new(&mut *call.console);
    let mut on_event = |event: Event<'_>| heard(*console.borrow_mut(), &event);
    let synced = match who {
        Caller::Person => sync::run_once(&config, &machine, &mut on_event),
        Caller::Job => sync::run_scheduled(&config, &machine, &mut on_event),
    };
    let exit = synced.exit();
    match exit {
        Exit::Healthy => call.console.print(&format!("{}\n", synced.sentence())),
        _ => call.console.error(synced.sentence()),
    }
    Ok(exit)
}

fn mend(
    call: &mut Call<'_, '_>,
    options: &MendOptions,
    config: &Arc<Config>,
    machine: &Arc<Machine>,
    selection: &Selection,
) -> Result<Mended, NotTaken> {
    let can_ask = call.console.terminal.can_ask;
    let is_risky = options.risky && (options.yes || can_ask);
    let consent = if is_risky { Consent::Risky } else { Consent::Safe };
    let console = RefCell::new(&mut *call.console);
    let mut ask =
        |fix: &Remedy, steps: &[Step]| options.yes || console.borrow_mut().ask(&question(config, fix, steps));
    let mut on_event = |event: Event<'_>| heard(*console.borrow_mut(), &event);
    fix::run(config, machine, selection, consent, &mut Company { ask: &mut ask, on_event: &mut on_event })
}

fn question(config: &Config, fix: &Remedy, steps: &[Step]) -> String {
    let risky = steps.iter().filter(|step| step.safety == Safety::Risky);
    let commands = risky.flat_map(|step| step.action.commands(config));
    let mut text = format!("{}: {}\n", fix.id(), fix.title());
    for command in commands {
        let _ = writeln!(text, "  {}", clean_line(&command));
    }
    text + "do this?"
}

/// What a person who watches is told while it happens.
fn heard(console: &mut Console<'_>, event: &Event<'_>) {
    match event {
        Event::Waiting(Some(holder)) => {
            console.tell(&format!("waiting for pid {}, `{}`\n", holder.pid, clean_line(&holder.doing)));
        }
        Event::Waiting(None) => console.tell("waiting for another one at work on this mirror\n"),
        Event::Began(fix, action) if console.terminal.audience == Audience::Terminal => {
            console.tell(&format!("{fix}: {} …\n", action.name().replace('-', " ")));
        }
        _ => {}
    }
}

fn reported(call: &Call<'_, '_>, config: &Config, mended: &Mended, at: Timestamp, took: Duration) -> Report {
    let stopped = state::read(config).ok().and_then(|state| state.stopped);
    let fail_on = call.global.fail_on.into();
    let mut report = Report::new(config, fail_on, &mended.after, &mended.repairs, stopped, at, took);
    report.about.command = call.command();
    report
}
