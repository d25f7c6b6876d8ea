//! The plan of a mend, what came of it, and the verdict after it.

use std::time::Duration;

use housecall::check::Severity;
use housecall::fixes::{Action, Remedy, Repair, RepairResult, Safety, StepReport, StepResult, serve, sync};
use housecall::report::human::{self, View};
use housecall::report::{Report, json, plan};
use housecall::run::judge;
use housecall::unit::{Examined, UnitId};
use housecall::verdict::{Outcome, Verdict};
use insta::assert_snapshot;
use support::shown;

use super::given::{but, config, healthy, human, now, report, same_everywhere};

fn step(action: Action, safety: Safety, commands: &[&str], result: StepResult) -> StepReport {
    StepReport { action, safety, commands: commands.iter().map(|it| (*it).to_owned()).collect(), result }
}

pub(crate) fn done(milliseconds: u64, note: Option<&str>) -> StepResult {
    StepResult::Done { took: Duration::from_millis(milliseconds), note: note.map(str::to_owned) }
}

const SHA: &str = "a1bfbf4c0ffee0123456789abcdef0123456789a";

pub(crate) fn aligning(results: [StepResult; 3], result: RepairResult) -> Repair {
    let [fetched, set_aside, aligned] = results;
    Repair {
        fix: Remedy::Built(&sync::FIX),
        safety: Safety::Safe,
        for_units: vec![UnitId::of("worktree-clean"), UnitId::of("sha-parity")],
        steps: vec![
            step(
                Action::Fetch,
                Safety::Safe,
                &["git fetch origin +refs/heads/main:refs/remotes/origin/main"],
                fetched,
            ),
            step(
                Action::SetAside,
                Safety::Safe,
                &["git stash create", "git update-ref refs/housecall/rescued/2026-11-20T20-00-00 STASH"],
                set_aside,
            ),
            step(Action::Align(SHA.into()), Safety::Safe, &["git reset --hard a1bfbf4"], aligned),
        ],
        later: None,
        result,
        reason: None,
        units: vec![(UnitId::of("worktree-clean"), Outcome::Judged(Verdict::pass()))],
    }
}

pub(crate) fn stopping(result: StepResult) -> Repair {
    Repair {
        fix: Remedy::Built(&serve::FIX),
        safety: Safety::Risky,
        for_units: vec![UnitId::of("listener-cwd")],
        steps: vec![
            step(Action::StopProcess { pid: 9349, identity: 1 }, Safety::Risky, &["kill 9349"], result),
            step(Action::StartKeeper, Safety::Safe, &["housecall up --detach"], StepResult::Proposed),
        ],
        later: None,
        result: RepairResult::Proposed,
        reason: None,
        units: Vec::new(),
    }
}

pub(crate) fn report_with(examined: Vec<Examined>, repairs: &[Repair]) -> Report {
    let took = Duration::from_millis(196);
    let mut report = Report::new(&config(), Severity::Error, &judge(examined), repairs, None, now(), took);
    same_everywhere(&mut report);
    report
}

pub(crate) fn edited() -> Vec<Examined> {
    but(vec![("worktree-clean", Verdict::fail("2 files are edited in the mirror").into())])
}

#[test]
fn a_plan_is_numbered_and_can_be_pasted() {
    let mut safe =
        aligning([StepResult::Proposed, StepResult::Proposed, StepResult::Proposed], RepairResult::Proposed);
    safe.later = Some("after the fetch: npm ci, if the lockfile changed".into());
    let report = report_with(edited(), &[safe, stopping(StepResult::Proposed)]);
    shown!(plan::plan(&report.repairs, &View::default()));
}

#[test]
fn nothing_to_do_is_said() {
    assert_snapshot!(plan::plan(&[], &View::default()), @"plan: nothing to mend");
}

#[test]
fn a_mend_that_held_says_what_it_proved() {
    let results = [
        done(1_200, None),
        done(40, Some("2 files set aside as refs/housecall/rescued/2026-11-20T20-00-00")),
        done(30, Some("aligned on a1bfbf4")),
    ];
    let after = report_with(healthy(), &[aligning(results, RepairResult::Verified)]);
    let told = plan::outcome(&after, &View::default())
        + "\n"
        + &human::render_after(&report(edited()), &after, &View::default());
    shown!(told);
    shown!("a_mend_that_held_json", json::render(&after));
}

#[test]
fn a_mend_that_failed_says_where() {
    let mut repair = aligning(
        [done(1_200, None), done(40, None), StepResult::Failed("fatal: index file corrupt".into())],
        RepairResult::Failed,
    );
    repair.reason = Some("git cannot align the worktree".into());
    let after = report_with(edited(), &[repair]);
    shown!(plan::outcome(&after, &View::default()));
}

#[test]
fn a_risky_step_is_only_proposed_and_the_way_to_allow_it_is_told() {
    let stale = Verdict::fail("the server on 127.0.0.1:4321 runs from another directory");
    let after = report_with(but(vec![("listener-cwd", stale.into())]), &[stopping(StepResult::Proposed)]);
    shown!(plan::outcome(&after, &View::default()));
    assert!(human(&after).contains("housecall --fix --risky"), "{}", human(&after));
    // Where nobody can be asked, the same words would come to the same.
    let mut unasked = after;
    unasked.about.unasked = true;
    let told = plan::outcome(&unasked, &View::default());
    assert!(told.contains("to allow it: housecall --fix --risky --yes"), "{told}");
}

#[test]
fn a_fix_that_could_do_nothing_is_not_offered() {
    let foreign = Verdict::fail("127.0.0.1:4321 is held by another user's process");
    let mut report = report_with(but(vec![("listener-cwd", foreign.into())]), &[]);
    assert!(human(&report).contains("housecall --fix"), "this test can fail");
    report.about.idle = vec!["serve"];
    assert!(!human(&report).contains("--fix"), "{}", human(&report));
    report.about.untrusted = true;
    assert!(human(&report).contains("fix       housecall trust"), "{}", human(&report));
}
