//! `log-size`: the logs do not grow for ever.

use crate::check::{Check, CheckId, Group, Look, Severity};
use crate::config::Mirror;
use crate::cx::Cx;
use crate::fixes::logs::{self, LIMIT};
use crate::verdict::{Fact, Seen, Verdict};

/// The logs are short enough.
pub static CHECK: Check = Check {
    id: CheckId("log-size"),
    group: Group::Logs,
    summary: "each log is shorter than 5 MiB",
    docs: include_str!("log_size.md"),
    severity: Severity::Info,
    requires: &[],
    fix: Some(&logs::FIX),
    look: Look::Mirror(look),
};

fn look(cx: &Cx, _mirror: &Mirror) -> Seen {
    let mut verdict = None;
    for role in ["sync", "serve"] {
        let log = cx.log(role)?;
        if log.bytes > LIMIT {
            let fail = || {
                Verdict::fail(format!("the log of `{role}` is longer than 5 MiB"))
                    .with("expected", Fact::Bytes(LIMIT))
            };
            let grown = verdict.unwrap_or_else(fail);
            verdict = Some(grown.with("actual", Fact::Bytes(log.bytes)).with("log", log.path.as_path()));
        }
    }
    Ok(verdict.unwrap_or_else(Verdict::pass))
}
