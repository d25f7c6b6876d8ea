//! `log-signatures`: the logs hold no text that is known to mean trouble.

use std::path::PathBuf;

use crate::check::{Check, CheckId, Group, Look, Severity};
use crate::checks::logs::known::{KNOWN, Signature};
use crate::checks::logs::last::plain;
use crate::config::{Kept, Mirror};
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::probes::jobs::Keeping;
use crate::probes::logs::Log;
use crate::probes::state::SyncStatus;
use crate::redact::Redactor;
use crate::verdict::{Seen, Verdict};

/// The logs tell of no known trouble.
pub static CHECK: Check = Check {
    id: CheckId("log-signatures"),
    group: Group::Logs,
    summary: "the logs tell of no known trouble since the last start",
    docs: include_str!("log_signatures.md"),
    severity: Severity::Warning,
    requires: &[],
    fix: None,
    look: Look::Mirror(look),
};

fn look(cx: &Cx, _mirror: &Mirror) -> Seen {
    let mut found = Vec::new();
    let mut add = |role: &'static str, kept: &Kept| -> Result<(), ProbeError> {
        let own = cx.log(role)?;
        let others = kept_logs(cx, kept).into_iter().filter(|it| *it != own.path);
        let others: Vec<_> = others.map(|it| cx.job_log(&it)).collect::<Result<_, _>>()?;
        for log in std::iter::once(&own).chain(&others) {
            found.extend(
                signatures(log, &cx.config().redactor).into_iter().map(|it| (role, log.path.clone(), it)),
            );
        }
        Ok(())
    };
    if cx.config().server.is_some() {
        add("serve", &Kept::Serve)?;
    }
    if sync_fails(cx)? {
        add("sync", &Kept::Sync)?;
    }
    let Some((role, _, (first, _))) = found.first() else { return Ok(Verdict::pass()) };
    let message = format!("the log of `{role}` shows that {}", first.cause);
    let who = cx.config().server.as_ref().map(|it| format!("`housecall who {}`", it.listen.port()));
    let remedy = |it: &Signature| match &who {
        Some(who) => it.remedy.replace("`housecall who`", who),
        None => it.remedy.to_owned(),
    };
    let verdict = found.iter().fold(Verdict::fail(message), |verdict, (_, path, (signature, line))| {
        let verdict =
            if signature.cause == first.cause { verdict } else { verdict.with("also", signature.cause) };
        verdict.with("line", line.as_str()).with("log", path.as_path()).with("remedy", remedy(signature))
    });
    Ok(verdict)
}

/// The logs that a service manager writes for a job; where it cannot be asked, the checks of the jobs say so.
fn kept_logs(cx: &Cx, kept: &Kept) -> Vec<PathBuf> {
    let Ok(keeping) = cx.keeping(kept) else { return Vec::new() };
    let Keeping::Managed(managed) = &*keeping else { return Vec::new() };
    let observed = cx.observed(managed).ok();
    let loaded = observed.iter().flat_map(|it| [it.stderr.clone(), it.stdout.clone()]).flatten();
    let wanted =
        managed.wanted.iter().flat_map(|it| [it.definition.stderr.clone(), it.definition.stdout.clone()]);
    let mut logs: Vec<PathBuf> = Vec::new();
    for log in loaded.chain(wanted) {
        // A log on another volume may hang, and it is what `job-paths` is about.
        if log.starts_with(&cx.config().home) && !logs.contains(&log) {
            logs.push(log);
        }
    }
    logs
}

/// What a sync complained of before the last one that went well is history.
fn sync_fails(cx: &Cx) -> Result<bool, ProbeError> {
    let state = cx.state()?;
    let last = state.last_sync.as_ref();
    Ok(last.is_some_and(|it| matches!(it.status, SyncStatus::Failed | SyncStatus::Stale)))
}

/// The known troubles in a log, each with its last line, in the order of the table.
fn signatures(log: &Log, redactor: &Redactor) -> Vec<(&'static Signature, String)> {
    let mut lines: Vec<Option<&str>> = vec![None; KNOWN.len()];
    for line in log.tail.lines() {
        if let Some(at) = KNOWN.iter().position(|it| it.is_in(line)) {
            lines[at] = Some(line);
        }
    }
    KNOWN.iter().zip(lines).filter_map(|(it, line)| Some((it, plain(line?, redactor)))).collect()
}
