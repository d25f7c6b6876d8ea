//! What other tools call healthy and is not, each in its real situation and with the real binary: red here, or unknown.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use support::processes::{Kept, eventually};
use support::servers::{answers, free_port};
use support::{Home, Ran, Report};

fn gate(text: &str) -> Home {
    let home = Home::new();
    home.write("housecall.toml", text);
    home
}

fn examined(home: &Home, code: i32) -> Report {
    let ran = home.housecall(["--json"]).exits(code);
    Report::new(serde_json::from_str(&ran.stdout).expect("a report"))
}

/// Elsewhere the status of the last action of a group wins: three of five fail, and it exits 0.
#[test]
fn one_failure_of_a_group_is_enough_whatever_comes_last() {
    let check = |at: usize, code: u8| {
        format!("[check.c{at}]\ngroup = \"five\"\ncommand = {{ script = 'exit {code}' }}\n")
    };
    let home =
        gate(&[1, 1, 0, 1, 0].iter().enumerate().map(|(at, code)| check(at, *code)).collect::<String>());
    let report = examined(&home, 1);
    assert_eq!(report.causes(), ["c0", "c1", "c3"]);
    let _ = home.housecall(["--only", "five"]).exits(1);
    let _ = home.housecall(["--only", "c4"]).exits(0);
    let _ = home.housecall(["--only", "c4,c0"]).exits(1);
}

/// Elsewhere a check that is not there is no check, and none failed: exit 0.
#[test]
fn what_is_not_there_cannot_be_selected() {
    let home = gate("[check.port]\ncommand = { run = [\"true\"] }\n");
    for selected in [["--only", "nosuch"], ["--only", "prot"], ["--skip", "nosuch"]] {
        let ran = home.housecall(selected).exits(2);
        assert_eq!(ran.stdout, "", "{ran}");
    }
    assert!(home.housecall(["--only", "prot"]).stderr.contains("did you mean `port`?"));
}

/// Elsewhere a misspelt section is ignored, and the rest is green: exit 0.
#[test]
fn a_misspelt_key_is_a_mistake_at_its_place() {
    let good = "[check.good]\ncommand = { run = [\"true\"] }\n";
    for (bad, near) in [
        ("[chekc.port]\nlistener = { address = \":1\" }\n", "check"),
        ("[check.port]\nlistner = { address = \":1\" }\n", "listener"),
        ("[check.port]\nlistener = { adress = \":1\" }\n", "address"),
        ("[check.port]\nlistener = { address = \":1\" }\nseverty = \"info\"\n", "severity"),
    ] {
        let ran = gate(&format!("{good}{bad}")).housecall(["check"]).exits(2);
        assert!(ran.stderr.contains(near) && ran.stderr.contains("housecall.toml:"), "{ran}");
    }
    // A file that asks nothing is not a healthy one.
    let _ = gate("").housecall(["check"]).exits(3);
}

/// Elsewhere the exit status differs by format: two of nine exit 0 on a failure.
#[test]
fn a_failure_exits_1_in_every_format() {
    let home = gate("[check.bad]\ncommand = { run = [\"false\"] }\n");
    for format in ["human", "json", "ndjson", "junit", "tap", "prometheus", "github", "markdown"] {
        let ran = home.housecall(["--format", format]).exits(1);
        assert!(ran.stdout.contains("bad"), "{format}: {ran}");
        let _ = home.housecall(["--format", format, "--quiet"]).exits(1);
    }
}

/// Elsewhere a fix that does nothing is followed by a tick, and exit 0.
#[test]
fn a_fix_that_does_nothing_mends_nothing() {
    let home =
        gate("[check.made]\nfile = { path = \"made\" }\nfix = { run = [\"true\"], safety = \"safe\" }\n");
    let ran = home.housecall(["--fix", "--json"]).exits(1);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("a report");
    assert_eq!(report["repairs"][0]["result"], "still-failing", "{report:#}");
    assert_eq!(report["verdict"], "unhealthy");
}

/// Elsewhere a check that hangs is waited for without end, or is given up and left running.
#[test]
fn a_check_that_hangs_ends_with_all_it_started() {
    let home = gate(
        "[check.stuck]\ntimeout = \"300ms\"\ncommand = { script = 'sleep 4322 & sleep 4323' }\n\
         [check.well]\ncommand = { run = [\"true\"] }\n",
    );
    let report = examined(&home, 3);
    assert_eq!((report.status("stuck"), report.status("well")), ("unknown", "pass"));
    let gone = || !home.processes().iter().any(|it| it.command.contains("sleep 432"));
    assert!(eventually(support::processes::HANG, gone), "{:?}", home.processes());
}

/// Elsewhere a server on `::1` alone is "not listening", whichever address is asked for.
#[test]
fn each_family_of_addresses_is_named() {
    let server = TcpListener::bind("[::1]:0").expect("a port");
    let port = server.local_addr().expect("its address").port();
    let home = gate(&format!(
        "[check.six]\nlistener = {{ address = \"[::1]:{port}\" }}\n\
         [check.any]\nlistener = {{ address = \":{port}\" }}\n\
         [check.four]\nlistener = {{ address = \"127.0.0.1:{port}\" }}\n"
    ));
    let report = examined(&home, 1);
    assert_eq!((report.status("six"), report.status("any"), report.status("four")), ("pass", "pass", "fail"));
    let message = report.check("four")["message"].as_str().expect("a message");
    assert!(message.contains(&format!("listens only on [::1]:{port}")), "{message}");
}

/// Elsewhere `v20.20.2` "is not a version", in range or not.
#[test]
fn a_version_may_begin_with_a_v() {
    let home = gate(
        "[check.in]\ncommand = { run = [\"echo\", \"v20.20.2\"], stdout = { version = \">=20 <21\" } }\n\
         [check.out]\ncommand = { run = [\"echo\", \"v20.20.2\"], stdout = { version = \">=22\" } }\n\
         [check.none]\ncommand = { run = [\"echo\", \"twenty\"], stdout = { version = \">=20\" } }\n",
    );
    let report = examined(&home, 1);
    assert_eq!(["in", "out", "none"].map(|it| report.status(it)), ["pass", "fail", "fail"]);
    let message = report.check("out")["message"].as_str().expect("a message");
    assert!(message.contains("20.20.2"), "{message}");
}

/// A server of files that runs in that directory; it ends with the test.
fn serve(directory: &Path, port: u16) -> Kept {
    let mut command = Command::new("/usr/bin/env");
    command.args(["python3", "-m", "http.server", "--bind", "127.0.0.1", &port.to_string()]);
    command.current_dir(directory).stdout(Stdio::null()).stderr(Stdio::null());
    let server = Kept::start(&mut command);
    assert!(eventually(Duration::from_secs(10), || answers(([127, 0, 0, 1], port))), "it serves");
    server
}

/// Elsewhere all of these are green while a stale clone answers on the port: it listens, it answers 200 with the
/// right words, and the real clone is at the right commit.
#[test]
fn a_stale_clone_on_the_port_is_not_the_site() {
    let (home, port) = (Home::new(), free_port());
    for clone in ["site", "old"] {
        home.write(format!("{clone}/index.html"), "<h1>The site</h1>");
        home.git(&home.at(clone), ["init", "--quiet", "--initial-branch=main"]);
        home.commit(&home.at(clone), "The site");
    }
    home.write("site/new.html", "new");
    let head = home.commit(&home.at("site"), "A page that the old clone lacks");
    home.write(
        "housecall.toml",
        format!(
            "[check.listens]\nlistener = {{ address = \"127.0.0.1:{port}\" }}\n\
             [check.answers]\nhttp = {{ url = \"http://127.0.0.1:{port}/\", page = {{ contains = [\"The site\"] }} }}\n\
             [check.commit]\ngit = {{ repository = \"site\", head = \"{head}\", clean = true }}\n\
             [check.from-there]\nlistener = {{ address = \"127.0.0.1:{port}\", directory = \"site\" }}\n"
        ),
    );
    let stale = serve(&home.at("old"), port);
    let report = examined(&home, 1);
    assert_eq!(["listens", "answers", "commit"].map(|it| report.status(it)), ["pass"; 3]);
    assert_eq!(report.causes(), ["from-there"]);
    let message = report.check("from-there")["message"].as_str().expect("a message");
    assert!(message.contains("runs from another directory"), "{message}");
    drop(stale);
    assert!(eventually(Duration::from_secs(10), || !answers(([127, 0, 0, 1], port))), "it has ended");
    let _fresh = serve(&home.at("site"), port);
    examined(&home, 0);
}

/// Elsewhere colour codes are written into files.
#[test]
fn a_file_gets_no_colour_and_no_control_character() {
    let home = gate(
        "[check.red]\ncommand = { script = 'printf \"\\033[31mred\\033[0m\\a\\n\"; exit 1', stdout = { contains = [\"x\"] } }\n",
    );
    let is_plain = |text: &str| !text.chars().any(|it| it.is_control() && it != '\n' && it != '\t');
    for format in ["human", "json", "ndjson", "junit", "tap", "prometheus", "github", "markdown"] {
        let Ran { stdout, stderr, .. } = home.housecall(["--format", format, "--verbose"]).exits(1);
        assert!(is_plain(&stdout) && is_plain(&stderr), "{format}: {stdout:?} {stderr:?}");
    }
}
