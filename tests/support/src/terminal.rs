//! A real terminal around the binary: what a person would see of it.

use std::fs::File;
use std::io::Read;
use std::process::Child;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::housecall::binary;
use crate::mirror::Mirror;
use crate::processes::eventually;

/// The binary on a terminal of its own.
#[derive(Debug)]
pub struct Terminal {
    child: Child,
    seen: Arc<Mutex<String>>,
    reading: JoinHandle<()>,
}

impl Terminal {
    /// Starts the binary for this mirror, with these variables beside its home's.
    ///
    /// # Panics
    /// Where there is no terminal to be had.
    #[must_use]
    pub fn start(mirror: &Mirror, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::start_at(100, mirror, arguments, variables)
    }

    /// The same, where the terminal is so many characters wide.
    ///
    /// # Panics
    /// As [`Self::start`].
    #[must_use]
    pub fn start_at(width: u16, mirror: &Mirror, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let outer = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&outer).expect("it is ours");
        unlockpt(&outer).expect("it is open");
        let size = Winsize { ws_row: 40, ws_col: width, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&outer, size).expect("its size");
        let name = ptsname(&outer, Vec::new()).expect("its name").into_string().expect("a plain name");
        let inner = File::options().read(true).write(true).open(name).expect("its other end");
        let mut command = mirror.home.command(mirror.home.program.clone().unwrap_or_else(binary));
        command.arg("--config").arg(&mirror.config).args(arguments).current_dir(mirror.home.path());
        command.env("TERM", "xterm-256color").envs(variables.iter().copied());
        let end = || inner.try_clone().expect("its other end");
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().expect("housecall starts");
        let seen = Arc::new(Mutex::new(String::new()));
        let hears = Arc::clone(&seen);
        let mut outer = File::from(outer);
        let reading = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // It ends with an error when the last one closes the other end.
            while let Ok(count @ 1..) = outer.read(&mut buffer) {
                let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
                hears.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
            }
        });
        Self { child, seen, reading }
    }

    /// All that was drawn so far, with what steers the terminal.
    #[must_use]
    pub fn text(&self) -> String {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until this was drawn.
    ///
    /// # Panics
    /// Where it is not within a minute.
    #[track_caller]
    pub fn shows(&self, wanted: &str) {
        let is_there = || self.text().contains(wanted);
        assert!(eventually(Duration::from_mins(1), is_there), "{wanted} is not in {:?}", self.text());
    }

    /// Waits for its end; its exit code, and all that was drawn.
    ///
    /// # Panics
    /// Where it cannot be waited for.
    #[must_use]
    pub fn wait(mut self) -> (i32, String) {
        let status = self.child.wait().expect("it ends");
        self.reading.join().expect("all is read");
        let text = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (status.code().unwrap_or(-1), text)
    }
}
