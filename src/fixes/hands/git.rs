//! git, writing: the tracking ref, the worktree and its branch. Nothing else of the repository is touched.
#![expect(clippy::disallowed_methods, reason = "hands write")]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::{Config, Mirror};
use crate::error::StepError;
use crate::fixes::hands::{aside, commands, files};
use crate::git;
use crate::probes::program::{self, Output, Program};

/// A tree is not written when less than this is free: half a checkout is worse than an old one.
const ROOM: u64 = 64 << 20;

/// A git command that writes: no hooks, no fsmonitor, whatever the repository says.
pub(super) fn command<A: AsRef<OsStr>>(config: &Config, directory: &Path, arguments: &[A]) -> Program {
    let mut command = git::writing_command(config, directory, arguments);
    let options =
        [("core.hooksPath", "/dev/null"), ("core.fsmonitor", "false"), ("advice.detachedHead", "false")];
    for (at, (key, value)) in options.iter().enumerate() {
        command.environment.insert(format!("GIT_CONFIG_KEY_{at}").into(), (*key).into());
        command.environment.insert(format!("GIT_CONFIG_VALUE_{at}").into(), (*value).into());
    }
    command.environment.insert("GIT_CONFIG_COUNT".into(), options.len().to_string().into());
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

/// Runs git to its end, whatever that is.
pub(super) fn run<A: AsRef<OsStr>>(
    config: &Config,
    directory: &Path,
    arguments: &[A],
) -> Result<Output, StepError> {
    Ok(program::run(&command(config, directory, arguments))?)
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
    if output.succeeded() { Ok(output) } else { Err(StepError::failed(what, &git::complaint(&output))) }
}

/// The commit that a name means, if it means one that is there.
pub(super) fn commit(config: &Config, directory: &Path, name: &str) -> Result<Option<String>, StepError> {
    let name = format!("{name}^{{commit}}");
    let output = run(config, directory, &["rev-parse", "--verify", "--quiet", "--end-of-options", &name])?;
    Ok(output.succeeded().then(|| git::said(&output)))
}

/// Fetches the one ref into its tracking branch, and says where that is now.
///
/// # Errors
/// git's words.
pub fn fetch(config: &Config, mirror: &Mirror) -> Result<String, StepError> {
    succeeded(&format!("fetch {}", mirror.upstream_name()), try_fetch(config, mirror)?)?;
    tracking(config, mirror)
}

/// Where the tracking branch is now.
///
/// # Errors
/// It is not there.
pub fn tracking(config: &Config, mirror: &Mirror) -> Result<String, StepError> {
    commit(config, &mirror.repository, &mirror.tracking_ref())?
        .ok_or_else(|| StepError::failed(format!("read {}", mirror.tracking_ref()), &"it is not there"))
}

/// The fetch itself, whatever comes of it.
///
/// # Errors
/// git cannot be run, or did not end in time.
pub fn try_fetch(config: &Config, mirror: &Mirror) -> Result<Output, StepError> {
    let mut first = fetch_command(config, mirror)?;
    for _ in 0..5 {
        // The git of a mend that was killed may still be moving the ref.
        if first.succeeded() || !String::from_utf8_lossy(&first.stderr).contains("but expected") {
            break;
        }
        std::thread::sleep(Duration::from_millis(200));
        first = fetch_command(config, mirror)?;
    }
    // A branch of ours that leads to nothing makes every fetch fail. There is nothing on it to lose.
    if !first.succeeded() && leads_nowhere(config, mirror)? {
        let branch = format!("refs/heads/{}", mirror.branch);
        let tracking = tracking(config, mirror)?;
        must(config, &mirror.repository, "mend the mirror's branch", &["update-ref", &branch, &tracking])?;
        return fetch_command(config, mirror);
    }
    Ok(first)
}

/// Whether the mirror's branch is there, and the commit that it names is not.
fn leads_nowhere(config: &Config, mirror: &Mirror) -> Result<bool, StepError> {
    let branch = format!("refs/heads/{}", mirror.branch);
    let arguments = ["rev-parse", "--verify", "--quiet", &branch];
    let named = run(config, &mirror.repository, &arguments)?.succeeded();
    Ok(named && commit(config, &mirror.repository, &branch)?.is_none())
}

fn fetch_command(config: &Config, mirror: &Mirror) -> Result<Output, StepError> {
    let refspec = commands::refspec(mirror);
    run(
        config,
        &mirror.repository,
        &[
            "fetch",
            "--no-tags",
            "--no-auto-maintenance",
            "--no-write-fetch-head",
            "--no-recurse-submodules",
            "--no-prune",
            "--no-show-forced-updates",
            "--refmap=",
            "--",
            &mirror.remote,
            &refspec,
        ],
    )
}

/// Makes the worktree on its branch at the tracking branch's commit, and locks it against pruning.
///
/// # Errors
/// Refused where the branch is checked out elsewhere, or something is at the worktree's place.
pub fn add_worktree(config: &Config, mirror: &Mirror) -> Result<Option<String>, StepError> {
    let repository = &mirror.repository;
    let target = commit(config, repository, &mirror.tracking_ref())?.ok_or_else(|| {
        StepError::Refused(format!(
            "{} is not fetched, so there is nothing to check out",
            mirror.upstream_name()
        ))
    })?;
    not_elsewhere(config, mirror, repository)?;
    let parent = mirror.worktree.parent().unwrap_or(&mirror.worktree);
    fs::create_dir_all(parent)
        .map_err(|error| StepError::failed(format!("make {}", parent.display()), &error))?;
    room(parent)?;
    let kept = aside::keep_branch(config, mirror, &target)?;
    let worktree = mirror.worktree.as_os_str();
    if administration(config, mirror)?.is_some() {
        // The directory is gone and its administration is left; forced twice, since we lock it.
        let arguments = [OsStr::new("worktree"), "remove".as_ref(), "-f".as_ref(), "-f".as_ref(), worktree];
        must(config, repository, "remove what is left of the old worktree", &arguments)?;
    }
    let arguments: [&OsStr; 6] = [
        "worktree".as_ref(),
        "add".as_ref(),
        "-B".as_ref(),
        mirror.branch.as_ref(),
        worktree,
        target.as_ref(),
    ];
    must(config, repository, "add the worktree", &arguments)?;
    lock_worktree(config, mirror)?;
    Ok(kept)
}

/// Locks the worktree, so that nobody's `git worktree prune` takes it away.
fn lock_worktree(config: &Config, mirror: &Mirror) -> Result<(), StepError> {
    let arguments: [&OsStr; 5] = [
        "worktree".as_ref(),
        "lock".as_ref(),
        "--reason".as_ref(),
        "kept by housecall".as_ref(),
        mirror.worktree.as_os_str(),
    ];
    // It fails where it is locked already, which is as good.
    run(config, &mirror.repository, &arguments).map(drop)
}

/// Has the worktree and the repository find each other again: a `.git` file that is gone, a repository that moved.
///
/// # Errors
/// Refused where nothing in the repository belongs to this worktree.
pub fn relink(config: &Config, mirror: &Mirror) -> Result<Option<String>, StepError> {
    let administration = administration(config, mirror)?.ok_or_else(|| {
        StepError::Refused(format!(
            "nothing in {} belongs to this worktree",
            config.tilde(&mirror.repository)
        ))
    })?;
    let failed = |what: &str, error: std::io::Error| StepError::failed(what, &error);
    let link = mirror.worktree.join(".git");
    let points = format!("gitdir: {}\n", administration.display());
    match fs::symlink_metadata(&link) {
        Ok(found) if !found.is_file() => {
            return Err(StepError::Refused(format!("{} is no plain file", config.tilde(&link))));
        }
        _ if fs::read_to_string(&link).ok().as_ref() == Some(&points) => {}
        _ => replace(&link, points.as_bytes()).map_err(|error| failed("write the worktree's .git", error))?,
    }
    let head = administration.join("HEAD");
    let written = fs::read_to_string(&head).unwrap_or_default();
    let usable = written.starts_with("ref: ") || written.trim().len() >= 40;
    if !usable || written.contains('\0') {
        let line = format!("ref: refs/heads/{}\n", mirror.branch);
        replace(&head, line.as_bytes()).map_err(|error| failed("write HEAD", error))?;
    }
    Ok(None)
}

fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;
    let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or_else(|| Path::new(".")))?;
    file.write_all(content)?;
    file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
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

/// Brings HEAD, index and files to that commit, after all that a person left there is safe.
///
/// # Errors
/// Refused where the branch is checked out elsewhere; failed where anything differs at the end.
pub fn align(config: &Config, mirror: &Mirror, sha: &str) -> Result<Option<String>, StepError> {
    let top = &mirror.worktree;
    if commit(config, top, sha)?.is_none() {
        return Err(StepError::Refused(format!("the commit {sha} is not there")));
    }
    not_elsewhere(config, mirror, top)?;
    room(top)?;
    // The plan sets aside in a step of its own; this finds something only if it came about since.
    let kept = aside::set_aside(config, mirror)?;
    for operation in ["rebase", "merge", "cherry-pick", "revert", "am"] {
        quit(config, mirror, operation)?;
    }
    let branch = format!("refs/heads/{}", mirror.branch);
    must(config, top, "put HEAD on its branch", &["symbolic-ref", "HEAD", &branch])?;
    let mut reset = run(config, top, &["reset", "--hard", "--quiet", sha])?;
    let index = git_path(config, top, "index")?;
    if !reset.succeeded() && index.exists() && !index.with_extension("lock").exists() {
        // It is corrupt, or holds marks that forbid the reset; what was staged in it is set aside.
        fs::remove_file(&index)
            .map_err(|error| StepError::failed(format!("remove {}", index.display()), &error))?;
        reset = run(config, top, &["reset", "--hard", "--quiet", sha])?;
    }
    succeeded("reset the worktree", reset)?;
    let mut clean = vec!["clean", "-ffd", "--quiet"];
    if !ignores_dependencies(config, top)? {
        clean.extend(["-e", "/node_modules"]);
    }
    must(config, top, "clean the worktree", &clean)?;
    verify(config, top, sha)?;
    Ok(kept)
}

/// Ends an operation that was under way; what it had in hand is set aside by now.
fn quit(config: &Config, mirror: &Mirror, operation: &str) -> Result<(), StepError> {
    let top = &mirror.worktree;
    let marks: &[&str] = match operation {
        "rebase" => &["rebase-merge", "rebase-apply"],
        "am" => &["rebase-apply/applying"],
        "merge" => &["MERGE_HEAD"],
        "cherry-pick" => &["CHERRY_PICK_HEAD", "sequencer"],
        _ => &["REVERT_HEAD", "sequencer"],
    };
    for mark in marks {
        if git_path(config, top, mark)?.exists() {
            // What cannot be quit is ended by the reset, or found by the look that follows.
            run(config, top, &[operation, "--quit"])?;
            return Ok(());
        }
    }
    Ok(())
}

/// Whether git ignores `node_modules` there: else it would take them for what a person left.
pub(super) fn ignores_dependencies(config: &Config, top: &Path) -> Result<bool, StepError> {
    let arguments = ["check-ignore", "--quiet", "--no-index", "node_modules/x"];
    Ok(program::run(&git::command(config, top, &arguments))?.succeeded())
}

fn verify(config: &Config, top: &Path, sha: &str) -> Result<(), StepError> {
    let head = commit(config, top, "HEAD")?;
    if head.as_deref() != Some(sha) {
        return Err(StepError::failed("align the worktree", &format!("HEAD is {head:?} afterwards")));
    }
    let status = must(
        config,
        top,
        "look at the worktree afterwards",
        &["status", "--porcelain", "--untracked-files=no", "--ignore-submodules=dirty"],
    )?;
    match git::said(&status) {
        said if said.is_empty() => Ok(()),
        said => Err(StepError::failed("align the worktree", &format!("afterwards git still says {said}"))),
    }
}

/// Refuses where the mirror's branch is checked out in another worktree.
fn not_elsewhere(config: &Config, mirror: &Mirror, directory: &Path) -> Result<(), StepError> {
    let branch = format!("refs/heads/{}", mirror.branch);
    let output = must(
        config,
        directory,
        "ask where the branch is checked out",
        &["for-each-ref", "--format=%(worktreepath)", &branch],
    )?;
    let path = trimmed(&output.stdout);
    if path.is_empty() {
        return Ok(());
    }
    let place = PathBuf::from(as_os(path));
    let same = place == mirror.worktree
        || fs::canonicalize(&place)
            .ok()
            .is_some_and(|it| Some(it) == fs::canonicalize(&mirror.worktree).ok());
    if same {
        return Ok(());
    }
    Err(StepError::Refused(format!(
        "the branch {} is checked out in {}",
        mirror.branch,
        config.tilde(&place)
    )))
}

fn room(directory: &Path) -> Result<(), StepError> {
    let free = rustix::fs::statvfs(directory)
        .map(|it| it.f_bavail.saturating_mul(it.f_frsize))
        .map_err(|error| StepError::failed("ask how much is free", &error))?;
    if free >= ROOM {
        return Ok(());
    }
    Err(StepError::Refused(format!("only {} MiB are free at {}", free >> 20, directory.display())))
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
pub(super) fn patch_file(config: &Config, time: &str) -> Result<PathBuf, StepError> {
    let path = config.state.join("rescued").join(format!("{time}.patch"));
    files::write_private(&path, b"")
        .map_err(|error| StepError::failed(format!("write {}", config.tilde(&path)), &error))?;
    Ok(path)
}
