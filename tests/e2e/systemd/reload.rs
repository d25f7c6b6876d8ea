//! `housecall reload` of what systemd keeps: a declared unit, and the mirror's own server.

use std::fs;

use support::processes::eventually;
use support::servers::free_port;
use support::systemd::{UserManager, journal, property, systemctl};
use support::{Home, Mirror, Ran};

use super::SOON;

const UNIT: &str = "site.service";

/// A server that says when it begins, and where there is a file `sick` never listens: once, unless that says
/// `for ever`.
const SERVER: &str = r#"
import http.server, os, sys, time
print("begins", flush=True)
print("complains", file=sys.stderr, flush=True)
if os.path.exists("sick"):
    if open("sick").read() != "for ever":
        os.unlink("sick")
    time.sleep(600)
os.makedirs("www", exist_ok=True)
os.chdir("www")
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"#;

/// A unit of the user's own, declared as the service `site`.
struct Declared {
    home: Home,
    port: u16,
    _manager: UserManager,
}

impl Declared {
    fn new(logs: &str) -> Self {
        let (home, port) = (Home::new(), free_port());
        let server = home.write("server.py", SERVER);
        let unit = format!(
            "[Service]\nExecStart=/usr/bin/python3 {} {port}\nWorkingDirectory={1}\n{2}\n\
             [Install]\nWantedBy=default.target\n",
            server.display(),
            home.path().display(),
            logs.replace('~', &home.path().to_string_lossy())
        );
        home.write(format!(".config/systemd/user/{UNIT}"), unit);
        home.write(
            "housecall.toml",
            format!(
                "name = \"ops\"\n\n[service.site]\nunit = \"{UNIT}\"\nhealth = \"http://127.0.0.1:{port}/\"\n\
                 tries = 4\nevery = \"500ms\"\ntimeout = \"1s\"\n"
            ),
        );
        let manager = UserManager::start(&home);
        let enabled = systemctl(&home, ["enable", "--now", UNIT]);
        assert!(enabled.status.success(), "{enabled:?}");
        Self { home, port, _manager: manager }
    }

    fn reload(&self, more: &[&str]) -> Ran {
        self.home.housecall([&["reload", "site"], more].concat())
    }

    fn pid(&self) -> String {
        property(&self.home, UNIT, "MainPID")
    }
}

/// Read again, believed when it answers, and restarted exactly once where it does not.
pub(crate) fn declared() {
    let site = Declared::new("StandardOutput=append:~/out.log\nStandardError=append:~/err.log");
    let begun = || fs::read_to_string(site.home.at("out.log")).unwrap_or_default().matches("begins").count();
    assert!(eventually(SOON, || begun() == 1), "it was started");
    let before = site.pid();
    let shown = site.reload(&["--dry-run"]).exits(0);
    assert!(shown.stdout.contains("systemctl --user daemon-reload"), "{shown}");
    assert_eq!(site.pid(), before, "a dry run does nothing");

    let ran = site.reload(&[]).exits(0);
    assert!(ran.stdout.contains("answers 200 without a further restart"), "{ran}");
    assert_ne!(site.pid(), before);
    assert_eq!(begun(), 2);

    site.home.write("sick", "once");
    let ran = site.reload(&[]).exits(0);
    assert!(ran.stdout.contains("answers 200 after one more restart"), "{ran}");
    assert_eq!(begun(), 4, "one reload, one restart");

    site.home.write("sick", "for ever");
    let ran = site.reload(&[]).exits(1);
    assert_eq!(begun(), 6, "one reload, one restart, no more");
    for wanted in [
        "it is loaded and does not serve, nor after one restart",
        &format!("last probe: http://127.0.0.1:{}/: nobody listens", site.port),
        "state: running; pid ",
        "| ActiveState=active",
        "stdout: ~/out.log, its 6 lines",
        "| begins",
        "stderr: ~/err.log, its ",
        "| complains",
        "try by hand:",
        &format!("systemctl --user restart {UNIT}"),
        "curl -i --max-time 1 ",
    ] {
        assert!(ran.stderr.contains(wanted), "{wanted:?} is missing: {ran}");
    }
    assert_ne!(site.pid(), "0", "and it is left running");
    let ran = site.reload(&["--skip-kickstart"]).exits(1);
    assert!(ran.stderr.contains("no restart was tried, as asked"), "{ran}");
    assert_eq!(begun(), 7, "no recovery");
}

/// What a unit writes to no file of its own is read from the journal.
pub(crate) fn in_journal() {
    let home = Home::new();
    let _journal = journal(&home);
    let site = Declared::new("");
    site.home.write("sick", "for ever");
    let ran = site.reload(&[]).exits(1);
    for wanted in
        ["stdout: unavailable", "stderr: unavailable", "journal: its ", ": begins\n", ": complains\n"]
    {
        assert!(ran.stderr.contains(wanted), "{wanted:?} is missing: {ran}");
    }
    let by_hand = format!("    journalctl --user-unit={UNIT} --lines=20\n");
    assert!(ran.stderr.contains(&by_hand), "{ran}");
}

/// The mirror's server, and then its sync, by their names or by none.
pub(crate) fn of_mirror() {
    let mut mirror = Mirror::fixed();
    let _ = mirror.home.install_binary();
    mirror.configure("manager = \"embedded\"", "manager = \"systemd\"");
    let _manager = UserManager::start(&mirror.home);
    let _ = mirror.run(&["install"]).exits(0);
    mirror.settle();
    for name in [&["reload"][..], &["reload", "serve"], &["reload", "--all"]] {
        let before = mirror.listener().expect("a server");
        let ran = mirror.run(name).exits(0);
        assert!(ran.stdout.contains("housecall-site-serve.service reloaded: http://"), "{ran}");
        assert!(ran.stdout.contains("/ answers 200 without a further restart"), "{ran}");
        assert_eq!(
            ran.stdout.contains("housecall-site-sync."),
            name.len() == 1 || name[1] == "--all",
            "{ran}"
        );
        assert_ne!(mirror.listener(), Some(before), "another process: {ran}");
        mirror.settle();
    }
    let _ = mirror.examine().healthy();
    let _ = mirror.run(&["stop"]).exits(0);
    let ran = mirror.run(&["reload"]).exits(1);
    assert!(ran.stderr.contains("the mirror is stopped"), "{ran}");
    assert_eq!(mirror.listener(), None);
}
