//! `[service.NAME]`: another job that must run and answer, validated.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use toml::Spanned;

use super::validate::Validation;
use super::values::Wrong;
use super::{Config, raw};
use crate::report::words::is_dangerous;
use crate::services::Scope;

/// A job of somebody else's that must run, and perhaps answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name in unit ids.
    pub name: String,
    /// Who keeps it, and by what name.
    pub known_as: KnownAs,
    /// Whose it is.
    pub scope: Scope,
    /// How it is asked whether it works; `None`: to run is enough.
    pub health: Option<Health>,
}

/// The name that a service manager knows a job by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum KnownAs {
    /// launchd's: "so.makefile.conductor".
    Label(String),
    /// systemd's: "conductor.service".
    Unit(String),
}

/// How a job is asked whether it works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Where it answers.
    pub place: Place,
    /// The status that it answers with when it works.
    pub status: u16,
    /// How often it is asked before it is given up.
    pub tries: u32,
    /// How long between two tries.
    pub every: Duration,
    /// How long one try may take.
    pub timeout: Duration,
}

/// Where a job answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// There, whole.
    Address(String),
    /// Where its installed property list says.
    PlistKey {
        /// The key, nested ones with dots.
        key: String,
        /// The base where the property list does not have it; without a slash at its end.
        default: Option<String>,
        /// What follows the base; empty, or with a slash at its beginning.
        path: String,
    },
}

/// A job that the checks of the jobs are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// The mirror's sync.
    Sync,
    /// The mirror's server.
    Serve,
    /// One that somebody else made.
    Service(Arc<Service>),
}

impl Kept {
    /// Its name in unit ids.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::Sync => "sync".to_owned(),
            Self::Serve => "serve".to_owned(),
            Self::Service(service) => service.name.clone(),
        }
    }

    /// Whether it is one of the mirror's own two.
    #[must_use]
    pub const fn is_ours(&self) -> bool {
        matches!(self, Self::Sync | Self::Serve)
    }
}

impl Config {
    /// Every job that is to be kept.
    #[must_use]
    pub fn kept(&self) -> Vec<Arc<Kept>> {
        let sync = self.mirror.is_some().then_some(Kept::Sync);
        let serve = self.server.is_some().then_some(Kept::Serve);
        let services = self.services.iter().map(|it| Kept::Service(Arc::clone(it)));
        sync.into_iter().chain(serve).chain(services).map(Arc::new).collect()
    }
}

impl Place {
    /// The path that tells its health.
    #[must_use]
    pub fn path(&self) -> String {
        let path = match self {
            Self::Address(address) => &address[base_of(address).len()..],
            Self::PlistKey { path, .. } => path,
        };
        if path.is_empty() { "/".to_owned() } else { path.to_owned() }
    }
}

/// The scheme, host and port of an address, without any path.
#[must_use]
pub fn base_of(address: &str) -> &str {
    let start = address.find("://").map_or(0, |at| at + 3);
    let end = address[start..].find(['/', '?', '#']).map_or(address.len(), |at| start + at);
    &address[..end]
}

/// A base without the slashes at its end, if it is an address that can be asked.
///
/// # Errors
/// It is none: a sentence and a hint.
pub fn address(text: &str) -> Result<String, (String, String)> {
    let hint = || "write http://ADDRESS:PORT/PATH".to_owned();
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let is_whole = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    if !is_whole || text.contains(char::is_whitespace) || reqwest::Url::parse(text).is_err() {
        return Err((format!("`{text}` is no address"), hint()));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

impl Validation<'_> {
    pub(super) fn services(&mut self, written: BTreeMap<raw::Text, Spanned<raw::Service>>) -> Vec<Service> {
        written.into_iter().filter_map(|(name, service)| self.service(&name, &service)).collect()
    }

    fn service(&mut self, name: &raw::Text, written: &Spanned<raw::Service>) -> Option<Service> {
        let (at, service) = (written.span(), written.get_ref());
        let text = name.get_ref();
        if ["sync", "serve"].contains(&text.as_str()) {
            self.wrong(
                name.span(),
                format!("`{text}` is the name of a job of the mirror"),
                "choose another name",
            );
        } else if text.is_empty() || text.contains(['/', ':', ',']) || is_spaced(text) {
            self.wrong(
                name.span(),
                format!("`{text}` cannot name a service"),
                "write a word such as \"conductor\"",
            );
        }
        let known_as = match (&service.label, &service.unit) {
            (Some(_), Some(unit)) => {
                self.wrong(unit.span(), "a service has either a label or a unit", "keep one of them");
                None
            }
            (Some(label), None) => self.word(label, "label").map(KnownAs::Label),
            (None, Some(unit)) => {
                let unit = self.word(unit, "unit");
                unit.map(|it| KnownAs::Unit(if it.contains('.') { it } else { format!("{it}.service") }))
            }
            (None, None) => {
                if self.mistakes.is_empty() {
                    let hint = "add `label = \"…\"` (launchd) or `unit = \"….service\"` (systemd)";
                    self.wrong(name.span(), format!("[service.{text}] names no job"), hint);
                }
                None
            }
        };
        let scope = match service.scope.as_ref().map(|it| it.get_ref().as_str()) {
            None | Some("agent") => Scope::Agent,
            Some("daemon") => Scope::Daemon,
            Some(other) => {
                let at = service.scope.as_ref().map_or(0..0, Spanned::span);
                self.wrong(at, format!("`{other}` is no scope"), "one of agent, daemon");
                Scope::Agent
            }
        };
        let status = self.status(service.status.as_ref());
        let tries = service.tries.as_ref().map_or(30, |it| *it.get_ref());
        if !(1..=1000).contains(&tries) {
            let at = service.tries.as_ref().map_or(0..0, Spanned::span);
            self.wrong(at, format!("{tries} is no number of tries"), "from 1 to 1000");
        }
        let every = self.duration(service.every.as_ref(), Duration::from_secs(1));
        let timeout = self.duration(service.timeout.as_ref(), Duration::from_secs(5));
        let is_label = matches!(known_as, Some(KnownAs::Label(_)));
        let place = if let Some(health) = &service.health {
            Some(self.place(health, is_label)?)
        } else {
            self.asked_in_vain(service, &at);
            None
        };
        let health = place.map(|place| Health { place, status, tries: tries.into(), every, timeout });
        Some(Service { name: text.clone(), known_as: known_as?, scope, health })
    }

    pub(super) fn word(&mut self, text: &raw::Text, key: &str) -> Option<String> {
        let word = text.get_ref();
        if !is_word(word) {
            self.wrong(text.span(), format!("`{word}` is no {key}"), "write it as its manager lists it");
            return None;
        }
        Some(word.clone())
    }

    /// Keys that say how to ask, where it is not said whom.
    fn asked_in_vain(&mut self, service: &raw::Service, at: &Range<usize>) {
        let says_how = service.status.is_some()
            || service.tries.is_some()
            || service.every.is_some()
            || service.timeout.is_some();
        if says_how && self.mistakes.is_empty() {
            let hint = "add `health = \"http://…\"`";
            self.wrong(at.clone(), "this says how to ask the service, and not where", hint);
        }
    }

    fn place(&mut self, written: &Spanned<raw::Health>, is_label: bool) -> Option<Place> {
        let at = written.span();
        match written.get_ref() {
            raw::Health::Address(text) => {
                let whole = address(text).map(|_| text.clone());
                self.or_wrong(at, whole).map(Place::Address)
            }
            raw::Health::Plist(it) => {
                if !is_label && self.mistakes.is_empty() {
                    let message = "only a job of launchd has a property list";
                    self.wrong(at.clone(), message, "name the job by its `label`, or write the address");
                }
                if it.plist_key.split('.').any(str::is_empty) {
                    let message = format!("`{}` is no key of a property list", it.plist_key);
                    self.wrong(at.clone(), message, "such as \"EnvironmentVariables.API\"");
                }
                let default = match it.default.as_deref().map(address) {
                    Some(default) => Some(self.or_wrong(at.clone(), default)?),
                    None => None,
                };
                let path = self.or_wrong(at, path(it.path.as_deref().unwrap_or_default()))?;
                Some(Place::PlistKey { key: it.plist_key.clone(), default, path })
            }
        }
    }
}

/// Whether it can be the name that a service manager knows a job by.
#[must_use]
pub fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('-') && !text.contains('/') && !is_spaced(text)
}

/// Whether it has white space, or characters that steer a terminal.
fn is_spaced(text: &str) -> bool {
    text.contains(|it: char| it.is_whitespace() || is_dangerous(it))
}

fn path(text: &str) -> Result<String, Wrong> {
    if !text.is_empty() && (!text.starts_with('/') || is_spaced(text)) {
        return Err((format!("`{text}` is no path"), "start it with /, without spaces".to_owned()));
    }
    Ok(text.to_owned())
}
