//! What is asked of the remotes of submodules: each is given up once it stays silent for too long.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::{linked, recorded};
use crate::config::{Config, Mirror};
use crate::error::{ProbeError, StepError, human_duration};
use crate::fixes::hands::files;
use crate::fixes::hands::git::{Tell, as_os, command, commit, configure, git_path, run, succeeded};
use crate::git;
use crate::probes::git::submodules::{active, named, never_cloned};
use crate::probes::git::{Remote, failure};
use crate::probes::program::{self, Output};

/// A clone is followed by a look at what it brought, which may say nothing for longer than a remote may.
const CLONE: u32 = 4;

/// Fetches what that commit records of the submodules that are checked out, and of theirs: where a remote is away, nothing
/// is changed.
///
/// # Errors
/// A remote that is away; git's words.
pub(in crate::fixes::hands) fn fetch(
    config: &Config,
    mirror: &Mirror,
    sha: &str,
    tell: Tell<'_>,
) -> Result<(), StepError> {
    fetch_within(config, mirror, Path::new(""), sha, tell)
}

fn fetch_within(
    config: &Config,
    mirror: &Mirror,
    within: &Path,
    sha: &str,
    tell: Tell<'_>,
) -> Result<(), StepError> {
    let top = mirror.worktree.join(within);
    let linked = linked(config, &top)?;
    if linked.is_empty() {
        return Ok(());
    }
    let active = active(config, &top)?;
    for path in linked.iter().filter(|path| active.contains(*path)) {
        let (inner, whole) = (top.join(path), within.join(path));
        let Some(wanted) = recorded(config, &top, sha, path)? else { continue };
        let by_name = ["fetch", "--progress", "--no-auto-maintenance", "--no-recurse-submodules"];
        let by_commit = [&by_name[..], &["origin", &wanted]].concat();
        // As git does it: what its branches do not have, the remote may have all the same.
        for arguments in [&by_name[..], &by_commit] {
            if commit(config, &inner, &wanted)?.is_some() {
                break;
            }
            let what = format!("fetch the submodule {}", whole.display());
            talk(
                config,
                mirror,
                &inner,
                arguments,
                Talk { silence: git::silence(config), what: &what, settings: &[] },
                tell,
            )?;
        }
        if commit(config, &inner, &wanted)?.is_some() {
            fetch_within(config, mirror, &whole, &wanted, tell)?;
        }
    }
    Ok(())
}

/// Moves repositories of submodules aside that git cannot read, such as one whose clone was cut off: git would take each
/// for cloned. Says where they are kept, since a person's commits may be in one.
///
/// # Errors
/// git's words, or the disk's.
pub(super) fn move_broken(
    config: &Config,
    top: &Path,
    wanted: &[(PathBuf, String)],
) -> Result<Option<String>, StepError> {
    let modules = git_path(config, top, "modules")?;
    let mut kept = Vec::new();
    for (path, name) in named(config, top)? {
        let repository = modules.join(name);
        let is_wanted = wanted.iter().any(|(it, _)| *it == path) && !top.join(&path).join(".git").exists();
        if !is_wanted || !repository.exists() {
            continue;
        }
        let mut directory = OsString::from("--git-dir=");
        directory.push(&repository);
        // Its own configuration may name a worktree that is gone, where git would not even start.
        let rest = ["--work-tree=.", "rev-parse", "--git-dir"].map(OsStr::new);
        let asked = [&[directory.as_os_str()], &rest[..]].concat();
        if !run(config, top, &asked)?.succeeded() {
            let aside = files::move_aside(&repository)?;
            kept.push(format!(
                "the unreadable repository of {} set aside as {}",
                path.display(),
                config.tilde(&aside)
            ));
        }
    }
    Ok((!kept.is_empty()).then(|| kept.join("; ")))
}

/// Has git clone the submodules that are missing, link those that are cloned, and fetch what is recorded and not there. It
/// writes no file of theirs.
pub(super) fn clone(config: &Config, mirror: &Mirror, top: &Path, tell: Tell<'_>) -> Result<(), StepError> {
    // Without `--init`: which ones are wanted is the repository's to say, and its configuration is not written to. A
    // command takes the place of git's checkout, which would overwrite what a person saves meanwhile.
    let found = run(
        config,
        top,
        &[
            "config",
            "--file",
            ".gitmodules",
            "--null",
            "--name-only",
            "--get-regexp",
            r"^submodule\..*\.path$",
        ],
    )?;
    let keys = found.stdout.split(|byte| *byte == 0).filter_map(|key| key.strip_suffix(b".path"));
    let settings: Vec<(OsString, OsString)> = keys
        .map(|key| {
            let mut key = as_os(key).to_owned();
            key.push(".update");
            (key, OsString::from("!true"))
        })
        .collect();
    let silence = git::silence(config).saturating_mul(CLONE);
    let how = Talk { silence, what: "update the submodules", settings: &settings };
    talk(config, mirror, top, &["submodule", "update", "--progress"], how, tell)
}

/// Asks each remote first that was never cloned from: a clone that hangs looks like a checkout that takes its time.
pub(super) fn answers(config: &Config, mirror: &Mirror, top: &Path, tell: Tell<'_>) -> Result<(), StepError> {
    let modules = git_path(config, top, "modules")?;
    for (path, address) in never_cloned(config, top, &modules)? {
        let what = format!("reach the remote of the submodule {}", path.display());
        let arguments = ["ls-remote", "--quiet", "--"].map(OsStr::new);
        let arguments = [&arguments[..], &[address.as_os_str(), OsStr::new("HEAD")]].concat();
        talk(
            config,
            mirror,
            top,
            &arguments,
            Talk { silence: git::silence(config), what: &what, settings: &[] },
            tell,
        )?;
    }
    Ok(())
}

/// How a remote is talked to.
#[derive(Clone, Copy)]
struct Talk<'a> {
    /// How long it may say nothing.
    silence: std::time::Duration,
    /// What is done, for people.
    what: &'a str,
    /// Settings of git's for this one command.
    settings: &'a [(OsString, OsString)],
}

/// Runs a git that asks a submodule's remote; one that does not answer is no failure.
fn talk(
    config: &Config,
    mirror: &Mirror,
    directory: &Path,
    arguments: &[impl AsRef<OsStr>],
    Talk { silence, what, settings }: Talk<'_>,
    tell: Tell<'_>,
) -> Result<(), StepError> {
    tell(format!("{what}, for up to {} of silence\n", human_duration(silence)).as_bytes());
    let mut command = command(config, directory, arguments);
    command.environment.remove(OsStr::new("GIT_LITERAL_PATHSPECS"));
    configure(&mut command, settings.iter().cloned());
    git::never_ask_over_ssh(config, directory, &mut command);
    let is_away = |why: &str| StepError::Away(format!("cannot {what}: {why}"));
    let output: Output = match program::run_while_it_speaks(&command, silence, tell) {
        Ok(output) => output,
        Err(error @ ProbeError::TimedOut { .. }) => return Err(is_away(&error.to_string())),
        Err(error) => return Err(error.into()),
    };
    match failure(mirror, &output) {
        Ok(Remote::Unreachable(why)) if !output.succeeded() => Err(is_away(&why)),
        _ => succeeded(what, output).map(drop),
    }
}
