//! git, writing: the tracking ref, the worktree and its branch. Nothing else of the repository is touched.
#![expect(clippy::disallowed_methods, reason = "hands write")]

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::{Config, Mirror};
use crate::error::{ProbeError, StepError};
use crate::fixes::hands::{commands, objects, refs, turns};
use crate::git;
use crate::probes;
use crate::probes::git::{Canonical, Repository, store};
use crate::probes::machine::Machine;
use crate::probes::program::{self, Output, Program};

/// Hears what a program says, as it comes.
pub type Tell<'a> = &'a mut dyn FnMut(&[u8]);

/// A git command that writes: no hooks, no fsmonitor, whatever the repository says.
pub(super) fn command<A: AsRef<OsStr>>(config: &Config, directory: &Path, arguments: &[A]) -> Program {
    let mut command = git::writing_command(config, directory, arguments);
    let options = [
        ("core.hooksPath", "/dev/null"),
        ("core.fsmonitor", "false"),
        ("advice.detachedHead", "false"),
        // What a person left is kept whatever its ends of lines are.
        ("core.safecrlf", "false"),
    ];
    configure(&mut command, options);
    for (name, value) in [
        ("GIT_AUTHOR_NAME", "Housecall"),
        ("GIT_AUTHOR_EMAIL", "housecall@localhost"),
        ("GIT_COMMITTER_NAME", "Housecall"),
        ("GIT_COMMITTER_EMAIL", "housecall@localhost"),
        ("GIT_LITERAL_PATHSPECS", "1"),
    ] {
        command.environment.insert(name.into(), value.into());
    }
    command
}

/// Adds settings for this one command, behind those that it has.
pub(super) fn configure<K: Into<OsString>, V: Into<OsString>>(
    command: &mut Program,
    settings: impl IntoIterator<Item = (K, V)>,
) {
    let count = OsStr::new("GIT_CONFIG_COUNT");
    let mut at: usize =
        command.environment.get(count).and_then(|it| it.to_str()?.parse().ok()).unwrap_or_default();
    for (key, value) in settings {
        command.environment.insert(format!("GIT_CONFIG_KEY_{at}").into(), key.into());
        command.environment.insert(format!("GIT_CONFIG_VALUE_{at}").into(), value.into());
        at += 1;
    }
    command.environment.insert(count.to_owned(), at.to_string().into());
}

/// Runs git to its end, whatever that is.
pub(super) fn run<A: AsRef<OsStr>>(
    config: &Config,
    directory: &Path,
    arguments: &[A],
) -> Result<Output, StepError> {
    Ok(program::run(&command(config, directory, arguments))?)
}

/// The same for one that tells of its progress as it comes.
pub(super) fn run_told<A: AsRef<OsStr>>(
    config: &Config,
    directory: &Path,
    arguments: &[A],
    tell: Tell<'_>,
) -> Result<Output, StepError> {
    let mut command = command(config, directory, arguments);
    // git itself waits for two seconds before it tells; whoever shows it has patience of their own.
    command.environment.insert("GIT_PROGRESS_DELAY".into(), "0".into());
    Ok(program::run_observed(&command, tell)?)
}

/// Runs git; a failure is a step that failed, in git's words.
pub(super) fn must<A: AsRef<OsStr>>(
    config: &Config,
    directory: &Path,
    what: &str,
    arguments: &[A],
) -> Result<Output, StepError> {
    succeeded(what, run(config, directory, arguments)?)
}

pub(super) fn succeeded(what: &str, output: Output) -> Result<Output, StepError> {
    if output.succeeded() {
        return Ok(output);
    }
    // git goes on to what it could not do for it.
    let lost = git::complaint_with(&output, &objects::LOST);
    Err(StepError::failed(what, &lost.unwrap_or_else(|| git::complaint(&output))))
}

/// The commit that a name means, if it means one that is there.
///
/// # Errors
/// It is not found, and a part of the repository where it may be cannot be read now.
pub(super) fn commit(config: &Config, directory: &Path, name: &str) -> Result<Option<String>, StepError> {
    let parsed =
        |name: &str| run(config, directory, &["rev-parse", "--verify", "--quiet", "--end-of-options", name]);
    let output = parsed(&format!("{name}^{{commit}}"))?;
    if output.succeeded() {
        return Ok(Some(git::said(&output)));
    }
    // Where the administration is torn, git finds nothing of anything: that is mended before.
    if let Ok(common) = common_directory(config, directory) {
        let object = parsed(name)?;
        if object.succeeded() {
            store::can_miss(&common, &git::said(&object))?;
        } else {
            store::can_miss_ref(&common, name)?;
        }
    }
    Ok(None)
}

/// Fetches the one ref into its tracking branch, and says where that is now.
///
/// # Errors
/// git's words.
pub fn fetch(
    machine: &Machine,
    config: &Config,
    mirror: &Mirror,
    tell: Tell<'_>,
) -> Result<String, StepError> {
    let repository = present(machine, config, mirror)?;
    let output = try_fetch(config, mirror, &repository, tell)?;
    succeeded(&format!("fetch {}", mirror.upstream_name()), output)?;
    tracking(machine, config, mirror)
}

/// Where the tracking branch is now: read without a program, since each cycle asks.
///
/// # Errors
/// It is not there.
pub fn tracking(machine: &Machine, config: &Config, mirror: &Mirror) -> Result<String, StepError> {
    present(machine, config, mirror)?
        .tracking
        .ok_or_else(|| StepError::failed(format!("read {}", mirror.tracking_ref()), &"it is not there"))
}

/// The canonical repository, where it is there.
fn present(machine: &Machine, config: &Config, mirror: &Mirror) -> Result<Repository, StepError> {
    match probes::git::canonical(machine, config, mirror)? {
        Canonical::Present(repository) => Ok(repository),
        _ => Err(StepError::failed(format!("open {}", config.tilde(&mirror.repository)), &"it is not there")),
    }
}

/// The fetch itself, whatever comes of it.
///
/// # Errors
/// git cannot be run, or did not end in time.
pub fn try_fetch(
    config: &Config,
    mirror: &Mirror,
    repository: &Repository,
    tell: Tell<'_>,
) -> Result<Output, StepError> {
    if let Some([name, target]) = &repository.symbolic {
        return Err(refs::symbolic(config, mirror, name, target));
    }
    let url = repository.remote_url.as_deref();
    let _turn = turns::wait(config);
    let mut first = fetch_command(config, mirror, url, tell)?;
    for _ in 0..5 {
        // The git of a mend that was killed may still be moving the ref.
        if first.succeeded() || !String::from_utf8_lossy(&first.stderr).contains("but expected") {
            break;
        }
        std::thread::sleep(Duration::from_millis(200));
        first = fetch_command(config, mirror, url, tell)?;
    }
    if !first.succeeded() && refs::mend(config, mirror)? {
        return fetch_command(config, mirror, url, tell);
    }
    Ok(first)
}

/// All that the upstream is made of, whatever is there of it; no ref moves.
pub(super) fn fetch_whole(config: &Config, mirror: &Mirror, tell: Tell<'_>) -> Result<Output, StepError> {
    let upstream = commands::refspec(mirror);
    let upstream = upstream.trim_start_matches('+').split(':').next().unwrap_or_default();
    fetched(config, mirror, None, &["--refetch", "--", &mirror.remote, upstream], tell)
}

fn fetch_command(
    config: &Config,
    mirror: &Mirror,
    url: Option<&str>,
    tell: Tell<'_>,
) -> Result<Output, StepError> {
    fetched(config, mirror, url, &["--", &mirror.remote, &commands::refspec(mirror)], tell)
}

fn fetched(
    config: &Config,
    mirror: &Mirror,
    url: Option<&str>,
    what: &[&str],
    tell: Tell<'_>,
) -> Result<Output, StepError> {
    let how = [
        "fetch",
        "--progress",
        "--no-tags",
        "--no-auto-maintenance",
        "--no-write-commit-graph",
        "--no-write-fetch-head",
        "--no-recurse-submodules",
        "--no-prune",
        "--no-show-forced-updates",
        "--refmap=",
    ];
    let arguments = [&how[..], what].concat();
    let mut fetch = command(config, &mirror.repository, &arguments);
    // What is known of no address may be reached over ssh.
    if url.is_none_or(git::is_ssh) {
        git::never_ask_over_ssh(config, &mirror.repository, &mut fetch);
    }
    // What a fetch leaves that failed is removed when its step ends.
    program::run_while_it_speaks(&fetch, git::silence(config), tell).map_err(|error| match error {
        ProbeError::TimedOut { after, .. } => {
            ProbeError::TimedOut { what: mirror.remote.clone(), after }.into()
        }
        other => other.into(),
    })
}

/// Has git write the mirror's index again where that is as new as files that it lists.
///
/// git reads such a file whole each time it is asked for changes, since it may have been edited in the same second. Where
/// it cannot be done now, nothing is lost but time.
pub fn settle_index(config: &Config, mirror: &Mirror) {
    let arguments = ["status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all"];
    let _ = run(config, &mirror.worktree, &arguments);
}

/// Where the repository keeps what it knows of this worktree, if it does.
pub(super) fn administration(config: &Config, mirror: &Mirror) -> Result<Option<PathBuf>, StepError> {
    let common = common_directory(config, &mirror.repository)?;
    Ok(crate::probes::link::administration(&common, &mirror.worktree))
}

/// The repository's common directory, real path.
pub(super) fn common_directory(config: &Config, directory: &Path) -> Result<PathBuf, StepError> {
    let what = format!("find the repository of {}", directory.display());
    let output =
        must(config, directory, &what, &["rev-parse", "--path-format=absolute", "--git-common-dir"])?;
    real(&PathBuf::from(as_os(trimmed(&output.stdout))))
}

/// Where git keeps that of this worktree.
pub(super) fn git_path(config: &Config, top: &Path, name: &str) -> Result<PathBuf, StepError> {
    let output = must(
        config,
        top,
        "ask git for a path",
        &["rev-parse", "--path-format=absolute", "--git-path", name],
    )?;
    Ok(PathBuf::from(as_os(trimmed(&output.stdout))))
}

pub(super) fn real(path: &Path) -> Result<PathBuf, StepError> {
    fs::canonicalize(path).map_err(|error| StepError::failed(format!("look at {}", path.display()), &error))
}

pub(super) fn trimmed(bytes: &[u8]) -> &[u8] {
    bytes.strip_suffix(b"\n").unwrap_or(bytes)
}

pub(super) fn as_os(bytes: &[u8]) -> &OsStr {
    std::os::unix::ffi::OsStrExt::from_bytes(bytes)
}

/// Where a patch of what was set aside goes.
pub(super) fn patch_file(config: &Config, time: &str) -> PathBuf {
    config.state.join("rescued").join(format!("{time}.patch"))
}
