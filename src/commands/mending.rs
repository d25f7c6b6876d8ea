//! What people see of a mend: the plan, questions, what happens, and the verdict after it.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::watched::Watched;
use super::{Call, apart, check, fix, sync, wait};
use crate::cli::{Format, MendOptions};
use crate::config::{Config, ConfigError};
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::exit::Exit;
use crate::fixes::lock::{Lock, NotTaken};
use crate::fixes::mend::{self, Company};
use crate::fixes::{Consent, Event, Mended, Remedy, Repair, Safety, Step};
use crate::probes::machine::Machine;
use crate::probes::state::Holder;
use crate::probes::{clock, state};
use crate::progress::Progress;
use crate::report::words::clean_line;
use crate::report::{Report, human, plan, render};
use crate::run::run_observed;
use crate::selection::Selection;
use crate::unit::Examined;

/// `--fix`: the plan first, then the mend, then a fresh look at everything.
pub(super) fn run(
    call: &mut Call<'_, '_>,
    options: &MendOptions,
    config: &Arc<Config>,
    selection: &Selection,
) -> Exit {
    let machine = Arc::new(Machine::default());
    let start = clock::instant();
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
    let report = reported(call, config, (&planned.after, &planned.repairs), planned.at, start.elapsed());
    let (view, is_human) = (check::view(call), call.format() == Format::Human);
    if options.dry_run || report.repairs.is_empty() {
        let waited = (!options.dry_run).then(|| waited(call, config, &machine, selection, &planned, &report));
        let report = waited.flatten().unwrap_or(report);
        let mut text = render(&report, call.format(), &view);
        if options.dry_run && is_human {
            text = format!("{text}\n{}", plan::plan(&report.repairs, &view));
        }
        check::show(call, &report, &text);
        return report.exit();
    }
    if is_human && !call.global.quiet {
        call.console.publish(&format!("{}\n", plan::plan(&report.repairs, &view)));
    }
    let mended = match mend(call, options, config, &machine, selection) {
        Ok(mended) => mended,
        Err(busy) => {
            call.console.error(busy);
            return Exit::Undetermined;
        }
    };
    let mut after = reported(call, config, (&mended.after, &mended.repairs), mended.at, start.elapsed());
    after = waited(call, config, &machine, selection, &mended, &after).unwrap_or(after);
    after.about.unasked = unasked;
    let text = if is_human {
        let outcome = if call.global.quiet { String::new() } else { plan::outcome(&after, &view) };
        let space = if outcome.is_empty() { "" } else { "\n" };
        format!("{outcome}{space}{}", human::render_after(&report, &after, &view))
    } else {
        render(&after, call.format(), &view)
    };
    check::show(call, &after, &text);
    after.exit()
}

/// What a mend began may need a while to be seen: with `--wait`, the look that is told is the one after that.
fn waited(
    call: &Call<'_, '_>,
    config: &Arc<Config>,
    machine: &Arc<Machine>,
    selection: &Selection,
    mended: &Mended,
    first: &Report,
) -> Option<Report> {
    let time = call.global.wait?;
    let mut progress = Progress::new(selection, call.console.terminal.audience);
    let mut look = |selection: &Selection, progress: &mut Progress| {
        let (at, start) = (clock::now(), clock::instant());
        let cx = Arc::new(Cx::new(Arc::clone(config), Arc::clone(machine)));
        let after = run_observed(selection, &cx, &mut |unit| progress.seen(unit));
        reported(call, config, (&after, &mended.repairs), at, start.elapsed())
    };
    Some(wait::until_healthy(first.clone(), selection, time, &mut progress, &mut look))
}

/// What somebody else is mending looks pending, and nothing would be planned for it: that one is waited for first.
fn wait_for_others(call: &mut Call<'_, '_>, config: &Arc<Config>) -> Result<(), NotTaken> {
    let is_free = state::read(config).map_or(true, |state| state.holder.is_none());
    if is_free || mend::refusal(config).is_some() {
        return Ok(());
    }
    let mut watched = Watched::new(call.console, config);
    let mut on_wait = |holder: Option<&Holder>| watched.hear(&Event::Waiting(holder));
    Lock::take(config, "fix", fix::WAIT, &mut on_wait).map(drop)
}

/// Who asks for a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// Somebody, now.
    Person,
    /// The job, as every so often.
    Job,
    /// The keeper, which has waited before.
    Keeper,
}

/// `sync`: one line of what came of it.
pub(super) fn sync(call: &mut Call<'_, '_>, who: Caller) -> Result<Exit, ConfigError> {
    let config = call.load()?;
    let machine = Arc::new(Machine::default());
    let mut watched = Watched::new(call.console, &config);
    let mut on_event = |event: Event<'_>| watched.hear(&event);
    let synced = match who {
        Caller::Person => sync::run_once(&config, &machine, &mut on_event),
        Caller::Job => sync::run_scheduled(&config, &machine, &mut on_event),
        Caller::Keeper => sync::run_patiently(&config, &machine, &mut on_event),
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
    let watched = RefCell::new(Watched::new(call.console, config));
    let mut ask = |fix: &Remedy, steps: &[Step]| {
        options.yes || watched.borrow_mut().console.ask(&question(config, fix, steps))
    };
    let mut on_event = |event: Event<'_>| watched.borrow_mut().hear(&event);
    let mut company = Company { ask: &mut ask, on_event: &mut on_event };
    let (its_config, its_machine, selection) = (Arc::clone(config), Arc::clone(machine), selection.clone());
    let ended = apart::run(config, machine, &mut company, move |company| {
        fix::run(&its_config, &its_machine, &selection, consent, company)
    });
    ended.unwrap_or_else(|unended| Err(NotTaken::Failed(ProbeError::from(unended).into())))
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

fn reported(
    call: &Call<'_, '_>,
    config: &Config,
    (after, repairs): (&[Examined], &[Repair]),
    at: Timestamp,
    took: Duration,
) -> Report {
    let stopped = state::read(config).ok().and_then(|state| state.stopped);
    let fail_on = call.global.fail_on.into();
    let mut report = Report::new(config, fail_on, after, repairs, stopped, at, took);
    report.about.command = call.command();
    report
}
