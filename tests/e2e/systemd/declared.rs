//! The kind `service` of declared checks, of real units.

use support::Home;
use support::processes::eventually;
use support::systemd::{UserManager, property, systemctl};

use super::SOON;

/// A configuration of one check for each question, in this order.
fn ask(home: &Home, questions: &[&str]) -> Vec<String> {
    let checks: Vec<String> = questions
        .iter()
        .enumerate()
        .map(|(at, question)| {
            format!("[check.q{at:02}]\nservice = {{ name = {question}, manager = \"systemd\" }}\n")
        })
        .collect();
    home.write("housecall.toml", checks.join("\n"));
    let ran = home.housecall(["--json"]);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("a report");
    let told = |check: &serde_json::Value| {
        let part = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
        format!("{} {}", part("status"), part("message")).trim().to_owned()
    };
    report["checks"].as_array().expect("the checks").iter().map(told).collect()
}

/// A unit that runs, one that is done and in effect, one that fails again and again, one that nobody knows.
pub(crate) fn asked() {
    let home = Home::new();
    let unit = |name: &str, text: &str| home.write(format!(".config/systemd/user/{name}"), text);
    unit("runs.service", "[Service]\nExecStart=/bin/sleep 600\n[Install]\nWantedBy=default.target\n");
    unit("done.service", "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n");
    unit(
        "fails.service",
        "[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=10ms\n[Unit]\nStartLimitBurst=3\nStartLimitIntervalSec=60\n",
    );
    let _manager = UserManager::start(&home);
    for arguments in [&["enable", "--now", "runs"][..], &["start", "done"], &["start", "--no-block", "fails"]]
    {
        assert!(systemctl(&home, arguments).status.success(), "{arguments:?}");
    }
    let has_failed = || property(&home, "fails.service", "ActiveState") == "failed";
    assert!(eventually(SOON, has_failed), "it gives up");
    let told = ask(
        &home,
        &[
            "\"runs\"",
            "\"runs.service\", enabled = true, active = true, loaded = true, restarts = 0",
            "\"runs\", running = false",
            "\"runs\", enabled = false",
            "\"done\", active = true, running = false, enabled = false",
            "\"done\"",
            "\"fails\"",
            "\"fails\", loaded = true, active = false",
            "\"fails\", restarts = 1",
            "\"nowhere\"",
            "\"nowhere\", loaded = false",
            "\"nowhere\", enabled = true",
            "\"runs\", scope = \"daemon\"",
        ],
    );
    let wanted = [
        "pass",
        "pass",
        "fail the service runs runs",
        "fail the service runs is enabled",
        "fail the service done is enabled",
        "fail the service done does not run",
        "fail the service fails does not run",
        "pass",
        "fail the service fails does not run",
        "fail the service nowhere does not run",
        "pass",
        "fail the service nowhere is not enabled",
    ];
    assert_eq!(told[..wanted.len()], wanted);
    assert!(told[wanted.len()].starts_with("unknown cannot ask systemd"), "{told:#?}");
}
