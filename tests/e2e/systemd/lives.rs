//! Whole lives of a mirror that systemd keeps: from its units alone, and from `housecall install`.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use housecall::probes::machine::Machine;
use housecall::services::systemd::MANAGER;
use housecall::services::{Job, Keep, State, Verb};
use support::Mirror;
use support::processes::{eventually, signal};
use support::systemd::{UserManager, property, systemctl};

use super::{SOON, config, define, text, write};

/// Installed, aligned by the clock, served, killed and back, stopped by a signal and back, uninstalled.
pub(crate) fn whole_life() {
    let mirror = Mirror::fixed();
    let _manager = UserManager::start(&mirror.home);
    let config = config(&mirror.home, &text(&mirror.config));
    let machine = Machine::default();
    let act = |job: &Job, verb| (MANAGER.act)(&machine, &config, job, verb).expect("it is done");
    let observe = |job: &Job| (MANAGER.observe)(&machine, &config, job).expect("systemd answers");
    let binary = support::housecall::binary();
    let file = mirror.config.to_string_lossy().into_owned();
    let install = |role: &str, keep| {
        let mut definition =
            define(&config, role, keep, &[&binary.to_string_lossy(), "--config", &file, role]);
        let own = mirror.home.environment().iter().filter(|(name, _)| name.starts_with("XDG_"));
        let own = own.map(|(name, value)| (name.clone(), value.to_string_lossy().into_owned()));
        definition.environment.extend(own);
        write(&(MANAGER.render)(&config, &definition));
        assert_eq!(observe(&definition.job).state, State::Absent);
        act(&definition.job, Verb::Load);
        definition
    };
    // The server comes before its worktree, as after a restart of the machine: it is tried until it can run.
    let serve = install("serve", Keep::Alive).job;
    let sync = install("sync", Keep::Every(Duration::from_secs(2))).job;
    let serves = |what: &str| eventually(Duration::from_secs(20), || mirror.page("/").contains(what));
    assert!(serves("The first text"), "{:#?}\n{}", observe(&serve), text(config.log_file("sync")));
    assert_eq!(observe(&sync).loaded.and_then(|it| it.interval), Some(Duration::from_secs(2)));

    let _ = mirror.publish("public/index.html", "The first text", "What was merged");
    assert!(serves("What was merged"), "the timer moves the page: {}", text(config.log_file("sync")));
    assert!(matches!(observe(&sync).state, State::Idle | State::Running));

    for name in ["KILL", "TERM"] {
        let before = observe(&serve);
        assert_eq!(before.state, State::Running);
        let pid = before.pid.expect("a process");
        assert_eq!(mirror.listener(), Some(pid), "what systemd keeps is what listens");
        signal(pid, name);
        let is_back = || observe(&serve).pid.is_some_and(|it| it != pid);
        assert!(eventually(SOON, is_back), "it is started again: {:#?}", observe(&serve));
        assert!(serves("What was merged"));
    }
    let pid = observe(&serve).pid.expect("a process");
    act(&serve, Verb::Restart);
    assert_ne!(observe(&serve).pid, Some(pid));
    assert!(serves("What was merged"));

    for job in [&sync, &serve] {
        act(job, Verb::Unload);
        let gone = observe(job);
        assert_eq!((gone.state, gone.pid), (State::Absent, None));
    }
    assert_eq!(mirror.listener(), None, "nothing of it is left");
    let folder = mirror.home.at(".config/systemd/user");
    for name in ["housecall-site-serve.service", "housecall-site-sync.service", "housecall-site-sync.timer"] {
        fs::remove_file(folder.join(name)).expect("a unit");
        act(&sync, Verb::Unload);
    }
    let left: Vec<PathBuf> = ["default.target.wants", "timers.target.wants"]
        .iter()
        .flat_map(|it| fs::read_dir(folder.join(it)))
        .flatten()
        .flatten()
        .map(|it| it.path())
        .collect();
    assert_eq!(left, Vec::<PathBuf>::new(), "no link is left either");
    assert_eq!(observe(&sync).file, None);
}

/// The mirror of a user of systemd, the program in its place for good.
fn with_systemd(mirror: &Mirror, every: &str) -> UserManager {
    let text = text(&mirror.config).replace("\"embedded\"", "\"systemd\"");
    fs::write(&mirror.config, text.replace("\"1h\"", &format!("\"{every}\""))).expect("the configuration");
    let place = mirror.home.at(".local/bin/housecall");
    fs::create_dir_all(place.parent().expect("a folder")).expect("the program's folder");
    fs::copy(support::housecall::binary(), place).expect("the program");
    UserManager::start(&mirror.home)
}

#[track_caller]
fn housecall(mirror: &Mirror, arguments: &[&str], code: i32) -> String {
    let mut command = mirror.home.command(mirror.home.at(".local/bin/housecall"));
    let file = mirror.config.to_string_lossy().into_owned();
    let output = command.args(arguments).args(["--config", &file]).output().expect("housecall runs");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (said(&output.stdout), said(&output.stderr));
    let log = text(mirror.state().join("logs/serve.log"));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}\n{err}\n--- serve.log\n{log}");
    out
}

pub(crate) fn installed() {
    let mirror = Mirror::fixed();
    let _manager = with_systemd(&mirror, "2s");
    let serves = |what: &str| eventually(Duration::from_secs(20), || mirror.page("/").contains(what));
    let serve = "housecall-site-serve.service";
    let pid = || property(&mirror.home, serve, "MainPID");

    let said = housecall(&mirror, &["install"], 0);
    assert!(said.contains("answers after"), "{said}");
    let before = pid();
    assert_eq!(mirror.listener().map(|it| it.to_string()), Some(before.clone()));
    let again = housecall(&mirror, &["install"], 0);
    assert!(again.contains("unchanged"), "{again}");
    assert_eq!(pid(), before, "unchanged is untouched");

    let _ = mirror.publish("public/index.html", "The first text", "The first text, and more");
    assert!(serves("and more"), "the timer moves the page");
    signal(before.parse().expect("a pid"), "KILL");
    assert!(eventually(SOON, || pid() != before && pid() != "0"), "systemd starts it again");
    assert!(serves("and more"));

    let _ = housecall(&mirror, &["stop"], 0);
    assert_eq!(mirror.listener(), None);
    let _ = housecall(&mirror, &["--fix"], 1);
    assert_eq!((mirror.listener(), pid().as_str()), (None, "0"), "no mend undoes a stop");
    let _ = housecall(&mirror, &["start"], 0);
    assert!(serves("and more"));
    let before = pid();
    let _ = housecall(&mirror, &["reload", "serve"], 0);
    assert_ne!(pid(), before, "it was read again");

    // A unit that was edited is mended, and only then is it another process.
    let unit = mirror.home.at(".config/systemd/user").join(serve);
    fs::write(&unit, text(&unit).replace("RestartSec=2s", "RestartSec=9s")).expect("an edited unit");
    let drifted = housecall(&mirror, &[], 1);
    assert!(drifted.contains("job-drift"), "{drifted}");
    let _ = housecall(&mirror, &["--fix"], 0);
    assert!(text(&unit).contains("RestartSec=2s"));
    assert_eq!(property(&mirror.home, serve, "NeedDaemonReload"), "no");

    let _ = systemctl(&mirror.home, ["disable", "--now", serve]);
    let _ = housecall(&mirror, &["--fix"], 1);
    assert_eq!(pid(), "0", "what its user disabled stays so");

    let _ = housecall(&mirror, &["uninstall"], 0);
    assert_eq!(mirror.listener(), None);
    let list = mirror
        .home
        .command("find")
        .arg(mirror.home.at(".config/systemd/user"))
        .args(["!", "-type", "d"])
        .output();
    assert_eq!(String::from_utf8_lossy(&list.expect("find runs").stdout), "", "nothing is left");
    assert_eq!(property(&mirror.home, serve, "LoadState"), "not-found");
}

pub(crate) fn installed_astro() {
    let mirror = Mirror::astro();
    let _manager = with_systemd(&mirror, "2s");
    let _ = housecall(&mirror, &["install"], 0);
    let serves = |what: &str| eventually(Duration::from_secs(30), || mirror.page("/").contains(what));
    assert!(serves("The first text"));
    let old = mirror.listener().expect("a server");
    signal(old, "KILL");
    assert!(eventually(SOON, || mirror.listener().is_some_and(|it| it != old)), "it comes back");
    assert!(serves("The first text"));
    let _ = housecall(&mirror, &["uninstall"], 0);
    assert_eq!(mirror.listener(), None, "no server is left behind");
}

/// A sync that ran while the server was away is red until its next run, in an hour: a mend runs it again.
pub(crate) fn rerun() {
    let mirror = Mirror::fixed();
    let _manager = with_systemd(&mirror, "1h");
    let (sync, serve) = ("housecall-site-sync.service", "housecall-site-serve.service");
    let _ = housecall(&mirror, &["install"], 0);
    let is_done = || property(&mirror.home, sync, "ActiveState") == "inactive";
    assert!(eventually(SOON, is_done), "the first sync ends");
    let _ = systemctl(&mirror.home, ["stop", serve]);
    let _ = systemctl(&mirror.home, ["start", "--no-block", sync]);
    let has_failed = || property(&mirror.home, sync, "ActiveState") == "failed";
    assert!(eventually(SOON * 2, has_failed), "{}", text(mirror.state().join("logs/sync.log")));
    let before = property(&mirror.home, sync, "InvocationID");
    let shown = housecall(&mirror, &["--fix", "--dry-run"], 1);
    // That the sync has to run again shows once the server does.
    assert!(shown.contains(&format!("systemctl --user start {serve}")), "{shown}");
    assert_eq!(property(&mirror.home, sync, "InvocationID"), before, "it is only shown");
    let said = housecall(&mirror, &["--fix"], 0);
    assert!(said.contains("rerun"), "{said}");
    assert_ne!(property(&mirror.home, sync, "InvocationID"), before);
    assert_eq!(property(&mirror.home, sync, "ExecMainStatus"), "0", "the new run passed");
    let _ = housecall(&mirror, &[], 0);
}
