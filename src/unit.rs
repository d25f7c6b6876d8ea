//! One question: a check about one subject. The engine and the report know only units.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::check::{Bound, Group, Severity};
use crate::fixes::Fix;
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
    /// The link of the chain it belongs to.
    pub group: Group,
    /// What holds when it passes.
    pub summary: Cow<'static, str>,
    /// Its severity, overrides applied.
    pub severity: Severity,
    /// The units it rests on, as positions in the selection.
    pub needs: Vec<usize>,
    /// What mends it.
    pub fix: Option<&'static Fix>,
    /// The look, bound to its subject.
    pub look: Bound,
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
