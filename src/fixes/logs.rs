//! The fix `logs`.

use crate::cx::Cx;
use crate::error::ProbeError;
use crate::fixes::{Action, Fix, Guard, OnFailure, Safety, Step, Turn};
use crate::unit::Examined;

/// A log longer than this is rotated, in bytes: the contract's 5 MiB.
pub const LIMIT: u64 = 5 << 20;

/// Rotate the logs that have grown too long.
pub static FIX: Fix = Fix {
    id: "logs",
    title: "rotate the logs that have grown too long",
    plan,
    but: &[],
    turn: Turn::InOrder,
};

fn plan(cx: &Cx, _broken: &[&Examined]) -> Result<Vec<Step>, ProbeError> {
    let mut steps = Vec::new();
    for role in ["sync", "serve"] {
        let log = cx.log(role)?;
        if log.bytes > LIMIT {
            steps.push(Step {
                action: Action::RotateLog(log.path.clone()),
                safety: Safety::Safe,
                guard: Guard::None,
                on_failure: OnFailure::Keep,
                undo: None,
            });
        }
    }
    Ok(steps)
}
