//! The embedded keeper and the server it keeps, with the real binary in a home of the test's own.
#![expect(clippy::disallowed_methods, reason = "a test sets the world up, and looks at it with its own eyes")]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;
use std::time::Duration;

use support::Mirror;
use support::processes::{self, eventually};
use support::servers::python;

const SOON: Duration = support::processes::HANG;

fn kept(mirror: &Mirror) -> serde_json::Value {
    let text = fs::read_to_string(mirror.state().join("keeper.json")).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

fn keeper_of(mirror: &Mirror) -> u32 {
    u32::try_from(kept(mirror)["pid"].as_u64().expect("a keeper")).expect("a pid")
}

fn up() -> Mirror {
    let mirror = Mirror::fixed();
    let _ = mirror.run(&["up", "--detach"]).exits(0);
    mirror.settle();
    mirror
}

/// One request, as it is written here, and the whole answer.
fn ask(mirror: &Mirror, request: &str) -> String {
    let mut stream = TcpStream::connect(mirror.address()).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a deadline");
    let text = format!("{request} HTTP/1.1\r\nHost: site\r\nConnection: close\r\n\r\n");
    stream.write_all(text.as_bytes()).expect("a request");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn up_makes_the_worktree_serves_it_and_down_leaves_nothing() {
    let mirror = up();
    assert!(mirror.page("/").contains("The first text"), "it answers once `up` is back");
    let again = mirror.run(&["up", "--detach"]).exits(0);
    assert!(again.stdout.contains(&keeper_of(&mirror).to_string()), "the same keeper: {again}");
    let second = mirror.run(&["up"]).exits(2);
    assert!(second.stderr.contains("keeps this mirror already"), "{second}");
    let mode =
        |name: &str| fs::metadata(mirror.state().join(name)).expect("a file").permissions().mode() & 0o777;
    assert_eq!((mode("keeper.json"), mode("keeper.lock"), mode("logs")), (0o600, 0o600, 0o700));

    let _ = mirror.run(&["down"]).exits(0);
    assert!(mirror.listener().is_none(), "its server went with it");
    assert!(eventually(SOON, || mirror.home.processes().is_empty()), "{:?}", mirror.home.processes());
    let _ = mirror.run(&["down"]).exits(0);
}

#[test]
fn a_keepers_file_that_is_torn_or_gone_is_written_again_by_the_keeper_that_lives() {
    let mirror = up();
    let (file, keeper) = (mirror.state().join("keeper.json"), keeper_of(&mirror));
    for torn in [Some(""), Some("{\"schema\": 1, \"pi"), None] {
        match torn {
            Some(text) => fs::write(&file, text).expect("it is torn"),
            None => fs::remove_file(&file).expect("it goes"),
        }
        assert!(eventually(SOON, || kept(&mirror)["pid"] == keeper), "{torn:?}");
        let report = mirror.examine();
        assert_eq!(report.status("state-file"), "pass", "{torn:?}: {}", report.troubles());
        assert_eq!(report.status("listener-process"), "pass", "{torn:?}: {}", report.troubles());
    }
    let _ = mirror.run(&["down"]).exits(0);
}

/// The names of what cannot be written differ each time: it is told once all the same, and so is its end.
#[test]
fn a_keepers_file_that_cannot_be_written_is_told_once() {
    let mirror = Mirror::fixed();
    let said = mirror.home.at("said");
    // Without the power to override rights, root is to the kernel what any user is.
    let is_root = rustix::process::geteuid().is_root();
    let limit = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];
    let wrapper = if is_root { &limit[..] } else { &["env"] };
    let mut up = mirror.home.command(wrapper[0]);
    up.args(&wrapper[1..]).arg(support::housecall::binary()).arg("--config").arg(&mirror.config).arg("up");
    let _keeper = processes::Kept::start(up.stdout(fs::File::create(&said).expect("a file")));
    assert!(eventually(SOON * 2, || mirror.listener().is_some()), "it serves");
    mirror.settle();
    let may_write =
        |mode| fs::set_permissions(mirror.state(), fs::Permissions::from_mode(mode)).expect("a mode");
    may_write(0o500);
    for _ in 0..2 {
        let server = mirror.listener().expect("a server");
        processes::signal(server, "KILL");
        let is_another = || mirror.listener().is_some_and(|now| now != server);
        assert!(eventually(SOON, is_another), "it serves again, though nothing can be written");
    }
    may_write(0o700);
    let count = |words: &str| fs::read_to_string(&said).unwrap_or_default().matches(words).count();
    let ended = "the keeper's state is written again";
    assert!(eventually(SOON, || count(ended) > 0), "{}", fs::read_to_string(&said).unwrap_or_default());
    assert_eq!((count("cannot write the keeper's state"), count(ended)), (1, 1));
    let _ = mirror.run(&["down"]).exits(0);
}

#[test]
fn a_stop_is_durable_and_a_start_ends_it() {
    let mirror = up();
    let _ = mirror.run(&["stop"]).exits(0);
    assert!(mirror.listener().is_none(), "the server is down");
    assert!(mirror.run(&["up"]).exits(1).stderr.contains("stopped by its user"));
    assert!(mirror.run(&["serve"]).exits(1).stderr.contains("stopped by its user"));
    let _ = mirror.run(&["--fix"]);
    assert!(mirror.listener().is_none(), "no repair undoes it");
    let _ = mirror.run(&["start"]).exits(0);
    assert!(mirror.page("/").contains("The first text"));
}

#[test]
fn a_restart_is_another_server_of_the_same_keeper() {
    let mirror = up();
    let (keeper, server) = (keeper_of(&mirror), mirror.listener().expect("a server"));
    let _ = mirror.run(&["restart"]).exits(0);
    let now = mirror.listener().expect("a server");
    assert_ne!(server, now);
    assert_eq!(keeper, keeper_of(&mirror));
    assert!(processes::read(server).is_none(), "the old one is gone");
    let _ = mirror.run(&["down"]);
    assert!(mirror.run(&["restart"]).exits(2).stderr.contains("nobody keeps this mirror"));
}

#[test]
fn a_server_whose_keeper_was_killed_is_replaced() {
    let mirror = up();
    let server = mirror.listener().expect("a server");
    let keeper = keeper_of(&mirror);
    processes::signal(keeper, "KILL");
    assert!(eventually(SOON, || processes::read(keeper).is_none()));
    assert_eq!(mirror.listener(), Some(server), "it was left behind");
    let _ = mirror.run(&["up", "--detach"]).exits(0);
    assert!(processes::read(server).is_none(), "it was ended");
    assert!(mirror.listener().is_some_and(|now| now != server), "and replaced");
}

#[test]
fn a_server_whose_keeper_was_killed_is_red_and_a_mend_keeps_it_again() {
    let mirror = up();
    let server = mirror.listener().expect("a server");
    let keeper = keeper_of(&mirror);
    processes::signal(keeper, "KILL");
    assert!(eventually(SOON, || processes::read(keeper).is_none()));
    let ran = mirror.run(&[]).exits(1);
    assert!(ran.stdout.contains("FAIL  listener-process  its keeper was killed"), "{ran}");
    let _ = mirror.run(&["--fix"]).exits(0);
    assert!(mirror.listener().is_some_and(|now| now != server), "a new keeper has its own");
    assert_ne!(keeper, keeper_of(&mirror));
}

#[test]
fn a_stop_ends_what_a_killed_keeper_left_behind() {
    let mirror = up();
    let server = mirror.listener().expect("a server");
    let keeper = keeper_of(&mirror);
    processes::signal(keeper, "KILL");
    assert!(eventually(SOON, || processes::read(keeper).is_none()));
    let _ = mirror.run(&["stop"]).exits(0);
    assert!(processes::read(server).is_none(), "it serves on");
    assert!(mirror.run(&["restart"]).exits(2).stderr.contains("stopped by its user"));
}

#[test]
fn what_a_killed_keeper_said_is_not_believed_of_the_process_that_has_its_id_now() {
    let mirror = up();
    let said = fs::read_to_string(mirror.state().join("keeper.json")).expect("the keeper's file");
    let (keeper, text) = (keeper_of(&mirror), kept(&mirror));
    let _ = mirror.run(&["down"]).exits(0);
    // The file is left, another process has the id, and a keeper that has just begun holds the lock.
    let other = processes::Kept::start(Command::new("sleep").arg("60"));
    assert_eq!(text["pid"].as_u64(), Some(keeper.into()));
    let named =
        said.replace(&format!("\"pid\": {keeper},\n  \"id"), &format!("\"pid\": {},\n  \"id", other.0.id()));
    assert_ne!(named, said, "this test can fail");
    fs::write(mirror.state().join("keeper.json"), named).expect("the file");
    let lock = fs::File::open(mirror.state().join("keeper.lock")).expect("the lock");
    lock.lock().expect("it is free");
    let ran = mirror.run(&["down"]);
    assert_ne!(ran.code, 0, "{ran}");
    assert!(processes::read(other.0.id()).is_some(), "another's process was ended: {ran}");
}

#[test]
fn a_server_under_a_shell_is_ended_with_all_below_it() {
    let mirror = Mirror::fixed();
    let port = mirror.port;
    let run = format!(
        "run = [\"sh\", \"-c\", \"/usr/bin/python3 -m http.server --bind 127.0.0.1 {port} --directory public; true\"]"
    );
    mirror.configure("static = \"public\"", &run);
    let _ = mirror.run(&["up", "--detach"]).exits(0);
    let server = mirror.listener().expect("a server");
    let shell =
        u32::try_from(kept(&mirror)["server"]["started"]["pid"].as_u64().expect("a pid")).expect("a pid");
    assert_ne!(server, shell, "the listener is a child of what was started");
    // The shell alone is killed: the server must not be left behind, and another one must come.
    processes::signal(shell, "KILL");
    assert!(eventually(SOON, || mirror.listener().is_some_and(|now| now != server)), "another one came");
    assert!(processes::read(server).is_none(), "the orphan was ended");
    let _ = mirror.run(&["down"]).exits(0);
    assert!(eventually(SOON, || mirror.home.processes().is_empty()), "{:?}", mirror.home.processes());
}

#[test]
fn a_server_that_keeps_ending_is_told_and_tried_again() {
    let mirror = Mirror::fixed();
    mirror.configure("static = \"public\"", "run = [\"sh\", \"-c\", \"echo no such module; exit 7\"]");
    // Longer than a run of the binary may take here.
    mirror.configure("within = \"30s\"", "within = \"10m\"");
    let failed = mirror.run(&["up", "--detach"]).exits(1);
    assert!(failed.stderr.contains("exit 7") && failed.stderr.contains("no such module"), "{failed}");
    let report = mirror.run(&["--json"]).report().with("listener", "fail");
    assert!(report.told("listener").contains("exit 7"), "{}", report.troubles());
    assert!(kept(&mirror)["server"]["backing-off"]["failures"].as_u64() >= Some(3), "{}", kept(&mirror));
}

#[test]
fn a_taken_port_is_waited_for_and_not_doubled() {
    let mirror = Mirror::fixed();
    let _ = mirror.run(&["sync"]).exits(0);
    let other = python(&mirror.home, &mirror.home.at("dev"), "127.0.0.1", mirror.port);
    let failed = mirror.run(&["up", "--detach"]).exits(1);
    assert!(failed.stderr.contains(&format!("held by pid {}", other.pid())), "{failed}");
    assert!(failed.stderr.contains("stays and tries again; `housecall down` ends it"), "{failed}");
    drop(other);
    assert!(eventually(SOON * 2, || mirror.page("/").contains("The first text")), "{}", kept(&mirror));
}

#[test]
fn serve_refuses_wherever_the_worktree_is_not() {
    let mirror = Mirror::fixed();
    assert!(mirror.run(&["serve"]).exits(2).stderr.contains("is not there"));
    let clone = mirror.stale_clone("dev/clone");
    symlink_at(&mirror, &clone);
    assert!(mirror.run(&["serve"]).exits(2).stderr.contains("not the mirror's worktree"));
    fs::remove_file(mirror.worktree()).expect("the link");
    symlink_at(&mirror, &mirror.repository);
    assert!(mirror.run(&["serve"]).exits(2).stderr.contains("canonical repository"));
    assert!(mirror.listener().is_none());
}

fn symlink_at(mirror: &Mirror, target: &std::path::Path) {
    let worktree = mirror.worktree();
    fs::create_dir_all(worktree.parent().expect("its parent")).expect("a folder");
    symlink(target, worktree).expect("a link");
}

#[test]
fn the_server_sees_nothing_of_the_shell_that_started_it() {
    let mut mirror = Mirror::fixed();
    mirror.home.set("CLAUDECODE", "1");
    mirror.home.set("AI_AGENT", "1");
    let port = mirror.port;
    let run = format!(
        "run = [\"/usr/bin/python3\", \"-m\", \"http.server\", \"--bind\", \"127.0.0.1\", \"{port}\", \"--directory\", \"public\"]\nenv = {{ COLOUR = \"none\" }}"
    );
    mirror.configure("static = \"public\"", &run);
    let _ = mirror.run(&["up", "--detach"]).exits(0);
    let server = mirror.listener().expect("a server");
    let environment = fs::read(format!("/proc/{server}/environ")).expect("its environment");
    let environment = String::from_utf8_lossy(&environment).replace('\0', "\n");
    assert!(!environment.contains("CLAUDECODE") && !environment.contains("AI_AGENT"), "{environment}");
    assert!(
        environment.contains("COLOUR=none") && environment.contains("PATH=/opt/homebrew/bin:"),
        "{environment}"
    );
    assert_eq!(processes::read(server).expect("a server").directory, mirror.worktree());
}

#[test]
fn files_are_served_and_nothing_beside_them() {
    let mirror = Mirror::fixed();
    let site = mirror.repository.join("public");
    fs::create_dir_all(site.join("essays/one")).expect("a folder");
    fs::write(site.join("essays/one/index.html"), "one").expect("a page");
    fs::write(site.join("about.html"), "about").expect("a page");
    fs::write(site.join("a b.txt"), "déjà").expect("a file");
    fs::write(site.join(".secret"), "secret").expect("a file");
    fs::write(mirror.repository.join("outside.txt"), "outside").expect("a file");
    symlink("../outside.txt", site.join("link.txt")).expect("a link");
    mirror.home.commit(&mirror.repository, "Pages");
    mirror.home.git(&mirror.repository, ["push", "--quiet"]);
    let _ = mirror.run(&["up", "--detach"]).exits(0);
    let sha = mirror.home.git(&mirror.worktree(), ["rev-parse", "HEAD"]);

    let page = ask(&mirror, "GET /essays/one/?x=1");
    assert!(page.starts_with("HTTP/1.1 200") && page.ends_with("one"), "{page}");
    assert!(page.to_lowercase().contains(&format!("x-housecall-sha: {}", sha.trim())), "{page}");
    assert!(page.contains("text/html; charset=utf-8"), "{page}");
    assert!(ask(&mirror, "GET /about").ends_with("about"));
    assert!(ask(&mirror, "GET /a%20b.txt").ends_with("déjà"));
    let redirect = ask(&mirror, "GET /essays/one");
    assert!(
        redirect.starts_with("HTTP/1.1 301") && redirect.contains("Location: /essays/one/"),
        "{redirect}"
    );
    assert!(!ask(&mirror, "GET //example.org/..").contains("Location: //"));
    let head = ask(&mirror, "HEAD /");
    assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"), "{head}");
    assert!(ask(&mirror, "POST /").starts_with("HTTP/1.1 405"));
    let forbidden = [
        "/../outside.txt",
        "/%2e%2e/outside.txt",
        "/..%2foutside.txt",
        "/link.txt",
        "/.secret",
        "/%2esecret",
        "/.git",
        "/essays/../../outside.txt",
        "/nothing",
        "/a%00b",
        "/%",
        "/essays/one/index.html/x",
    ];
    for path in forbidden {
        let answer = ask(&mirror, &format!("GET {path}"));
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
    }
}

#[test]
fn a_served_directory_that_is_a_link_out_of_the_worktree_serves_nothing() {
    let mirror = up();
    let home = mirror.home.at("diary");
    fs::create_dir(&home).expect("a folder");
    fs::write(home.join("index.html"), "dear diary").expect("a file");
    fs::rename(mirror.worktree().join("public"), mirror.home.at("public")).expect("it moves");
    symlink(&home, mirror.worktree().join("public")).expect("a link");
    let answer = ask(&mirror, "GET /");
    assert!(answer.starts_with("HTTP/1.1 404") && !answer.contains("diary"), "{answer}");
    assert!(!ask(&mirror, "GET /nothing").contains("diary"));
}

#[test]
fn logs_are_merged_and_the_last_lines_shown() {
    let mirror = up();
    let logs = mirror.run(&["logs"]).exits(0);
    assert!(logs.stdout.contains("serve --- housecall start "), "{logs}");
    assert!(logs.stdout.contains("sync  --- housecall start "), "{logs}");
    let one = mirror.run(&["logs", "serve", "-n", "1"]).exits(0);
    assert_eq!(one.stdout.lines().count(), 1, "{one}");
    let log = mirror.state().join("logs/serve.log");
    let mut log = fs::File::options().append(true).open(log).expect("the log");
    log.write_all(b"a\x1b]52;c;c3VkbyByZWJvb3Q=\x07b\x1b[2Jc\n").expect("a server's line");
    let last = mirror.run(&["logs", "serve", "-n", "1"]).exits(0);
    assert_eq!(last.stdout, "abc\n", "nothing of it steers the terminal");
}

#[test]
fn an_upgrade_of_the_binary_ends_no_sync() {
    let mut mirror = Mirror::fixed();
    let place = mirror.home.install_binary();
    mirror.configure("every = \"1h\"", "every = \"1s\"");
    let _ = mirror.run(&["up", "--detach"]).exits(0);
    // As installers do it: a new file in the place of the one that runs.
    let new = place.with_extension("new");
    fs::copy(&place, &new).expect("a new binary");
    fs::rename(&new, &place).expect("in its place");
    let _ = mirror.publish("public/index.html", "The first text", "The first text and a second one");
    assert!(eventually(SOON, || mirror.page("/").contains("a second one")), "{}", mirror.run(&["logs"]));
    let healthy = || mirror.run(&[]).code == 0;
    assert!(eventually(SOON, healthy), "{}", mirror.run(&[]));
}

#[test]
fn a_mend_waits_for_a_sync_that_is_at_work_and_then_mends() {
    let mirror = up();
    mirror.settle();
    mirror.home.git(&mirror.worktree(), ["checkout", "--quiet", "-b", "feature"]);
    let lock = fs::File::options().write(true).open(mirror.state().join("lock")).expect("the lock");
    lock.lock().expect("it is free");
    let holder = r#"{"pid": 1, "doing": "sync", "since": "2099-01-01T00:00:00Z"}"#;
    fs::write(mirror.state().join("lock"), holder).expect("who holds it");
    let waiting = std::thread::scope(|scope| {
        let mend = scope.spawn(|| mirror.run(&["--fix"]));
        std::thread::sleep(Duration::from_secs(1));
        lock.set_len(0).and_then(|()| lock.unlock()).expect("the sync ends");
        mend.join().expect("a mend")
    });
    let waiting = waiting.exits(0);
    assert!(waiting.stderr.contains("waiting for pid 1, `sync`"), "{waiting}");
}
