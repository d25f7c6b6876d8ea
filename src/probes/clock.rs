//! The time: of day for people, awake for deadlines between runs, elapsed for measurements.
#![expect(clippy::disallowed_methods, reason = "probes are where clocks are read")]

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// The time of day.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// The monotonic time of this process.
#[must_use]
pub fn instant() -> Instant {
    Instant::now()
}

/// How long this machine has been awake since it booted; time asleep is not counted.
#[must_use]
pub fn awake() -> Duration {
    #[cfg(target_os = "macos")]
    let clock = rustix::time::ClockId::Uptime;
    #[cfg(not(target_os = "macos"))]
    let clock = rustix::time::ClockId::Monotonic;
    let time = rustix::time::clock_gettime(clock);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}
