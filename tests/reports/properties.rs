//! What holds for every report, tried on many that were made by chance.

use std::time::Duration;

use housecall::check::Severity;
use housecall::error::ProbeError;
use housecall::exit::Exit;
use housecall::report::human::{self, Detail, View};
use housecall::report::{Report, Status, Verdict as Whole, json};
use housecall::run::judge;
use housecall::unit::Examined;
use housecall::verdict::{Outcome, Verdict};

use crate::given::{ago, config, healthy, now};

/// A small generator of numbers (xorshift), the same on every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % bound
    }
}

fn outcome(chance: &mut Chance) -> Outcome {
    match chance.below(9) {
        0 | 1 => Outcome::Judged(Verdict::fail("it is broken").with("expected", "whole")),
        2 => Outcome::Judged(Verdict::not_applicable("there is none")),
        3 => Outcome::Judged(Verdict::pending("it is starting", ago(-5))),
        4 => Outcome::Unknown(ProbeError::failed("look", &"permission denied")),
        5 => Outcome::Crashed("it broke".into()),
        _ => Outcome::Judged(Verdict::pass_with("it holds")),
    }
}

/// A mirror of which anything may be true: outcomes, severities and requirements are chosen by chance.
fn examined(chance: &mut Chance) -> Vec<Examined> {
    let mut examined = healthy();
    for (at, it) in examined.iter_mut().enumerate() {
        it.outcome = outcome(chance);
        it.unit.severity = [Severity::Info, Severity::Warning, Severity::Error][chance.below(3)];
        it.unit.needs = (0..at).filter(|_| chance.below(4) == 0).collect();
    }
    let keep = 1 + chance.below(examined.len());
    examined.truncate(keep);
    judge(examined)
}

fn each(mut holds: impl FnMut(&[Examined], &Report)) {
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    for _ in 0..2_000 {
        let examined = examined(&mut chance);
        let fail_on = [Severity::Info, Severity::Warning, Severity::Error][chance.below(3)];
        let stopped = (chance.below(20) == 0).then(|| ago(60));
        let took = Duration::from_millis(chance.below(9_000) as u64);
        holds(&examined, &Report::new(&config(), fail_on, &examined, &[], stopped, now(), took));
    }
}

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
        let text = human::render(report, &View { width: 10_000, ..View::default() });
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
        let everything =
            human::render(report, &View { detail: Detail::Everything, width: 10_000, ..View::default() });
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
