//! The jobs: who keeps each, what its manager knows of it, what its files say, and where a service answers.
#![expect(clippy::disallowed_methods, reason = "probes are where files are read")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Access, access};

use crate::config::service::{KnownAs, address};
use crate::config::{self, Config, Kept, Service};
use crate::error::ProbeError;
use crate::lint::{self, Kind, Seen};
use crate::plain;
use crate::probes::machine::{Machine, Where};
use crate::probes::{installation, job_file};
use crate::services::{self, Definition, Job, Manager, Observed, Rendered, launchd, registry, targets};

/// systemd reads all the units that one names.
const VERIFYING: Duration = Duration::from_secs(20);
/// Why the jobs of a mirror are nobody's but our own.
const EMBEDDED: &str = "no job is installed: the embedded manager plays them until `housecall install`";

/// Who keeps a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keeping {
    /// A service manager of the system.
    Managed(Box<Managed>),
    /// None: why.
    Unmanaged(&'static str),
}

/// A job that a service manager of the system keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Managed {
    /// The manager's name: "launchd", "systemd".
    pub manager: &'static str,
    /// The job by its manager's name for it.
    pub job: Job,
    /// How the configuration wants it; `None`: `install` did not make it.
    pub wanted: Option<Wanted>,
}

/// A job as the configuration wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What it does.
    pub definition: Definition,
    /// The files that say so.
    pub files: Vec<Rendered>,
}

/// A file that defines a job, as it is.
#[derive(Debug, Clone)]
pub struct DefinitionFile {
    /// Where it is, or would be.
    pub path: PathBuf,
    /// What is there; `None`: nothing.
    pub content: Option<Content>,
}

/// What a file of a job holds.
#[derive(Debug, Clone)]
pub enum Content {
    /// A property list, and what this machine says of it.
    Plist(Vec<u8>, lint::Place),
    /// A unit, and what `systemd-analyze verify` says of it.
    Unit(Vec<u8>, Result<String, ProbeError>),
}

/// What is at a path that a job names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// This.
    Here {
        /// What it is, and what this user may do with it.
        seen: Seen,
        /// Whether macOS holds it back as downloaded.
        is_quarantined: bool,
    },
    /// It lies on a volume that can hang, and is not looked at.
    Away,
}

impl Content {
    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Plist(bytes, _) | Self::Unit(bytes, _) => bytes,
        }
    }
}

/// Finds out who keeps a job.
///
/// # Errors
/// What is installed cannot be read.
pub fn keeping(config: &Config, kept: &Kept) -> Result<Keeping, ProbeError> {
    let role = match kept {
        Kept::Service(service) => return Ok(Keeping::Managed(Box::new(of_service(service)))),
        Kept::Sync => "sync",
        Kept::Serve => "serve",
    };
    let managed = |manager: &'static Manager, wanted| {
        let job = registry::job_of(config, manager, role);
        Keeping::Managed(Box::new(Managed { manager: manager.name, job, wanted }))
    };
    if let Some(installation) = installation::read(config)? {
        let owner = services::manager_of(config)?;
        if owner.name == "embedded" {
            return Ok(Keeping::Unmanaged(EMBEDDED));
        }
        let definitions = services::definitions(config, owner, &installation.basis);
        let definition = definitions.into_iter().find(|it| it.job.name == role);
        let wanted = definition.map(|definition| {
            let files = (owner.render)(config, &definition);
            Wanted { definition, files }
        });
        return Ok(managed(owner, wanted));
    }
    // Jobs that somebody made by hand, under names that the configuration gives.
    let launchd = services::named("launchd").filter(|_| match config.jobs.manager {
        config::Manager::Launchd => true,
        config::Manager::Auto => config.jobs.label.is_some() || config.jobs.labels.contains_key(role),
        config::Manager::Systemd | config::Manager::Embedded => false,
    });
    match launchd {
        Some(owner) if is_there(&launchd::file_of(config, &registry::job_of(config, owner, role))) => {
            Ok(managed(owner, None))
        }
        _ => Ok(Keeping::Unmanaged(EMBEDDED)),
    }
}

fn is_there(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

/// A service's job.
#[must_use]
pub fn of_service(service: &Service) -> Managed {
    let (manager, label) = match &service.known_as {
        KnownAs::Label(label) => ("launchd", label),
        KnownAs::Unit(unit) => ("systemd", unit),
    };
    let job = Job { name: service.name.clone(), label: label.clone(), scope: service.scope, file: None };
    Managed { manager, job, wanted: None }
}

/// Asks its manager what it knows of a job.
///
/// # Errors
/// As its manager's.
pub fn observe(machine: &Machine, config: &Config, managed: &Managed) -> Result<Observed, ProbeError> {
    let asked = services::named(managed.manager)
        .ok_or_else(|| ProbeError::failed(format!("ask {}", managed.manager), &"it is not known"))?;
    let observed = (asked.observe)(machine, config, &managed.job)?;
    let given = observed.loaded.as_ref().and_then(|it| it.environment.as_ref());
    for (name, value) in given.into_iter().flatten() {
        config.redactor.learn(name, value);
    }
    Ok(observed)
}

/// Reads the files that define a job.
///
/// `observed` is the file that its manager has read, where it says so.
///
/// # Errors
/// One is there and may not be read.
pub fn files(
    config: &Config,
    managed: &Managed,
    observed: Option<&Path>,
) -> Result<Vec<DefinitionFile>, ProbeError> {
    let paths: Vec<PathBuf> = match (&managed.wanted, observed) {
        (Some(wanted), _) => wanted.files.iter().map(|it| it.path.clone()).collect(),
        (_, Some(observed)) => vec![observed.to_owned()],
        _ if managed.manager == "launchd" => vec![launchd::file_of(config, &managed.job)],
        _ => Vec::new(),
    };
    paths.into_iter().map(|path| file(config, managed, path)).collect()
}

fn file(config: &Config, managed: &Managed, path: PathBuf) -> Result<DefinitionFile, ProbeError> {
    if !is_there(&path) {
        return Ok(DefinitionFile { path, content: None });
    }
    let content = if managed.manager == "launchd" {
        let read = job_file::read(&path, &config.home, rustix::process::geteuid().as_raw())?;
        Content::Plist(read.bytes, read.place)
    } else {
        let mut environment: BTreeMap<String, String> = config.environment.clone();
        if let Ok(path) = std::env::join_paths(&config.system_path) {
            environment.insert("PATH".to_owned(), path.to_string_lossy().into_owned());
        }
        match job_file::read_unit(&path, &environment, VERIFYING) {
            Ok((bytes, said)) => Content::Unit(bytes, Ok(said)),
            Err(error) => Content::Unit(read(&path)?, Err(error)),
        }
    };
    config.redactor.learn_definition(content.bytes());
    Ok(DefinitionFile { path, content: Some(content) })
}

fn read(path: &Path) -> Result<Vec<u8>, ProbeError> {
    let failed = |error: std::io::Error| ProbeError::failed(format!("read {}", path.display()), &error);
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() || metadata.len() > lint::LIMIT as u64 {
        return Err(ProbeError::failed(format!("read {}", path.display()), &"it is no file of a job"));
    }
    plain::read(path).map_err(failed)
}

/// Looks at a path that a job names; never at one on a volume that can hang.
///
/// # Errors
/// Where the mount table cannot be read, or the volume did not answer a moment ago.
pub fn named(machine: &Machine, path: &Path) -> Result<Named, ProbeError> {
    if path.starts_with("/Volumes") || matches!(machine.guard(path)?, Where::InChild(_)) {
        return Ok(Named::Away);
    }
    let kind = match std::fs::metadata(path) {
        Err(_) => Kind::Missing,
        Ok(metadata) if metadata.is_dir() => Kind::Directory,
        Ok(_) => Kind::File,
    };
    let may = |what| access(path, what).is_ok();
    let seen = Seen { kind, is_writable: may(Access::WRITE_OK), is_executable: may(Access::EXEC_OK) };
    Ok(Named::Here { seen, is_quarantined: is_quarantined(path) })
}

#[cfg(target_os = "macos")]
fn is_quarantined(path: &Path) -> bool {
    let mut flags = [0_u8; 128];
    rustix::fs::getxattr(path, "com.apple.quarantine", &mut flags).is_ok()
}

#[cfg(not(target_os = "macos"))]
const fn is_quarantined(_path: &Path) -> bool {
    false
}

/// Where a service answers: the whole address of its health.
///
/// # Errors
/// It has no health, its property list cannot be read, or what that says is no address.
pub fn health(machine: &Machine, config: &Config, service: &Service) -> Result<String, ProbeError> {
    let what = format!("tell where `{}` answers", service.name);
    let failed = |why: &dyn std::fmt::Display| ProbeError::failed(what.clone(), why);
    let health = service.health.as_ref().ok_or_else(|| failed(&"it has no `health`"))?;
    let managed = of_service(service);
    let asked = services::named(managed.manager).ok_or_else(|| failed(&"its manager is not known"))?;
    let whole = targets::address(machine, config, asked, &managed.job, &health.place)?;
    address(&whole).map_err(|(why, _)| failed(&why))?;
    Ok(whole)
}
