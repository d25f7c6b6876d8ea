//! `housecall demo`, by the real binary: every scene is found and mended, and nothing is left behind.
#![expect(clippy::disallowed_methods, reason = "a test runs the binary and looks at what it leaves")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use support::Folder;
use support::processes::{HANG, eventually};

fn demo(temporary: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_housecall"));
    command.arg("demo").args(arguments).env("TMPDIR", temporary).env("HOME", temporary).stdin(Stdio::null());
    command
}

fn text(output: &Output) -> String {
    let (said, complained) = (&output.stdout, &output.stderr);
    format!("{}\n{}", String::from_utf8_lossy(said), String::from_utf8_lossy(complained))
}

/// What is left of the demo beneath this directory: files, and processes that name it.
fn left(temporary: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(temporary).expect("the temporary directory").filter_map(Result::ok);
    let mut left: Vec<String> = entries.map(|entry| entry.path().display().to_string()).collect();
    let name = temporary.display().to_string();
    for process in std::fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok) {
        let words = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        let words = String::from_utf8_lossy(&words).replace('\0', " ");
        if words.contains(&name) {
            left.push(words);
        }
    }
    left
}

#[test]
fn every_scene_is_found_and_mended_and_nothing_is_left() {
    let temporary = Folder::new();
    let output = demo(temporary.path(), &[]).output().expect("run the demo");
    let text = text(&output);
    assert!(output.status.success(), "{text}");
    assert!(
        text.contains("housecall --fix --risky     have the mirror"),
        "what is risky is said first:\n{text}"
    );
    // Each fix is needed by a scene, and each scene proves the unit that named it.
    for unit in [
        "listener-cwd",
        "sha-parity",
        "worktree-clean",
        "worktree-branch",
        "git-locks",
        "carried-files",
        "listener",
    ] {
        let verified = |line: &str| {
            line.trim_start()
                .strip_prefix("verified: ")
                .is_some_and(|units| units.split(", ").any(|it| it == unit))
        };
        assert!(text.lines().any(verified), "{unit} was not verified:\n{text}");
    }
    assert_eq!(left(temporary.path()), Vec::<String>::new());
}

#[test]
fn one_scene_can_be_played_and_its_files_kept() {
    let temporary = Folder::new();
    let output = demo(temporary.path(), &["3", "--keep"]).output().expect("run the demo");
    let text = text(&output);
    assert!(output.status.success(), "{text}");
    assert_eq!(text.matches("── ").count(), 1, "{text}");
    let left = left(temporary.path());
    assert_eq!(left.len(), 1, "one directory and no process: {left:?}");
    assert!(Path::new(&left[0]).join("home/dev/site/.git").is_dir(), "{left:?}");
}

#[test]
fn a_scene_that_is_not_there_is_a_usage_error() {
    let temporary = Folder::new();
    let output = demo(temporary.path(), &["99"]).output().expect("run the demo");
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert_eq!(left(temporary.path()), Vec::<String>::new());
}

#[test]
fn a_signal_leaves_nothing_either() {
    let temporary = Folder::new();
    let mut child = demo(temporary.path(), &[]).stdout(Stdio::piped()).spawn().expect("run the demo");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    assert!(lines.any(|line| line.is_ok_and(|it| it.contains("── "))), "a scene begins");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("interrupt it");
    let status = child.wait().expect("it ends");
    assert!(!status.success());
    // A git that was at work ends a moment later.
    let is_clean = || left(temporary.path()).is_empty();
    assert!(eventually(HANG, is_clean), "{:?}", left(temporary.path()));
}
