//! The units to examine: those asked for, and what each needs.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::check::{Check, Look, Of, Severity};
use crate::checks;
use crate::config::{Config, Override};
use crate::declared::Declared;
use crate::fixes::Remedy;
use crate::unit::{Pace, Unit, UnitId};

/// The units of one examination, in chain order.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Requirements come before what needs them wherever the registry says so; `needs` are positions here.
    pub units: Vec<Unit>,
}

/// What the user asked for.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// An id, a group, a tag or `ID:SUBJECT`; empty: everything.
    pub only: Vec<String>,
    /// The same, left out.
    pub skip: Vec<String>,
}

/// A selector that names nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// No check, group or unit has this name.
    #[error("no check, group, tag or subject is named `{name}`{}", hint(.nearest.as_deref()))]
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
            if !all.iter().any(|it| matches(&it.unit, name)) {
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
            (0..all.len()).filter(|&at| asked(&all[at].unit) && !is_off(&all[at].unit)).collect();
        while let Some(at) = pending.pop() {
            if keep.insert(at) {
                pending.extend(&needs[at]);
            }
        }
        // What is switched off is still walked through: what it needs is needed by those above it.
        let kept: Vec<usize> =
            (0..all.len()).filter(|at| keep.contains(at) && !is_off(&all[*at].unit)).collect();
        if kept.is_empty() {
            return Err(SelectionError::Empty);
        }
        let position: HashMap<usize, usize> = kept.iter().enumerate().map(|(new, &old)| (old, new)).collect();
        let units = kept
            .iter()
            .map(|&at| {
                let mut unit = all[at].unit.clone();
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

/// A unit, and whose it is.
struct Candidate {
    from: From,
    unit: Unit,
}

enum From {
    Built(&'static Check),
    Declared(Arc<Declared>),
}

fn expand(checks: &[&'static Check], config: &Config) -> Vec<Candidate> {
    let severity = |id: &str, own: Severity| match config.overrides.get(id) {
        Some(Override::Severity(severity)) => *severity,
        _ => own,
    };
    let no_tags: Arc<[String]> = Arc::new([]);
    let unit = |check: &'static Check, subject: Option<String>, look| {
        let id = UnitId { check: Cow::Borrowed(check.id.0), subject };
        let fix = check.fix.filter(|_| !is_foreign(check, id.subject.as_deref(), config));
        Unit {
            group: Cow::Borrowed(check.group.name()),
            summary: Cow::Borrowed(check.summary),
            severity: severity(check.id.0, check.severity),
            needs: Vec::new(),
            fix: fix.map(|fix| Remedy::Built(fix.of(&id))),
            tags: Arc::clone(&no_tags),
            pace: Pace::Own,
            id,
            look,
        }
    };
    let built = checks.iter().flat_map(|check| {
        let bound = check.look.bind(config);
        let of =
            move |(subject, look)| Candidate { from: From::Built(check), unit: unit(check, subject, look) };
        bound.into_iter().map(of)
    });
    let declared = config.declared.iter().map(|declared| Candidate {
        from: From::Declared(Arc::clone(declared)),
        unit: Unit {
            id: UnitId { check: Cow::Owned(declared.name.clone()), subject: None },
            group: Cow::Owned(declared.group.clone()),
            summary: Cow::Owned(declared.summary.clone()),
            severity: severity(&declared.name, declared.severity),
            needs: Vec::new(),
            fix: declared.fix.clone().map(Remedy::Declared),
            tags: declared.tags.clone().into(),
            pace: declared.pace(config),
            look: declared.bind(),
        },
    });
    // Where the file is about something else altogether, thirty lines of "does not apply" help nobody.
    built.filter(|_| !config.is_about_checks_alone()).chain(declared).collect()
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
fn resolve(all: &[Candidate], config: &Config) -> Vec<Vec<usize>> {
    let named = Named::new(all);
    all.iter()
        .map(|it| match &it.from {
            From::Built(check) => required(all, check, &it.unit, config),
            From::Declared(declared) => {
                let needs = declared.needs.iter().flat_map(|name| named.of(name)).copied();
                let needs: BTreeSet<usize> = needs.collect();
                needs.into_iter().collect()
            }
        })
        .collect()
}

fn required(all: &[Candidate], check: &Check, unit: &Unit, config: &Config) -> Vec<usize> {
    let is_page = matches!(check.look, Look::Page(_));
    let service = service_of(unit.id.subject.as_deref().filter(|_| is_page), config);
    let mut needs = Vec::new();
    for need in check.requires {
        // What a service answers does not rest on the mirror.
        if service.is_some() && !matches!(need.of, Of::Same | Of::Keeper) {
            continue;
        }
        let is_of = |it: &Candidate| matches!(&it.from, From::Built(other) if other.id == need.check.id);
        let of_need = all.iter().enumerate().filter(|(_, other)| is_of(other));
        needs.extend(of_need.filter_map(|(at, Candidate { unit: other, .. })| {
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
}

/// The positions of units, by all that they can be called.
struct Named<'a>(HashMap<Cow<'a, str>, Vec<usize>>);

impl<'a> Named<'a> {
    fn new(all: &'a [Candidate]) -> Self {
        let mut named: HashMap<Cow<'a, str>, Vec<usize>> = HashMap::new();
        for (at, Candidate { unit, .. }) in all.iter().enumerate() {
            let plain = [Cow::Borrowed(&*unit.id.check), Cow::Borrowed(&*unit.group)];
            let whole = unit.id.subject.is_some().then(|| Cow::Owned(unit.id.to_string()));
            let tags = unit.tags.iter().map(|tag| Cow::Borrowed(&**tag));
            for name in plain.into_iter().chain(whole).chain(tags) {
                named.entry(name).or_default().push(at);
            }
        }
        Self(named)
    }

    fn of(&self, name: &str) -> &[usize] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}

/// What is wrong with names in a configuration: with what a check needs, or with what is accepted.
#[derive(Debug, Default)]
pub struct Names {
    known: HashSet<String>,
    units: HashSet<String>,
}

impl Names {
    /// All that can be said in this configuration.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let all = expand(checks::ALL, config);
        let known = Named::new(&all).0.into_keys().map(Cow::into_owned).collect();
        let ids = all.iter().flat_map(|it| [it.unit.id.check.to_string(), it.unit.id.to_string()]);
        Self { known, units: ids.collect() }
    }

    /// Why a name cannot be needed: its sentence, and a hint.
    #[must_use]
    pub fn wrong_need(&self, name: &str) -> Option<(String, String)> {
        wrong(name, &self.known, "no check, group or tag")
    }

    /// Why a name cannot be accepted: its sentence, and a hint.
    #[must_use]
    pub fn wrong_unit(&self, name: &str) -> Option<(String, String)> {
        wrong(name, &self.units, "no check")
    }
}

fn wrong(name: &str, known: &HashSet<String>, none: &str) -> Option<(String, String)> {
    if known.contains(name) {
        return None;
    }
    let near = nearest(name, known.iter().cloned());
    let hint = near.map_or_else(
        || "`housecall checks` lists them all".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    Some((format!("{none} is named `{name}`"), hint))
}

/// The declared checks that rest on themselves, with what to say of each.
#[must_use]
pub fn circles(config: &Config) -> Vec<(String, String)> {
    // Among our own there is none.
    if config.declared.iter().all(|it| it.needs.is_empty()) {
        return Vec::new();
    }
    let all = expand(checks::ALL, config);
    let needs = resolve(&all, config);
    let name = |at: usize| all[at].unit.id.to_string();
    // Depth first; a unit that is met again on the way down closes a circle.
    let mut state = vec![Visit::New; all.len()];
    let mut found = Vec::new();
    for start in 0..all.len() {
        let mut way = vec![(start, 0)];
        while let Some((at, next)) = way.pop() {
            if next == 0 {
                if state[at] != Visit::New {
                    continue;
                }
                state[at] = Visit::Open;
            }
            let Some(&need) = needs[at].get(next) else {
                state[at] = Visit::Done;
                continue;
            };
            way.push((at, next + 1));
            match state[need] {
                Visit::New => way.push((need, 0)),
                Visit::Done => {}
                Visit::Open => {
                    let from = way.iter().position(|(open, _)| *open == need).unwrap_or(0);
                    let circle: Vec<String> = way[from..].iter().map(|(open, _)| name(*open)).collect();
                    found.push((
                        name(at),
                        format!("a check needs itself: {} → {}", circle.join(" → "), name(need)),
                    ));
                }
            }
        }
    }
    found
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Visit {
    New,
    Open,
    Done,
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
    *unit.id.check == *name
        || unit.group == name
        || unit.tags.iter().any(|tag| tag == name)
        || unit.id.subject.is_some() && unit.id.to_string() == name
}

fn unknown(all: &[Candidate], name: &str) -> SelectionError {
    let names = Named::new(all).0.into_keys().map(Cow::into_owned);
    SelectionError::Unknown { name: name.to_owned(), nearest: nearest(name, names) }
}

/// The name most like this one, if any is like it at all.
#[must_use]
pub fn nearest(name: &str, among: impl IntoIterator<Item = String>) -> Option<String> {
    // Nobody mistypes a name as long; to compare it would cost its length for each.
    let among = among.into_iter().filter(|_| name.len() <= 100);
    among
        .map(|other| (strsim::damerau_levenshtein(name, &other), other))
        .filter(|(distance, other)| *distance <= other.chars().count().max(3) / 3 + 1)
        .min()
        .map(|(_, other)| other)
}
