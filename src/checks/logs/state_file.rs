//! `state-file`: what earlier runs wrote down can be believed.

use crate::check::{Check, CheckId, Group, Look, Severity};
use crate::config::Mirror;
use crate::cx::Cx;
use crate::fixes::state;
use crate::verdict::{Seen, Verdict};

/// The record.
pub static CHECK: Check = Check {
    id: CheckId("state-file"),
    group: Group::Logs,
    summary: "what earlier runs wrote down can be believed",
    docs: include_str!("state_file.md"),
    severity: Severity::Error,
    requires: &[],
    fix: Some(&state::FIX),
    look: Look::Mirror(look),
};

fn look(cx: &Cx, _mirror: &Mirror) -> Seen {
    let state = cx.state()?;
    let name = |path: &std::path::Path| {
        path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    };
    let verdict = match state.bad.as_slice() {
        [] => return Ok(Verdict::pass()),
        [(path, _)] => Verdict::fail(format!("the state file {} cannot be believed", name(path))),
        several => Verdict::fail(format!("{} state files cannot be believed", several.len())),
    };
    Ok(state.bad.iter().fold(verdict, |verdict, (path, fault)| {
        verdict.with("where", path.as_path()).with("actual", fault.why.as_str())
    }))
}
