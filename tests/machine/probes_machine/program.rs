//! Programs that end, hang, flood, and leave grandchildren behind.
#![cfg(target_os = "linux")]

use std::ffi::OsString;
use std::time::{Duration, Instant};

use housecall::error::ProbeError;
use housecall::probes::program::{Ended, Program, run, run_observed};
use support::Folder;
use support::processes::{HANG, eventually};

use super::alone::{alone, assert_held, held, lives};

fn program(argv: &[&str], deadline: Duration) -> Program {
    Program {
        argv: argv.iter().map(OsString::from).collect(),
        directory: None,
        environment: [("PATH".into(), "/usr/bin:/bin".into()), ("GREETING".into(), "salut".into())].into(),
        deadline,
        limit: 64 << 10,
    }
}

fn shell(script: &str, deadline: Duration) -> Program {
    program(&["sh", "-c", script], deadline)
}

const SOON: Duration = Duration::from_millis(300);
const LATER: Duration = HANG;

fn pid_in(output: &[u8]) -> u32 {
    String::from_utf8_lossy(output).trim().parse().expect("a pid")
}

/// Waits for a process to be gone.
fn gone(pid: u32) -> bool {
    eventually(HANG, || !lives(pid))
}

#[test]
fn a_program_tells_what_it_wrote_and_how_it_ended() {
    let output = run(&shell("echo out; echo err >&2; exit 3", LATER)).unwrap();
    assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b"out\n"[..], &b"err\n"[..]));
    assert_eq!((output.ended, output.truncated), (Ended::Code(3), false));
    let output = run_observed(&shell("kill -TERM $$", LATER), &mut |_| ()).unwrap();
    assert_eq!(output.ended, Ended::Signal(15));
}

#[test]
fn a_program_that_was_killed_has_answered_neither_yes_nor_no() {
    let error = run(&shell("kill -KILL $$", LATER)).unwrap_err();
    assert_eq!(error.to_string(), "cannot run sh: signal 9 ended it");
}

#[test]
fn it_gets_the_given_environment_only_and_no_input() {
    let output = run(&program(&["env"], LATER)).unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "GREETING=salut\nPATH=/usr/bin:/bin\n");
    assert_eq!(run(&program(&["cat"], LATER)).unwrap().stdout, b"");
    assert_eq!(run(&program(&["pwd"], LATER)).unwrap().stdout, b"/\n");
}

#[test]
fn a_program_that_is_not_there_is_said_to_be_so() {
    let error = run(&program(&["no-such-program"], LATER)).unwrap_err();
    assert_eq!(error.to_string(), "cannot run no-such-program: it is not on PATH");
    let mut lost = program(&["ls"], LATER);
    lost.environment.clear();
    assert!(matches!(run(&lost), Err(ProbeError::Failed { .. })));
}

#[test]
fn a_fast_program_is_not_slowed_down() {
    let times = (0..20).map(|_| run(&program(&["true"], LATER)).unwrap().took);
    let best = times.min().unwrap();
    // Compared with the standard library at the same moment: a pause between two looks would show.
    let plain = (0..20).map(|_| {
        let start = Instant::now();
        std::process::Command::new("true").output().unwrap();
        start.elapsed()
    });
    let plain = plain.min().unwrap();
    assert!(best < plain * 10, "the fastest of 20 took {best:?}, and {plain:?} by itself");
}

#[test]
fn a_flood_is_read_to_its_end_and_kept_in_part() {
    let mut seen = 0;
    let script = "head -c 5000000 /dev/zero; head -c 3000000 /dev/zero >&2; echo done >&2";
    let output = run_observed(&shell(script, LATER), &mut |chunk| seen += chunk.len()).unwrap();
    assert_eq!((output.stdout.len(), output.stderr.len(), output.truncated), (64 << 10, 64 << 10, true));
    assert_eq!((seen, output.ended), (8_000_005, Ended::Code(0)));
}

#[test]
fn a_flood_without_end_meets_its_deadline() {
    let start = Instant::now();
    let error = run(&program(&["yes"], SOON)).unwrap_err();
    assert_eq!(error, ProbeError::TimedOut { what: "yes".to_owned(), after: SOON });
    assert!(start.elapsed() < HANG, "{:?}", start.elapsed());
}

#[test]
fn a_grandchild_that_holds_the_output_is_killed_after_a_short_grace() {
    let output = run(&shell("sleep 1000 & echo $!", LATER)).unwrap();
    assert!(output.succeeded());
    assert!(output.took < LATER, "{:?}", output.took);
    assert!(gone(pid_in(&output.stdout)), "the grandchild outlives the run");
}

#[test]
fn a_grandchild_that_holds_nothing_is_left_alone() {
    let output = run(&shell("sleep 1000 >/dev/null 2>&1 & echo $!", LATER)).unwrap();
    let pid = pid_in(&output.stdout);
    assert!(output.took < LATER, "{:?}", output.took);
    assert!(lives(pid), "what a program leaves in the background on purpose is killed");
    let pid = rustix::process::Pid::from_raw(pid.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

#[test]
fn nothing_is_left_of_programs_that_hang() {
    alone("probes_machine::program::nothing_is_left_of_programs_that_hang", || {
        let before = held();
        let place = Folder::new();
        let list = place.path().join("pids");
        let list = list.display();
        // A program that ignores signals, its child, and a grandchild that closed everything.
        let stubborn = format!(
            "trap '' TERM INT HUP; echo $$ >> {list}; sleep 1000 & echo $! >> {list}; \
             (sleep 1000 >/dev/null 2>&1 & echo $! >> {list}); while :; do sleep 1; done"
        );
        // One that closes its outputs and goes on.
        let silent = format!("echo $$ >> {list}; exec >/dev/null 2>&1; exec sleep 1000");
        for script in [stubborn, silent] {
            let start = Instant::now();
            let error = run(&shell(&script, SOON)).unwrap_err();
            assert_eq!(error, ProbeError::TimedOut { what: "sh".to_owned(), after: SOON });
            assert!(start.elapsed() < HANG, "{:?}", start.elapsed());
        }
        run(&shell("sleep 1000 & echo", LATER)).unwrap();
        let pids = std::fs::read_to_string(place.path().join("pids")).unwrap();
        assert_eq!(pids.lines().count(), 4);
        for pid in pids.lines() {
            assert!(gone(pid.parse().unwrap()), "{pid} still lives");
        }
        drop(place);
        assert_held(before);
    });
}
