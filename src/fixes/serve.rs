//! The fix `serve`.

use crate::cx::Cx;
use crate::error::ProbeError;
use crate::fixes::{Fix, Step};
use crate::unit::Examined;

/// Have the mirror's own server answer.
pub static FIX: Fix = Fix { id: "serve", title: "have the mirror's own server answer", plan };

fn plan(_cx: &Cx, _broken: &[&Examined]) -> Result<Vec<Step>, ProbeError> {
    Ok(Vec::new())
}
