//! A mount that hangs: a FUSE file system whose daemon never reads a request.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::processes::Kept;

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
