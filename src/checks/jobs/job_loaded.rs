//! `job-loaded`: the service manager knows the job.

use crate::check::{Check, CheckId, Group, Look, Needs, Severity};
use crate::checks::jobs::{STOPPED, is_stopped, job_lint, job_paths, managed, reload};
use crate::config::Kept;
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::fixes::install;
use crate::probes::jobs::Managed;
use crate::services::{Scope, State, launchd};
use crate::verdict::{Fact, Seen, Verdict};

/// The job is loaded.
pub static CHECK: Check = Check {
    id: CheckId("job-loaded"),
    group: Group::Jobs,
    summary: "its manager has the job loaded, and nobody has it disabled",
    docs: include_str!("job_loaded.md"),
    severity: Severity::Error,
    requires: &[Needs::same(&job_lint::CHECK), Needs::same(&job_paths::CHECK)],
    fix: Some(&install::FIX),
    look: Look::Job(look),
};

fn look(cx: &Cx, kept: &Kept) -> Seen {
    let managed = match managed(cx, kept)? {
        Ok(managed) => managed,
        Err(verdict) => return Ok(verdict),
    };
    if is_stopped(cx, kept)? {
        return Ok(Verdict::not_applicable(STOPPED));
    }
    let observed = cx.observed(&managed)?;
    let (name, who) = (&managed.job.name, managed.manager);
    let verdict = match &observed.state {
        _ if observed.disabled => {
            let message = format!("`{name}` is disabled in {who}, which no load and no repair undoes");
            Verdict::fail(message)
                .with("why", "somebody stopped it for good")
                .with("to end that", Fact::Command(enable(&managed)))
        }
        State::Unknown(why) => return Err(ProbeError::unreadable(format!("the state of `{name}`"), why)),
        State::Refused(why) if observed.loaded.is_none() && observed.file.is_none() => {
            return Err(ProbeError::failed(format!("ask {who} for `{name}`"), why));
        }
        State::Absent => absent(cx, &managed)?,
        _ => return Ok(Verdict::pass().with("label", managed.job.label.as_str())),
    };
    let verdict = verdict.with("label", managed.job.label.as_str());
    let is_remedy = !kept.is_ours() && !observed.disabled;
    Ok(if is_remedy { verdict.with("remedy", Fact::Command(reload(&managed))) } else { verdict })
}

fn absent(cx: &Cx, managed: &Managed) -> Result<Verdict, ProbeError> {
    let (name, who) = (&managed.job.name, managed.manager);
    let files = cx.job_files(managed)?;
    let there = files.iter().find(|it| it.content.is_some());
    Ok(match (there, files.first()) {
        (Some(file), _) => {
            Verdict::fail(format!("{who} does not have `{name}` loaded")).with("file", file.path.as_path())
        }
        (None, Some(file)) => {
            Verdict::fail(format!("{who} does not know `{name}`, and its file is not there"))
                .with("expected", file.path.as_path())
        }
        (None, None) => Verdict::fail(format!("{who} does not know `{name}`")),
    })
}

fn enable(managed: &Managed) -> String {
    if ["sync", "serve"].contains(&managed.job.name.as_str()) {
        return "housecall start".to_owned();
    }
    match (managed.manager, managed.job.scope) {
        ("launchd", Scope::Agent) => format!("launchctl enable {}", launchd::target(&managed.job)),
        ("launchd", Scope::Daemon) => format!("sudo launchctl enable {}", launchd::target(&managed.job)),
        (_, Scope::Agent) => format!("systemctl --user enable --now {}", managed.job.label),
        (_, Scope::Daemon) => format!("sudo systemctl enable --now {}", managed.job.label),
    }
}
