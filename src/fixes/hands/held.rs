//! Whether a program has a file open for writing: it may write there later, wherever the file was moved, and whatever was
//! seen in it before.
#![expect(clippy::disallowed_methods, reason = "hands write")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::{Config, Mirror};
use crate::fixes::hands::{files, swap, within};
use crate::probes::clock;
use crate::probes::git::{KEPT, LEFT_INSIDE};

/// Names the signal that a lease tells by; the `libc` crate does not know it.
#[cfg(target_os = "linux")]
const F_SETSIG: i32 = 10;

/// Moves something of the mirror to where it is kept, as [`files::keep`] does, and says where. What a program can still write
/// to is copied nowhere, since what it writes later would be lost with the file: where the state lies on another volume,
/// it stays on its own, and that is said too.
///
/// # Errors
/// The system's own; then all of it is where it was.
pub(super) fn keep(
    config: &Config,
    mirror: &Mirror,
    from: &Path,
    place: [&Path; 2],
) -> io::Result<(PathBuf, bool)> {
    let [directory, path] = place;
    let to = files::vacant(directory, path)?;
    files::private_directory(to.parent().unwrap_or(directory))?;
    match fs::rename(from, &to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {}
        done => return done.map(|()| (to, false)),
    }
    if !any_for_writing(from)? {
        return files::keep(from, directory, path).map(|kept| (kept, false));
    }
    let stays = beside(mirror, path)?;
    fs::rename(from, &stays)?;
    // Nothing is kept in the state.
    let all = config.state.join("rescued");
    let mut made = to.ancestors().skip(1).take_while(|it| it.starts_with(&all) && *it != all);
    let _ = made.try_for_each(fs::remove_dir);
    Ok((stays, true))
}

/// Where something of that path stays on its volume: beside the worktree, where `housecall rescued` finds it; in it where it
/// is a volume of its own, and git sees nothing of it.
fn beside(mirror: &Mirror, path: &Path) -> io::Result<PathBuf> {
    let top = mirror.worktree.as_path();
    let parent = swap::beside(top).map_err(io::Error::other)?;
    let time = files::stamp(clock::now());
    let place = if parent == top {
        let hidden = top.join(format!("{LEFT_INSIDE}{time}"));
        files::private_directory(&hidden)?;
        match files::write_new_private(&hidden.join(".gitignore"), b"*\n") {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            // A person's own file of that name is kept deeper.
            _ => hidden.join(KEPT),
        }
    } else {
        let mut name = top.file_name().unwrap_or_default().to_owned();
        name.push(format!(".aside-{time}"));
        parent.join(name)
    };
    let to = files::vacant(&place, path)?;
    files::private_directory(to.parent().unwrap_or(&place))?;
    Ok(to)
}

/// Whether any file at that path or beneath it is held.
fn any_for_writing(path: &Path) -> io::Result<bool> {
    if !fs::symlink_metadata(path)?.is_dir() {
        return Ok(for_writing(path));
    }
    Ok(within::all(path)?.iter().any(|inner| for_writing(&path.join(inner))))
}

/// Whether any has; where the system cannot be asked, none is known. Of another user's file it cannot, without the right to
/// (`CAP_LEASE`), nor of one that may not be read, nor of any that another machine has.
#[cfg(target_os = "linux")]
pub(super) fn for_writing(path: &Path) -> bool {
    use rustix::fs::{Mode, OFlags};

    let how = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::open(path, how, Mode::empty()).is_ok_and(|file| !is_remote(&file) && is_refused(&file))
}

/// Where the system has no leases, what is written after the last look at it is lost with the file.
#[cfg(not(target_os = "linux"))]
pub(super) const fn for_writing(_: &Path) -> bool {
    false
}

/// Whether another machine has it: NFS and SMB refuse a lease on what nobody has open too, unless their server delegates it.
#[cfg(target_os = "linux")]
fn is_remote(file: &std::os::fd::OwnedFd) -> bool {
    // NFS, SMB of the three ages.
    const REMOTE: [u32; 4] = [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42];

    rustix::fs::fstatfs(file)
        .is_ok_and(|it| u32::try_from(it.f_type).is_ok_and(|kind| REMOTE.contains(&kind)))
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
