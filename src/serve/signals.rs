//! What a keeper is told by signals, and a pipe that wakes it.

use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};

use crate::error::StepError;

/// What the keeper is told, and a pipe that wakes it.
pub(super) struct Signals {
    pub(super) down: Arc<AtomicBool>,
    pub(super) restart: Arc<AtomicBool>,
    pub(super) reread: Arc<AtomicBool>,
    woken: UnixStream,
}

impl Signals {
    pub(super) fn register() -> Result<Self, StepError> {
        Self::try_register().map_err(|error| StepError::failed("listen to signals", &error))
    }

    fn try_register() -> std::io::Result<Self> {
        let [down, restart, reread] = std::array::from_fn(|_| Arc::new(AtomicBool::new(false)));
        let (woken, waker) = UnixStream::pair()?;
        woken.set_nonblocking(true)?;
        for signal in [SIGTERM, SIGINT, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&down))?;
        }
        signal_hook::flag::register(SIGUSR1, Arc::clone(&restart))?;
        signal_hook::flag::register(SIGUSR2, Arc::clone(&reread))?;
        for signal in [SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD] {
            signal_hook::low_level::pipe::register(signal, waker.try_clone()?)?;
        }
        Ok(Self { down, restart, reread, woken })
    }

    pub(super) fn wait(&self, pause: Duration) {
        let timeout = Timespec {
            tv_sec: i64::try_from(pause.as_secs()).unwrap_or(1),
            tv_nsec: pause.subsec_nanos().into(),
        };
        // An interruption is as good as a byte in the pipe.
        let _ = poll(&mut [PollFd::from_borrowed_fd(self.woken.as_fd(), PollFlags::IN)], Some(&timeout));
        let mut bytes = [0; 64];
        while (&self.woken).read(&mut bytes).is_ok_and(|count| count > 0) {}
    }
}
