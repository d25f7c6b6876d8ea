//! `JUnit` XML, for CI systems: a test case a unit, and red exactly where the exit code is.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite};

use super::plain::Plain;
use super::weight::Weight;
use super::words::{clean, clean_line};
use super::{CheckReport, Report, Status};

/// Writes a report. What fails at or above `fail_on` is a `failure`; what could not be seen, has not settled or is
/// blocked is an `error`; what matters less is `skipped`, with its reason. The status is a property of each.
#[must_use]
pub fn render(report: &Report) -> String {
    let plain = Plain::new(report);
    let mut suite = TestSuite::new(clean_line(&report.mirror.name));
    suite.set_time(duration(report.took_ms));
    suite.extra.insert("timestamp".into(), format!("{:.0}", report.at).into());
    suite.extra.insert("hostname".into(), clean_line(&report.mirror.host).into());
    for (name, value) in [
        ("tool", format!("{} {}", report.tool.name, report.tool.version)),
        ("config", clean_line(&report.mirror.config)),
        ("os", report.mirror.os.clone()),
        ("verdict", report.verdict.to_string()),
        ("exit", report.exit().code().to_string()),
        ("fail-on", report.fail_on.to_string()),
    ] {
        suite.add_property(Property::new(name, value));
    }
    suite.add_test_cases(report.checks.iter().map(|check| case(check, report, &plain)));
    if let Some(why) = report.beside_the_units() {
        suite.add_test_case(of_the_whole(report, why));
    }
    suite.set_system_out(format!("{}{}", plain.repairs(), plain.verdict()));

    let mut document = quick_junit::Report::new("housecall");
    document.set_time(duration(report.took_ms));
    document.add_test_suite(suite);
    document.to_string().unwrap_or_else(|error| {
        // Nothing is written but to memory, which cannot fail; if it does, it is no empty, green document.
        let error = clean_line(&error.to_string()).replace(['<', '&', '"'], "?");
        format!("<testsuites errors=\"1\"><testsuite name=\"housecall\" errors=\"1\"><testcase name=\"{error}\"><error/></testcase></testsuite></testsuites>\n")
    })
}

fn case(check: &CheckReport, report: &Report, plain: &Plain<'_>) -> TestCase {
    let sentence = plain.sentence(check);
    let not_well = |kind, what: String| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_message(&sentence).set_type(what).set_description(clean(&plain.whole(check)));
        status
    };
    let skipped = |why: String| {
        let mut status = TestCaseStatus::skipped();
        status.set_message(why);
        status
    };
    let status = match (check.weight(report.fail_on), check.status) {
        (Weight::Fails, _) => not_well(NonSuccessKind::Failure, check.severity.to_string()),
        (Weight::Open, status) => not_well(NonSuccessKind::Error, status.to_string()),
        (Weight::Nothing, Status::Pass) => TestCaseStatus::success(),
        (Weight::Nothing, Status::Skip) => skipped(sentence.clone()),
        (Weight::Nothing, Status::Fail | Status::Pending | Status::Blocked | Status::Unknown) => {
            let below = format!("{}, {}: {sentence}", check.status, plain.lesser(check));
            let mut status = skipped(below);
            status.set_description(clean(&plain.whole(check)));
            status
        }
    };
    let mut case = TestCase::new(clean_line(&check.unit()), status);
    case.set_classname(clean_line(&check.group)).set_time(duration(check.took_ms));
    case.add_property(Property::new("status", check.status.to_string()));
    case.add_property(Property::new("severity", check.severity.to_string()));
    for (name, value) in [("blocked-by", &check.blocked_by), ("fix", &check.fix)] {
        if let Some(value) = value {
            case.add_property(Property::new(name, clean_line(value)));
        }
    }
    if check.status == Status::Pass && (check.message.is_some() || !check.evidence.is_empty()) {
        case.set_system_out(clean(&plain.whole(check)));
    }
    case
}

/// What no unit says is a case of its own, so that nobody sees only green.
fn of_the_whole(report: &Report, why: &str) -> TestCase {
    let kind = match report.exit() {
        crate::exit::Exit::Unhealthy => NonSuccessKind::Failure,
        _ => NonSuccessKind::Error,
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(why).set_type(report.verdict.to_string());
    let mut case = TestCase::new("verdict", status);
    case.set_classname("housecall");
    case
}

fn duration(milliseconds: f64) -> Duration {
    Duration::try_from_secs_f64(milliseconds / 1_000.0).unwrap_or_default()
}
