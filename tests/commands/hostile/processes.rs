//! Processes that mean harm: names, arguments and directories that steer a terminal, are too long, or pretend.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use support::processes::{Kept, eventually};
use support::servers::answers;
use support::{Home, Mirror};

use super::world::{WICKED, harmless};

/// A file server under another name, with one more argument than it needs.
fn serving(home: &Home, name: &OsStr, extra: &OsStr, directory: &Path, port: u16) -> Kept {
    let program = "import http.server as h, sys; h.HTTPServer(('127.0.0.1', int(sys.argv[1])), h.SimpleHTTPRequestHandler).serve_forever()";
    let mut command: Command = home.command("/usr/bin/python3");
    command.arg0(name).args(["-c", program, &port.to_string()]).arg(extra).current_dir(directory);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let server = Kept::start(&mut command);
    assert!(eventually(Duration::from_secs(10), || answers(([127, 0, 0, 1], port))), "it serves");
    server
}

#[test]
fn no_process_steers_the_terminal_of_whoever_asks_for_it() {
    let long = "x".repeat(100 << 10);
    let wicked = format!("{WICKED}\n{WICKED}");
    let bytes = OsStr::from_bytes(b"\xff\xfe\x1b]0;x\x07\n");
    for (name, extra) in [
        (OsStr::new("node"), OsStr::new(&*wicked)),
        (OsStr::new(&*wicked), OsStr::new("")),
        (OsStr::new("node"), OsStr::new(&*long)),
        (bytes, bytes),
    ] {
        let mirror = Mirror::fixed();
        let directory =
            mirror.home.at(OsStr::from_bytes(&[b"d\x1b[31m\n\xe2\x80\xae", bytes.as_bytes()].concat()));
        fs::create_dir(&directory).expect("a directory");
        mirror.home.git(&directory, ["init", "--quiet"]);
        mirror.home.git(&directory, ["symbolic-ref", "HEAD", "refs/heads/\u{202e}evil"]);
        let _server = serving(&mirror.home, name, extra, &directory, mirror.port);
        for format in ["human", "json", "ndjson", "junit", "tap", "prometheus", "github", "markdown"] {
            harmless(&mirror.run(&["--format", format, "-v", "--only", "server"]));
        }
        let port = mirror.port.to_string();
        for more in [&["who", &port][..], &["who", &port, "--json"]] {
            let ran = mirror.home.housecall(more);
            harmless(&ran);
            assert!(ran.stdout.len() < 8 << 10, "{} bytes are told", ran.stdout.len());
        }
        fs::remove_dir_all(&directory).expect("it goes");
        harmless(&mirror.home.housecall(["who", &port]));
        harmless(&mirror.run(&["--json", "--only", "server"]));
    }
}

#[test]
fn who_only_pretends_to_be_the_mirrors_server_is_left_alone() {
    let mirror = Mirror::fixed();
    let config = mirror.config.to_string_lossy().into_owned();
    fs::create_dir_all(mirror.home.at("elsewhere")).expect("a directory");
    let named = OsString::from("housecall");
    let extra = OsString::from(format!("--config {config} serve"));
    let mut server = serving(&mirror.home, &named, &extra, &mirror.home.at("elsewhere"), mirror.port);
    // A keeper's file may name any process; without the keeper's lock nobody believes it.
    let identity = "{\"schema\":1,\"pid\":PID,\"identity\":1,\"since\":\"2026-01-01T00:00:00Z\",\"server\":{\"started\":{\"pid\":PID,\"identity\":1,\"at\":\"2026-01-01T00:00:00Z\"}}}";
    mirror.home.write("ops/state/keeper.json", identity.replace("PID", &server.pid().to_string()));
    let report = mirror.mend();
    assert!(server.alive(), "it was ended: {}", report.troubles());
    assert_eq!(mirror.listener(), Some(server.pid()));
    assert_ne!(report.verdict(), "healthy", "a stranger serves");
    for verb in [&["down"][..], &["stop"], &["restart"]] {
        let _ = mirror.run(verb);
        assert!(server.alive(), "{verb:?} ended it");
    }
}
