//! The verdict for people, world by world.

use std::path::PathBuf;
use std::time::Duration;

use housecall::error::ProbeError;
use housecall::exit::Exit;
use housecall::report::human::{self, Detail, View};
use housecall::report::style::Styles;
use housecall::report::{Verdict as Whole, json};
use housecall::verdict::{Fact, Outcome, Verdict};
use insta::assert_snapshot;
use support::shown;

use super::given::{Said, ago, but, healthy, human, looked, now, report, report_of};

fn stale_clone() -> Verdict {
    Verdict::fail("the server on 127.0.0.1:4321 runs from another directory")
        .with("expected", PathBuf::from("/home/ada/ops/site/worktree"))
        .with("actual", PathBuf::from("/Volumes/FunIA/dev/archicratie-localhost"))
        .with("who", Fact::Pid(9349))
        .with("who", Fact::Command("node /home/ada/old/node_modules/.bin/astro dev --port 4321".into()))
        .with("since", Fact::Time(ago(86_400 * 3)))
}

fn remote_silent() -> Outcome {
    let what = "git@example.org".to_owned();
    Outcome::Unknown(ProbeError::TimedOut { what, after: Duration::from_secs(5) })
}

#[test]
fn healthy_is_a_few_calm_lines() {
    assert_eq!(report(healthy()).exit(), Exit::Healthy);
    shown!(human(&report(healthy())));
}

#[test]
fn a_stale_clone_is_the_cause_and_its_page_is_no_proof() {
    let report = report(but(vec![("listener-cwd", stale_clone().into())]));
    assert_eq!(report.exit(), Exit::Unhealthy);
    assert_eq!(report.causes, ["listener-cwd"]);
    shown!(human(&report));
    shown!("stale_clone_json", json::render(&report));
}

#[test]
fn what_could_not_be_seen_is_not_green() {
    let report = report(but(vec![("remote-reachable", remote_silent().into())]));
    assert_eq!(report.exit(), Exit::Undetermined);
    shown!(human(&report));
}

#[test]
fn what_is_starting_is_pending() {
    let starting = Verdict::pending("the server is starting", ago(-42));
    let report = report(but(vec![("listener", starting.into())]));
    assert_eq!(report.exit(), Exit::Undetermined);
    shown!(human(&report));
}

#[test]
fn a_stopped_mirror_says_so_first() {
    let dead = Verdict::fail("nobody listens on 127.0.0.1:4321");
    let report = report_of(but(vec![("listener", dead.into())]), Some(ago(3 * 3_600)));
    assert_eq!((report.verdict, report.exit()), (Whole::Stopped, Exit::Unhealthy));
    shown!(human(&report));
}

#[test]
fn a_warning_leaves_it_healthy_and_is_told() {
    let late = Verdict::fail("origin was last reached 3 h ago").with("expected", "within 5 min");
    let mut examined = healthy();
    examined.insert(9, looked("sync-recent", &[], late));
    for it in &mut examined[10..] {
        for need in it.unit.needs.iter_mut().filter(|need| **need >= 9) {
            *need += 1;
        }
    }
    let report = report(examined);
    assert_eq!(report.exit(), Exit::Healthy);
    shown!(human(&report));
}

#[test]
fn several_ills_stand_worst_first() {
    let report = report(but(vec![
        ("log-size", Verdict::fail("sync.log has grown to 9 MiB").with("size", Fact::Bytes(9 << 20)).into()),
        ("remote-reachable", remote_silent().into()),
        ("worktree-clean", Verdict::fail("2 files are edited in the mirror").with("file", "src/a.md").into()),
        ("dependencies", Outcome::Crashed("index out of bounds".into()).into()),
        ("page-content:/", Verdict::fail("1 of 2 texts is missing").into()),
    ]));
    assert_eq!(report.causes, ["worktree-clean", "log-size"]);
    shown!(human(&report));
}

#[test]
fn quiet_is_the_last_line_and_verbose_is_everything() {
    let report = report(but(vec![("listener-cwd", stale_clone().into())]));
    let quiet = View { detail: Detail::LastLine, ..View::default() };
    assert_snapshot!(human::render(&report, &quiet), @"unhealthy: 1 fails, 2 blocked, 11 pass, 1 skipped in 196 ms");
    let verbose = View { detail: Detail::Everything, ..View::default() };
    shown!("stale_clone_verbose", human::render(&report, &verbose));
}

#[test]
fn a_narrow_terminal_wraps_beside_the_labels() {
    let report = report(but(vec![("listener-cwd", stale_clone().into())]));
    let narrow = View { width: Some(60), ..View::default() };
    let told = human::render(&report, &View { detail: Detail::Everything, ..narrow });
    let wide = |line: &&str| line.chars().count() > 60 && line.trim_start().contains(' ');
    assert_eq!(told.lines().filter(wide).collect::<Vec<_>>(), Vec::<&str>::new(), "{told}");
    shown!(human::render(&report, &narrow));
}

#[test]
fn colour_only_underlines_what_reads_without_it() {
    let report = report(but(vec![
        ("listener-cwd", stale_clone().into()),
        ("remote-reachable", remote_silent().into()),
    ]));
    let coloured = human::render(&report, &View { styles: Styles::coloured(), ..View::default() });
    assert!(coloured.contains('\u{1b}'));
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), human(&report));
}

#[test]
fn a_mirror_is_not_praised_for_what_was_not_looked_at() {
    let report = report(vec![looked("log-size", &[], Verdict::pass())]);
    assert_eq!(report.exit(), Exit::Healthy);
    assert_snapshot!(human(&report), @r"
    archicratie · http://127.0.0.1:4321

      logs        1 check passes

    healthy: 1 check passes in 196 ms
    ");
}

#[test]
fn where_nothing_passed_nothing_is_known() {
    let report = report(vec![looked("page-sha", &[], Verdict::not_applicable("no [[page]] is configured"))]);
    assert_eq!(report.exit(), Exit::Undetermined);
    assert_snapshot!(human(&report), @r"
    archicratie · it cannot be told whether http://127.0.0.1:4321 mirrors origin/main

      skip  page-sha (no [[page]] is configured)

    undetermined: nothing passes, 1 skipped in 196 ms
    ");
}

#[test]
fn no_lesser_root_hides_a_failure_from_the_exit_code() {
    let report = report(vec![
        looked("sync-recent", &[], Verdict::fail("origin was last reached 3 h ago")),
        looked("sha-parity", &[0], Verdict::fail("the worktree is behind")),
        looked("log-size", &[], Verdict::pass()),
    ]);
    assert_eq!((report.counts.warn, report.counts.blocked), (1, 1));
    assert_eq!(report.exit(), Exit::Unhealthy);
    assert!(human(&report).contains("hides     sha-parity (fails too)"), "{}", human(&report));
}

#[test]
fn a_look_that_was_not_made_is_blocked_and_saw_nothing() {
    let by = housecall::unit::UnitId::of("listener");
    let report = report(vec![
        looked("listener", &[], Verdict::fail("nobody listens on 127.0.0.1:4321")),
        looked("page-sha", &[0], Outcome::NotRun { by }),
    ]);
    let last = &report.checks[1];
    assert_eq!((last.blocked_by.as_deref(), &last.seen), (Some("listener"), &None));
    assert_eq!(report.at, now());
}

#[test]
fn every_said_is_of_use() {
    // A note alone is the commonest answer: its short form means a pass.
    assert!(Said::from("clean").0.is_pass());
}
