//! Each format as its readers see it: healthy, unhealthy, undetermined, stopped, mended.

use std::time::Duration;

use clap::ValueEnum as _;
use housecall::cli::Format;
use housecall::error::ProbeError;
use housecall::fixes::RepairResult;
use housecall::report::human::View;
use housecall::report::{Report, render};
use housecall::verdict::{Fact, Outcome, Verdict};
use support::shown;

use super::given::{ago, but, healthy, looked, report, report_of};
use super::mends::{aligning, done, report_with};

fn unhealthy() -> Report {
    let finding = Verdict::fail("the server on 127.0.0.1:4321 runs from another directory")
        .with("expected", std::path::PathBuf::from("/home/ada/ops/site/worktree"))
        .with("who", Fact::Command("node …/.bin/astro dev --port 4321".into()));
    let size = Verdict::fail("serve.log holds 80 MiB");
    report(but(vec![("listener-cwd", finding.into()), ("log-size", size.into())]))
}

fn undetermined() -> Report {
    let silent = ProbeError::TimedOut { what: "git@example.org".into(), after: Duration::from_secs(5) };
    let starting = Verdict::pending("the server is starting", ago(-12));
    report(but(vec![("remote-reachable", Outcome::Unknown(silent).into()), ("listener", starting.into())]))
}

fn mended() -> Report {
    let results =
        [done(1_200, None), done(40, Some("2 files set aside")), done(30, Some("aligned on a1bfbf4"))];
    report_with(healthy(), &[aligning(results, RepairResult::Verified)])
}

fn all(format: Format) -> String {
    let reports = [
        ("healthy", report(healthy())),
        ("unhealthy", unhealthy()),
        ("undetermined", undetermined()),
        ("stopped", report_of(healthy(), Some(ago(60)))),
        ("mended", mended()),
    ];
    let written =
        reports.map(|(name, report)| format!("=== {name}\n{}", render(&report, format, &View::default())));
    written.concat()
}

#[test]
fn ndjson_is_a_line_a_unit() {
    shown!("format_ndjson", all(Format::Ndjson));
}

#[test]
fn junit_is_red_where_the_exit_code_is() {
    shown!("format_junit", all(Format::Junit));
}

#[test]
fn tap_is_not_ok_where_the_exit_code_is() {
    shown!("format_tap", all(Format::Tap));
}

#[test]
fn prometheus_is_one_whole_file() {
    shown!("format_prometheus", all(Format::Prometheus));
}

#[test]
fn github_annotates_what_is_not_well() {
    shown!("format_github", all(Format::Github));
}

#[test]
fn markdown_can_be_pasted() {
    shown!("format_markdown", all(Format::Markdown));
}

/// A report that is short enough to be shown.
fn short() -> Report {
    let branch = Verdict::fail("the worktree is on `feature`, not on `localhost-sync`")
        .with("expected", "localhost-sync")
        .with("actual", "feature");
    let mut examined =
        vec![looked("worktree-branch", &[], branch), looked("sha-parity", &[0], "a1bfbf4 is origin/main")];
    examined.push(looked(
        "page-sha",
        &[],
        Verdict::not_applicable("no page says which commit it was made from"),
    ));
    report(examined)
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test reads and regenerates a file of the project")]
fn the_examples_of_the_documentation_are_real() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/report.md");
    let text = std::fs::read_to_string(&path).expect("the page");
    let mut right = String::new();
    let mut rest = &*text;
    for (format, language) in [
        (Format::Ndjson, "json"),
        (Format::Junit, "xml"),
        (Format::Tap, "text"),
        (Format::Prometheus, "text"),
        (Format::Github, "text"),
        (Format::Markdown, "markdown"),
    ] {
        let name = format.to_possible_value().expect("a name").get_name().to_owned();
        let open = format!("<!-- example: {name} -->\n");
        let (before, after) = rest.split_once(&open).unwrap_or_else(|| panic!("no example of {name}"));
        let (_, after) = after.split_once("<!-- end -->\n").expect("the end of the example");
        let example = render(&short(), format, &View::default());
        right = format!("{right}{before}{open}````{language}\n{example}````\n<!-- end -->\n");
        rest = after;
    }
    right.push_str(rest);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &right).expect("write the page");
    } else {
        assert!(text == right, "the examples of docs/report.md are old: run the tests with UPDATE_DOCS=1");
    }
}
