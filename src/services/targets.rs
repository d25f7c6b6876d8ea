//! What `reload` is told by a name: a job of the mirror, a `[service.NAME]`, or any label or unit at all.

use std::time::Duration;

use crate::config::service::KnownAs;
use crate::config::{Config, Place, Service};
use crate::error::{ProbeError, StepError};
use crate::probes::machine::Machine;
use crate::probes::program::is_program;
use crate::probes::{job_file, jobs};
use crate::services::registry::configured;
use crate::services::reload::{Health, Target};
use crate::services::{Job, Manager, Scope, jobs_of, launchd, manager_of, named};

/// A job, who keeps it, and whose word that is.
#[derive(Debug, Clone)]
pub struct Found {
    /// Who keeps it.
    pub manager: &'static Manager,
    /// What is reloaded.
    pub target: Target,
    /// Who says that it is there.
    pub origin: Origin,
}

/// Who says that a job is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It is one of the mirror's own.
    Mirror,
    /// A `[service.NAME]` of the configuration.
    Declared,
    /// The command line alone.
    Named,
}

/// Every job that the configuration declares: the mirror's own, then the services.
///
/// # Errors
/// It cannot be told who keeps them, or where one answers.
pub fn declared(machine: &Machine, config: &Config) -> Result<Vec<Found>, StepError> {
    let mut found = of_mirror(config)?;
    for service in &config.services {
        found.push(of_service(machine, config, service)?);
    }
    Ok(found)
}

/// The jobs of the mirror; where one process plays both, it is one.
///
/// # Errors
/// It cannot be told who keeps them.
pub fn of_mirror(config: &Config) -> Result<Vec<Found>, StepError> {
    let manager = match configured(config) {
        Some(manager) => manager,
        None if config.jobs.labels.is_empty() => manager_of(config)?,
        // Labels are launchd's, and whoever gave them has such jobs.
        None => &launchd::MANAGER,
    };
    let mut found: Vec<Found> = Vec::new();
    for job in jobs_of(config, manager) {
        let health = if job.name == "serve" { health_of_server(config) } else { None };
        found.retain(|it| it.target.job.label != job.label);
        found.push(Found { manager, target: Target { job, health }, origin: Origin::Mirror });
    }
    Ok(found)
}

/// What a name on the command line means.
///
/// # Errors
/// It cannot be told who keeps it, or where it answers.
pub fn of_name(machine: &Machine, config: &Config, name: &str, scope: Scope) -> Result<Found, StepError> {
    let mirror = of_mirror(config)?;
    let is_meant = |it: &Found| it.target.job.name == name || it.target.job.label == name;
    if let Some(own) = mirror.iter().find(|it| is_meant(it)) {
        return Ok(own.clone());
    }
    // One process plays both roles, and bears the name of one.
    if let ("sync" | "serve", Some(own)) = (name, mirror.first()) {
        return Ok(own.clone());
    }
    if let Some(service) = config.services.iter().find(|it| it.name == name || word_of(it) == name) {
        return of_service(machine, config, service);
    }
    let is_word = !name.is_empty() && !name.starts_with('-') && !name.contains(['/', ' ', '\n', '\t']);
    if !is_word {
        return Err(StepError::Refused(format!("`{name}` is neither a service nor a label")));
    }
    let job = Job { name: name.to_owned(), label: name.to_owned(), scope, file: None };
    Ok(Found {
        manager: manager_of_any(config, name)?,
        target: Target { job, health: None },
        origin: Origin::Named,
    })
}

fn of_service(machine: &Machine, config: &Config, service: &Service) -> Result<Found, StepError> {
    let manager = match &service.known_as {
        KnownAs::Label(_) => &launchd::MANAGER,
        KnownAs::Unit(_) => systemd()?,
    };
    let label = word_of(service).to_owned();
    let job = Job { name: service.name.clone(), label, scope: service.scope, file: None };
    let health = match &service.health {
        None => None,
        Some(health) => Some(Health {
            url: jobs::health(machine, config, service)?,
            status: health.status,
            tries: health.tries,
            every: health.every,
            timeout: health.timeout,
        }),
    };
    Ok(Found { manager, target: Target { job, health }, origin: Origin::Declared })
}

fn word_of(service: &Service) -> &str {
    match &service.known_as {
        KnownAs::Label(word) | KnownAs::Unit(word) => word,
    }
}

/// Where a job answers, read from its installed property list where it stands there.
///
/// # Errors
/// It cannot be read, or says nothing and there is no default.
pub fn address(
    machine: &Machine,
    config: &Config,
    manager: &Manager,
    job: &Job,
    place: &Place,
) -> Result<String, ProbeError> {
    let (key, default, path) = match place {
        Place::Address(address) => return Ok(address.clone()),
        Place::PlistKey { key, default, path } => (key, default, path),
    };
    let file = (manager.observe)(machine, config, job)?.file.unwrap_or_else(|| launchd::file_of(config, job));
    let written = match job_file::text_at(&file, key) {
        Ok(written) => written.filter(|it| !it.trim().is_empty()),
        Err(_) if default.is_some() => None,
        Err(error) => return Err(error),
    };
    let base = written.or_else(|| default.clone()).ok_or_else(|| {
        let why = format!("it has no text at {key}, and no default is configured");
        ProbeError::unreadable(config.tilde(&file), &why)
    })?;
    Ok(format!("{}{path}", base.trim().trim_end_matches('/')))
}

/// Where the mirror's own server must answer after a reload: at its ready path, as that page is declared.
fn health_of_server(config: &Config) -> Option<Health> {
    let server = config.server.as_ref()?;
    let mut health = Health::of(server.url(&server.ready.path));
    let page = config.pages.iter().find(|page| page.url == health.url);
    health.status = page.map_or(health.status, |page| page.status);
    let patience = u32::try_from(server.ready.within.as_secs()).unwrap_or(u32::MAX);
    health.tries = health.tries.max(patience.min(3600));
    debug_assert_eq!(health.every, Duration::from_secs(1));
    Some(health)
}

/// Who keeps a job of which only the name is known.
pub(crate) fn manager_of_any(config: &Config, name: &str) -> Result<&'static Manager, StepError> {
    let is_there = |program: &str| config.system_path.iter().any(|place| is_program(&place.join(program)));
    let kinds = [".service", ".timer", ".socket", ".path"];
    if kinds.iter().any(|kind| name.ends_with(kind)) {
        return systemd();
    }
    match configured(config) {
        Some(manager) if manager.name != "embedded" => Ok(manager),
        _ if is_there("launchctl") => Ok(&launchd::MANAGER),
        _ => systemd(),
    }
}

fn systemd() -> Result<&'static Manager, StepError> {
    named("systemd").ok_or_else(|| StepError::Refused("systemd is not known here".to_owned()))
}
