//! `housecall demo`: a throwaway mirror that is broken and mended before your eyes.
//!
//! It needs git and nothing else: no network, no node. What is shown is the product itself: the same selection, looks,
//! judgement, fixes and hands. Only the world they work in is made up, and it is gone afterwards.

mod scenarios;
mod world;
mod ending;

use std::sync::Arc;
use std::time::Duration;

use crate::check::Severity;
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::exit::Exit;
use crate::fixes;
use crate::fixes::lock::NotTaken;
use crate::fixes::mend::{Company, Request, mend};
use crate::fixes::{Consent, Mended, Repair};
use crate::probes::clock;
use crate::report::human::{self, Detail, View};
use crate::report::{RepairResult, Report, Verdict, plan};
use crate::run::run;
use crate::selection::{Selection, SelectionError, Wanted};
use crate::unit::Examined;

use scenarios::Scenario;
use world::World;

/// How long another one at work on the throwaway mirror is waited for: its keeper may be starting.
const WAIT: Duration = Duration::from_secs(20);

/// What is asked of the demo.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Only the scenario of this number, counted from 1.
    pub only: Option<usize>,
    /// Whether the directory stays when it is over.
    pub keep: Keep,
}

/// What becomes of the throwaway mirror. Its processes end in any case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Keep {
    /// It is removed.
    #[default]
    Nothing,
    /// Its files stay, to look around.
    Files,
}

/// Why the demo could not go on. Each is a defect, of this machine or of ours.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The world could not be made, or broken.
    #[error("cannot {what}: {why}")]
    Failed {
        /// A verb phrase.
        what: String,
        /// The system's or git's own words.
        why: String,
    },
    /// git could not be run.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// The mirror's lock was not had.
    #[error(transparent)]
    NotTaken(#[from] NotTaken),
    /// Nothing could be selected.
    #[error(transparent)]
    Selection(#[from] SelectionError),
    /// A scenario did not go as it must: then the product is broken, and says so.
    #[error("the demo expected {expected}, and saw:\n\n{seen}")]
    Unexpected {
        /// What had to be.
        expected: String,
        /// The whole verdict.
        seen: String,
    },
    /// There are not so many.
    #[error("there are {count} scenarios, and no number {asked}")]
    NoSuchScenario {
        /// As it was typed.
        asked: usize,
        /// How many there are.
        count: usize,
    },
}

impl DemoError {
    fn failed(what: impl Into<String>, why: &dyn std::fmt::Display) -> Self {
        Self::Failed { what: what.into(), why: why.to_string() }
    }

    /// The exit code.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::NoSuchScenario { .. } => Exit::Usage,
            _ => Exit::Unhealthy,
        }
    }
}

/// Plays the scenarios, telling each piece of text as it comes; everything it made is gone when it returns.
///
/// # Errors
/// The world could not be made, or something was not found, not mended or not verified.
pub fn play(options: Options, view: &View, tell: &mut dyn FnMut(&str)) -> Result<(), DemoError> {
    let all = scenarios::ALL;
    if let Some(asked) = options.only.filter(|asked| !(1..=all.len()).contains(asked)) {
        return Err(DemoError::NoSuchScenario { asked, count: all.len() });
    }
    let mut world = World::build(options.keep)?;
    tell(&format!(
        "a throwaway mirror in {}: a remote, a repository, a worktree, a server\n\n",
        world.root().display()
    ));
    // The first mend makes what a new user lacks: the worktree, its files, the server.
    let mended = examine_and_mend(&world, Consent::Safe)?;
    let made = report(&world, &mended.after, &mended.repairs);
    expect(made.verdict == Verdict::Healthy, "a healthy mirror after the first mend", &made)?;
    tell(&human::render(&made, view));
    for (at, scenario) in all.iter().enumerate() {
        if options.only.is_none_or(|only| only == at + 1) {
            tell(&format!("\n── {} of {}: {}\n\n", at + 1, all.len(), scenario.title));
            act(&mut world, scenario, view, tell)?;
        }
    }
    let kept = world.kept();
    drop(world);
    tell(&match kept {
        Some(path) => format!("\nits files stay in {}; its processes have ended\n", path.display()),
        None => "\nall of it is removed; for a mirror of your own: housecall init\n".to_owned(),
    });
    Ok(())
}

/// Breaks the mirror in one way, shows how that is seen, mends it, and shows that it holds.
fn act(
    world: &mut World,
    scenario: &Scenario,
    view: &View,
    tell: &mut dyn FnMut(&str),
) -> Result<(), DemoError> {
    world.settle()?;
    (scenario.breaks)(world)?;
    let cx = Arc::new(Cx::new(Arc::clone(&world.config), Arc::clone(&world.machine)));
    let before = run(&selection(world)?, &cx);
    let mut broken = report(world, &before, &[]);
    broken.about.risky = fixes::risky(&cx, &before);
    let named = broken.causes.first().is_some_and(|cause| cause == scenario.cause);
    expect(named, &format!("`{}` as the first cause", scenario.cause), &broken)?;
    tell(&human::render(&broken, &View { detail: Detail::Problems, ..*view }));
    let mended = examine_and_mend(world, scenario.consent)?;
    let after = report(world, &mended.after, &mended.repairs);
    let verified = after.repairs.iter().any(|repair| {
        repair.result == RepairResult::Verified && repair.for_units.iter().any(|unit| unit == scenario.cause)
    });
    let risky = if scenario.consent == Consent::Risky { " --risky" } else { "" };
    tell(&format!("\n$ housecall --fix{risky}\n"));
    tell(&plan::outcome(&after, view));
    expect(verified, &format!("a verified mend of `{}`", scenario.cause), &after)?;
    expect(
        after.verdict == Verdict::Healthy && after.causes.is_empty(),
        "a healthy mirror after the mend",
        &after,
    )?;
    tell(&human::render_after(&broken, &after, &View { detail: Detail::LastLine, ..*view }));
    Ok(())
}

fn selection(world: &World) -> Result<Selection, SelectionError> {
    Selection::new(&world.config, &Wanted::default())
}

fn examine_and_mend(world: &World, consent: Consent) -> Result<Mended, DemoError> {
    let selection = selection(world)?;
    let (config, machine) = (&world.config, &world.machine);
    let request = Request { config, machine, selection: &selection, consent, doing: "fix", wait: WAIT };
    // The demo's title has said it: whatever is risky here hits only what the demo itself has made.
    let mut company = Company { ask: &mut |_, _| true, on_event: &mut |_| () };
    Ok(mend(request, &mut company)?)
}

fn report(world: &World, examined: &[Examined], repairs: &[Repair]) -> Report {
    let took = examined.iter().map(|it| it.took).max().unwrap_or_default();
    Report::new(&world.config, Severity::Error, examined, repairs, None, clock::now(), took)
}

fn expect(holds: bool, expected: &str, report: &Report) -> Result<(), DemoError> {
    if holds {
        return Ok(());
    }
    let view = View { detail: Detail::Everything, ..View::default() };
    let seen = format!("{}{}", plan::outcome(report, &view), human::render(report, &view));
    Err(DemoError::Unexpected { expected: expected.to_owned(), seen })
}
