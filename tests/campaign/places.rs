//! Where faults happen: small file systems of their own, filled or made read-only, and directories closed; always undone.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system in memory, mounted for as long as it lives.
#[derive(Debug)]
pub(crate) struct Small {
    path: PathBuf,
}

impl Small {
    /// Mounts it over that directory, with what was in it.
    pub(crate) fn over(path: &Path, mebibytes: u32) -> Self {
        let beside = path.with_extension("before");
        fs::create_dir_all(path).expect("the directory");
        fs::rename(path, &beside).expect("what was in it");
        fs::create_dir(path).expect("the mount point");
        run("mount", &["-t", "tmpfs", "-o", &format!("size={mebibytes}m,mode=0755"), "tmpfs"], path);
        let copied = Command::new("cp").arg("-a").arg(beside.join(".")).arg(path).status();
        assert!(copied.is_ok_and(|it| it.success()), "what was in it is copied");
        fs::remove_dir_all(beside).expect("the copy it was made from");
        Self { path: path.to_owned() }
    }

    /// Fills it to the last byte.
    pub(crate) fn fill(&self) {
        let mut file = File::create(self.filler()).expect("the filler");
        let block = vec![0_u8; 1 << 20];
        for size in [1 << 20, 4096, 1] {
            while file.write_all(&block[..size]).is_ok() {}
        }
    }

    /// Frees it again.
    pub(crate) fn free(&self) {
        let _ = fs::remove_file(self.filler());
    }

    fn filler(&self) -> PathBuf {
        self.path.join(".filler")
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

/// A directory that nobody can write in for as long as this lives; what is open already stays so.
#[derive(Debug)]
pub(crate) struct ReadOnly {
    path: PathBuf,
}

impl ReadOnly {
    pub(crate) fn make(path: &Path) -> Self {
        run("mount", &["--bind", &path.display().to_string()], path);
        run("mount", &["-o", "remount,bind,ro"], path);
        Self { path: path.to_owned() }
    }
}

impl Drop for ReadOnly {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

/// A directory with another mode for as long as this lives, wherever it is moved.
#[derive(Debug)]
pub(crate) struct Closed {
    directory: File,
    before: Permissions,
}

impl Closed {
    /// Nothing where there is no such directory.
    pub(crate) fn make(path: &Path, mode: u32) -> Option<Self> {
        let directory = File::open(path).ok()?;
        let before = directory.metadata().ok()?.permissions();
        directory.set_permissions(Permissions::from_mode(mode)).expect("its mode");
        Some(Self { directory, before })
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        let _ = self.directory.set_permissions(self.before.clone());
    }
}

fn run(program: &str, arguments: &[&str], path: &Path) {
    let status = Command::new(program).args(arguments).arg(path).status().expect("it starts");
    assert!(status.success(), "{program} {arguments:?} {}", path.display());
}
