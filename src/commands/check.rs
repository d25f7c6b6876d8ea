//! `housecall`, `check`: examines the mirror and prints the verdict.

use std::sync::Arc;

use super::{Call, mending};
use crate::cli::MendOptions;
use crate::config::{Config, ConfigError};
use crate::cx::Cx;
use crate::exit::Exit;
use crate::fixes;
use crate::probes::clock;
use crate::probes::machine::Machine;
use crate::progress::Progress;
use crate::report::human::{self, Detail, View};
use crate::report::{Report, json};
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
            call.console.error(error);
            return Ok(Exit::Usage);
        }
    };
    if mend.fix {
        return Ok(mending::run(call, mend, &config, &selection));
    }
    let report = examine(call, &config, &selection);
    print(call, &report);
    Ok(report.exit())
}

/// The units that the command line asks for.
pub(super) fn select(call: &Call<'_, '_>, config: &Config) -> Result<Selection, SelectionError> {
    Selection::new(config, &Wanted { only: call.global.only.clone(), skip: call.global.skip.clone() })
}

fn examine(call: &Call<'_, '_>, config: &Arc<Config>, selection: &Selection) -> Report {
    let cx = Arc::new(Cx::new(Arc::clone(config), Arc::new(Machine::default())));
    report(call, config, &cx, selection)
}

/// What that look at the world comes to.
pub(super) fn report(call: &Call<'_, '_>, config: &Config, cx: &Arc<Cx>, selection: &Selection) -> Report {
    let start = clock::instant();
    let mut progress = Progress::new(selection, call.console.terminal.audience);
    let examined = run_observed(selection, cx, &mut |unit| progress.seen(unit));
    drop(progress);
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

fn print(call: &mut Call<'_, '_>, report: &Report) {
    let text = if call.is_json() { json::render(report) } else { human::render(report, &view(call)) };
    call.console.publish(&text);
}
