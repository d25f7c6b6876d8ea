//! Which packages are installed: from the database of the manager where that is a plain file, else in its own words.
#![expect(clippy::disallowed_methods, reason = "probes are where the machine is read")]

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use crate::error::ProbeError;
use crate::probes::program::{self, Ended, Program};

/// A database of packages that is one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Database {
    /// Debian's.
    Dpkg,
    /// Alpine's.
    Apk,
}

/// Where Homebrew keeps what it installed.
const BREW: [&str; 3] = ["/opt/homebrew", "/usr/local", "/home/linuxbrew/.linuxbrew"];

/// What is installed, by name; for dpkg also by `name:architecture`.
pub type Installed = HashMap<String, Found>;

/// A package that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its version, in its manager's words.
    pub version: String,
    /// Those that are installed beside it.
    pub older: Vec<String>,
    /// How far its installation came, where it is not whole: "unpacked", "half-configured".
    pub partly: Option<String>,
}

/// A manager whose program must be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Red Hat's.
    Rpm,
    /// Arch's.
    Pacman,
    /// Node's, globally.
    Npm,
    /// Python's.
    Pip,
}

impl Database {
    /// Where it is.
    #[must_use]
    pub fn path(self) -> &'static Path {
        Path::new(match self {
            Self::Dpkg => "/var/lib/dpkg/status",
            Self::Apk => "/lib/apk/db/installed",
        })
    }

    /// Whether this system has it.
    #[must_use]
    pub fn is_here(self) -> bool {
        self.path().is_file()
    }
}

impl Asked {
    /// What it is asked with, before the name of the package.
    #[must_use]
    pub const fn argv(self) -> &'static [&'static str] {
        match self {
            Self::Rpm => &["rpm", "--query", "--queryformat", "%{VERSION}\\n", "--"],
            Self::Pacman => &["pacman", "--query", "--"],
            Self::Npm => &["npm", "ls", "--global", "--json", "--depth=0", "--"],
            Self::Pip => &["python3", "-m", "pip", "--disable-pip-version-check", "show", "--"],
        }
    }
}

/// Whether this system's packages are pacman's.
#[must_use]
pub fn is_arch() -> bool {
    Path::new("/var/lib/pacman/local").is_dir()
}

/// Reads a whole database.
///
/// # Errors
/// It is not there, or may not be read.
pub fn read(database: Database) -> Result<Installed, ProbeError> {
    let text = fs::read(database.path())
        .map_err(|error| ProbeError::failed(format!("read {}", database.path().display()), &error))?;
    let text = String::from_utf8_lossy(&text);
    Ok(match database {
        Database::Dpkg => dpkg(&text),
        Database::Apk => apk(&text),
    })
}

/// Paragraphs of `Package:`, `Status:` and `Version:`; what was removed but for its configuration stands there too.
fn dpkg(text: &str) -> Installed {
    let mut installed = Installed::new();
    for paragraph in text.split("\n\n") {
        let field = |name: &str| paragraph.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let state = field("Status:").and_then(|it| it.split_whitespace().nth(2)).unwrap_or("not-installed");
        let partly = match state {
            "not-installed" | "config-files" => continue,
            // What waits for a trigger is configured.
            "installed" | "triggers-awaited" | "triggers-pending" => None,
            other => Some(other.to_owned()),
        };
        let (Some(name), version) = (field("Package:"), field("Version:").unwrap_or_default()) else {
            continue;
        };
        let found = Found { version: version.to_owned(), older: Vec::new(), partly };
        if let Some(architecture) = field("Architecture:") {
            installed.insert(format!("{name}:{architecture}"), found.clone());
        }
        let of_any = installed.entry(name.to_owned()).or_insert_with(|| found.clone());
        if of_any.partly.is_some() {
            *of_any = found;
        }
    }
    installed
}

/// The package of that name; what is of all architectures is of each.
#[must_use]
pub fn named<'a>(installed: &'a Installed, name: &str) -> Option<&'a Found> {
    let of_all = || installed.get(&format!("{}:all", name.split_once(':')?.0));
    installed.get(name).or_else(of_all)
}

/// Paragraphs of `P:` and `V:`.
fn apk(text: &str) -> Installed {
    let paragraphs = text.split("\n\n").filter_map(|paragraph| {
        let field = |name: &str| paragraph.lines().find_map(|line| line.strip_prefix(name));
        let found = Found { version: field("V:")?.to_owned(), older: Vec::new(), partly: None };
        Some((field("P:")?.to_owned(), found))
    });
    paragraphs.collect()
}

/// The newest version of a formula or a cask that Homebrew installed; `None`: it is not.
///
/// # Errors
/// There is no Homebrew, or its folders may not be read.
pub fn brew(name: &str) -> Result<Option<String>, ProbeError> {
    let failed = |error| ProbeError::failed("look into Homebrew's folders", &error);
    let mut is_here = false;
    for folder in BREW.iter().flat_map(|root| ["Cellar", "Caskroom"].map(|it| Path::new(root).join(it))) {
        is_here |= folder.is_dir();
        let entries = match fs::read_dir(folder.join(name)) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => continue,
            Err(error) => return Err(failed(error)),
        };
        let mut newest = None;
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let version = entry.file_name().to_string_lossy().into_owned();
            let when = entry.metadata().and_then(|it| it.modified()).map_err(failed)?;
            if !version.starts_with('.') && newest.as_ref().is_none_or(|(newest, _)| *newest < when) {
                newest = Some((when, version));
            }
        }
        if let Some((_, version)) = newest {
            return Ok(Some(version));
        }
    }
    if is_here { Ok(None) } else { Err(ProbeError::failed("ask brew", &"it is not installed")) }
}

/// Asks a manager for the versions of a package; `None`: it is not installed.
///
/// # Errors
/// The manager is not there, does not answer in time, or says something else.
pub fn ask(
    manager: Asked,
    name: &str,
    environment: &BTreeMap<OsString, OsString>,
    deadline: Duration,
) -> Result<Option<Found>, ProbeError> {
    let argv = manager.argv();
    let mut environment = environment.clone();
    environment.insert("LC_ALL".into(), "C".into());
    let program = Program {
        argv: argv.iter().copied().chain([name]).map(OsString::from).collect(),
        directory: None,
        environment,
        deadline,
        limit: 1 << 20,
    };
    let output = program::run(&program)?;
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    let is_missing = match manager {
        Asked::Rpm => said.contains("is not installed"),
        Asked::Pacman => complaint.contains("was not found"),
        Asked::Npm => output.ended == Ended::Code(1) && npm(&said, name) == Listed::Missing,
        Asked::Pip => complaint.contains("not found:"),
    };
    let is_failure = |line: &&str| line.starts_with("error:") && !line.contains("was not found");
    if is_missing && !output.succeeded() && !complaint.lines().any(|line| is_failure(&line)) {
        return Ok(None);
    }
    let mut older = Vec::new();
    let version = match manager {
        _ if !output.succeeded() => None,
        // Of several installed at once the last one is the newest.
        Asked::Rpm => {
            older.extend(said.lines().map(str::to_owned));
            older.pop()
        }
        Asked::Pacman => said.split_whitespace().nth(1).map(str::to_owned),
        Asked::Npm => match npm(&said, name) {
            Listed::Missing => return Ok(None),
            Listed::In(version) => Some(version),
            Listed::Unreadable => None,
        },
        Asked::Pip => said.lines().find_map(|line| line.strip_prefix("Version: ")).map(str::to_owned),
    };
    let program = argv.first().copied().unwrap_or_default();
    let failed = || {
        let words = if complaint.trim().is_empty() { said.trim() } else { complaint.trim() };
        let first = words.lines().find(is_failure).or(words.lines().next()).unwrap_or("it says nothing");
        ProbeError::failed(format!("ask {program} for {name}"), &first)
    };
    version.map(|version| Some(Found { version, older, partly: None })).ok_or_else(failed)
}

/// What `npm ls --json` says of a package.
#[derive(Debug, PartialEq, Eq)]
enum Listed {
    Unreadable,
    Missing,
    In(String),
}

fn npm(said: &str, name: &str) -> Listed {
    let Ok(serde_json::Value::Object(tree)) = serde_json::from_str(said) else { return Listed::Unreadable };
    let found = tree.get("dependencies").and_then(|it| it.get(name));
    let is_there = found.filter(|it| it.get("missing").is_none());
    let version = is_there.and_then(|it| it.get("version")?.as_str());
    // It lists what it has of a tree with problems; of any other error it lists nothing.
    let is_read = tree.get("error").is_none_or(|it| it.get("code").is_some_and(|it| it == "ELSPROBLEMS"));
    let missing = if is_read { Listed::Missing } else { Listed::Unreadable };
    version.map_or(missing, |version| Listed::In(version.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_removed_is_not_installed() {
        let text = "Package: git\nStatus: install ok installed\nVersion: 1:2.39.5-0+deb12u1\n\n\
                    Package: vim\nStatus: deinstall ok config-files\nVersion: 2:9.0\n\n";
        let found = |version: &str| Found { version: version.to_owned(), older: Vec::new(), partly: None };
        assert_eq!(dpkg(text), [("git".to_owned(), found("1:2.39.5-0+deb12u1"))].into());
        let text = "C:Q1\nP:musl\nV:1.2.4_git20230717-r4\nA:x86_64\n\nP:zlib\nV:1.3.1-r0\n";
        assert_eq!(apk(text).get("zlib"), Some(&found("1.3.1-r0")));
    }

    #[test]
    fn what_is_half_there_is_neither_whole_nor_absent() {
        let paragraph = |name: &str, architecture: &str, state: &str| {
            format!(
                "Package: {name}\nStatus: install ok {state}\nArchitecture: {architecture}\nVersion: 2.0-1\n\n"
            )
        };
        let text = [
            paragraph("libc6", "amd64", "unpacked"),
            paragraph("libc6", "i386", "installed"),
            paragraph("man-db", "amd64", "triggers-pending"),
            paragraph("tzdata", "all", "half-configured"),
            paragraph("gone", "amd64", "config-files"),
        ];
        let installed = dpkg(&text.concat());
        for (name, partly) in [
            ("libc6", Some(None)),
            ("libc6:i386", Some(None)),
            ("libc6:amd64", Some(Some("unpacked"))),
            ("libc6:arm64", None),
            ("man-db", Some(None)),
            ("tzdata", Some(Some("half-configured"))),
            ("tzdata:amd64", Some(Some("half-configured"))),
            ("gone", None),
        ] {
            assert_eq!(named(&installed, name).map(|it| it.partly.as_deref()), partly, "{name}");
        }
    }
}
