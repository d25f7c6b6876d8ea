//! Whether a program has a file open for writing: it may write there later, wherever the file was moved, and whatever was
//! seen in it before.

use std::path::Path;

/// Names the signal that a lease tells by; the `libc` crate does not know it.
#[cfg(target_os = "linux")]
const F_SETSIG: i32 = 10;

/// Whether any has; where the system cannot be asked, none is known.
#[cfg(target_os = "linux")]
pub(super) fn for_writing(path: &Path) -> bool {
    use rustix::fs::{Mode, OFlags};

    let how = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::open(path, how, Mode::empty()).is_ok_and(|file| is_refused(&file))
}

/// Where the system has no leases, what is written after the last look at it is lost with the file.
#[cfg(not(target_os = "linux"))]
pub(super) const fn for_writing(_: &Path) -> bool {
    false
}

/// The kernel gives a lease for reading only on what nobody has open, or mapped, for writing.
#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "a lease is the one question that needs no look at all processes, and nothing wraps it"
)]
fn is_refused(file: &std::os::fd::OwnedFd) -> bool {
    use std::os::fd::AsRawFd as _;

    let file = file.as_raw_fd();
    // SAFETY: the descriptor is open for as long as it is borrowed, and no memory is handed over. Who opens the file
    // meanwhile has the kernel tell us so, by a signal that is ignored where nobody listens to it.
    unsafe {
        if libc::fcntl(file, F_SETSIG, libc::SIGURG) != 0 {
            return false;
        }
        if libc::fcntl(file, libc::F_SETLEASE, libc::F_RDLCK) != 0 {
            return std::io::Error::last_os_error().kind() == std::io::ErrorKind::WouldBlock;
        }
        libc::fcntl(file, libc::F_SETLEASE, libc::F_UNLCK);
    }
    false
}
