//! The registry of checks, in chain order: a root cause stands before what it breaks.

use crate::check::Check;

/// Every check, in the order in which they are reported.
pub static ALL: &[&Check] = &[];

/// The check of that id.
#[must_use]
pub fn by_id(id: &str) -> Option<&'static Check> {
    ALL.iter().copied().find(|check| check.id.0 == id)
}
