//! `housecall lint`, the real binary on real files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use support::Folder;

use super::job;

fn housecall(home: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_housecall"));
    command
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/bin:/bin")
        .current_dir(home)
        .arg("lint")
        .args(arguments)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn it_tells_people_and_programs_and_its_exit_code_says_the_rest() {
    let home = Folder::new();
    let write = |name: &str, text: &str| fs::write(home.path().join(name), text).unwrap();
    write("com.example.job.plist", &job(""));
    write("typo.plist", &job("<key>WatchPath</key><array/>").replace("com.example.job", "typo"));
    write("bad.plist", "<plist><dict>\n<key>Label</key>\n</dict></plist>");

    let clean = housecall(home.path(), &["com.example.job.plist"]);
    assert_eq!((stdout(&clean).as_str(), clean.status.code()), ("1 file: nothing to say\n", Some(0)));

    let typo = housecall(home.path(), &["typo.plist"]);
    assert_eq!(typo.status.code(), Some(0));
    insta::assert_snapshot!(stdout(&typo), @"
    warning[unknown-key]: `WatchPath` is no key of a job, and launchd ignores it
      ╭▸ typo.plist:7:1
      │
    7 │ <key>WatchPath</key><array/>
      │ ━━━━━━━━━━━━━━━━━━━━━━━━━━━━
      │
      ╰ help: write `WatchPaths`

    1 file: 1 warning
    ");
    assert_eq!(housecall(home.path(), &["--fail-on", "warning", "typo.plist"]).status.code(), Some(1));

    let json = housecall(home.path(), &["--json", "bad.plist", "com.example.job.plist"]);
    assert_eq!(json.status.code(), Some(1));
    insta::assert_snapshot!(stdout(&json), @r#"
    {
      "schema": "housecall.lint/1",
      "files": [
        {
          "path": "bad.plist",
          "findings": [
            {
              "severity": "error",
              "code": "syntax",
              "key": "Label",
              "line": 2,
              "message": "Value missing for key inside <dict> at line 2",
              "suggestion": null
            }
          ]
        },
        {
          "path": "com.example.job.plist",
          "findings": []
        }
      ]
    }
    "#);

    let missing = housecall(home.path(), &["nowhere.plist", "com.example.job.plist"]);
    assert_eq!((stdout(&missing).as_str(), missing.status.code()), ("1 file: nothing to say\n", Some(3)));
    assert!(String::from_utf8(missing.stderr).unwrap().starts_with("error: cannot read "));
    assert_eq!(housecall(home.path(), &["bad.plist", "nowhere.plist"]).status.code(), Some(1));
    assert_eq!(housecall(home.path(), &[]).status.code(), Some(2));
}

#[test]
fn a_secret_is_told_and_never_shown() {
    let home = Folder::new();
    let keys =
        "<key>EnvironmentVariables</key><dict><key>API_KEY</key><string>hunter2hunter2</string></dict>";
    fs::write(home.path().join("com.example.job.plist"), job(keys)).unwrap();
    for arguments in [&["com.example.job.plist"][..], &["--json", "com.example.job.plist"]] {
        let told = stdout(&housecall(home.path(), arguments));
        assert!(told.contains("looks like a secret") && !told.contains("hunter2"), "{told}");
    }
}

#[test]
fn what_this_machine_says_counts_where_launchd_loads_jobs_from() {
    let home = Folder::new();
    let agents = home.path().join("Library/LaunchAgents");
    fs::create_dir_all(&agents).unwrap();
    let log = home.path().join("gone/x.log");
    let text = job(&format!("<key>StandardErrorPath</key><string>{}</string>", log.display()));
    let file = agents.join("com.example.job.plist");
    fs::write(&file, &text).unwrap();
    fs::write(home.path().join("com.example.job.plist"), &text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();

    let elsewhere = housecall(home.path(), &["com.example.job.plist"]);
    assert_eq!(elsewhere.status.code(), Some(0), "{}", stdout(&elsewhere));
    let installed = housecall(home.path(), &["--json", "Library/LaunchAgents/com.example.job.plist"]);
    assert_eq!(installed.status.code(), Some(1));
    for code in ["writable-file", "missing-directory"] {
        assert!(stdout(&installed).contains(code), "{}", stdout(&installed));
    }
}

#[test]
fn a_unit_is_judged_by_systemd_where_that_is() {
    let home = Folder::new();
    let unit = "[Service]\nExecStart=/bin/true\nRestrt=always\nRestartSec=soon\n";
    fs::write(home.path().join("typo.service"), unit).unwrap();
    fs::write(home.path().join("good.service"), "[Service]\nExecStart=/bin/true\n").unwrap();
    let judged = housecall(home.path(), &["--json", "typo.service", "good.service"]);
    if !Path::new("/usr/bin/systemd-analyze").exists() {
        assert_eq!(judged.status.code(), Some(3));
        eprintln!("skipped: systemd-analyze is not here");
        return;
    }
    let told: serde_json::Value = serde_json::from_slice(&judged.stdout).unwrap();
    let found = &told["files"][0]["findings"];
    assert_eq!((&found[0]["code"], &found[0]["line"]), (&"unknown-key".into(), &3.into()), "{told}");
    assert_eq!((&found[0]["key"], &found[0]["suggestion"]), (&"Restrt".into(), &"Restart".into()));
    assert_eq!((&found[1]["code"], &found[1]["line"]), (&"bad-value".into(), &4.into()));
    assert_eq!(told["files"][1]["findings"], serde_json::json!([]));
    assert_eq!(judged.status.code(), Some(0));
}
