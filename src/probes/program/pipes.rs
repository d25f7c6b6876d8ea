//! The two outputs of a program that runs: read as they come, each kept up to a limit.

use std::io::{ErrorKind, Read};
use std::os::fd::AsFd;
use std::process::Child;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Both outputs of a child.
pub(super) struct Pipes(pub(super) [Pipe; 2]);

/// One output, and the part of it that is kept.
pub(super) struct Pipe {
    pub(super) source: Option<Box<dyn Source>>,
    pub(super) kept: Vec<u8>,
    limit: usize,
    pub(super) truncated: bool,
}

pub(super) trait Source: Read + AsFd {}
impl<T: Read + AsFd> Source for T {}

impl Pipes {
    pub(super) fn of(child: &mut Child, limit: usize) -> Self {
        let pipe = |source: Option<Box<dyn Source>>| {
            // One that blocks would outlive the deadline: it is closed rather than read.
            let source = source.filter(|source| rustix::io::ioctl_fionbio(source.as_fd(), true).is_ok());
            Pipe { source, kept: Vec::new(), limit, truncated: false }
        };
        let stdout = child.stdout.take().map(|it| Box::new(it) as Box<dyn Source>);
        let stderr = child.stderr.take().map(|it| Box::new(it) as Box<dyn Source>);
        Self([pipe(stdout), pipe(stderr)])
    }

    pub(super) fn are_open(&self) -> bool {
        self.0.iter().any(|pipe| pipe.source.is_some())
    }

    /// Waits at most that long for output, and takes one chunk of each.
    pub(super) fn read(&mut self, wait: Duration, on_output: &mut dyn FnMut(&[u8])) {
        let mut asked: Vec<PollFd<'_>> = Vec::with_capacity(2);
        for source in self.0.iter().filter_map(|pipe| pipe.source.as_ref()) {
            asked.push(PollFd::from_borrowed_fd(source.as_fd(), PollFlags::IN));
        }
        let wait = Timespec { tv_sec: 0, tv_nsec: wait.subsec_nanos().into() };
        // An interruption is as good as an output: what is not there is not read.
        let _ = poll(&mut asked, Some(&wait));
        self.0.iter_mut().for_each(|pipe| pipe.take(on_output));
    }
}

impl Pipe {
    fn take(&mut self, on_output: &mut dyn FnMut(&[u8])) {
        let Some(source) = &mut self.source else { return };
        let mut buffer = [0; 16 << 10];
        match source.read(&mut buffer) {
            Ok(count @ 1..) => {
                let chunk = &buffer[..count];
                on_output(chunk);
                let room = self.limit.saturating_sub(self.kept.len()).min(count);
                self.kept.extend_from_slice(&chunk[..room]);
                self.truncated |= room < count;
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => (),
            Ok(0) | Err(_) => self.source = None,
        }
    }
}
