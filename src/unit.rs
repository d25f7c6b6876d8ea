//! One question: a check about one subject. The engine and the report know only units.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::check::{Bound, Severity};
use crate::fixes::Remedy;
use crate::verdict::Outcome;

/// The name of a unit: `id`, or `id:subject`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnitId {
    /// The check's id.
    pub check: Cow<'static, str>,
    /// The subject's name, where the check has several.
    pub subject: Option<String>,
}

/// A check about one subject, ready to be looked at.
#[derive(Clone)]
pub struct Unit {
    /// Its name.
    pub id: UnitId,
    /// The link of the chain it belongs to, or the group that the user named.
    pub group: Cow<'static, str>,
    /// What holds when it passes.
    pub summary: Cow<'static, str>,
    /// Its severity, overrides applied.
    pub severity: Severity,
    /// The units it rests on, as positions in the selection.
    pub needs: Vec<usize>,
    /// What mends it.
    pub fix: Option<Remedy>,
    /// Names by which several are selected.
    pub tags: Arc<[String]>,
    /// How its look is scheduled.
    pub pace: Pace,
    /// The look, bound to its subject.
    pub look: Bound,
}

/// How a look is scheduled among all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// On a thread of its own: one of ours, which are few.
    Own,
    /// Among a few workers: it only asks the system, and that answers at once.
    Quick,
    /// Among many workers: it waits for a program or for the network.
    Waiting,
    /// The same, and not before what it needs holds: it runs a program of the user's.
    After,
}

/// A unit and what became of it.
#[derive(Debug, Clone)]
pub struct Examined {
    /// The unit.
    pub unit: Unit,
    /// What became of it.
    pub outcome: Outcome,
    /// How long the look took.
    pub took: Duration,
}

impl UnitId {
    /// The only unit of a check that has no subjects.
    #[must_use]
    pub const fn of(check: &'static str) -> Self {
        Self { check: Cow::Borrowed(check), subject: None }
    }
}

impl Unit {
    /// An error of its group that rests on nothing and that nothing mends.
    #[must_use]
    pub fn new(id: UnitId, group: impl Into<Cow<'static, str>>, look: Bound) -> Self {
        Self {
            id,
            group: group.into(),
            summary: Cow::Borrowed("it holds"),
            severity: Severity::Error,
            needs: Vec::new(),
            fix: None,
            tags: Arc::new([]),
            pace: Pace::Own,
            look,
        }
    }
}

impl fmt::Display for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.subject {
            Some(subject) => f.pad(&format!("{}:{subject}", self.check)),
            None => f.pad(&self.check),
        }
    }
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unit").field("id", &self.id).field("needs", &self.needs).finish_non_exhaustive()
    }
}
