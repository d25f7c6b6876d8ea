//! A mount that hangs, a FUSE file system whose daemon never reads a request; and a volume that does so from some time on.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::processes::Kept;
use crate::run;

/// Mounted for as long as it lives; every look at it waits for ever.
#[derive(Debug)]
pub struct HungMount {
    path: PathBuf,
    daemon: Option<Kept>,
}

impl HungMount {
    /// Mounts it over that directory.
    ///
    /// # Panics
    /// Where the machine does not let it.
    #[must_use]
    pub fn over(path: &Path) -> Self {
        std::fs::create_dir_all(path).expect("the mount point");
        // The shell opens the device, `mount` hands it to the kernel, and nobody ever reads it.
        let script = "exec 9<>/dev/fuse && mount -i -t fuse -o \
                      fd=9,rootmode=40000,user_id=0,group_id=0 housecall-hung \"$1\" && echo mounted && exec sleep 900";
        let mut command = Command::new("bash");
        command.args(["-c", script, "hung"]).arg(path).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut daemon = Kept::start(&mut command);
        let mut line = String::new();
        let output = daemon.0.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut line).expect("its first line");
        assert_eq!(line, "mounted\n", "the FUSE mount is made");
        Self { path: path.to_owned(), daemon: Some(daemon) }
    }

    /// Ends the daemon: from now on the mount answers ENOTCONN at once.
    pub fn disconnect(&mut self) {
        self.daemon = None;
    }
}

impl Drop for HungMount {
    fn drop(&mut self) {
        self.daemon = None;
        let _ = Command::new("umount").args(["-i", "-l"]).arg(&self.path).status();
    }
}

/// A volume as a disk that is plugged in: it answers until it is told to hang.
#[derive(Debug)]
pub struct Volume {
    path: PathBuf,
}

impl Volume {
    /// Mounts an empty one where disks are, for as long as it lives.
    ///
    /// # Panics
    /// Where the machine does not let it.
    #[must_use]
    pub fn plugged_in() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("{}-{}", run::own_name(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(run::MEDIA).join(name);
        std::fs::create_dir_all(&path).expect("the mount point");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "housecall"]).arg(&path).status();
        assert!(mounted.is_ok_and(|it| it.success()), "the volume is mounted");
        Self { path }
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A path on it.
    #[must_use]
    pub fn at(&self, relative: &str) -> PathBuf {
        self.path.join(relative)
    }

    /// From now on every look at it waits, until that is dropped.
    #[must_use]
    pub fn hangs(&self) -> HungMount {
        HungMount::over(&self.path)
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
        let _ = std::fs::remove_dir(&self.path);
    }
}
