//! Real logs: absent, long, marked by starts, not UTF-8, and no files at all.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use housecall::config::Config;
use housecall::probes::logs::read;
use support::Folder;

use super::worlds;

fn with(content: Option<&[u8]>) -> (Folder, Config) {
    let place = Folder::new();
    let config = Config { state: place.path().to_owned(), ..worlds::config() };
    let file = config.log_file("serve");
    fs::create_dir_all(file.parent().expect("a parent")).expect("a directory");
    if let Some(content) = content {
        fs::write(file, content).expect("a log");
    }
    (place, config)
}

fn tail(content: &[u8]) -> String {
    let (_place, config) = with(Some(content));
    let log = read(&config, "serve").expect("a log");
    assert_eq!(log.bytes, content.len() as u64);
    log.tail
}

#[test]
fn a_log_that_is_not_there_is_empty() {
    let (_place, config) = with(None);
    let log = read(&config, "serve").unwrap();
    assert_eq!((log.bytes, log.tail.as_str(), log.path), (0, "", config.log_file("serve")));
}

#[test]
fn only_what_follows_the_last_start_is_told() {
    let marked = b"old\n--- housecall start 2026-03-16T08:00:00Z\nEADDRINUSE\n--- housecall start 2026-03-16T09:00:00Z\nready\n";
    assert_eq!(tail(marked), "ready\n");
    assert_eq!(tail(b"no start\nat all"), "no start\nat all");
    assert_eq!(tail(b"said: --- housecall start\n"), "said: --- housecall start\n");
    assert_eq!(tail(b"caf\xe9\n"), "caf\u{fffd}\n");
}

#[test]
fn a_long_log_is_read_at_its_end_in_whole_lines() {
    let mut long = "line\n".repeat(100_000);
    long.push_str("line of the end\n");
    let tail = tail(long.as_bytes());
    assert!(tail.len() <= 256 << 10 && tail.len() > 255 << 10, "{}", tail.len());
    assert!(long.ends_with(&tail));
    assert!(tail.starts_with("line\n") && tail.ends_with("end\n"));
}

#[test]
fn what_cannot_be_read_is_no_empty_log() {
    let (_place, config) = with(None);
    fs::create_dir(config.log_file("serve")).unwrap();
    assert!(read(&config, "serve").is_err(), "a directory");
    let (_place, config) = with(Some(b"secret"));
    fs::set_permissions(config.log_file("serve"), fs::Permissions::from_mode(0o000)).unwrap();
    if !rustix::process::getuid().is_root() {
        assert!(read(&config, "serve").is_err(), "no permission");
    }
}
