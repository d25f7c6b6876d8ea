//! The mirror's worktree: made, found again, aligned. Its branch and its administration are all it changes.
#![expect(clippy::disallowed_methods, reason = "hands write")]

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use crate::config::{Config, Mirror};
use crate::error::StepError;
use crate::fixes::hands::files;
use crate::fixes::hands::git::{
    Tell, administration, as_os, commit, must, run, run_told, succeeded, trimmed,
};
use crate::fixes::hands::{align, aside, locks, refs};
use crate::plain;
use crate::probes::deps::{INSTALLED, TREE};
use crate::probes::{link, program};

/// A tree is not written when less than this is free: half a checkout is worse than an old one.
const ROOM: u64 = 64 << 20;

/// Makes the worktree on its branch at the tracking branch's commit, and locks it against pruning.
///
/// # Errors
/// Refused where the branch is checked out elsewhere, or something is at the worktree's place.
pub fn add_worktree(config: &Config, mirror: &Mirror, tell: Tell<'_>) -> Result<Option<String>, StepError> {
    let repository = &mirror.repository;
    let target = commit(config, repository, &mirror.tracking_ref())?.ok_or_else(|| {
        StepError::Refused(format!(
            "{} is not fetched, so there is nothing to check out",
            mirror.upstream_name()
        ))
    })?;
    refs::none_symbolic(config, mirror)?;
    not_elsewhere(config, mirror, repository)?;
    let parent = mirror.worktree.parent().unwrap_or(&mirror.worktree);
    fs::create_dir_all(parent)
        .map_err(|error| StepError::failed(format!("make {}", parent.display()), &error))?;
    room(parent)?;
    let kept = aside::keep_branch(config, mirror, &target)?;
    if let Some(known) = administration(config, mirror)? {
        // What was staged in the old one, and the repositories of its submodules, are there: they go on.
        begin_again(config, mirror, &known)?;
    } else {
        let arguments: [&OsStr; 7] = [
            "worktree".as_ref(),
            "add".as_ref(),
            "--no-checkout".as_ref(),
            "-B".as_ref(),
            mirror.branch.as_ref(),
            mirror.worktree.as_os_str(),
            target.as_ref(),
        ];
        succeeded("add the worktree", run_told(config, repository, &arguments, tell)?)?;
        lock_worktree(config, mirror)?;
    }
    // git's own checkout would overwrite what a person saves there meanwhile.
    let kept_meanwhile = align::align(config, mirror, &target, tell)?;
    Ok([kept, kept_meanwhile].into_iter().flatten().reduce(|all, one| format!("{all}; {one}")))
}

/// Links a directory anew where the administration is whole and the directory is gone.
fn begin_again(config: &Config, mirror: &Mirror, administration: &Path) -> Result<(), StepError> {
    let failed = |error: std::io::Error| StepError::failed("make the worktree again", &error);
    // No look saw the locks there: it looks through the worktree, which is gone.
    for lock in ["index.lock", "HEAD.lock"].map(|name| administration.join(name)) {
        if lock.exists() {
            locks::remove(config, mirror, &lock)?;
        }
    }
    write_head(mirror, administration)?;
    fs::create_dir_all(&mirror.worktree).map_err(failed)?;
    relink(config, mirror)
}

/// Locks the worktree, so that nobody's `git worktree prune` takes it away; git must know of it for that.
///
/// # Errors
/// git's words, where it is not locked afterwards.
pub fn lock_worktree(config: &Config, mirror: &Mirror) -> Result<(), StepError> {
    let arguments: [&OsStr; 5] = [
        "worktree".as_ref(),
        "lock".as_ref(),
        "--reason".as_ref(),
        "kept by housecall".as_ref(),
        mirror.worktree.as_os_str(),
    ];
    if let Some(administration) = administration(config, mirror)? {
        // A `worktree add` whose checkout is killed takes its work back, and may be killed in the middle of that.
        mend_administration(mirror, &administration)?;
    }
    let output = run(config, &mirror.repository, &arguments)?;
    // It fails where it is locked already, which is as good.
    let is_locked = administration(config, mirror)?.is_some_and(|it| it.join("locked").exists());
    if is_locked { Ok(()) } else { succeeded("lock the worktree", output).map(drop) }
}

/// Has the worktree and the repository find each other again: a `.git` file that is gone, a repository that moved.
///
/// # Errors
/// Refused where nothing in the repository belongs to this worktree.
pub fn relink(config: &Config, mirror: &Mirror) -> Result<(), StepError> {
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
        _ if plain::text(&link).ok().as_ref() == Some(&points) => {}
        _ => replace(&link, points.as_bytes()).map_err(|error| failed("write the worktree's .git", error))?,
    }
    let head = administration.join("HEAD");
    let content = plain::text(&head).unwrap_or_default();
    let names_something = content.starts_with("ref: ") || content.trim().len() >= 40;
    if !names_something || content.contains('\0') {
        write_head(mirror, &administration)?;
    }
    lock_worktree(config, mirror)
}

/// Writes what the administration must say and no longer does; says whether there was anything to write.
pub(super) fn mend_administration(mirror: &Mirror, administration: &Path) -> Result<bool, StepError> {
    // Where git itself puts the administration of a worktree, two levels beneath what all share.
    let shared = OsString::from("../..");
    let link = mirror.worktree.join(".git").into_os_string();
    let mut mended = false;
    for (name, content) in [("commondir", shared), ("gitdir", link)] {
        let file = administration.join(name);
        let found = match plain::read(&file) {
            Err(error) if plain::cannot_be_read(&error) => {
                return Err(StepError::failed(format!("read the worktree's {name}"), &error));
            }
            read => read.unwrap_or_default(),
        };
        if link::is_torn(&found) {
            replace(&file, &[content.as_encoded_bytes(), b"\n"].concat())
                .map_err(|error| StepError::failed(format!("write the worktree's {name}"), &error))?;
            mended = true;
        }
    }
    Ok(mended)
}

/// Puts HEAD on the mirror's branch, where git cannot do it.
pub(super) fn write_head(mirror: &Mirror, administration: &Path) -> Result<(), StepError> {
    let content = format!("ref: refs/heads/{}\n", mirror.branch);
    replace(&administration.join("HEAD"), content.as_bytes())
        .map_err(|error| StepError::failed("write HEAD", &error))
}

fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;
    let mut file = files::unfinished(path.parent().unwrap_or_else(|| Path::new(".")))?;
    file.write_all(content)?;
    file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// What Housecall itself put into the worktree and git does not ignore: it is neither set aside nor cleaned away.
pub(super) fn own_files(config: &Config, mirror: &Mirror) -> Result<Vec<PathBuf>, StepError> {
    let installed = if mirror.install.is_empty() { &[][..] } else { &INSTALLED[..] };
    let installed = installed.iter().map(PathBuf::from);
    // What is not there need not be asked about; the tree may come about while this is at work.
    let installed = installed.filter(|path| path.ends_with(TREE) || mirror.worktree.join(path).exists());
    let mut own = Vec::new();
    for path in mirror.carry.iter().cloned().chain(installed) {
        let arguments = ["check-ignore", "--quiet", "--no-index", "--"].map(OsStr::new);
        let inside = path.join("x");
        // A pattern such as `node_modules/` is about directories: something in it is asked about too.
        let asked = if mirror.worktree.join(&path).is_dir() { &inside } else { &path };
        let arguments: Vec<&OsStr> = arguments.into_iter().chain([asked.as_os_str()]).collect();
        if !program::run(&crate::git::command(config, &mirror.worktree, &arguments))?.succeeded() {
            own.push(path);
        }
    }
    Ok(own)
}

/// Refuses where the mirror's branch is checked out in another worktree.
pub(super) fn not_elsewhere(config: &Config, mirror: &Mirror, directory: &Path) -> Result<(), StepError> {
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

pub(super) fn room(directory: &Path) -> Result<(), StepError> {
    let free = rustix::fs::statvfs(directory)
        .map(|it| it.f_bavail.saturating_mul(it.f_frsize))
        .map_err(|error| StepError::failed("ask how much is free", &error))?;
    if free >= ROOM {
        return Ok(());
    }
    Err(StepError::Refused(format!("only {} MiB are free at {}", free >> 20, directory.display())))
}
