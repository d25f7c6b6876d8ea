//! `--wait`: an examination that is a readiness gate. Each check counts its own looks.
#![expect(clippy::disallowed_methods, reason = "a test makes a world and looks at it")]

use std::fs;
use std::time::Duration;

use support::Home;
use support::processes::eventually;

/// Nothing here takes as long.
const LONG: Duration = Duration::from_mins(1);

fn home(checks: &[(&str, &str)]) -> Home {
    let home = Home::new();
    let check = |(name, script): &(&str, &str)| {
        format!(
            "[check.{name}]\ncommand = {{ script = 'echo >> {name}.looks; n=$(wc -l < {name}.looks); {script}' }}\n"
        )
    };
    home.write("housecall.toml", checks.iter().map(check).collect::<String>());
    home
}

fn looks(home: &Home, check: &str) -> usize {
    fs::read_to_string(home.at(format!("{check}.looks"))).unwrap_or_default().lines().count()
}

#[test]
fn what_comes_late_is_waited_for_and_only_that_is_looked_at_again() {
    let home = home(&[("steady", "true"), ("late", "test -e up")]);
    let running = home.start_in(home.path(), ["--wait", "60s", "--json"]);
    assert!(eventually(LONG, || looks(&home, "late") >= 4), "it looks again");
    assert_eq!(looks(&home, "steady"), 1, "what is green is left alone meanwhile");
    home.write("up", "");
    let report = running.wait(LONG).exits(0).report();
    assert_eq!(report.0["counts"]["pass"], 2);
    assert_eq!(looks(&home, "steady"), 2, "the look that is reported is whole");
}

#[test]
fn what_never_comes_is_told_when_the_time_is_over() {
    let home = home(&[("never", "exit 4")]);
    let ran = home.housecall(["--wait", "1s", "--json"]).exits(1);
    assert_eq!(ran.report().check("never")["message"], "it ended with exit status 4");
    assert!(looks(&home, "never") > 1);
}

#[test]
fn what_breaks_in_the_last_look_is_waited_for_again() {
    // Red; green among the parts, red in the whole; green in both.
    let home = home(&[("steady", "true"), ("flapping", "test $n -ne 1 -a $n -ne 3")]);
    let report = home.housecall(["--wait", "60s", "--json"]).exits(0).report();
    assert_eq!(report.status("flapping"), "pass");
    assert_eq!(looks(&home, "flapping"), 5);
}

#[test]
fn what_is_well_or_makes_no_sense_is_not_waited_for() {
    let home = home(&[("well", "true")]);
    let _ = home.housecall(["--wait", "60s"]).exits(0);
    assert_eq!(looks(&home, "well"), 1);
    let _ = home.housecall(["--wait", "60s", "--only", "wel"]).exits(2);
    let _ = home.housecall(["--wait", "soon"]).exits(2);
    assert_eq!(looks(&home, "well"), 1);
}

/// What no check looks at does not come by waiting; whatever else is not green yet is waited for.
#[test]
fn what_is_unchecked_is_not_waited_for() {
    let home = home(&[("part", "true"), ("late", "test -e up")]);
    let text = fs::read_to_string(home.at("housecall.toml")).expect("the checks");
    home.write(
        "housecall.toml",
        text.replace("[check.part]\n", "[check.part]\nunchecked = [\"the rest\"]\n"),
    );
    let running = home.start_in(home.path(), ["--wait", "60s", "--json"]);
    assert!(eventually(LONG, || looks(&home, "late") >= 4), "it looks again");
    home.write("up", "");
    let report = running.wait(LONG / 2).exits(3).report();
    assert_eq!((report.status("part"), report.status("late")), ("unknown", "pass"));
}

#[test]
fn a_mend_comes_first_and_then_the_wait() {
    let home = home(&[("slow", "test -e up")]);
    let text = fs::read_to_string(home.at("housecall.toml")).expect("the checks");
    let fix = "fix = { script = 'touch asked', safety = \"safe\" }\n";
    home.write("housecall.toml", format!("{text}{fix}"));
    let running = home.start_in(home.path(), ["--fix", "--wait", "60s", "--json"]);
    assert!(eventually(LONG, || home.at("asked").exists()), "the fix is applied");
    home.write("up", "");
    assert_eq!(running.wait(LONG).exits(0).report().status("slow"), "pass");
}

#[test]
fn every_format_waits_and_the_summary_of_a_step_is_written_once() {
    for format in ["human", "ndjson", "junit", "tap", "prometheus", "github", "markdown"] {
        let mut home = home(&[("late", "test $n -gt 2")]);
        let summary = home.at("summary.md");
        home.set("GITHUB_STEP_SUMMARY", &summary);
        let ran = home.housecall(["--wait", "60s", "--format", format]).exits(0);
        assert!(!ran.stdout.is_empty(), "{format}");
        let written = fs::read_to_string(&summary).unwrap_or_default();
        let headings = written.lines().filter(|it| it.starts_with("## healthy: ")).count();
        assert_eq!(headings, usize::from(format == "github"), "{format}: {written}");
    }
}
