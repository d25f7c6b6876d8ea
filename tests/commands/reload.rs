//! `housecall reload` with real processes, on the simulator of launchd.
#![expect(clippy::disallowed_methods, reason = "tests make the world that the product only looks at")]

use std::fs;
use std::time::{Duration, Instant};

use support::launchd::{Agent, Launchd};
use support::processes::{self, eventually};
use support::servers::answers;
use support::{Home, Mirror, Ran};

/// A configuration that declares this agent as the service `site`, asked as briefly as a test wants.
fn declare(home: &Home, agent: &Agent, more: &str) {
    let text = format!(
        "name = \"ops\"\n\n[service.site]\nlabel = \"{}\"\nhealth = \"http://127.0.0.1:{}/healthz\"\n\
         tries = 4\nevery = \"500ms\"\ntimeout = \"1s\"\n{more}",
        agent.label, agent.port
    );
    home.write("housecall.toml", text);
}

fn reload(launchd: &Launchd, arguments: &[&str]) -> Ran {
    launchd.home.housecall([&["reload"], arguments].concat())
}

fn serving(launchd: &Launchd, drain: &str) -> Agent {
    let agent = launchd.serving("a.site", drain, "");
    launchd.bootstrap(&agent);
    declare(&launchd.home, &agent, "");
    agent
}

#[test]
fn it_returns_within_a_second_of_what_drain_and_server_need() {
    let launchd = Launchd::new();
    let agent = serving(&launchd, "1.5");
    let before = launchd.pid("a.site").expect("a process");

    // What the server needs by itself: from its start to its first answer.
    let alone = launchd.serving("b.alone", "0", "");
    let start = Instant::now();
    launchd.bootstrap(&alone);
    let server = start.elapsed();

    let ran = reload(&launchd, &["site"]).exits(0);
    assert!(ran.stdout.contains("answers 200 without a further restart"), "{ran}");
    assert_ne!(launchd.pid("a.site"), Some(before));
    assert!(processes::read(before).is_none(), "the old one is gone");
    assert!(answers(([127, 0, 0, 1], agent.port)));
    assert!(!launchd.was_legacy_used());
    let needed = Duration::from_millis(1500) + server;
    assert!(ran.took >= Duration::from_millis(1500), "it drained: {ran}");
    // A machine that is busy with other tests may be late once; how slow it is, the server's own start tells.
    let again = || reload(&launchd, &["site"]).exits(0).took;
    let in_time = |took| took < needed + (server * 10).max(Duration::from_secs(1));
    assert!(in_time(ran.took) || in_time(again()) || in_time(again()), "{:?}, {needed:?} needed", ran.took);
}

#[test]
fn a_label_alone_needs_no_configuration() {
    let launchd = Launchd::new();
    let agent = launchd.serving("a.site", "0.2", "");
    launchd.bootstrap(&agent);
    let before = launchd.pid("a.site");
    let ran = reload(&launchd, &["a.site"]).exits(0);
    assert!(ran.stdout.contains("a.site reloaded: it runs, pid"), "{ran}");
    assert_ne!(launchd.pid("a.site"), before);
    let ran = reload(&launchd, &["a.nowhere"]).exits(2);
    assert!(ran.stderr.contains("a.nowhere.plist is not there"), "{ran}");
    let _ = reload(&launchd, &["-h"]).exits(0);
    let _ = reload(&launchd, &["--all"]).exits(2);
}

#[test]
fn loaded_and_not_serving_gets_one_restart_and_success_says_so() {
    let launchd = Launchd::new();
    let _ = serving(&launchd, "0");
    launchd.home.write("a.site/sick", "once");
    let ran = reload(&launchd, &["site"]).exits(0);
    assert!(ran.stdout.contains("answers 200 after one more restart"), "{ran}");
}

#[test]
fn what_never_serves_is_told_with_all_that_a_person_needs() {
    let launchd = Launchd::new();
    let agent = serving(&launchd, "0");
    launchd.home.write("a.site/sick", "for ever");
    let many: String = (1..=30).fold(String::new(), |text, it| text + &format!("line {it}\n"));
    launchd.home.write("Library/Logs/a.site.err.log", many);
    let ran = reload(&launchd, &["site"]).exits(1);
    let url = format!("http://127.0.0.1:{}/healthz", agent.port);
    let target = launchd.target("a.site");
    for wanted in [
        &format!("last probe: {url}: nobody listens"),
        "state: running; pid ",
        &format!("| {target} = {{"),
        "| \tstate = running",
        "stdout: ~/Library/Logs/a.site.out.log",
        "| begins",
        "stderr: ~/Library/Logs/a.site.err.log, its last 20 lines",
        "| line 30",
        "| complains",
        "try by hand:",
        &format!("launchctl kickstart -k {target}"),
        &format!("curl -i --max-time 1 {url}"),
    ] {
        assert!(ran.stderr.contains(wanted), "{wanted:?} is missing: {ran}");
    }
    assert!(!ran.stderr.contains("| line 12\n"), "twenty lines, no more: {ran}");
    assert!(launchd.pid("a.site").is_some(), "and it is left loaded");
    assert_eq!(launchd.servers("a.site").len(), 1, "once");
    assert!(!launchd.was_legacy_used());
}

#[test]
fn a_restart_that_fails_itself_is_told_with_all_that_a_person_needs() {
    let launchd = Launchd::new();
    let agent = serving(&launchd, "0");
    launchd.home.write("a.site/sick", "for ever");
    fs::rename(launchd.home.at("bin/launchctl"), launchd.home.at("real-launchctl")).expect("another name");
    let failing = format!(
        "#!/bin/sh\necho \"$*\" >> '{0}/said'\n[ \"$1 $2\" != 'kickstart -k' ] || {{ echo 'Operation timed out' >&2; \
         exit 60; }}\nexec '{0}/real-launchctl' \"$@\"\n",
        launchd.home.path().display()
    );
    launchd.home.program("bin/launchctl", &failing);
    let ran = reload(&launchd, &["site"]).exits(1);
    let (url, target) = (format!("http://127.0.0.1:{}/healthz", agent.port), launchd.target("a.site"));
    for wanted in [
        "it is loaded and does not serve, and its restart failed: cannot start a.site: ",
        "Operation timed out",
        &format!("last probe: {url}: nobody listens"),
        "state: running; pid ",
        &format!("| {target} = {{"),
        "| begins",
        "| complains",
        &format!("launchctl kickstart -k {target}"),
    ] {
        assert!(ran.stderr.contains(wanted), "{wanted:?} is missing: {ran}");
    }
    let said = fs::read_to_string(launchd.home.at("said")).expect("what launchctl was told");
    assert_eq!(said.matches("kickstart -k").count(), 1, "exactly one: {said}");
    let log = fs::read_to_string(launchd.home.at("Library/Logs/a.site.out.log")).expect("its log");
    assert_eq!(log.matches("begins").count(), 2, "before the reload, and in it: {log}");
    assert!(launchd.pid("a.site").is_some(), "and it is left loaded");
}

#[test]
fn without_kickstart_it_waits_and_recovers_nothing() {
    let launchd = Launchd::new();
    let _ = serving(&launchd, "0");
    launchd.home.write("a.site/sick", "once");
    let ran = reload(&launchd, &["site", "--skip-kickstart"]).exits(1);
    assert!(ran.stderr.contains("no restart was tried, as asked"), "{ran}");
    assert!(ran.stderr.contains("last probe: http://"), "{ran}");
    assert!(ran.took >= Duration::from_millis(1500), "it waited: {ran}");
    let ran = reload(&launchd, &["site", "--skip-kickstart"]).exits(0);
    assert!(ran.stdout.contains("without a further restart"), "{ran}");
}

#[test]
fn only_the_declared_status_is_healthy_and_redirects_are_not_followed() {
    let launchd = Launchd::new();
    let agent = serving(&launchd, "0");
    launchd.home.write("a.site/status", "302");
    let ran = reload(&launchd, &["site"]).exits(1);
    assert!(ran.stderr.contains("it answers 302, not 200: to /elsewhere"), "{ran}");
    let asked = launchd.text("a.site", "asked");
    // Four tries, and four after the restart; the first of each may come before it listens.
    assert!((6..=8).contains(&asked.lines().count()), "{asked}");
    assert!(!asked.contains("elsewhere"), "{asked}");
    declare(&launchd.home, &agent, "status = 302\n");
    let _ = reload(&launchd, &["site"]).exits(0);
}

#[test]
fn a_dry_run_prints_the_commands_and_does_nothing() {
    let launchd = Launchd::new();
    let agent = serving(&launchd, "0");
    let (before, asked) = (launchd.pid("a.site"), launchd.text("a.site", "asked"));
    let ran = reload(&launchd, &["site", "--dry-run"]).exits(0);
    let (domain, target) = (launchd.domain(), launchd.target("a.site"));
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[0], format!("launchctl bootout {target}"));
    assert_eq!(
        lines[2],
        format!("launchctl bootstrap {domain} '~/Library/LaunchAgents/a.site.plist'").replace('\'', "")
    );
    assert_eq!(lines[3], format!("launchctl kickstart {target}"));
    assert!(lines[4].starts_with("curl "), "{ran}");
    assert_eq!(lines.len(), 5, "{ran}");
    let skipping = reload(&launchd, &["site", "--dry-run", "--skip-kickstart"]).exits(0);
    assert!(!skipping.stdout.contains("kickstart"), "{skipping}");
    assert_eq!((launchd.pid("a.site"), launchd.text("a.site", "asked")), (before, asked), "untouched");
    assert!(answers(([127, 0, 0, 1], agent.port)));
}

#[test]
fn what_a_job_does_not_log_is_said_too() {
    let launchd = Launchd::new();
    let agent = serving(&launchd, "0");
    let text = fs::read_to_string(&agent.file).expect("the file");
    let removing = text.replace("StandardErrorPath", "StandardInPath").replace(
        "<string>/usr/bin/python3</string>",
        "<string>/bin/sh</string><string>-c</string><string>rm \"$HOME/Library/Logs/a.site.out.log\"; sleep 60</string>",
    );
    fs::write(&agent.file, removing).expect("the file");
    let ran = reload(&launchd, &["site"]).exits(1);
    assert!(ran.stderr.contains("  stdout: missing ~/Library/Logs/a.site.out.log\n"), "{ran}");
    assert!(ran.stderr.contains("  stderr: unavailable\n"), "{ran}");
}

#[test]
fn a_daemon_is_the_systems_own() {
    let launchd = Launchd::new();
    let ran = reload(&launchd, &["a.daemon", "--scope", "daemon", "--dry-run"]).exits(0);
    assert_eq!(
        ran.stdout,
        "sudo launchctl bootout system/a.daemon\n\
         while launchctl print system/a.daemon >/dev/null 2>&1; do sleep 0.2; done\n\
         sudo launchctl bootstrap system /Library/LaunchDaemons/a.daemon.plist\n\
         sudo launchctl kickstart system/a.daemon\n"
    );
}

#[test]
fn a_disabled_job_is_not_touched() {
    let launchd = Launchd::new();
    let _ = serving(&launchd, "0");
    let _ = launchd.ctl(&["disable", &launchd.target("a.site")]);
    let before = launchd.pid("a.site");
    let ran = reload(&launchd, &["site"]).exits(2);
    assert!(ran.stderr.contains("durable stop: `launchctl enable gui/"), "{ran}");
    assert_eq!(launchd.pid("a.site"), before);
}

#[test]
fn an_end_before_exec_is_told_and_the_job_stays_loaded() {
    let launchd = Launchd::new();
    let agent = serving(&launchd, "0");
    let text = fs::read_to_string(&agent.file).expect("the file");
    fs::write(&agent.file, text.replace("/usr/bin/python3", "/nowhere/python3")).expect("the file");
    let ran = reload(&launchd, &["site"]).exits(1);
    assert!(ran.stderr.contains("78 (EX_CONFIG): launchd could not start the program"), "{ran}");
    assert!(launchd.print("a.site").is_some(), "it is left loaded");
}

#[test]
fn a_crash_loop_behind_which_another_answers_is_not_believed() {
    let launchd = Launchd::new();
    let agent = serving(&launchd, "0");
    let text = fs::read_to_string(&agent.file).expect("the file");
    let crashing = launchd.home.program("crash", "#!/bin/sh\nsleep 0.5\necho no more >&2\nexit 3\n");
    let _ = launchd.ctl(&["bootout", &launchd.target("a.site")]);
    assert!(eventually(support::processes::HANG, || !answers(([127, 0, 0, 1], agent.port))));
    let other = launchd.serving("b.other", "0", "");
    let taken = fs::read_to_string(&other.file).expect("the file");
    fs::write(&other.file, taken.replace(&other.port.to_string(), &agent.port.to_string()))
        .expect("the file");
    launchd.bootstrap(&Agent { port: agent.port, ..other });
    fs::write(&agent.file, text.replace("/usr/bin/python3", &crashing.to_string_lossy())).expect("the file");
    let ran = reload(&launchd, &["site"]).exits(1);
    assert!(ran.stderr.contains("but not from this job"), "{ran}");
    assert!(ran.stderr.contains("last end: it exited with 3"), "{ran}");
    assert!(ran.stderr.contains("| no more"), "{ran}");
}

#[test]
fn bootstraps_that_fail_at_first_do_not_make_a_failure() {
    let launchd = Launchd::with(&[("LAUNCHCTL_SIM_TRANSIENT_5", "2")]);
    let agent = launchd.serving("a.site", "0", "");
    declare(&launchd.home, &agent, "");
    let ran = reload(&launchd, &["site"]).exits(0);
    assert!(ran.stdout.contains("launchd took it at try 3"), "{ran}");
}

#[test]
fn an_interruption_leaves_the_job_loaded() {
    let launchd = Launchd::new();
    let _ = serving(&launchd, "1.5");
    let running = launchd.home.start_in(launchd.home.path(), ["reload", "site"]);
    let drains = || launchd.print("a.site").is_some_and(|it| it.contains("state = SIGTERMed"));
    assert!(eventually(support::processes::HANG, drains), "it drains");
    processes::signal(running.pid(), "INT");
    let ran = running.wait(Duration::from_secs(20));
    assert_ne!(ran.code, -1, "it ends by itself: {ran}");
    assert!(launchd.pid("a.site").is_some(), "and the job is back: {ran}");
}

#[test]
fn the_address_is_read_from_the_installed_property_list() {
    let launchd = Launchd::new();
    let agent = launchd.serving("a.site", "0", "");
    let text = fs::read_to_string(&agent.file).expect("the file");
    let api = format!(
        "<key>EnvironmentVariables</key><dict><key>API</key><string>http://127.0.0.1:{}//</string></dict></dict>\n</plist>",
        agent.port
    );
    fs::write(&agent.file, text.replace("</dict>\n</plist>", &api)).expect("the file");
    launchd.bootstrap(&agent);
    launchd.home.write(
        "housecall.toml",
        "name = \"ops\"\n[service.site]\nlabel = \"a.site\"\n\
         health = { plist-key = \"EnvironmentVariables.API\", default = \"http://127.0.0.1:1\", path = \"/healthz\" }\n",
    );
    let ran = reload(&launchd, &["--all"]).exits(0);
    assert!(ran.stdout.contains(&format!("http://127.0.0.1:{}/healthz answers 200", agent.port)), "{ran}");
}

#[test]
fn the_embedded_keeper_is_reloaded_as_well_and_a_stop_outlives_it() {
    let mirror = Mirror::fixed();
    let ran = mirror.run(&["reload"]).exits(2);
    assert!(ran.stderr.contains("nobody keeps this mirror"), "{ran}");
    let _ = mirror.run(&["up", "--detach"]).exits(0);
    let before = mirror.listener().expect("a server");
    for name in [&["reload"][..], &["reload", "serve"], &["reload", "--all"]] {
        let ran = mirror.run(name).exits(0);
        assert!(ran.stdout.contains("/ answers 200"), "{ran}");
    }
    assert!(processes::read(before).is_none(), "another server");
    assert!(mirror.page("/").contains("The first text"));
    let _ = mirror.run(&["stop"]).exits(0);
    let ran = mirror.run(&["reload"]).exits(1);
    assert!(ran.stderr.contains("the mirror is stopped"), "{ran}");
    assert!(mirror.listener().is_none());
}

#[test]
fn all_or_nothing_where_it_cannot_be_told_where_one_answers() {
    let launchd = Launchd::new();
    let agent = serving(&launchd, "0");
    let other = "[service.other]\nlabel = \"b.other\"\nhealth = { plist-key = \"Nowhere\", path = \"/\" }\n";
    declare(&launchd.home, &agent, other);
    launchd.bootstrap(&launchd.agent("b.other", "<key>Program</key><string>/bin/true</string>"));
    let before = launchd.pid("a.site");
    let ran = reload(&launchd, &["--all"]).exits(3);
    assert!(ran.stderr.contains("b.other.plist is not readable: it has no text at Nowhere"), "{ran}");
    assert!(ran.stderr.contains("nothing was reloaded\n"), "{ran}");
    assert_eq!(launchd.pid("a.site"), before, "untouched");
    let _ = reload(&launchd, &["site"]).exits(0);
    assert_ne!(launchd.pid("a.site"), before, "one that is named needs no other");
}

#[test]
fn a_sync_at_work_is_waited_for_and_never_ended_midway() {
    let mirror = Mirror::fixed();
    let _ = mirror.run(&["up", "--detach"]).exits(0);
    mirror.settle();
    let before = mirror.listener().expect("a server");
    let path = mirror.state().join("lock");
    let held = fs::OpenOptions::new().write(true).open(&path).expect("the lock's file");
    held.lock().expect("nobody holds it");
    let ran = mirror.run(&["reload"]).exits(3);
    assert!(ran.stderr.contains("waits for another one at work on this mirror"), "{ran}");
    assert!(ran.stderr.contains("was not reloaded: another one is at work on this mirror"), "{ran}");
    assert!(ran.took >= Duration::from_secs(10), "it waited: {ran}");
    assert_eq!(mirror.listener(), Some(before), "untouched");

    let waiting = mirror.start(&["reload"]);
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(mirror.listener(), Some(before), "it still waits");
    held.unlock().expect("it is held");
    let ran = waiting.wait(Duration::from_secs(30)).exits(0);
    assert!(ran.stdout.contains("/ answers 200"), "{ran}");
    assert_ne!(mirror.listener(), Some(before), "{ran}");
}
