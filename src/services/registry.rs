//! Every service manager, the one that keeps this mirror's jobs, and what its jobs should be.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::{Config, Manager as Wanted};
use crate::error::ProbeError;
use crate::probes::installation::{self, Basis};
use crate::services::{Definition, Job, Keep, Manager, Scope, embedded, launchd, systemd};

/// Every service manager.
pub static ALL: &[&Manager] = &[&launchd::MANAGER, &systemd::MANAGER, &embedded::MANAGER];

/// What every file of ours carries; a file without it is somebody else's.
pub const MARKER: &str = "Written by Housecall";

/// How often a mirror is aligned where its configuration does not say.
const EVERY: Duration = Duration::from_mins(1);

/// The service manager of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Manager> {
    ALL.iter().copied().find(|manager| manager.name == name)
}

/// The service manager that keeps the mirror's jobs now: the one they were installed with, else our own keeper.
///
/// # Errors
/// What is installed cannot be read.
pub fn manager_of(config: &Config) -> Result<&'static Manager, ProbeError> {
    let Some(installation) = installation::read(config)? else { return Ok(&embedded::MANAGER) };
    named(&installation.manager).ok_or_else(|| {
        let why = format!("there is no service manager `{}`", installation.manager);
        ProbeError::unreadable(config.tilde(&config.install_file()), &why)
    })
}

/// The service manager that the configuration names; `None`: it leaves that to the system.
#[must_use]
pub fn configured(config: &Config) -> Option<&'static Manager> {
    match config.jobs.manager {
        Wanted::Auto => None,
        Wanted::Launchd => named("launchd"),
        Wanted::Systemd => named("systemd"),
        Wanted::Embedded => named("embedded"),
    }
}

/// The mirror's jobs, by the names that this manager knows them by: sync first.
#[must_use]
pub fn jobs_of(config: &Config, manager: &Manager) -> Vec<Job> {
    let roles = [("sync", config.mirror.is_some()), ("serve", config.server.is_some())];
    let there = roles.into_iter().filter(|(_, is_there)| *is_there);
    there.map(|(role, _)| job_of(config, manager, role)).collect()
}

/// The job of that role, by the name that this manager knows it by.
#[must_use]
pub fn job_of(config: &Config, manager: &Manager, role: &str) -> Job {
    let name = plain(&config.name);
    let label = match manager.name {
        "launchd" => config.jobs.labels.get(role).cloned().unwrap_or_else(|| {
            let prefix = config.jobs.label.clone().unwrap_or_else(|| format!("me.{name}"));
            format!("{prefix}.localhost-{role}")
        }),
        "systemd" => format!("housecall-{name}-{role}.service"),
        _ => format!("the keeper of {name}"),
    };
    Job { name: role.to_owned(), label, scope: Scope::Agent, file: None }
}

/// The mirror's jobs as they should be.
#[must_use]
pub fn definitions(config: &Config, manager: &Manager, basis: &Basis) -> Vec<Definition> {
    let file = config.file.display().to_string();
    let path: Vec<String> = config.jobs_path().iter().map(|it| it.display().to_string()).collect();
    let own = [("HOME", config.home.display().to_string()), ("PATH", path.join(":"))];
    let mut environment: BTreeMap<String, String> = basis.variables.clone();
    environment.extend(own.map(|(name, value)| (name.to_owned(), value)));
    let define = |job: Job| {
        let is_sync = job.name == "sync";
        let output = |kind: &str| match manager.name {
            "launchd" => config.home.join(format!("Library/Logs/{}.{kind}.log", job.label)),
            _ => config.log_file(&job.name),
        };
        Definition {
            description: if is_sync {
                let upstream = config.mirror.as_ref().map(|it| it.upstream_name()).unwrap_or_default();
                format!("keeps the mirror {} on {upstream}", config.name)
            } else {
                format!("serves the mirror {}", config.name)
            },
            argv: [&*basis.program.to_string_lossy(), "--config", &file, &job.name]
                .into_iter()
                .chain(is_sync.then_some("--scheduled"))
                .map(str::to_owned)
                .collect(),
            environment: environment.clone(),
            directory: config.home.clone(),
            stdout: output("out"),
            stderr: output("err"),
            keep: if is_sync {
                Keep::Every(config.mirror.as_ref().map_or(EVERY, |it| it.every))
            } else {
                Keep::Alive
            },
            job,
        }
    };
    jobs_of(config, manager).into_iter().map(define).collect()
}

/// A name as labels and units take it.
fn plain(name: &str) -> String {
    let plain = |it: char| if it.is_ascii_alphanumeric() || "-_.".contains(it) { it } else { '-' };
    name.chars().map(plain).collect()
}
