//! A home of the test's own; whatever was started with it as HOME ends with it.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::folder::Folder;
use crate::processes::{self, Process};
use crate::run;

/// A temporary HOME with XDG directories, a git identity and a PATH of its own.
#[derive(Debug)]
pub struct Home {
    folder: Option<Folder>,
    path: PathBuf,
    environment: Vec<(String, OsString)>,
    pub(crate) program: Option<PathBuf>,
}

impl Home {
    /// A fresh one.
    ///
    /// # Panics
    /// Where it would be the user's own.
    #[must_use]
    pub fn new() -> Self {
        Self::beneath(&run::temporary())
    }

    /// A fresh one in memory, where there is room for that many bytes: so many files take a disk a minute.
    ///
    /// # Panics
    /// As [`Self::new`].
    #[must_use]
    pub fn in_memory(room: u64) -> Self {
        let memory = Path::new(run::MEMORY);
        let is_large = rustix::fs::statvfs(memory).is_ok_and(|it| it.f_bavail * it.f_frsize > room);
        if is_large { Self::beneath(memory) } else { Self::new() }
    }

    fn beneath(place: &Path) -> Self {
        let folder = Folder::beneath(place);
        let path = folder.path().canonicalize().expect("the temporary folder");
        if let Some(real) = std::env::var_os("HOME").map(PathBuf::from) {
            assert!(!real.starts_with(&path), "a test must never use the user's own home");
        }
        for (name, mode) in [(".config", 0o755), (".cache", 0o755), ("run", 0o700), ("bin", 0o755)] {
            fs::create_dir(path.join(name)).expect("a folder of the home");
            fs::set_permissions(path.join(name), fs::Permissions::from_mode(mode)).expect("its mode");
        }
        let identity = "[user]\n\tname = A Test\n\temail = test@example.org\n\
                        [init]\n\tdefaultBranch = main\n[gc]\n\tauto = 0\n";
        fs::write(path.join(".gitconfig"), identity).expect("a git identity");
        let cache = crate::parts::folder().join("npm-cache");
        let mut npm = format!("cache={}\nprefer-offline=true\naudit=false\nfund=false\n", cache.display());
        if let Some(authorities) = std::env::var_os("NODE_EXTRA_CA_CERTS") {
            npm.push_str("cafile=");
            npm.push_str(&authorities.to_string_lossy());
            npm.push('\n');
        }
        fs::write(path.join(".npmrc"), npm).expect("npm's configuration");
        let environment = [
            ("HOME", path.clone()),
            ("XDG_CONFIG_HOME", path.join(".config")),
            ("XDG_CACHE_HOME", path.join(".cache")),
            ("XDG_STATE_HOME", path.join(".local/state")),
            ("XDG_DATA_HOME", path.join(".local/share")),
            ("XDG_RUNTIME_DIR", path.join("run")),
            ("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin".into()),
            ("LANG", "C.UTF-8".into()),
            ("USER", "tester".into()),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.into_os_string())).into();
        Self { folder: Some(folder), path, environment, program: None }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A path inside it.
    #[must_use]
    pub fn at(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.path.join(relative)
    }

    /// The whole environment of whatever runs in it.
    #[must_use]
    pub fn environment(&self) -> &[(String, OsString)] {
        &self.environment
    }

    /// Sets a variable of that environment.
    pub fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.environment.retain(|(it, _)| it != name);
        self.environment.push((name.to_owned(), value.into()));
    }

    /// Writes a file in it, with its folders.
    pub fn write(&self, relative: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.at(relative);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the file's folder");
        fs::write(&path, content).expect("the file");
        path
    }

    /// Writes a program in it.
    pub fn program(&self, relative: impl AsRef<Path>, content: &str) -> PathBuf {
        let path = self.write(relative, content);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its mode");
        path
    }

    /// Puts a program of the machine under another name.
    pub fn link(&self, relative: impl AsRef<Path>, target: &Path) {
        let path = self.at(relative);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the link's folder");
        symlink(target, path).expect("the link");
    }

    /// Puts the binary where a user has it, in `~/.local/bin`, and runs it from there from now on.
    ///
    /// # Panics
    /// Where it cannot be copied.
    pub fn install_binary(&mut self) -> PathBuf {
        let place = self.at(".local/bin/housecall");
        fs::create_dir_all(self.at(".local/bin")).expect("the folder of programs");
        let built = crate::housecall::binary();
        if fs::hard_link(&built, &place).is_err() {
            fs::copy(&built, &place).expect("the binary is copied");
        }
        self.program = Some(place.clone());
        place
    }

    /// Everything alive that was started with this HOME.
    #[must_use]
    pub fn processes(&self) -> Vec<Process> {
        processes::of_home(&self.path)
    }
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        for signal in ["TERM", "KILL", "KILL"] {
            let alive = self.processes();
            if alive.is_empty() {
                break;
            }
            for process in &alive {
                processes::signal(process.pid, signal);
            }
            processes::eventually(std::time::Duration::from_secs(3), || self.processes().is_empty());
        }
        if std::env::var_os("HOUSECALL_KEEP").is_some()
            && let Some(folder) = self.folder.take()
        {
            let _ = folder.keep();
        }
    }
}
