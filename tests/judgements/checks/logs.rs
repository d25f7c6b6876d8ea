//! What the logs say, and how long they are.

use std::path::PathBuf;

use housecall::checks::logs::{log_signatures, log_size};
use housecall::config::Config;
use housecall::cx::Probes;
use housecall::error::ProbeError;
use housecall::probes::built::Built;
use housecall::probes::logs::Log;
use housecall::probes::state::{State, SyncStatus};
use housecall::probes::{Keyed, Probe};
use insta::assert_snapshot;

use super::worlds::{SHA, at, config, cx, cx_of, last_sync, verdict};

fn log(role: &str, bytes: u64, tail: &str) -> Log {
    let path: PathBuf = at("ops/site/logs").join(format!("{role}.log"));
    Log { path, bytes, tail: tail.to_owned() }
}

fn synced(status: SyncStatus) -> Probe<State> {
    let last_sync = last_sync(status, 12, SHA, "because");
    Probe::given(Ok(State {
        last_sync: Some(last_sync),
        last_sync_age: None,
        built: Built::default(),
        stopped: None,
        holder: None,
        bad: Vec::new(),
    }))
}

fn said(serve: &str, sync: &str, status: SyncStatus) -> Probes {
    let logs = [("serve", Ok(log("serve", 400, serve))), ("sync", Ok(log("sync", 400, sync)))];
    Probes { logs: Keyed::given(logs), state: synced(status), ..Probes::default() }
}

fn after_saying(serve: &str) -> String {
    verdict(&log_signatures::CHECK, &cx(said(serve, "", SyncStatus::Noop)))
}

#[test]
fn a_log_of_calm_lines_is_a_pass() {
    assert_snapshot!(after_saying(" astro  v7.3.5 ready in 812 ms\n09:12:01 [200] / 14ms\n"), @"pass -");
}

#[test]
fn a_known_text_is_named_with_its_cause_and_remedy() {
    let text = "\u{1b}[31mError: listen EADDRINUSE: address already in use 127.0.0.1:4321\u{1b}[39m\n    at Server\n";
    assert_snapshot!(after_saying(text), @"
    fail the log of `serve` shows that another program holds the port
      line: Error: listen EADDRINUSE: address already in use 127.0.0.1:4321
      log: /home/ada/ops/site/logs/serve.log
      remedy: see it with `housecall who 4321`, and stop it or choose another port
    ");
}

/// The beginning of a secret has no longer the shape, or the value, of one.
#[test]
fn a_secret_is_taken_out_of_a_line_before_the_line_is_cut() {
    let secret = "Zq7Rk2Lw9Xv4Bn8Tc1Ym6Hp3Js5Dg0Fa4Ue7Wi2Ok9";
    let config = config();
    config.redactor.learn("API_TOKEN", secret);
    let line = format!("listen EADDRINUSE {} {secret} at all\n", "x".repeat(150));
    let cx = cx_of(config, said(&line, "", SyncStatus::Noop));
    let told = verdict(&log_signatures::CHECK, &cx);
    assert!(told.contains("[redacted:API_TOKEN]") && !told.contains("Zq7Rk2"), "{told}");
}

#[test]
fn each_known_text_has_its_cause() {
    let lines = [
        "ls: /Volumes/FunIA/dev: Operation not permitted",
        "Error: EPERM: operation not permitted, open '/x/node_modules/astro/astro.mjs'",
        "npm warn EBADENGINE Unsupported engine {",
        "Node.js v20.11.1 is not supported by Astro!",
        "Another astro dev server is already running (pid 7)",
        "sh: astro: command not found",
        "bash: ligne 1: astro : commande introuvable",
        "Error: ENOSPC: System limit for number of file watchers reached, watch '/x'",
        "npm error ENOSPC: no space left on device, write",
        "code: 'MODULE_NOT_FOUND'",
        "Port 4321 is in use, trying another one...",
    ];
    let causes: Vec<String> = lines
        .iter()
        .map(|line| format!("{line}\n  {}", after_saying(line).lines().next().unwrap_or_default()))
        .collect();
    assert_snapshot!(causes.join("\n"), @"
    ls: /Volumes/FunIA/dev: Operation not permitted
      fail the log of `serve` shows that macOS keeps the job from an external volume or a protected directory
    Error: EPERM: operation not permitted, open '/x/node_modules/astro/astro.mjs'
      fail the log of `serve` shows that macOS keeps the job from an external volume or a protected directory
    npm warn EBADENGINE Unsupported engine {
      fail the log of `serve` shows that the version of node is not the one that the project asks for
    Node.js v20.11.1 is not supported by Astro!
      fail the log of `serve` shows that the version of node is not the one that the project asks for
    Another astro dev server is already running (pid 7)
      fail the log of `serve` shows that another dev server runs in the same directory
    sh: astro: command not found
      fail the log of `serve` shows that the job does not find a program on its PATH
    bash: ligne 1: astro : commande introuvable
      fail the log of `serve` shows that the job does not find a program on its PATH
    Error: ENOSPC: System limit for number of file watchers reached, watch '/x'
      fail the log of `serve` shows that the system watches no more files for this user
    npm error ENOSPC: no space left on device, write
      fail the log of `serve` shows that the disk is full
    code: 'MODULE_NOT_FOUND'
      fail the log of `serve` shows that a dependency is not installed
    Port 4321 is in use, trying another one...
      fail the log of `serve` shows that another program holds the port
    ");
}

#[test]
fn several_troubles_are_all_told() {
    assert_snapshot!(after_saying("Error: Cannot find module 'vite'\nError: listen EADDRINUSE\n"), @"
    fail the log of `serve` shows that another program holds the port
      line: Error: listen EADDRINUSE
      log: /home/ada/ops/site/logs/serve.log
      remedy: see it with `housecall who 4321`, and stop it or choose another port
      also: a dependency is not installed
      line: Error: Cannot find module 'vite'
      log: /home/ada/ops/site/logs/serve.log
      remedy: run `housecall sync`; it installs when the lockfile changed
    ");
}

#[test]
fn what_a_sync_complained_of_before_one_that_went_well_is_history() {
    let refused = "git@example.org: Permission denied (publickey).\n";
    assert_snapshot!(verdict(&log_signatures::CHECK, &cx(said("", refused, SyncStatus::Updated))), @"pass -");
    assert_snapshot!(verdict(&log_signatures::CHECK, &cx(said("", refused, SyncStatus::Stale))), @"
    fail the log of `sync` shows that the remote does not let the job in
      line: git@example.org: Permission denied (publickey).
      log: /home/ada/ops/site/logs/sync.log
      remedy: see `housecall explain remote-reachable`
    ");
}

#[test]
fn a_log_that_may_not_be_read_is_unknown() {
    let blind = ProbeError::failed("read ~/ops/site/logs/serve.log", &"permission denied");
    let logs = Keyed::given([("serve", Err(blind.clone())), ("sync", Err(blind))]);
    let world = || Probes { logs: Keyed::default(), state: synced(SyncStatus::Noop), ..Probes::default() };
    assert_snapshot!(verdict(&log_signatures::CHECK, &cx(Probes { logs, ..world() })), @"unknown cannot read ~/ops/site/logs/serve.log: permission denied");
    let without_server = Config { server: None, ..config() };
    assert_snapshot!(verdict(&log_signatures::CHECK, &cx_of(without_server, world())), @"pass -");
}

#[test]
fn logs_that_have_grown_too_long_are_named() {
    let sized = |sync, serve| {
        let logs = [("serve", Ok(log("serve", serve, ""))), ("sync", Ok(log("sync", sync, "")))];
        verdict(&log_size::CHECK, &cx(Probes { logs: Keyed::given(logs), ..Probes::default() }))
    };
    assert_snapshot!(sized(5 << 20, 0), @"pass -");
    assert_snapshot!(sized(10, (5 << 20) + 1), @"
    fail the log of `serve` is longer than 5 MiB
      expected: 5242880 B
      actual: 5242881 B
      log: /home/ada/ops/site/logs/serve.log
    ");
    assert_snapshot!(sized(6 << 20, 7 << 20), @"
    fail the log of `sync` is longer than 5 MiB
      expected: 5242880 B
      actual: 6291456 B
      log: /home/ada/ops/site/logs/sync.log
      actual: 7340032 B
      log: /home/ada/ops/site/logs/serve.log
    ");
}
