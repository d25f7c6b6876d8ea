//! What holds for every report, tried on many that were made by chance.

use housecall::exit::Exit;
use housecall::report::human::{self, Detail, View};
use housecall::report::{Status, Verdict as Whole, json};
use housecall::verdict::{Outcome, Verdict};

use super::chance::each;

#[test]
fn the_counts_add_up_to_the_checks() {
    each(|examined, report| {
        let it = report.counts;
        let sum = it.pass + it.fail + it.warn + it.info + it.skip + it.pending + it.blocked + it.unknown;
        assert_eq!(sum, report.checks.len());
        assert_eq!(examined.len(), report.checks.len());
    });
}

#[test]
fn the_verdict_follows_from_what_was_seen() {
    each(|examined, report| {
        let counted = || examined.iter().filter(|it| it.unit.severity >= report.fail_on);
        let failed = counted().any(|it| it.outcome.saw_failure());
        let all_seen = counted().all(|it| {
            it.outcome.is_pass() || matches!(it.outcome, Outcome::Judged(Verdict::NotApplicable(_)))
        });
        let passed = examined.iter().any(|it| it.outcome.is_pass());
        let expected = match report.verdict {
            Whole::Stopped => Exit::Unhealthy,
            _ if failed => Exit::Unhealthy,
            _ if all_seen && passed => Exit::Healthy,
            _ => Exit::Undetermined,
        };
        assert_eq!(report.exit(), expected);
    });
}

#[test]
fn every_unit_that_is_not_well_is_in_the_text() {
    each(|_, report| {
        let text = human::render(report, &View { width: Some(10_000), ..View::default() });
        for check in &report.checks {
            if !matches!(check.status, Status::Pass) {
                assert!(text.contains(&check.unit()), "{} is not in\n{text}", check.unit());
            }
        }
    });
}

#[test]
fn people_and_programs_read_the_same() {
    each(|_, report| {
        let value: serde_json::Value = serde_json::from_str(&json::render(report)).expect("JSON");
        let verdict = value["verdict"].as_str().expect("a verdict");
        for detail in [Detail::LastLine, Detail::Normal, Detail::Everything] {
            let text = human::render(report, &View { detail, ..View::default() });
            let last = text.lines().last().expect("a last line");
            assert!(last.starts_with(&format!("{verdict}: ")), "{last}");
        }
        let everything = human::render(
            report,
            &View { detail: Detail::Everything, width: Some(10_000), ..View::default() },
        );
        for check in value["checks"].as_array().expect("checks") {
            assert!(everything.contains(check["id"].as_str().expect("an id")));
        }
        for cause in value["causes"].as_array().expect("causes") {
            assert!(
                everything.contains(&format!("  {}  ", cause.as_str().expect("an id"))),
                "{cause}\n{everything}"
            );
        }
    });
}

#[test]
fn a_blocked_unit_names_its_block_and_keeps_what_it_saw() {
    each(|_, report| {
        for check in report.checks.iter().filter(|check| check.status == Status::Blocked) {
            let by = check.blocked_by.as_ref().expect("a name");
            let block = report.checks.iter().find(|other| other.unit() == *by).expect("the block is a unit");
            assert!(!matches!(block.status, Status::Pass | Status::Skip), "{by} blocks and is well");
            assert!(check.seen.as_ref().is_some_and(|seen| seen.status != Status::Blocked));
        }
    });
}
