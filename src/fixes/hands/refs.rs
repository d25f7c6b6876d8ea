//! The mirror's own refs where they lead nowhere: each of them makes every fetch fail, and there is nothing to lose.
#![expect(clippy::disallowed_methods, reason = "hands write")]

use std::fs;
use std::path::Path;

use crate::config::{Config, Mirror};
use crate::error::StepError;
use crate::fixes::events::{self, Decision};
use crate::fixes::hands::git::{administration, commit, common_directory, must, run};
use crate::fixes::hands::{aside, commands, worktree};
use crate::git;
use crate::plain;
use crate::probes::state;

/// How many lines of a log are looked through for a commit that is there.
const DEEPEST: usize = 100;

/// Refuses where a ref that a sync writes is symbolic: git would follow it and move another ref.
pub(super) fn none_symbolic(config: &Config, mirror: &Mirror) -> Result<(), StepError> {
    for name in [mirror.tracking_ref(), format!("refs/heads/{}", mirror.branch)] {
        let found = run(config, &mirror.repository, &["symbolic-ref", "--quiet", &name])?;
        if found.succeeded() {
            return Err(symbolic(config, mirror, &name, &git::said(&found)));
        }
    }
    Ok(())
}

/// The refusal to write through a symbolic ref, with the command that removes it.
pub(super) fn symbolic(config: &Config, mirror: &Mirror, name: &str, target: &str) -> StepError {
    let repository = commands::shell(&config.tilde(&mirror.repository));
    StepError::Refused(format!(
        "{name} is a symbolic ref to {target}, which a sync would move; \
         remove it with `git -C {repository} symbolic-ref --delete {name}`"
    ))
}

/// Mends the tracking ref, the mirror's branch and its HEAD where they are torn or name a commit that is not there;
/// says whether there was anything to mend.
pub(super) fn mend(config: &Config, mirror: &Mirror) -> Result<bool, StepError> {
    let repository = &mirror.repository;
    let common = common_directory(config, repository)?;
    let (branch, tracking) = (format!("refs/heads/{}", mirror.branch), mirror.tracking_ref());
    let administration = administration(config, mirror)?;
    let mut mended = false;
    if is_torn(&common.join(&branch)) || leads_nowhere(config, repository, &branch)? {
        keep_last(config, mirror, &common.join("logs").join(&branch))?;
        let log = administration.as_ref().map(|it| it.join("logs/HEAD"));
        log.map_or(Ok(()), |log| keep_last(config, mirror, &log))?;
    }
    for name in [&tracking, &branch] {
        let file = common.join(name);
        if is_torn(&file) || leads_nowhere(config, repository, name)? && file.is_file() {
            remove(&file)?;
            mended = true;
        }
    }
    // What was packed before is there again; it may lead nowhere as well.
    if leads_nowhere(config, repository, &tracking)? {
        must(config, repository, "mend the tracking branch", &["update-ref", "--no-deref", "-d", &tracking])?;
        mended = true;
    }
    if mended || leads_nowhere(config, repository, &branch)? {
        mended |= mend_branch(config, mirror, &branch)?;
    }
    if let Some(administration) = administration {
        mended |= worktree::mend_administration(mirror, &administration)?;
        let head = plain::text(&administration.join("HEAD")).unwrap_or_default();
        if is_id(&head) && commit(config, repository, head.trim())?.is_none() {
            keep_last(config, mirror, &administration.join("logs/HEAD"))?;
            worktree::write_head(mirror, &administration)?;
            mended = true;
        }
    }
    Ok(mended)
}

/// Sets the last commit aside that is there of those that a log names, unless a sync brought it.
fn keep_last(config: &Config, mirror: &Mirror, log: &Path) -> Result<(), StepError> {
    let repository = &mirror.repository;
    let log = plain::read(log).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let aligned = state::read(config).ok().and_then(|it| it.last_sync).and_then(|it| it.aligned);
    for id in log.lines().rev().filter_map(|line| line.split(' ').nth(1)).filter(|id| is_id(id)).take(DEEPEST)
    {
        if let Some(tip) = commit(config, repository, id)? {
            let told = aside::keep_commits(config, repository, &[tip], aligned.as_slice())?;
            if let Some(told) = told {
                let decision = Decision {
                    ev: "mend",
                    action: Some("set-aside"),
                    outcome: Some("done"),
                    cause: Some("the mirror's branch is torn"),
                    reason: Some(&told),
                    ..Decision::default()
                };
                events::record(config, &decision);
            }
            return Ok(());
        }
    }
    Ok(())
}

/// Puts the mirror's branch where its upstream is known to be; takes it away where nothing is known.
fn mend_branch(config: &Config, mirror: &Mirror, branch: &str) -> Result<bool, StepError> {
    let repository = &mirror.repository;
    if commit(config, repository, branch)?.is_some() {
        return Ok(false);
    }
    let arguments = match commit(config, repository, &mirror.tracking_ref())? {
        Some(sha) => vec!["update-ref".to_owned(), "--no-deref".to_owned(), branch.to_owned(), sha],
        None => vec!["update-ref".to_owned(), "--no-deref".to_owned(), "-d".to_owned(), branch.to_owned()],
    };
    must(config, repository, "mend the mirror's branch", &arguments).map(|_| true)
}

/// Whether a ref is there, and the commit that it names is not.
fn leads_nowhere(config: &Config, repository: &Path, name: &str) -> Result<bool, StepError> {
    let named = run(config, repository, &["rev-parse", "--verify", "--quiet", name])?.succeeded();
    Ok(named && commit(config, repository, name)?.is_none())
}

/// Whether the file of a ref holds no name of anything: git itself can neither read nor replace it.
fn is_torn(file: &Path) -> bool {
    let is_file = fs::symlink_metadata(file).is_ok_and(|it| it.is_file());
    let content = plain::read(file).map(|it| String::from_utf8_lossy(&it).into_owned());
    is_file && content.is_ok_and(|it| !it.starts_with("ref: ") && !is_id(&it))
}

fn remove(file: &Path) -> Result<(), StepError> {
    fs::remove_file(file)
        .map_err(|error| StepError::failed(format!("remove the torn ref {}", file.display()), &error))
}

fn is_id(text: &str) -> bool {
    let text = text.trim();
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
