//! Linux: `/proc/PID`. Threads are no processes there, and are not asked for.
#![expect(clippy::disallowed_methods, reason = "probes are where the machine is read")]

use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use jiff::Timestamp;

use super::Process;
use crate::error::ProbeError;
use crate::probes::clock;
use crate::probes::mounts::Mounts;

/// The unit of start times that the kernel shows to programs, a hundredth of a second on every Linux that matters.
const TICK_MS: u64 = 10;
/// The flag of a thread of the kernel's own.
const OF_KERNEL: u32 = 0x20_0000;

pub(super) fn read(pid: u32) -> Result<Option<Process>, ProbeError> {
    let place = format!("/proc/{pid}");
    let stat = match std::fs::read(format!("{place}/stat")) {
        Ok(stat) => stat,
        Err(error) if is_gone(&error) => return Ok(None),
        Err(error) => return Err(ProbeError::failed(format!("read process {pid}"), &error)),
    };
    let stat = parse(&stat)
        .ok_or_else(|| ProbeError::unreadable(format!("{place}/stat"), &"it has too few fields"))?;
    if matches!(stat.state, b'Z' | b'X' | b'x') {
        return Ok(None);
    }
    let command = std::fs::read(format!("{place}/cmdline")).unwrap_or_default();
    // One that ends meanwhile has none, and is left out.
    if command.is_empty() && stat.name.is_some() {
        let again = std::fs::read(format!("{place}/stat")).ok();
        if again.as_deref().and_then(parse).is_none_or(|it| matches!(it.state, b'Z' | b'X' | b'x')) {
            return Ok(None);
        }
    }
    Ok(Some(Process {
        pid,
        parent: (stat.parent != 0).then_some(stat.parent),
        uid: std::fs::metadata(&place).ok().map(|it| it.uid()),
        executable: std::fs::read_link(format!("{place}/exe")).ok(),
        name: stat.name,
        argv: arguments(&command),
        directory: std::fs::read_link(format!("{place}/cwd")).ok(),
        started: started(stat.start),
        identity: identity(stat.start),
    }))
}

pub(super) fn pids() -> Result<Vec<u32>, ProbeError> {
    let failed = |error: io::Error| ProbeError::failed("list the processes", &error);
    let mut pids = Vec::new();
    for entry in std::fs::read_dir("/proc").map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        pids.extend(name.to_str().and_then(|name| name.parse::<u32>().ok()));
    }
    pids.sort_unstable();
    Ok(pids)
}

/// Whether `/proc` is mounted so that the processes of others cannot be seen.
pub(super) fn hides_others() -> Result<bool, ProbeError> {
    let mounts = Mounts::read()?;
    let options = mounts.at(Path::new("/proc")).map(|it| it.options.as_slice()).unwrap_or_default();
    let is_hiding = |it: &String| it.strip_prefix("hidepid=").is_some_and(|it| !matches!(it, "0" | "off"));
    Ok(options.iter().any(is_hiding) && !rustix::process::geteuid().is_root())
}

pub(super) fn start(pid: u32) -> Option<u64> {
    parse(&std::fs::read(format!("/proc/{pid}/stat")).ok()?).map(|stat| stat.start)
}

fn is_gone(error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotFound
        || error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error())
}

struct Stat {
    /// What the kernel calls it; `None` for a thread of its own.
    name: Option<String>,
    state: u8,
    parent: u32,
    /// In ticks since the machine was started.
    start: u64,
}

/// The fields after the program's name, which stands in parentheses and may itself hold any character.
fn parse(stat: &[u8]) -> Option<Stat> {
    let begin = stat.iter().position(|byte| *byte == b'(')?;
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let name = String::from_utf8_lossy(stat.get(begin + 1..end)?).into_owned();
    let rest = std::str::from_utf8(&stat[end + 1..]).ok()?;
    let mut words = rest.split_whitespace();
    let state = *words.next()?.as_bytes().first()?;
    let parent = words.next()?.parse().ok()?;
    let flags: u32 = words.nth(4)?.parse().ok()?;
    let name = (flags & OF_KERNEL == 0).then_some(name);
    Some(Stat { name, state, parent, start: words.nth(12)?.parse().ok()? })
}

/// A program that rewrites its title, as node does, leaves one text with trailing zeros.
fn arguments(command: &[u8]) -> Vec<String> {
    let end = command.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    if end == 0 {
        return Vec::new();
    }
    command[..end].split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

fn started(ticks: u64) -> Timestamp {
    let uptime = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let uptime = Duration::new(
        uptime.tv_sec.try_into().unwrap_or_default(),
        uptime.tv_nsec.try_into().unwrap_or_default(),
    );
    let since_boot = Duration::from_millis(ticks.saturating_mul(TICK_MS));
    clock::now() - uptime.saturating_sub(since_boot)
}

/// The start time and the boot, in 53 bits, so that every reader of JSON keeps it.
fn identity(ticks: u64) -> u64 {
    static BOOT: OnceLock<u64> = OnceLock::new();
    let boot = BOOT.get_or_init(|| {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        u64::from_str_radix(id.get(..8).unwrap_or_default(), 16).unwrap_or_default()
    });
    (ticks ^ (boot << 21)) & ((1 << 53) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_spaces_does_not_shift_the_fields() {
        let stat = b"7 (a) Z 1 (x) S 42 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 98765 1 2 3";
        let stat = parse(stat).unwrap();
        assert_eq!((stat.state, stat.parent, stat.start), (b'S', 42, 98_765));
        assert_eq!(stat.name.as_deref(), Some("a) Z 1 (x"));
        let stat = b"2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 3 0 0 0";
        assert_eq!(parse(stat).unwrap().name, None);
        assert!(parse(b"7 (short) S 1").is_none());
    }

    #[test]
    fn arguments_end_where_the_zeros_begin() {
        assert_eq!(arguments(b"npm run dev\0\0\0"), ["npm run dev"]);
        assert_eq!(arguments(b"sh\0-c\0\0x\0"), ["sh", "-c", "", "x"]);
        assert_eq!(arguments(b""), [""; 0]);
    }
}
