//! `service`: jobs of launchd's; those of systemd's are asked about in `tests/e2e/systemd`, where there is a manager.

use support::launchd::{ctl, domain, stand_in};
use support::processes::eventually;

use super::world::World;

const LABEL: &str = "org.example.worker";

/// A home with launchd, and an agent that is loaded there: what it runs, and whether it does.
fn launchd(script: &str, more: &str) -> World {
    let mut world = World::new();
    stand_in(&mut world.home, &[]);
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\"><dict>\n\
         <key>Label</key><string>{LABEL}</string>\n<key>ProgramArguments</key><array>\
         <string>/bin/sh</string><string>-c</string><string>{script}</string></array>\n{more}</dict></plist>\n"
    );
    let file = world.home.write(format!("Library/LaunchAgents/{LABEL}.plist"), text);
    let (code, said) = ctl(&world.home, &["bootstrap", &domain(), &file.to_string_lossy()]);
    assert_eq!(code, 0, "{said}");
    world
}

fn asked(more: &str) -> String {
    format!("service = {{ name = '{LABEL}', manager = 'launchd'{more} }}")
}

fn shut_down(world: &World) {
    let _ = ctl(&world.home, &["__shutdown"]);
}

#[test]
fn a_job_that_runs_is_told_from_one_that_does_not() {
    let world = launchd("exec sleep 600", "<key>RunAtLoad</key><true/>");
    let runs = || world.look(&asked("")) == "pass";
    assert!(eventually(std::time::Duration::from_secs(10), runs), "{}", world.look(&asked("")));
    for good in [", running = true", ", loaded = true, active = true, enabled = true", ", restarts = 0"] {
        assert_eq!(world.look(&asked(good)), "pass", "{good}");
    }
    let told = world.look(&asked(", running = false"));
    assert!(
        told.starts_with(&format!(
            "fail: the service {LABEL} runs; expected does not run; actual running; pid "
        )),
        "{told}"
    );
    let told = world.look(&asked(", loaded = false"));
    assert!(
        told.starts_with(&format!("fail: the service {LABEL} is loaded; expected is not loaded")),
        "{told}"
    );
    shut_down(&world);
}

#[test]
fn a_job_that_is_idle_disabled_or_not_there_is_told_as_that() {
    let world = launchd("exit 3", "");
    let told = world.look(&asked(""));
    assert_eq!(
        told.split("; from").next().expect("the beginning"),
        format!(
            "fail: the service {LABEL} does not run; expected runs; actual loaded, no process; started 0 times"
        )
    );
    assert_eq!(world.look(&asked(", loaded = true, running = false")), "pass");
    let (code, _) = ctl(&world.home, &["disable", &format!("{}/{LABEL}", domain())]);
    assert_eq!(code, 0);
    assert!(world.look(&asked(", enabled = true")).contains("is not enabled; expected is enabled"));
    let absent = "service = { name = 'org.example.other', manager = 'launchd'";
    let told = world.look(&format!("{absent} }}"));
    assert!(
        told.starts_with(
            "fail: the service org.example.other does not run; expected runs; actual not loaded"
        ),
        "{told}"
    );
    assert_eq!(world.look(&format!("{absent}, loaded = false }}")), "pass");
    shut_down(&world);
}

#[test]
fn a_manager_that_cannot_be_asked_says_nothing_of_the_service() {
    let world = World::new();
    for manager in ["launchd", "systemd", "auto"] {
        for more in ["", ", running = false", ", loaded = false", ", enabled = false"] {
            let told =
                world.look(&format!("service = {{ name = 'x.service', manager = '{manager}'{more} }}"));
            assert!(told.starts_with("unknown: "), "{manager}{more}: {told}");
        }
    }
    // launchd without the user's domain, as over ssh.
    let mut world = World::new();
    stand_in(&mut world.home, &[("LAUNCHCTL_SIM_NO_GUI", "1")]);
    for more in ["", ", running = false", ", loaded = false"] {
        let told = world.look(&asked(more));
        assert!(told.starts_with("unknown: ") && told.contains("there is no GUI session"), "{told}");
    }
    assert_eq!(world.nowhere(&asked("")), "unknown: the test gave no `service`");
}

#[test]
fn what_makes_no_sense_is_told() {
    let world = World::new();
    for (question, told) in [
        ("name = '--now'", "is no label or unit"),
        ("name = 'a b'", "is no label or unit"),
        ("name = 'x', loaded = false, running = true", "nothing more can be asked"),
        ("name = 'x', manager = 'runit'", "unknown variant `runit`"),
    ] {
        let mistakes = world.mistakes(&format!("service = {{ {question} }}"));
        assert!(mistakes.contains(told), "{question}: {mistakes}");
    }
}
