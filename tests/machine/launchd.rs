//! launchd led through a `launchctl` on PATH: the simulator with real processes stands in for it.
#![expect(clippy::disallowed_methods, reason = "tests make the world that the product only looks at")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use housecall::check::Severity;
use housecall::config::{Config, Limits, Surroundings};
use housecall::error::StepError;
use housecall::lint::{self, Place};
use housecall::probes::machine::Machine;
use housecall::services::launchd::MANAGER;
use housecall::services::{Definition, Job, Keep, MARKER, Observed, Scope, State, Verb};
use support::launchd::Launchd;
use support::processes::{self, eventually};

const SOON: Duration = support::processes::HANG;

fn config(launchd: &Launchd) -> Config {
    let environment: BTreeMap<String, String> = launchd
        .home
        .environment()
        .iter()
        .map(|(name, value)| (name.clone(), value.to_string_lossy().into_owned()))
        .collect();
    let home = launchd.home.path().to_owned();
    let surroundings =
        Surroundings { home: home.clone(), directory: home.clone(), environment, odd: [].into(), uid: 0 };
    let limits = Limits { timeout: Duration::from_secs(20), ..Limits::default() };
    Config::of_text("name = \"site\"\n", &home.join("housecall.toml"), &surroundings, limits)
        .expect("a configuration")
}

fn job(label: &str) -> Job {
    Job { name: label.to_owned(), label: label.to_owned(), scope: Scope::Agent, file: None }
}

fn act(launchd: &Launchd, label: &str, verb: Verb) -> Result<Option<String>, StepError> {
    (MANAGER.act)(&Machine::default(), &config(launchd), &job(label), verb)
}

fn observe(launchd: &Launchd, label: &str) -> Observed {
    (MANAGER.observe)(&Machine::default(), &config(launchd), &job(label)).expect("launchctl answers")
}

fn definition(home: &Path, keep: Keep) -> Definition {
    Definition {
        job: job("me.site.localhost-serve"),
        description: "serves the mirror site -- all of it".to_owned(),
        argv: ["/usr/local/bin/housecall", "--config", "/a <b> & c.toml", "serve"]
            .map(str::to_owned)
            .to_vec(),
        environment: [("LANG".to_owned(), "fr_FR.UTF-8".to_owned())].into(),
        directory: home.to_owned(),
        stdout: home.join("Library/Logs/me.site.localhost-serve.out.log"),
        stderr: home.join("Library/Logs/me.site.localhost-serve.err.log"),
        keep,
    }
}

#[test]
fn what_is_rendered_is_ours_clean_and_says_how_it_is_kept() {
    let launchd = Launchd::new();
    let config = config(&launchd);
    for (keep, key) in [(Keep::Alive, "KeepAlive"), (Keep::Every(Duration::from_mins(1)), "StartInterval")] {
        let [file] = &(MANAGER.render)(&config, &definition(&config.home, keep))[..] else {
            panic!("a job of launchd is one file")
        };
        assert_eq!(file.path, launchd.home.at("Library/LaunchAgents/me.site.localhost-serve.plist"));
        assert!(file.content.contains(MARKER), "{}", file.content);
        let findings = lint::lint(&file.path.to_string_lossy(), file.content.as_bytes(), &Place::Elsewhere);
        let findings = findings.expect("a job");
        assert!(findings.iter().all(|it| it.severity == Severity::Info), "{findings:#?}\n{}", file.content);
        let comment = file.content.split("<!--").nth(1).and_then(|it| it.split("-->").next());
        assert!(!comment.expect("a comment").contains("--"), "strict parsers take it too");
        let value: plist::Value = plist::from_bytes(file.content.as_bytes()).expect("a property list");
        let root = value.as_dictionary().expect("a dictionary");
        for wanted in ["Label", "ProgramArguments", "RunAtLoad", "ExitTimeOut", "ThrottleInterval", key] {
            assert!(root.contains_key(wanted), "{wanted} is in {root:?}");
        }
        assert_eq!(root.contains_key("KeepAlive"), keep == Keep::Alive, "never both");
        let argv = root["ProgramArguments"].as_array().expect("arguments");
        assert_eq!(argv[2].as_string(), Some("/a <b> & c.toml"), "escaped as XML wants it");
    }
}

#[test]
fn a_job_is_loaded_observed_and_left_alone_once_it_is() {
    let launchd = Launchd::new();
    let agent = launchd.serving(
        "a.site",
        "0",
        "<key>StartInterval</key><integer>90</integer>\n\
         <key>EnvironmentVariables</key><dict><key>A</key><string>b =&gt; c</string></dict>",
    );
    assert_eq!(observe(&launchd, "a.site").state, State::Absent);
    assert_eq!(act(&launchd, "a.site", Verb::Load), Ok(None));
    let seen = observe(&launchd, "a.site");
    assert_eq!((&seen.state, seen.pid, seen.runs), (&State::Running, launchd.pid("a.site"), Some(1)));
    assert_eq!((seen.file.as_deref(), seen.last_exit.as_ref()), (Some(agent.file.as_path()), None));
    assert_eq!(seen.stdout, Some(launchd.home.at("Library/Logs/a.site.out.log")));
    assert!(seen.since.is_some() && !seen.disabled);
    let loaded = seen.loaded.expect("what is cached");
    assert_eq!(loaded.program, Some(PathBuf::from("/usr/bin/python3")));
    assert_eq!(loaded.environment, Some([("A".to_owned(), "b => c".to_owned())].into()), "only its own");
    assert_eq!(loaded.interval, Some(Duration::from_secs(90)));

    let again = act(&launchd, "a.site", Verb::Load).expect("no harm");
    assert_eq!(again.as_deref(), Some("it was loaded already"));
    assert_eq!(launchd.pid("a.site"), seen.pid, "and its process was not touched");
    assert!(!launchd.was_legacy_used());
}

#[test]
fn an_unload_returns_when_the_process_is_really_gone() {
    let launchd = Launchd::new();
    let agent = launchd.serving("a.site", "1.5", "");
    launchd.bootstrap(&agent);
    let pid = launchd.pid("a.site").expect("a process");
    let start = Instant::now();
    assert_eq!(act(&launchd, "a.site", Verb::Unload), Ok(None));
    assert!(start.elapsed() >= Duration::from_millis(1500), "it drained for {:?}", start.elapsed());
    assert!(processes::read(pid).is_none() && launchd.print("a.site").is_none());
    let again = act(&launchd, "a.site", Verb::Unload).expect("no harm");
    assert_eq!(again.as_deref(), Some("it was not loaded"));
}

#[test]
fn one_that_does_not_end_is_killed_by_launchd_and_loaded_again() {
    let launchd = Launchd::new();
    let agent = launchd.serving("a.site", "60", "<key>ExitTimeOut</key><integer>1</integer>");
    launchd.bootstrap(&agent);
    let pid = launchd.pid("a.site").expect("a process");
    assert_eq!(act(&launchd, "a.site", Verb::Reload), Ok(None));
    assert!(launchd.pid("a.site").is_some_and(|it| it != pid));
    assert!(processes::read(pid).is_none());
}

#[test]
fn a_reload_takes_the_edited_file_and_a_restart_does_not() {
    let launchd = Launchd::new();
    let agent = launchd.serving("a.site", "0.3", "");
    launchd.bootstrap(&agent);
    let text = fs::read_to_string(&agent.file).expect("the file");
    let edited =
        text.replace("</dict>\n</plist>", "<key>StartInterval</key><integer>77</integer></dict>\n</plist>");
    fs::write(&agent.file, edited).expect("the file");
    let interval = || observe(&launchd, "a.site").loaded.and_then(|it| it.interval);
    let pid = launchd.pid("a.site");
    assert_eq!(act(&launchd, "a.site", Verb::Restart), Ok(None));
    assert_ne!(launchd.pid("a.site"), pid, "another process");
    assert_eq!(interval(), None, "of the cached definition");
    assert_eq!(act(&launchd, "a.site", Verb::Reload), Ok(None));
    assert_eq!(interval(), Some(Duration::from_secs(77)));
}

#[test]
fn bootstraps_that_fail_for_no_reason_are_tried_again() {
    let launchd = Launchd::with(&[("LAUNCHCTL_SIM_TRANSIENT_5", "3")]);
    let _ = launchd.serving("a.site", "0", "");
    let note = act(&launchd, "a.site", Verb::Load).expect("it is loaded in the end");
    assert_eq!(note.as_deref(), Some("launchd took it at try 4"));
    assert_eq!(observe(&launchd, "a.site").state, State::Running);
}

#[test]
fn a_disable_is_a_durable_stop_that_nothing_undoes_unasked() {
    let launchd = Launchd::new();
    let agent = launchd.serving("a.site", "0", "");
    launchd.bootstrap(&agent);
    let (code, _) = launchd.ctl(&["disable", &launchd.target("a.site")]);
    assert_eq!(code, 0);
    let pid = launchd.pid("a.site");
    let refused = |verb| match act(&launchd, "a.site", verb) {
        Err(StepError::Refused(why)) => why,
        other => panic!("{other:?}"),
    };
    assert!(refused(Verb::Reload).contains("launchctl enable gui/"));
    assert_eq!(launchd.pid("a.site"), pid, "it runs on: a reload would have been its end");
    assert!(observe(&launchd, "a.site").disabled);

    assert_eq!(act(&launchd, "a.site", Verb::Disable), Ok(None));
    assert_eq!(observe(&launchd, "a.site").state, State::Absent);
    assert!(refused(Verb::Load).contains("durable stop"));
    assert!(launchd.print("a.site").is_none());
    assert_eq!(act(&launchd, "a.site", Verb::Enable), Ok(None));
    assert_eq!(act(&launchd, "a.site", Verb::Load), Ok(None));
    assert_eq!(observe(&launchd, "a.site").state, State::Running);
}

#[test]
fn what_launchd_would_refuse_is_refused_while_the_old_one_runs() {
    let launchd = Launchd::new();
    let agent = launchd.serving("a.site", "0", "");
    launchd.bootstrap(&agent);
    let pid = launchd.pid("a.site");
    let text = fs::read_to_string(&agent.file).expect("the file");
    let bad = [
        ("no property list", text.replace("</array>", "")),
        ("another label", text.replace(">a.site<", ">b.site<")),
        ("no program", text.replace("ProgramArguments", "ProgrammArguments")),
    ];
    for (what, bad) in bad {
        fs::write(&agent.file, bad).expect("the file");
        let refused = act(&launchd, "a.site", Verb::Reload);
        assert!(matches!(refused, Err(StepError::Refused(_))), "{what}: {refused:?}");
    }
    fs::remove_file(&agent.file).expect("the file");
    let refused = act(&launchd, "a.site", Verb::Reload).expect_err("it is gone");
    assert!(refused.to_string().contains("is not there"), "{refused}");
    assert_eq!(launchd.pid("a.site"), pid, "nothing touched it");
}

#[test]
fn ends_before_exec_and_crash_loops_are_seen_as_what_they_are() {
    let launchd = Launchd::new();
    let missing = launchd.agent(
        "a.missing",
        "<key>ProgramArguments</key><array><string>/nowhere/tool</string></array><key>RunAtLoad</key><true/>",
    );
    launchd.bootstrap(&missing);
    let exit = observe(&launchd, "a.missing").last_exit.expect("an end");
    assert_eq!(exit.code, Some(78));
    assert!(exit.told.contains("could not start the program"), "{}", exit.told);

    let crashing = launchd.agent(
        "a.crash",
        "<key>ProgramArguments</key><array><string>/bin/sh</string><string>-c</string><string>exit 3</string></array>\
         <key>KeepAlive</key><true/>",
    );
    launchd.bootstrap(&crashing);
    let backs_off = || observe(&launchd, "a.crash").state == State::BackingOff;
    assert!(eventually(SOON, backs_off), "{:?}", observe(&launchd, "a.crash"));
    let runs = observe(&launchd, "a.crash").runs;
    assert!(eventually(SOON, || observe(&launchd, "a.crash").runs > runs), "it goes on and on");
    assert_eq!(observe(&launchd, "a.crash").last_exit.and_then(|it| it.code), Some(3));
}

#[test]
fn without_a_session_it_says_so_and_without_launchctl_it_cannot_tell() {
    let launchd = Launchd::with(&[("LAUNCHCTL_SIM_NO_GUI", "1")]);
    let _ = launchd.serving("a.site", "0", "");
    let State::Refused(why) = observe(&launchd, "a.site").state else { panic!("there is no session") };
    assert!(why.contains("no GUI session"), "{why}");
    let refused = act(&launchd, "a.site", Verb::Load);
    assert!(
        matches!(&refused, Err(StepError::Refused(why)) if why.contains("no GUI session")),
        "{refused:?}"
    );

    let mut config = config(&launchd);
    config.system_path = vec![PathBuf::from("/nowhere")];
    let failed = (MANAGER.observe)(&Machine::default(), &config, &job("a.site"));
    assert!(failed.is_err_and(|it| it.to_string().contains("launchctl")));
}

#[test]
fn what_launchctl_says_in_riddles_is_unknown() {
    let launchd = Launchd::new();
    for (says, code) in
        [("gui/0/a.site = {\\n\\tstate = running\\n\\tpid = 12\\n", 0), ("", 77), ("hello", 0)]
    {
        launchd.home.program("bin/launchctl", &format!("#!/bin/sh\nprintf '{says}'\nexit {code}\n"));
        let seen = observe(&launchd, "a.site");
        assert!(matches!(seen.state, State::Unknown(_)), "{says:?}: {seen:?}");
    }
}
