//! `service`: a job of launchd's or systemd's, as its manager knows it.

use std::ops::Range;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Question;
use crate::config::{self, Config, Limits, Reading};
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::probes::jobs::{self, Managed};
use crate::services::systemd::show::{self, Unit};
use crate::services::targets::manager_of_any;
use crate::services::{self, Job, Observed, Scope, State, diagnosis};
use crate::verdict::{Fact, Seen, Verdict};

/// A job, and what is asked of it.
#[derive(Debug, Clone)]
pub struct Service {
    name: String,
    manager: Manager,
    scope: Scope,
    is_loaded: Option<bool>,
    is_running: Option<bool>,
    is_active: Option<bool>,
    is_enabled: Option<bool>,
    restarts: Option<u64>,
}

/// Who keeps it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Manager {
    /// The one of this system.
    #[default]
    Auto,
    /// macOS's.
    Launchd,
    /// Linux's.
    Systemd,
}

/// Whose it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Whose {
    /// The user's.
    #[default]
    Agent,
    /// The system's.
    Daemon,
}

/// As it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Written {
    /// Its label (launchd) or unit (systemd; `.service` may be left out).
    #[schemars(with = "String")]
    pub name: config::Text,
    /// Who keeps it; default: the manager of this system.
    pub manager: Option<Manager>,
    /// Whose it is; default: the user's.
    pub scope: Option<Whose>,
    /// Whether its manager must know it, or must not.
    pub loaded: Option<bool>,
    /// Whether it must have a process, or none; default true, where nothing else is asked.
    pub running: Option<bool>,
    /// Whether it must be active, or must not: it has a process, or systemd counts it as done and in effect.
    pub active: Option<bool>,
    /// Whether it must start by itself at login or boot, or must not.
    pub enabled: Option<bool>,
    /// How often it may have been started again since it was loaded.
    pub restarts: Option<u64>,
}

impl Written {
    /// What it means; mistakes are written down.
    pub fn read(self, place: Range<usize>, it: &mut Reading<'_>) -> Option<Service> {
        let name = it.shaped(
            Some(&self.name),
            "label or unit",
            "write nginx.service or org.example.job",
            |name| {
                let odd = |it: char| it.is_whitespace() || it.is_control() || it == '/';
                (!name.is_empty() && !name.starts_with('-') && !name.contains(odd)).then(|| name.to_owned())
            },
        )??;
        let alive =
            [self.running, self.active, self.enabled].contains(&Some(true)) || self.restarts.is_some();
        if self.loaded == Some(false) && alive {
            it.wrong(place, "of what must not be loaded nothing more can be asked", "");
            return None;
        }
        let asks = [self.loaded, self.running, self.active, self.enabled].iter().any(Option::is_some);
        Some(Service {
            name,
            manager: self.manager.unwrap_or_default(),
            scope: match self.scope.unwrap_or_default() {
                Whose::Agent => Scope::Agent,
                Whose::Daemon => Scope::Daemon,
            },
            is_loaded: self.loaded,
            is_running: self.running.or_else(|| (!asks).then_some(true)),
            is_active: self.active,
            is_enabled: self.enabled,
            restarts: self.restarts,
        })
    }
}

impl Question for Service {
    fn summary(&self) -> String {
        let name = &self.name;
        let asked = [
            (self.is_running, "runs"),
            (self.is_active, "is active"),
            (self.is_enabled, "is enabled"),
            (self.is_loaded, "is loaded"),
        ];
        match asked.iter().find_map(|(asked, words)| asked.map(|wanted| (wanted, words))) {
            Some((true, words)) => format!("the service {name} {words}"),
            Some((false, words)) => format!("it is not so that the service {name} {words}"),
            None => format!("the service {name} stays up"),
        }
    }

    /// Asks its manager.
    ///
    /// # Errors
    /// There is none, it does not answer, or what it says is not understood.
    fn look(&self, cx: &Cx, deadline: Duration) -> Seen {
        let machine = cx.machine("service")?;
        let limits = Limits { timeout: deadline, ..cx.config().limits };
        let config = Config { limits, ..cx.config().clone() };
        let managed = self.managed(&config)?;
        let observed = jobs::observe(machine, &config, &managed)?;
        let known = Known::of(&managed, &observed)?;
        let name = &self.name;
        let asked = [
            (self.is_loaded, known.is_loaded, ["is loaded", "is not loaded"]),
            (self.is_running, known.is_running, ["runs", "does not run"]),
            (self.is_active, known.is_active, ["is active", "is not active"]),
            (self.is_enabled, known.is_enabled, ["is enabled", "is not enabled"]),
        ];
        let words = |wanted: bool, [yes, no]: [&'static str; 2]| if wanted { yes } else { no };
        let wrong = asked.iter().find(|(wanted, is, _)| wanted.is_some_and(|wanted| wanted != *is));
        let verdict = match (wrong, self.restarts) {
            (Some((_, is, both)), _) => {
                let failure = Verdict::fail(format!("the service {name} {}", words(*is, *both)));
                failure.with("expected", words(!is, *both))
            }
            (None, None) => Verdict::pass(),
            (None, Some(most)) => {
                let Some(runs) = observed.runs else {
                    let what = format!("tell how often {name} was started");
                    return Err(ProbeError::failed(
                        what,
                        &format!("{} does not count that", managed.manager),
                    ));
                };
                let restarts = runs.saturating_sub(1);
                if restarts <= most {
                    Verdict::pass()
                } else {
                    let failure =
                        Verdict::fail(format!("the service {name} was started again {restarts} times"));
                    failure.with("expected", format!("at most {most}"))
                }
            }
        };
        let verdict = verdict.with("actual", diagnosis::state(&observed));
        Ok(match observed.since {
            Some(since) => verdict.with("since", Fact::Time(since)),
            None => verdict,
        })
    }
}

/// What can be said of it for certain.
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
struct Known {
    is_loaded: bool,
    is_running: bool,
    is_active: bool,
    is_enabled: bool,
}

impl Known {
    fn of(managed: &Managed, observed: &Observed) -> Result<Self, ProbeError> {
        let is_loaded = observed.loaded.is_some();
        let failed = |why: &String| {
            Err(ProbeError::failed(format!("ask {} for {}", managed.manager, managed.job.label), why))
        };
        match &observed.state {
            State::Unknown(why) => return failed(why),
            // launchd refuses to speak of a domain that is not there, and of nothing that it has loaded.
            State::Refused(why) if managed.manager == "launchd" && !is_loaded => return failed(why),
            _ => {}
        }
        let is_running = observed.state == State::Running;
        if managed.manager == "launchd" {
            return Ok(Self {
                is_loaded,
                is_running,
                is_active: is_running,
                is_enabled: is_loaded && !observed.disabled,
            });
        }
        let unit = unit(managed, observed)?;
        let is_one_of = |name: &str, words: &[&str]| words.contains(&unit.get(name));
        let is_active = is_one_of("ActiveState", &["active", "reloading", "refreshing"]);
        // What `systemctl is-enabled` calls so.
        let enabled = ["enabled", "enabled-runtime", "static", "alias", "indirect", "generated", "transient"];
        Ok(Self {
            is_loaded: is_one_of("LoadState", &["loaded"]),
            is_running: is_running || (is_active && unit.pid().is_some()),
            is_active,
            is_enabled: is_one_of("UnitFileState", &enabled),
        })
    }
}

/// The unit that the name means, of those that systemd told of.
fn unit(managed: &Managed, observed: &Observed) -> Result<Unit, ProbeError> {
    let label = &managed.job.label;
    let whole = if label.contains('.') { label.clone() } else { format!("{label}.service") };
    let mut units = show::parse(&observed.raw);
    let is_it = |it: &Unit| it.get("Id") == whole;
    // Under another name of it, it is the service, which stands last.
    let at = units.iter().position(is_it).or_else(|| units.len().checked_sub(1));
    let at = at.ok_or_else(|| ProbeError::failed(format!("ask systemd for {label}"), &"it says nothing"))?;
    Ok(units.swap_remove(at))
}

impl Service {
    fn managed(&self, config: &Config) -> Result<Managed, ProbeError> {
        let name = &self.name;
        let failed = |why: &dyn std::fmt::Display| ProbeError::failed(format!("tell who keeps {name}"), why);
        let manager = match self.manager {
            Manager::Launchd => services::named("launchd").ok_or_else(|| failed(&"launchd is not known"))?,
            Manager::Systemd => services::named("systemd").ok_or_else(|| failed(&"systemd is not known"))?,
            Manager::Auto => manager_of_any(config, name).map_err(|error| failed(&error))?,
        };
        let job = Job { name: name.clone(), label: name.clone(), scope: self.scope, file: None };
        Ok(Managed { manager: manager.name, job, wanted: None })
    }
}
