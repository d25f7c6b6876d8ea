//! `housecall bundle`: all that helps is in it, nothing that is nobody's to know, and it harms no file.
#![expect(clippy::disallowed_methods, reason = "a test makes a world and looks at it")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use support::{Home, Mirror};

const ENVIRONMENT: &str = "planted-in-env-4711";
const SERVED: &str = "planted-in-serve-0815";
const DEFINED: &str = "planted-in-plist-2342";
const ADDRESS: &str = "planted-in-url-1337";
const CARRIED: &str = "planted-in-carried-9001";
const SHAPED: &str = "4f9Kq2Zr8Tn1Vb6Xc3Wd7Ly5Hs0Jg";

/// The files of a bundle, by their names, as tar unpacks them.
fn unpacked(home: &Home, bundle: &Path) -> BTreeMap<String, Vec<u8>> {
    let place = home.at("unpacked");
    let _ = fs::remove_dir_all(&place);
    fs::create_dir(&place).expect("a folder");
    let tar = Command::new("tar").arg("-xzf").arg(bundle).arg("-C").arg(&place).status().expect("tar");
    assert!(tar.success());
    let mut files = BTreeMap::new();
    let mut pending = vec![place.join("housecall-bundle")];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                pending.push(path);
            } else {
                let name = path.strip_prefix(place.join("housecall-bundle")).expect("a name");
                files.insert(name.display().to_string(), fs::read(&path).expect("a file"));
            }
        }
    }
    files
}

fn planted() -> Mirror {
    let mut mirror = Mirror::fixed().with_launchd();
    let home = &mut mirror.home;
    home.set("DEPLOY_TOKEN", ENVIRONMENT);
    home.set("USER", "annabella");
    home.write("dev/site/public/index.html", format!("<p>The first text. {ENVIRONMENT} ghp_{SHAPED}</p>"));
    home.git(
        &mirror.repository,
        ["remote", "set-url", "origin", &format!("http://ann:{ADDRESS}@127.0.0.1:1/site.git")],
    );
    home.write(
        "Library/LaunchAgents/org.annabella.conductor.plist",
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\"><dict>\n<key>Label</key><string>org.annabella.conductor</string>\n\
             <key>ProgramArguments</key><array><string>/bin/sleep</string><string>--token</string><string>{SHAPED}</string></array>\n\
             <key>EnvironmentVariables</key><dict><key>CONDUCTOR_SECRET</key><string>{DEFINED}</string></dict>\n</dict></plist>\n"
        ),
    );
    let logs = format!(
        "/home/annabella/x {ENVIRONMENT} {CARRIED}\n{SERVED} {DEFINED}\ngh\u{1b}[31mp_{SHAPED}\n-----BEGIN {key}-----\n{SHAPED}\n-----END {key}-----\n{}\n",
        home.path().display(),
        key = "PRIVATE KEY",
    );
    for name in ["logs/serve.log", "logs/sync.log", "events.log", "journal.jsonl"] {
        home.write(format!("ops/state/{name}"), format!("{logs}{}", "line\n".repeat(300)));
        home.write(format!("ops/state/{name}"), format!("{}{logs}", "line\n".repeat(300)));
    }
    mirror.configure("[jobs]", "[service.conductor]\nlabel = \"org.annabella.conductor\"\n\n[jobs]");
    mirror.home.write("dev/site/.env.local", format!("export DB_PASSWORD=\"{CARRIED}\"\n"));
    mirror.configure("install = []", "install = []\ncarry = [\".env.local\"]");
    mirror.home.write(
        ".config/housecall/more.toml",
        format!("# {CARRIED}\n[check.more]\nenv = {{ name = \"HOME\" }}\n"),
    );
    mirror.configure("name = \"site\"\n", "name = \"site\"\ninclude = [\"more.toml\"]\n");
    mirror.configure("ready = ", &format!("env = {{ API_SECRET = \"{SERVED}\" }}\nready = "));
    mirror
}

#[test]
fn a_bundle_holds_the_facts_and_nothing_that_is_nobodys_to_know() {
    let mirror = planted();
    let _ = mirror.run(&["sync"]);
    let ran = mirror.run(&["bundle", "--output", "help.tar.gz"]).exits(0);
    let bundle = mirror.home.at("help.tar.gz");
    assert_eq!(fs::metadata(&bundle).expect("the bundle").permissions().mode() & 0o777, 0o600);
    let files = unpacked(&mirror.home, &bundle);
    for name in [
        "manifest.json",
        "report.json",
        "report.md",
        "facts.json",
        "config.toml",
        "config/1-more.toml",
        "logs/serve.log",
        "state/events.log",
    ] {
        assert!(files.contains_key(name), "{name} is in {:?}", files.keys());
        assert!(ran.stdout.contains(name) || name == "manifest.json", "{name} is listed\n{ran}");
    }
    assert!(
        files.keys().any(|name| name.starts_with("jobs/") && name.contains("conductor")),
        "{:?}",
        files.keys()
    );
    let home = mirror.home.path().to_string_lossy();
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let names = home.rsplit('/').next().expect("a name");
    for secret in
        [ENVIRONMENT, SERVED, DEFINED, ADDRESS, CARRIED, SHAPED, &home, names, "annabella", host.trim()]
    {
        for (name, content) in &files {
            let text = String::from_utf8_lossy(content);
            let found = text.lines().find(|line| !secret.is_empty() && line.contains(secret));
            assert!(found.is_none() && !name.contains(secret), "{name} holds {secret}: {found:?}");
        }
    }
    let parsed = |name: &str| serde_json::from_slice::<serde_json::Value>(&files[name]).expect("JSON");
    assert_eq!(parsed("report.json")["schema"], "housecall.report/1");
    assert_eq!(parsed("facts.json")["schema"], "housecall.facts/1");
    assert!(parsed("manifest.json")["redacted"]["[redacted:user]"].as_u64() > Some(0));
    assert!(parsed("manifest.json")["files"].as_array().is_some_and(|it| it.len() + 1 == files.len()));
    let log = String::from_utf8_lossy(&files["logs/serve.log"]).lines().count();
    assert!((150..=200).contains(&log), "the last 200 lines: {log}");
}

#[test]
fn a_bundle_takes_the_place_of_nothing_and_follows_no_link() {
    let mirror = Mirror::fixed();
    let theirs = mirror.home.write("theirs", "kept");
    symlink(&theirs, mirror.home.at("link")).expect("a link");
    symlink(mirror.home.at("nowhere"), mirror.home.at("dangling")).expect("a link");
    for name in ["theirs", "link", "dangling"] {
        let ran = mirror.run(&["bundle", "-o", name]).exits(3);
        assert!(ran.stderr.contains("exists"), "{ran}");
    }
    assert_eq!(fs::read_to_string(&theirs).expect("the file"), "kept");
    assert!(!mirror.home.at("nowhere").exists());

    let secret = mirror.home.write("private", "nobody's\n");
    fs::create_dir_all(mirror.state()).expect("the state");
    symlink(secret, mirror.state().join("events.log")).expect("a link");
    let ran = mirror.run(&["bundle", "-o", "it.tar.gz"]).exits(0);
    assert!(ran.stdout.contains("state/events.log: cannot read"), "{ran}");
    let files = unpacked(&mirror.home, &mirror.home.at("it.tar.gz"));
    assert!(files.values().all(|it| !String::from_utf8_lossy(it).contains("nobody's")));
}
