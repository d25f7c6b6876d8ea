//! The time: of day for people, awake for deadlines between runs, elapsed for measurements.
#![expect(clippy::disallowed_methods, reason = "probes are where clocks are read")]

use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The time of day.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// This machine's time zone, without its name: to find that among all there are takes as long as a program takes to start.
#[must_use]
pub fn zone() -> TimeZone {
    let plain = || {
        let file = std::env::var_os("TZ").is_none().then(|| std::fs::read("/etc/localtime").ok())??;
        TimeZone::tzif("local", &file).ok()
    };
    plain().unwrap_or_else(TimeZone::system)
}

/// The monotonic time of this process.
#[must_use]
pub fn instant() -> Instant {
    Instant::now()
}

/// Lets that time pass.
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// How long this machine has been awake since it booted; time asleep is not counted.
#[must_use]
pub fn awake() -> Duration {
    #[cfg(target_os = "macos")]
    return apple::awake();
    #[cfg(not(target_os = "macos"))]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
    }
}

#[cfg(target_os = "macos")]
mod apple {
    use std::time::Duration;

    /// `CLOCK_MONOTONIC` counts the time asleep there; `CLOCK_UPTIME_RAW` does not.
    #[expect(unsafe_code, reason = "rustix does not know this clock")]
    pub(super) fn awake() -> Duration {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the clock exists since macOS 10.12, and the time is written into a place of ours.
        let answer = unsafe { libc::clock_gettime(libc::CLOCK_UPTIME_RAW, &raw mut time) };
        if answer != 0 {
            return Duration::ZERO;
        }
        Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
    }
}

/// The name of this boot, opaque; empty where the system has none.
#[cfg(not(target_os = "macos"))]
#[must_use]
pub fn boot() -> String {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    text.trim().to_owned()
}

/// The name of this boot, opaque; empty where the system has none.
#[cfg(target_os = "macos")]
#[must_use]
#[expect(unsafe_code, reason = "the kernel's own interface")]
pub fn boot() -> String {
    let mut buffer = [0_u8; 64];
    let mut length = buffer.len();
    // SAFETY: the name ends with a zero, and the kernel writes at most `length` bytes into the buffer.
    let code = unsafe {
        libc::sysctlbyname(
            c"kern.bootsessionuuid".as_ptr(),
            buffer.as_mut_ptr().cast(),
            &raw mut length,
            std::ptr::null_mut(),
            0,
        )
    };
    let text = if code == 0 { buffer.get(..length).unwrap_or_default() } else { &[] };
    String::from_utf8_lossy(text).trim_end_matches('\0').to_owned()
}
