//! `job-lint`: the files of the jobs say what their manager understands.

use crate::check::{Check, CheckId, Group, Look, Severity};
use crate::checks::jobs::managed;
use crate::config::Kept;
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::fixes::install;
use crate::lint::{self, Finding, unit};
use crate::probes::jobs::{Content, DefinitionFile};
use crate::verdict::{Seen, Verdict};

/// The file of the job is one that its manager takes.
pub static CHECK: Check = Check {
    id: CheckId("job-lint"),
    group: Group::Jobs,
    summary: "the job's file is one that its manager takes",
    docs: include_str!("job_lint.md"),
    severity: Severity::Error,
    requires: &[],
    fix: Some(&install::FIX),
    look: Look::Job(look),
};

/// What the file names on this machine is `job-paths`' to judge.
const PATHS: [&str; 5] =
    ["missing-directory", "log-not-writable", "program-missing", "external-volume", "guarded-folder"];

fn look(cx: &Cx, kept: &Kept) -> Seen {
    let managed = match managed(cx, kept)? {
        Ok(managed) => managed,
        Err(verdict) => return Ok(verdict),
    };
    let files = cx.job_files(&managed)?;
    if files.iter().all(|it| it.content.is_none()) {
        return Ok(Verdict::not_applicable("the job has no file here"));
    }
    let mut found = Vec::new();
    for file in &*files {
        let Some(content) = &file.content else { continue };
        found.extend(findings(cx, file, content)?.into_iter().map(|it| (file, it)));
    }
    found.retain(|(_, it)| !PATHS.contains(&it.code) && it.severity >= Severity::Warning);
    found.sort_by_key(|(_, it)| std::cmp::Reverse(it.severity));
    let verdict = match found.first() {
        Some((_, worst)) if worst.severity == Severity::Error => Verdict::fail(worst.message.clone()),
        _ => Verdict::pass(),
    };
    Ok(found.iter().enumerate().fold(verdict, |verdict, (at, (file, it))| {
        let line = it.line.map_or_else(String::new, |line| format!(":{line}"));
        let verdict = if at == 0 && it.severity == Severity::Error {
            verdict
        } else {
            let label = if it.severity == Severity::Error { "also" } else { "warning" };
            verdict.with(label, it.message.as_str())
        };
        let verdict = verdict.with("where", format!("{}{line}", cx.config().tilde(&file.path)));
        match &it.suggestion {
            Some(suggestion) => verdict.with("suggestion", suggestion.as_str()),
            None => verdict,
        }
    }))
}

fn findings(cx: &Cx, file: &DefinitionFile, content: &Content) -> Result<Vec<Finding>, ProbeError> {
    match content {
        Content::Plist(bytes, place) => lint::lint(&file.path.to_string_lossy(), bytes, place)
            .map_err(|error| ProbeError::unreadable(cx.config().tilde(&file.path), &error)),
        Content::Unit(_, said) => Ok(unit::findings(&file.path, true, said.as_ref().map_err(Clone::clone)?)),
    }
}
