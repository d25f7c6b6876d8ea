//! `who PORT`: rendered from values, and looked at on real listeners.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;

use housecall::exit::Exit;
use housecall::probes::machine::Machine;
use housecall::probes::whereabouts::Worktree;
use housecall::who::{Address, Answering, Http, Near, Reader, Seen, Who, look, render};
use insta::assert_snapshot;
use jiff::tz::TimeZone;

use super::worlds::{OLD_SHA, ago, home, now};

fn seen(pid: u32, command: &str, seconds: i64) -> Seen {
    Seen { pid, command: command.to_owned(), since: ago(seconds) }
}

fn address(address: &str, http: Http) -> Address {
    Address { address: address.parse().expect("an address"), http }
}

fn stale_clone() -> Answering {
    Answering {
        addresses: vec![address("127.0.0.1:4321", Http::Answered { status: 200, took_ms: 14 })],
        user: Some("ada".to_owned()),
        processes: vec![seen(9349, "node node_modules/.bin/astro dev --port 4321", 3 * 86_400)],
        started_by: vec![seen(9348, "sh -c astro dev", 3 * 86_400), seen(9340, "npm run dev", 3 * 86_400)],
        directory: Some("/Volumes/FunIA/dev/site".into()),
        worktree: Some(Worktree {
            top: "/Volumes/FunIA/dev/site".into(),
            branch: Some("main".to_owned()),
            sha: Some(OLD_SHA.to_owned()),
        }),
        unknown: Vec::new(),
    }
}

fn text(listeners: Vec<Answering>, near: Vec<Near>) -> String {
    let reader = Reader { home: home(), now: now(), zone: TimeZone::UTC, width: None };
    render(&Who { schema: "housecall.who/1", port: 4321, listeners, near }, &reader)
}

#[test]
fn a_stale_clone_is_told_at_a_glance() {
    assert_snapshot!(text(vec![stale_clone()], Vec::new()), @"
    127.0.0.1:4321 answers 200 in 14 ms
            who         pid 9349 of ada, since Friday 20:29 (3 days)
            command     node node_modules/.bin/astro dev --port 4321
            started by  pid 9348, sh -c astro dev
            started by  pid 9340, npm run dev
            directory   /Volumes/FunIA/dev/site
            worktree    /Volumes/FunIA/dev/site on main at 0ddba11
    ");
}

#[test]
fn a_directory_that_is_no_text_is_told_to_programs_too() {
    use std::os::unix::ffi::OsStrExt;
    let directory = PathBuf::from(std::ffi::OsStr::from_bytes(b"/home/ada/caf\xe9"));
    let answering = Answering { directory: Some(directory), ..stale_clone() };
    let who = Who { schema: "housecall.who/1", port: 4321, listeners: vec![answering], near: Vec::new() };
    let text = serde_json::to_string(&who).expect("a document");
    assert!(text.contains("/home/ada/caf\u{fffd}"), "{text}");
}

#[test]
fn nobody_and_who_moved_next_door() {
    let near = Near {
        address: "127.0.0.1:4322".parse().unwrap(),
        process: seen(700, "node node_modules/.bin/astro dev", 60),
        directory: home().join("dev/site"),
    };
    assert_snapshot!(text(Vec::new(), vec![near]), @"
    nobody listens on 4321

    127.0.0.1:4322 has pid 700, node node_modules/.bin/astro dev
            directory   ~/dev/site
    ");
    assert_snapshot!(text(Vec::new(), Vec::new()), @"nobody listens on 4321");
}

#[test]
fn two_who_share_a_port_and_one_that_may_not_be_looked_at() {
    let six = Answering {
        addresses: vec![address("[::1]:4321", Http::Silent { after_ms: 3_000 })],
        processes: vec![seen(31, "node a\\nb", 5), seen(32, "node worker", 4)],
        started_by: Vec::new(),
        directory: Some(home().join("dev/site")),
        worktree: Some(Worktree { top: home().join("dev/site"), branch: None, sha: None }),
        ..stale_clone()
    };
    let hidden = Answering {
        addresses: vec![address(
            "127.0.0.1:4321",
            Http::Broken { why: "it speaks \u{1b}[31mno HTTP".to_owned() },
        )],
        user: Some("root".to_owned()),
        processes: Vec::new(),
        started_by: Vec::new(),
        directory: None,
        worktree: None,
        unknown: vec!["the process is not this user's to look at".to_owned()],
    };
    assert_snapshot!(text(vec![six.clone(), hidden], Vec::new()), @r"
    [::1]:4321 accepts, and answers nothing for 3 s
            who         pid 31 of ada, since 20:29 (5 s)
            command     node a\nb
            also        pid 32, node worker
            directory   ~/dev/site
            worktree    ~/dev/site on no branch at no commit

    127.0.0.1:4321 accepts, and does not answer as HTTP: it speaks \u{1b}[31mno HTTP
            who         a process of root
            unknown     the process is not this user's to look at
    ");
    assert_snapshot!(text(vec![six], Vec::new()), @r"
    [::1]:4321 accepts, and answers nothing for 3 s
            who         pid 31 of ada, since 20:29 (5 s)
            command     node a\nb
            also        pid 32, node worker
            directory   ~/dev/site
            worktree    ~/dev/site on no branch at no commit

    only IPv6 is served: http://127.0.0.1:4321/ is refused, http://[::1]:4321/ is not
    ");
}

#[test]
fn a_real_listener_is_known_in_both_families() {
    let four = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = four.local_addr().unwrap().port();
    let Ok(six) = TcpListener::bind(("::1", port)) else { return };
    let threads = [four, six].map(|listener| {
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
            listener
        })
    });
    let here: PathBuf = std::env::current_dir().unwrap();
    let who = look(&Machine::default(), &here, port).unwrap();
    let listeners = threads.map(|thread| thread.join().unwrap());
    assert_eq!(who.exit(), Exit::Healthy);
    let [one] = &who.listeners[..] else { panic!("{who:?}") };
    let answers: Vec<String> = one.addresses.iter().map(|it| it.address.to_string()).collect();
    assert_eq!(answers, [format!("127.0.0.1:{port}"), format!("[::1]:{port}")]);
    assert!(one.addresses.iter().all(|it| matches!(it.http, Http::Answered { status: 503, .. })), "{one:?}");
    assert_eq!(one.processes.iter().map(|it| it.pid).collect::<Vec<_>>(), [std::process::id()]);
    assert_eq!(one.directory.as_deref(), Some(here.as_path()));
    let head = git2::Repository::discover(&here).ok().and_then(|it| it.head().ok()?.target());
    assert_eq!(one.worktree.as_ref().and_then(|it| it.sha.clone()), head.map(|it| it.to_string()));
    // A port below one that is held from the same directory has it as a near miss.
    drop(listeners);
    assert_eq!(look(&Machine::default(), &here, port).unwrap().exit(), Exit::Unhealthy);
}
