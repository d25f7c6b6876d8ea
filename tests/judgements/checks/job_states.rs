//! What is loaded of the jobs, how they fare, and what their logs hold.

use std::path::PathBuf;

use housecall::checks::jobs::{job_loaded, job_state};
use housecall::checks::logs::log_signatures;
use housecall::config::Config;
use housecall::cx::Probes;
use housecall::probes::built::Built;
use housecall::probes::jobs::Keeping;
use housecall::probes::logs::Log;
use housecall::probes::state::{LastSync, State as Written, SyncStatus};
use housecall::probes::{Keyed, Probe};
use housecall::services::{LastExit, Observed, State};
use housecall::verdict::Verdict;
use insta::assert_snapshot;

use super::jobs::{World, exit};
use super::worlds::{ago, at, config, cx_of, last_sync, verdict};

#[test]
fn what_is_not_loaded_says_why() {
    let absent = |change: fn(&mut World)| {
        let world = World::with(|it| {
            it.observed =
                Observed { state: State::Absent, pid: None, loaded: None, file: None, ..it.observed.clone() };
            change(it);
        });
        world.says(&job_loaded::CHECK)
    };
    assert_snapshot!(absent(|_| ()), @"
    [serve]
    fail launchd does not have `serve` loaded
      file: /home/ada/Library/LaunchAgents/me.site.localhost-serve.plist
      label: me.site.localhost-serve
    ");
    assert_snapshot!(absent(|it| it.file = None), @"
    [serve]
    fail launchd does not know `serve`, and its file is not there
      expected: /home/ada/Library/LaunchAgents/me.site.localhost-serve.plist
      label: me.site.localhost-serve
    ");
    assert_snapshot!(absent(|it| it.observed.disabled = true), @"
    [serve]
    fail `serve` is disabled in launchd, which no load and no repair undoes
      why: somebody stopped it for good
      to end that: $ housecall start
      label: me.site.localhost-serve
    ");
    assert_snapshot!(absent(|it| it.is_stopped = true), @"
    [serve]
    skip the mirror was stopped by its user
    ");
    assert_snapshot!(absent(|it| it.observed.state = State::Refused("there is no GUI session".to_owned())), @"
    [serve]
    unknown cannot ask launchd for `serve`: there is no GUI session
    ");
}

#[test]
fn how_a_job_fares_is_told_in_words() {
    let fares =
        |change: fn(&mut Observed)| World::with(|it| change(&mut it.observed)).says(&job_state::CHECK);
    // Job there, but nothing runs.
    assert_snapshot!(fares(|it| *it = Observed { state: State::Idle, pid: None, since: None, ..it.clone() }), @"
    [serve]
    fail `serve` is loaded, and nothing runs: it ended, and nothing starts it again
      runs: 1
      log: /home/ada/Library/Logs/me.site.localhost-serve.err.log
    ");
    // A restart is no death.
    assert_snapshot!(fares(|it| {
        it.runs = Some(3);
        it.last_exit = Some(LastExit { code: None, signal: Some(15), told: "it was asked to end".to_owned() });
    }), @"
    [serve]
    pass serve running, pid 31492
      who: pid 31492
      since: 2026-03-16T19:29:43Z
      runs: 3
      last exit: it was asked to end
    ");
    // A crash loop, between two starts and within one.
    assert_snapshot!(fares(|it| {
        *it = Observed { state: State::BackingOff, pid: None, since: None, runs: Some(22_138), ..it.clone() };
        it.last_exit = Some(exit(127, "it exited with 127: a command was not found"));
    }), @"
    [serve]
    fail `serve` keeps failing: it exited with 127: a command was not found
      runs: 22138
      last exit: it exited with 127: a command was not found
      log: /home/ada/Library/Logs/me.site.localhost-serve.err.log
    ");
    assert_snapshot!(fares(|it| {
        *it = Observed { since: Some(ago(4)), runs: Some(17), ..it.clone() };
        it.last_exit = Some(exit(1, "it exited with 1"));
    }), @"
    [serve]
    fail `serve` was started 17 times, and keeps failing: it exited with 1
      who: pid 31492
      since: 2026-03-16T20:29:39Z
      runs: 17
      last exit: it exited with 1
      log: /home/ada/Library/Logs/me.site.localhost-serve.err.log
    ");
    assert_snapshot!(fares(|it| it.state = State::Refused("its start limit is reached".to_owned())), @"
    [serve]
    fail `serve` is not started: its start limit is reached
      who: pid 31492
      since: 2026-03-16T19:29:43Z
      runs: 1
      log: /home/ada/Library/Logs/me.site.localhost-serve.err.log
    ");
    assert_snapshot!(fares(|it| {
        *it = Observed { state: State::Starting, pid: None, since: Some(ago(2)), ..it.clone() };
    }), @"
    [serve]
    pending `serve` is being started, until 2026-03-16T20:30:01Z
    ");
    assert_snapshot!(fares(|it| it.state = State::Unknown("launchctl says `dancing`".to_owned())), @"
    [serve]
    unknown the state of `serve` is not readable: launchctl says `dancing`
    ");
}

#[test]
fn a_sync_that_failed_and_is_at_work_again_is_awaited() {
    let at_work = |last_exit: Option<LastExit>, seconds| {
        let world = World::with(|it| {
            it.config = Config { server: None, services: Vec::new(), ..config() };
            "sync".clone_into(&mut it.managed.job.name);
            it.observed = Observed { last_exit, since: Some(ago(seconds)), ..it.observed.clone() };
        });
        world.says(&job_state::CHECK)
    };
    assert_snapshot!(at_work(Some(exit(1, "it exited with 1")), 2), @"
    [sync]
    pending the last run of `sync` failed, and it is at work again, until 2026-03-16T20:44:41Z
    ");
    assert_snapshot!(at_work(Some(exit(1, "it exited with 1")), 3600), @"
    [sync]
    fail the last run of `sync` failed, and the next has not ended in 60 min
      who: pid 31492
      since: 2026-03-16T19:29:43Z
      runs: 1
      last exit: it exited with 1
      log: /home/ada/Library/Logs/me.site.localhost-serve.err.log
    ");
    assert_snapshot!(at_work(Some(exit(0, "it exited with 0")), 2), @"
    [sync]
    pass sync at work, pid 31492
      who: pid 31492
      since: 2026-03-16T20:29:41Z
      runs: 1
      last exit: it exited with 0
    ");
}

#[test]
fn a_sync_repeats_the_server_only_where_it_is_the_one_that_found_it_silent() {
    let repeats = |last_exit: LastExit, complaint| {
        let world = World::with(|it| {
            it.config = Config { server: None, services: Vec::new(), ..config() };
            "sync".clone_into(&mut it.managed.job.name);
            let idle = Observed { state: State::Idle, pid: None, since: None, ..it.observed.clone() };
            it.observed = Observed { last_exit: Some(last_exit), ..idle };
            let reason = "aligned, and not served (nothing answers): it ended";
            let last = last_sync(SyncStatus::Failed, 60, "abc", reason);
            it.last_sync = Some(LastSync { unserved: Some(2), ..last });
            it.complaint = complaint;
        });
        let cx = world.cx();
        let [(_, look)] = &job_state::CHECK.look.bind(cx.config())[..] else { panic!("one look") };
        match look(&cx) {
            Ok(Verdict::Fail(finding)) => !finding.repeats.is_empty(),
            other => panic!("{other:?}"),
        }
    };
    let failed = || exit(1, "it exited with 1");
    let own = "failed: abc, aligned, and not served (nothing answers): it ended\n";
    assert!(repeats(failed(), Some(own)));
    assert!(repeats(failed(), None));
    // Those died before they wrote anything down.
    assert!(!repeats(exit(2, "it exited with 2"), Some(own)));
    assert!(!repeats(LastExit { code: None, signal: Some(9), told: "it was killed".to_owned() }, Some(own)));
    assert!(!repeats(
        failed(),
        Some("failed: abc, aligned, and not served (x): it ended\nerror: the disk is full\n")
    ));
}

#[test]
fn the_logs_that_launchd_writes_are_read_for_what_is_known() {
    let world = World::new();
    let log = |path: PathBuf, tail: &str| Log { path, bytes: 9, tail: tail.to_owned() };
    let (out, err) =
        (world.observed.stdout.clone().expect("a log"), world.observed.stderr.clone().expect("a log"));
    let own = log(at("ops/site/logs/serve.log"), "");
    let written = Written {
        last_sync: None,
        last_sync_age: None,
        built: Built::default(),
        stopped: None,
        holder: None,
        bad: Vec::new(),
    };
    let probes = Probes {
        jobs: Keyed::given([("serve".to_owned(), Ok(Keeping::Managed(Box::new(world.managed))))]),
        observed: Keyed::given([("serve".to_owned(), Ok(world.observed))]),
        logs: Keyed::given([("serve", Ok(own))]),
        job_logs: Keyed::given([
            (out.clone(), Ok(log(out, "ready\n"))),
            (err.clone(), Ok(log(err, "bash: ligne 1: astro : commande introuvable\n"))),
        ]),
        state: Probe::given(Ok(written)),
        ..Probes::default()
    };
    assert_snapshot!(verdict(&log_signatures::CHECK, &cx_of(config(), probes)), @"
    fail the log of `serve` shows that the job does not find a program on its PATH
      line: bash: ligne 1: astro : commande introuvable
      log: /home/ada/Library/Logs/me.site.localhost-serve.err.log
      remedy: put its directory first with `path` in [runtime]
    ");
}
