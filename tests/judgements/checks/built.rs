//! Whether what is built is of the worktree's commit.

use std::time::Duration;

use housecall::checks::sync::build_fresh;
use housecall::cx::Probes;
use housecall::probes::Probe;
use housecall::probes::built::{Build, Built, FailedBuild};
use housecall::probes::state::{State, SyncStatus};
use insta::assert_snapshot;

use super::sync::{installed, state, with};
use super::worktree::{checkout, on};
use super::worlds::{OLD_SHA, SHA, ago, cx, cx_of, verdict};

fn built(build: Option<Build>) -> String {
    let config = with(|mirror| mirror.build = vec!["astro".to_owned(), "build".to_owned()]);
    let stamps = Built { schema: 1, build, failed: None, moved: None, served: None };
    let state = Probe::given(Ok(State { built: stamps, ..state(SyncStatus::Noop, 12, SHA) }));
    let installed = Probe::given(Ok(installed("aa11", "22")));
    let probes = Probes { state, installed, worktree: on(checkout()), ..Probes::default() };
    verdict(&build_fresh::CHECK, &cx_of(config, probes))
}

fn build() -> Build {
    let command = vec!["astro".to_owned(), "build".to_owned()];
    Build { sha: SHA.to_owned(), command, installed: Some(ago(3600)), at: ago(60) }
}

#[test]
fn build_fresh_passes_for_what_was_built_from_this_commit_to_the_end() {
    assert_snapshot!(built(Some(build())), @"
    pass built from the worktree's commit
      built: 2026-03-16T20:28:43Z
    ");
    assert_snapshot!(built(None), @"
    fail nothing is known to be built
      expected: a1bfbf4c0ffee0123456789abcdef0123456789a
      actual: no build of ours that ended well
    ");
    assert_snapshot!(built(Some(Build { sha: OLD_SHA.to_owned(), ..build() })), @"
    fail what is built is of another commit
      expected: a1bfbf4c0ffee0123456789abcdef0123456789a
      actual: 0ddba11c0ffee0123456789abcdef0123456789a
      built: 2026-03-16T20:28:43Z
    ");
    assert_snapshot!(built(Some(Build { command: vec!["make".to_owned()], ..build() })), @"
    fail what is built was built by another command
      expected: $ astro build
      actual: $ make
      built: 2026-03-16T20:28:43Z
    ");
    assert_snapshot!(built(Some(Build { installed: Some(ago(7200)), ..build() })), @"
    fail the dependencies were installed since the build
      installed: 2026-03-16T19:29:43Z
      built: 2026-03-16T20:28:43Z
    ");
    assert_snapshot!(verdict(&build_fresh::CHECK, &cx(Probes::default())), @"skip no `build` is configured");
}

#[test]
fn a_build_that_fails_is_left_alone_for_a_quarter_of_an_hour_at_the_most() {
    let again = |every: u64, times: u32| {
        let failed = serde_json::json!({
            "sha": SHA, "command": ["make"], "times": times, "at": "2026-03-16T20:00:00Z", "why": "no page",
        });
        let failed: FailedBuild = serde_json::from_value(failed).expect("one that failed");
        failed.again(Duration::from_mins(every)).duration_since(failed.at).as_secs()
    };
    let every_minute: Vec<i64> = (1..=6).map(|times| again(1, times)).collect();
    assert_eq!(every_minute, [60, 180, 420, 840, 840, 840], "with the next cycle");
    assert_eq!((again(10, 1), again(15, 1), again(60, 9)), (450, 450, 450));
}
