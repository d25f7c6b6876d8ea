//! What a process is surrounded by: its home, directory, environment and user, read once at the edge.
#![expect(clippy::disallowed_methods, reason = "this is where the environment is read")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::ConfigError;

/// The surroundings of a process. Tests give their own; nothing else reads the environment.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The user's home directory.
    pub home: PathBuf,
    /// The directory it was called in, after `-C`.
    pub directory: PathBuf,
    /// Its environment, as far as that is text.
    pub environment: BTreeMap<String, String>,
    /// The rest of it: variables whose names or values are no text.
    pub odd: BTreeMap<OsString, OsString>,
    /// The user.
    pub uid: u32,
}

impl Surroundings {
    /// Reads those of this process, as seen from `-C DIR`.
    ///
    /// # Errors
    /// No home directory, or no directory to be in.
    pub fn of_process(directory: Option<&Path>) -> Result<Self, ConfigError> {
        let (mut environment, mut odd) = (BTreeMap::new(), BTreeMap::new());
        for (name, value) in std::env::vars_os() {
            match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(value)) => drop(environment.insert(name, value)),
                (name, value) => {
                    let raw = |it: Result<String, OsString>| it.map_or_else(|raw| raw, OsString::from);
                    odd.insert(raw(name), raw(value));
                }
            }
        }
        let home = etcetera::home_dir()
            .map_err(|error| ConfigError::Surroundings { what: "home directory", why: error.to_string() })?;
        if !home.is_absolute() {
            let why = format!("HOME is `{}`, which is no absolute path", home.display());
            return Err(ConfigError::Surroundings { what: "home directory", why });
        }
        let here = std::env::current_dir().map_err(|error| ConfigError::Surroundings {
            what: "working directory",
            why: error.to_string(),
        })?;
        let directory = match directory {
            None => here,
            Some(directory) => {
                let there = here.join(directory);
                if !there.is_dir() {
                    let why = format!("`{}` is no directory", directory.display());
                    return Err(ConfigError::Surroundings { what: "directory for -C", why });
                }
                there
            }
        };
        Ok(Self { home, directory, environment, odd, uid: rustix::process::geteuid().as_raw() })
    }

    /// Its whole environment, text or not.
    #[must_use]
    pub fn whole(&self) -> BTreeMap<OsString, OsString> {
        let text = self.environment.iter().map(|(name, value)| (name.into(), value.into()));
        text.chain(self.odd.clone()).collect()
    }

    /// A variable that is set to something.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Where the service managers' own programs are looked for: the caller's PATH, then the system's.
    #[must_use]
    pub fn system_path(&self) -> Vec<PathBuf> {
        let called = self.variable("PATH").map(std::env::split_paths).into_iter().flatten();
        let system = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"].map(PathBuf::from);
        called.filter(|place| place.is_absolute()).chain(system).collect()
    }

    /// Where our own configuration lives: `~/.config/housecall`.
    #[must_use]
    pub fn config_home(&self) -> PathBuf {
        self.xdg("XDG_CONFIG_HOME", ".config").join("housecall")
    }

    /// Where the mirrors that `init` wrote are registered.
    #[must_use]
    pub fn registry(&self) -> PathBuf {
        self.config_home().join("mirrors")
    }

    /// Where state lives that has no other place: `~/.local/state/housecall`.
    #[must_use]
    pub fn state_home(&self) -> PathBuf {
        self.xdg("XDG_STATE_HOME", ".local/state").join("housecall")
    }

    /// Where it is remembered which configurations are trusted.
    #[must_use]
    pub fn trust_file(&self) -> PathBuf {
        self.state_home().join("trust.json")
    }

    /// A path as people read it: the home directory is `~`.
    #[must_use]
    pub fn tilde(&self, path: &Path) -> String {
        super::tilde(&self.home, path)
    }

    /// What a program that we run gets of it: who the user is, how they speak, how they reach the network.
    ///
    /// A job has no more than this, so a look has no more either: nothing that marks an agent's shell, no `GIT_DIR`.
    #[must_use]
    pub fn kept_environment(&self) -> BTreeMap<String, String> {
        const KEPT: [&str; 8] =
            ["HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SSH_AUTH_SOCK"];
        const PROXIES: [&str; 4] = ["http_proxy", "https_proxy", "no_proxy", "all_proxy"];
        let kept = |name: &str| {
            KEPT.contains(&name)
                || name == "TMPDIR"
                || name.starts_with("XDG_")
                || PROXIES.contains(&name.to_ascii_lowercase().as_str())
        };
        let mut environment: BTreeMap<String, String> = self
            .environment
            .iter()
            .filter(|(name, _)| kept(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        environment.insert("HOME".to_owned(), self.home.display().to_string());
        environment
    }

    /// The XDG base directory of that name; a relative one does not count, as the specification says.
    fn xdg(&self, name: &str, fallback: &str) -> PathBuf {
        let named = self.variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        named.unwrap_or_else(|| self.home.join(fallback))
    }
}
