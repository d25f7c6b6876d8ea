//! The units to examine: those asked for, and what each needs.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::check::{Check, Look, Of};
use crate::checks;
use crate::config::{Config, Override};
use crate::unit::{Unit, UnitId};

/// The units of one examination, in chain order.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Requirements come before what needs them wherever the registry says so; `needs` are positions here.
    pub units: Vec<Unit>,
}

/// What the user asked for.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// An id, a group or `ID:SUBJECT`; empty: everything.
    pub only: Vec<String>,
    /// The same, left out.
    pub skip: Vec<String>,
}

/// A selector that names nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// No check, group or unit has this name.
    #[error("no check, group or subject is named `{name}`{}", hint(.nearest.as_deref()))]
    Unknown {
        /// As it was typed.
        name: String,
        /// The nearest one that exists.
        nearest: Option<String>,
    },
    /// Nothing is left to examine.
    #[error("nothing is selected: every check asked for is skipped or switched off")]
    Empty,
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!(": did you mean `{nearest}`?"))
}

impl Selection {
    /// Selects among the built-in checks.
    ///
    /// # Errors
    /// A name that nothing has, or nothing left to examine.
    pub fn new(config: &Config, wanted: &Wanted) -> Result<Self, SelectionError> {
        Self::among(checks::ALL, config, wanted)
    }

    /// Selects among these checks.
    ///
    /// # Errors
    /// As for [`Self::new`].
    pub fn among(
        checks: &[&'static Check],
        config: &Config,
        wanted: &Wanted,
    ) -> Result<Self, SelectionError> {
        let all = expand(checks, config);
        for name in wanted.only.iter().chain(&wanted.skip) {
            if !all.iter().any(|(_, unit)| matches(unit, name)) {
                return Err(unknown(&all, name));
            }
        }
        let is_off = |unit: &Unit| {
            config.overrides.get(&*unit.id.check) == Some(&Override::Off)
                || wanted.skip.iter().any(|name| matches(unit, name))
        };
        let asked =
            |unit: &Unit| wanted.only.is_empty() || wanted.only.iter().any(|name| matches(unit, name));
        let needs = resolve(&all, config);

        let mut keep = HashSet::new();
        let mut pending: Vec<usize> =
            (0..all.len()).filter(|&at| asked(&all[at].1) && !is_off(&all[at].1)).collect();
        while let Some(at) = pending.pop() {
            if keep.insert(at) {
                pending.extend(&needs[at]);
            }
        }
        // What is switched off is still walked through: what it needs is needed by those above it.
        let kept: Vec<usize> =
            (0..all.len()).filter(|at| keep.contains(at) && !is_off(&all[*at].1)).collect();
        if kept.is_empty() {
            return Err(SelectionError::Empty);
        }
        let position: HashMap<usize, usize> = kept.iter().enumerate().map(|(new, &old)| (old, new)).collect();
        let units = kept
            .iter()
            .map(|&at| {
                let mut unit = all[at].1.clone();
                unit.needs = through(&needs, &position, at);
                unit
            })
            .collect();
        Ok(Self { units })
    }

    /// The part of this selection that consists of those units and all they need.
    #[must_use]
    pub fn part(&self, asked: impl Fn(&Unit) -> bool) -> Self {
        let mut keep = HashSet::new();
        let mut pending: Vec<usize> = (0..self.units.len()).filter(|&at| asked(&self.units[at])).collect();
        while let Some(at) = pending.pop() {
            if keep.insert(at) {
                pending.extend(&self.units[at].needs);
            }
        }
        let kept: Vec<usize> = (0..self.units.len()).filter(|at| keep.contains(at)).collect();
        let position: HashMap<usize, usize> = kept.iter().enumerate().map(|(new, &old)| (old, new)).collect();
        let renumbered = |&at: &usize| {
            let mut unit = self.units[at].clone();
            unit.needs = unit.needs.iter().map(|need| position[need]).collect();
            unit
        };
        Self { units: kept.iter().map(renumbered).collect() }
    }
}

fn expand(checks: &[&'static Check], config: &Config) -> Vec<(&'static Check, Unit)> {
    let unit = |check: &'static Check, subject: Option<String>, look| {
        let severity = match config.overrides.get(check.id.0) {
            Some(Override::Severity(severity)) => *severity,
            _ => check.severity,
        };
        Unit {
            group: check.group,
            summary: Cow::Borrowed(check.summary),
            severity,
            needs: Vec::new(),
            fix: check.fix.filter(|_| !is_foreign(check, subject.as_deref(), config)),
            id: UnitId { check: Cow::Borrowed(check.id.0), subject },
            look,
        }
    };
    checks
        .iter()
        .flat_map(|check| {
            let bound = check.look.bind(config);
            bound.into_iter().map(move |(subject, look)| (*check, unit(check, subject, look)))
        })
        .collect()
}

/// Whether it is about a job, or a page, that is not the mirror's: no fix touches that.
fn is_foreign(check: &Check, subject: Option<&str>, config: &Config) -> bool {
    let is_service = |name: &str| config.services.iter().any(|it| it.name == name);
    match check.look {
        Look::Job(_) => subject.is_some_and(is_service),
        Look::Page(_) => service_of(subject, config).is_some(),
        _ => false,
    }
}

/// The service whose page has that name.
fn service_of<'a>(subject: Option<&str>, config: &'a Config) -> Option<&'a str> {
    let page = config.pages.iter().find(|it| Some(it.subject().as_str()) == subject)?;
    page.service.as_ref().map(|it| it.name.as_str())
}

/// For each unit, the positions of those it requires directly.
fn resolve(all: &[(&'static Check, Unit)], config: &Config) -> Vec<Vec<usize>> {
    let required = |(check, unit): &(&'static Check, Unit)| {
        let is_page = matches!(check.look, Look::Page(_));
        let service = service_of(unit.id.subject.as_deref().filter(|_| is_page), config);
        let mut needs = Vec::new();
        for need in check.requires {
            // What a service answers does not rest on the mirror.
            if service.is_some() && !matches!(need.of, Of::Same | Of::Keeper) {
                continue;
            }
            let of_need = all.iter().enumerate().filter(|(_, (other, _))| other.id == need.check.id);
            needs.extend(of_need.filter_map(|(at, (_, other))| {
                let counts = match need.of {
                    Of::All => true,
                    Of::Same => other.id.subject == unit.id.subject,
                    Of::The(name) => other.id.subject.as_deref() == Some(name),
                    Of::Keeper => service.is_some() && other.id.subject.as_deref() == service,
                };
                counts.then_some(at)
            }));
        }
        needs
    };
    all.iter().map(required).collect()
}

/// The kept units that one needs, looking through those that are left out.
fn through(needs: &[Vec<usize>], position: &HashMap<usize, usize>, at: usize) -> Vec<usize> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut pending = needs[at].clone();
    while let Some(need) = pending.pop() {
        if !seen.insert(need) {
            continue;
        }
        match position.get(&need) {
            Some(&kept) => found.push(kept),
            None => pending.extend(&needs[need]),
        }
    }
    found.sort_unstable();
    found
}

fn matches(unit: &Unit, name: &str) -> bool {
    *unit.id.check == *name || unit.group.name() == name || unit.id.to_string() == name
}

fn unknown(all: &[(&'static Check, Unit)], name: &str) -> SelectionError {
    let names = all
        .iter()
        .flat_map(|(_, unit)| [unit.id.check.to_string(), unit.group.name().to_owned(), unit.id.to_string()]);
    SelectionError::Unknown { name: name.to_owned(), nearest: nearest(name, names) }
}

/// The name most like this one, if any is like it at all.
#[must_use]
pub fn nearest(name: &str, among: impl IntoIterator<Item = String>) -> Option<String> {
    among
        .into_iter()
        .map(|other| (strsim::damerau_levenshtein(name, &other), other))
        .filter(|(distance, other)| *distance <= other.chars().count().max(3) / 3 + 1)
        .min()
        .map(|(_, other)| other)
}
