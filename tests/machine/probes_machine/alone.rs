//! A test in a process of its own, so that threads, children and descriptors can be counted.

use std::fs;
use std::process::Command;

const MARK: &str = "HOUSECALL_TEST_ALONE";

/// Runs the body of the test of that path in a process where nothing else happens.
pub(crate) fn alone(test: &str, body: impl FnOnce()) {
    alone_under(&["env"], test, body);
}

/// The same, with that program in front of it: `unshare -m`.
pub(crate) fn alone_under(wrapper: &[&str], test: &str, body: impl FnOnce()) {
    if std::env::var_os(MARK).is_some() {
        return body();
    }
    let this = std::env::current_exe().expect("this test's program");
    let output = Command::new(wrapper[0])
        .args(&wrapper[1..])
        .arg(this)
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(MARK, "1")
        .output()
        .expect("this test's program runs");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "no such test: {test}\n{said}");
    said.lines().filter(|line| line.starts_with("skipped: ")).for_each(|line| skip(&line[9..]));
}

/// Says by name which part is missing here; where every part must be there, that is a failure.
pub(crate) fn skip(why: &str) {
    assert!(std::env::var_os("HOUSECALL_PARTS").is_none_or(|it| it != "required"), "skipped: {why}");
    #[expect(clippy::print_stdout, reason = "whoever reads the test's output must see it")]
    {
        println!("skipped: {why}");
    }
}

/// What this process has now: descriptors, threads and children (zombies included).
#[cfg(target_os = "linux")]
pub(crate) fn held() -> (usize, usize, usize) {
    let count = |directory: &str| fs::read_dir(directory).expect("procfs").count();
    let own = std::process::id().to_string();
    let children = fs::read_dir("/proc").expect("procfs").flatten().filter(|entry| {
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        stat.rsplit_once(')').is_some_and(|(_, rest)| rest.split_whitespace().nth(1) == Some(&own))
    });
    (count("/proc/self/fd"), count("/proc/self/task"), children.count())
}

/// Asserts that this process holds what it held before; a thread that was joined may take a moment to leave the table.
#[cfg(target_os = "linux")]
pub(crate) fn assert_held(before: (usize, usize, usize)) {
    for _ in 0..200 {
        if held() == before {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!(held(), before, "descriptors, threads, children");
}

/// Whether a process of that id lives; a zombie does not.
#[cfg(target_os = "linux")]
pub(crate) fn lives(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}
