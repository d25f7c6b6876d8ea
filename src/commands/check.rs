//! `housecall`, `check`: examines the mirror and prints the verdict.

use std::sync::Arc;

use super::{Call, mending, summary, wait};
use crate::cli::{Format, MendOptions};
use crate::config::{Config, ConfigError};
use crate::cx::Cx;
use crate::exit::Exit;
use crate::fixes;
use crate::probes::clock;
use crate::probes::machine::Machine;
use crate::progress::Progress;
use crate::report::human::{Detail, View};
use crate::report::unstarted::Obstacle;
use crate::report::words::clean_line;
use crate::report::{Report, render};
use crate::run::run_observed;
use crate::selection::{Selection, SelectionError, Wanted};

/// Examines, and mends where that is asked.
///
/// # Errors
/// No configuration, or one that makes no sense.
pub(super) fn run(call: &mut Call<'_, '_>, mend: &MendOptions) -> Result<Exit, ConfigError> {
    let config = call.load()?;
    let selection = match select(call, &config) {
        Ok(selection) => selection,
        Err(error) => {
            let why = error.to_string();
            call.cannot_start(vec![Obstacle { why: why.clone(), place: None }], &why);
            call.console.error(error);
            return Ok(Exit::Usage);
        }
    };
    if mend.fix {
        return Ok(mending::run(call, mend, &config, &selection));
    }
    let machine = Arc::new(Machine::default());
    let mut progress = Progress::new(&selection, call.console.terminal.audience);
    let mut report = examine(call, &config, &machine, &selection, &mut progress);
    if let Some(time) = call.global.wait {
        report = wait::until_healthy(report, &selection, time, &mut progress, &mut |selection, progress| {
            examine(call, &config, &machine, selection, progress)
        });
    }
    drop(progress);
    let text = render(&report, call.format(), &view(call));
    show(call, &report, &text);
    Ok(report.exit())
}

/// The units that the command line asks for.
pub(super) fn select(call: &Call<'_, '_>, config: &Config) -> Result<Selection, SelectionError> {
    Selection::new(config, &Wanted { only: call.global.only.clone(), skip: call.global.skip.clone() })
}

/// One fresh look at these units.
fn examine(
    call: &Call<'_, '_>,
    config: &Arc<Config>,
    machine: &Arc<Machine>,
    selection: &Selection,
    progress: &mut Progress,
) -> Report {
    let cx = Arc::new(Cx::new(Arc::clone(config), Arc::clone(machine)));
    report(call, config, &cx, selection, progress)
}

/// What that look at the world comes to.
pub(super) fn report(
    call: &Call<'_, '_>,
    config: &Config,
    cx: &Arc<Cx>,
    selection: &Selection,
    progress: &mut Progress,
) -> Report {
    let start = clock::instant();
    let examined = run_observed(selection, cx, &mut |unit| progress.seen(unit));
    let stopped = cx.state().ok().and_then(|state| state.stopped);
    let fail_on = call.global.fail_on.into();
    let mut report = Report::new(config, fail_on, &examined, &[], stopped, cx.now(), start.elapsed());
    report.about.command = call.command();
    report.about.risky = fixes::risky(cx, &examined);
    report.about.idle = fixes::idle(cx, &examined);
    report
}

/// How the verdict is written here.
pub(super) fn view(call: &Call<'_, '_>) -> View {
    let detail = match (call.global.quiet, call.global.verbose) {
        (true, _) => Detail::LastLine,
        (_, true) => Detail::Everything,
        _ => Detail::Normal,
    };
    View { width: call.console.terminal.width, styles: call.console.styles(), detail }
}

/// Prints a report, and appends it to the summary of a step of GitHub Actions.
pub(super) fn show(call: &mut Call<'_, '_>, report: &Report, text: &str) {
    call.console.publish(text);
    if call.format() == Format::Github
        && let Err(why) = summary::append(report, &call.surroundings)
    {
        call.console.tell(&format!("warning: {}\n", clean_line(&why)));
    }
}
