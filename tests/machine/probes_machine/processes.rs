//! Real processes: what they run, where, and which of one id is which.
#![cfg(target_os = "linux")]

use std::process::{Command, Stdio};

use housecall::probes::clock;
use housecall::probes::processes::{Process, read};
use support::Folder;
use support::processes::{HANG, eventually};

#[test]
fn a_process_is_read() {
    let place = Folder::new();
    let place = place.path().canonicalize().unwrap();
    let mut child = Command::new("sh")
        .args(["-c", "read line", "a\nb", "\u{1b}[31m"])
        .current_dir(&place)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    // Between fork and exec it is still this program.
    let process = loop {
        let process = read(child.id()).unwrap().expect("it runs");
        if process.argv.first().is_some_and(|it| it == "sh") {
            break process;
        }
    };
    let again = read(child.id()).unwrap().expect("it runs");
    drop(child.stdin.take());
    // It ends when its input does, and stays a zombie until it is waited for.
    assert!(eventually(HANG, || read(child.id()).unwrap().is_none()), "a zombie serves nothing");
    child.wait().unwrap();
    assert_eq!(read(child.id()).unwrap(), None);

    assert_eq!(process.parent, Some(std::process::id()));
    assert_eq!(process.uid, Some(rustix::process::getuid().as_raw()));
    assert_eq!(process.directory.as_deref(), Some(place.as_path()));
    assert_eq!(process.command(), "sh -c read line a\\nb \\u{1b}[31m");
    assert_eq!(process.executable, std::fs::canonicalize("/bin/sh").ok());
    let age = clock::now().duration_since(process.started);
    assert!((0..60).contains(&age.as_secs()), "{age}");
    assert_eq!(again.identity, process.identity);
}

#[test]
fn two_processes_are_told_apart() {
    let own = read(std::process::id()).unwrap().expect("this one");
    let first = read(1).unwrap().expect("the first one");
    assert_ne!(own.identity, first.identity);
    assert!(own.started >= first.started);
    assert!(own.identity < 1 << 53, "readers of JSON keep no more");
}

#[test]
fn a_long_command_is_cut() {
    let process = Process { argv: vec!["x".repeat(500)], ..read(std::process::id()).unwrap().unwrap() };
    assert_eq!(process.command().chars().count(), 160);
    assert!(process.command().ends_with(" …"));
}
