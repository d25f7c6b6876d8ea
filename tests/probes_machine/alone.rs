//! A test in a process of its own, so that threads, children and descriptors can be counted.

use std::fs;
use std::process::Command;

const MARK: &str = "HOUSECALL_TEST_ALONE";

/// Runs the body of the test of that path in a process where nothing else happens.
pub(crate) fn alone(test: &str, body: impl FnOnce()) {
    if std::env::var_os(MARK).is_some() {
        return body();
    }
    let this = std::env::current_exe().expect("this test's program");
    let output = Command::new(this)
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(MARK, "1")
        .output()
        .expect("this test's program runs");
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("1 passed"), "no such test: {test}\n{text}");
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

/// Whether a process of that id lives; a zombie does not.
#[cfg(target_os = "linux")]
pub(crate) fn lives(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}
