//! The fix `sync`.

use crate::cx::Cx;
use crate::error::ProbeError;
use crate::fixes::{Fix, Step};
use crate::unit::Examined;

/// Align the worktree with its upstream.
pub static FIX: Fix = Fix { id: "sync", title: "align the worktree with its upstream", plan };

fn plan(_cx: &Cx, _broken: &[&Examined]) -> Result<Vec<Step>, ProbeError> {
    Ok(Vec::new())
}
