//! Giving back what was set aside: copies of it in a new directory. The mirror would be aligned again within a minute,
//! and the repository is a person's: neither is touched.
#![expect(clippy::disallowed_methods, reason = "hands write")]

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::Path;

use crate::config::{Config, Mirror};
use crate::error::StepError;
use crate::fixes::hands::files::copy;
use crate::fixes::hands::git::{as_os, must};
use crate::fixes::hands::index::{CHUNK, Index};
use crate::fixes::lock::Lock;
use crate::probes::git::{FOLDER, INSIDE, LEFT_INSIDE, REFS, Reference, Rescue, within};

/// Where a rebase under way says which branch it moves at its end.
const HEAD_NAME: &str = "rebase-merge/head-name";

/// Copies all that was set aside under that name into a new directory.
///
/// `files` and `changes.patch` are the edits, `staged` and `staged.patch` what was staged, `commits` a patch each,
/// `operation` what git had of one under way, `kept` what was moved or copied whole.
///
/// # Errors
/// Refused where something is at that place; then, and in any failure, nothing is left there.
pub fn restore(config: &Config, mirror: &Mirror, rescue: &Rescue, to: &Path) -> Result<(), StepError> {
    if fs::symlink_metadata(to).is_ok() {
        return Err(StepError::Refused(format!("{} is there already", config.tilde(to))));
    }
    let failed = |error: io::Error| StepError::failed(format!("write {}", config.tilde(to)), &error);
    let parent = to.parent().unwrap_or(to);
    fs::create_dir_all(parent).map_err(failed)?;
    let directory =
        tempfile::Builder::new().prefix(".housecall-rescued-").tempdir_in(parent).map_err(failed)?;
    let beside = directory.path();
    if let Some(reference) = &rescue.reference {
        write(config, &mirror.repository, reference, beside)?;
    }
    if let (None, None, Some(patch)) = (&rescue.reference, &rescue.inside, &rescue.patch) {
        copy(patch, &beside.join("changes.patch")).map_err(failed)?;
    }
    if let Some(place) = &rescue.place {
        whole(place, beside, rescue).map_err(failed)?;
    }
    fs::rename(beside, to).map_err(failed)
}

/// Writes what a ref of that repository holds: the edits, what was staged, and a patch for each commit.
///
/// # Errors
/// git's words, or the disk's.
pub(super) fn write(
    config: &Config,
    repository: &Path,
    reference: &Reference,
    beside: &Path,
) -> Result<(), StepError> {
    if let Some(head) = &reference.head {
        changes(config, repository, [head, &reference.commit], beside, "files")?;
        if let Some(staged) = &reference.staged {
            changes(config, repository, [head, staged], beside, "staged")?;
        }
    }
    for (at, (sha, _)) in reference.commits.iter().enumerate() {
        let mut output = OsString::from("--output-directory=");
        output.push(beside.join("commits"));
        let number = format!("--start-number={}", at + 1);
        let arguments: [&OsStr; 6] = [
            "format-patch".as_ref(),
            "-1".as_ref(),
            "--quiet".as_ref(),
            number.as_ref(),
            &output,
            sha.as_ref(),
        ];
        must(config, repository, "write the patch of a commit", &arguments)?;
    }
    Ok(())
}

/// The files that one commit has otherwise than another, and the patch of it.
fn changes(
    config: &Config,
    repository: &Path,
    [from, commit]: [&String; 2],
    beside: &Path,
    name: &str,
) -> Result<(), StepError> {
    let folder = beside.join(name);
    let index = Index { config, top: repository, file: beside.join(".index") };
    let arguments = ["diff-tree", "-r", "-z", "--no-renames", "--name-only", "--diff-filter=d", from, commit];
    let changed = index.must("list what was set aside", &arguments)?;
    let mut output = OsString::from("--output=");
    output.push(beside.join(if name == "files" { "changes.patch" } else { "staged.patch" }));
    let arguments: [&OsStr; 9] = [
        "diff-tree".as_ref(),
        "-r".as_ref(),
        "-p".as_ref(),
        "--binary".as_ref(),
        "--full-index".as_ref(),
        "--no-ext-diff".as_ref(),
        &output,
        from.as_ref(),
        commit.as_ref(),
    ];
    index.must("write the patch of what was set aside", &arguments)?;
    let paths: Vec<&OsStr> =
        changed.stdout.split(|byte| *byte == 0).filter(|path| !path.is_empty()).map(as_os).collect();
    let failed = |error: io::Error| StepError::failed(format!("write {}", folder.display()), &error);
    if !paths.is_empty() {
        fs::create_dir(&folder).map_err(failed)?;
        index.must("read what was set aside", &["read-tree", commit])?;
    }
    let mut tree = OsString::from("--work-tree=");
    tree.push(&folder);
    for chunk in paths.chunks(CHUNK) {
        let start: [&OsStr; 5] =
            [&tree, "checkout-index".as_ref(), "--quiet".as_ref(), "--force".as_ref(), "--".as_ref()];
        let whole: Vec<&OsStr> = start.into_iter().chain(chunk.iter().copied()).collect();
        index.must("write what was set aside", &whole)?;
    }
    match fs::remove_file(&index.file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
        _ => Ok(()),
    }
}

/// What lies somewhere whole, as it is; an operation in a folder of its own, fit to be gone on with elsewhere.
fn whole(place: &Path, beside: &Path, rescue: &Rescue) -> io::Result<()> {
    let kept = beside.join("kept");
    if !place.is_dir() || place.file_name().is_none_or(|name| name != OsStr::new(&rescue.name)) {
        fs::create_dir(&kept)?;
        return copy(place, &kept.join(place.file_name().unwrap_or_default()));
    }
    if rescue.name.starts_with(LEFT_INSIDE) {
        fs::create_dir(&kept)?;
        for path in within(place).map_err(io::Error::other)? {
            copy(&path, &kept.join(path.file_name().unwrap_or_default()))?;
        }
        return Ok(());
    }
    for entry in fs::read_dir(place)? {
        let entry = entry?;
        if rescue.inside.is_some() {
            if entry.file_name() == INSIDE {
                for inner in fs::read_dir(entry.path())? {
                    let inner = inner?;
                    copy(&inner.path(), &beside.join(inner.file_name()))?;
                }
            }
        } else if entry.file_name() == FOLDER {
            copy(&entry.path(), &beside.join(FOLDER))?;
            let branch = beside.join(FOLDER).join(HEAD_NAME);
            if branch.is_file() {
                // At its end it would move the mirror's branch, which is checked out there.
                fs::write(branch, "detached HEAD\n")?;
            }
        } else {
            fs::create_dir_all(&kept)?;
            copy(&entry.path(), &kept.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// Deletes what was set aside under that name, for good; whoever asked has said yes.
///
/// # Errors
/// The ref is on another commit by now, or something may not be deleted.
pub fn forget(config: &Config, mirror: &Mirror, rescue: &Rescue, _lock: &Lock) -> Result<(), StepError> {
    let what = format!("delete {}", rescue.name);
    if let Some(reference) = &rescue.reference {
        let arguments = ["update-ref", "--no-deref", "-d", &reference.name, &reference.commit];
        must(config, &mirror.repository, &what, &arguments)?;
    }
    if let Some(inside) = &rescue.inside {
        let inner = mirror.worktree.join(inside);
        if inner.join(".git").exists() {
            must(
                config,
                &inner,
                &what,
                &["update-ref", "--no-deref", "-d", &format!("{REFS}/{}", rescue.name)],
            )?;
        }
    }
    for path in rescue.patch.iter().chain(&rescue.place) {
        let is_directory = fs::symlink_metadata(path).is_ok_and(|it| it.is_dir());
        let done = if is_directory { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        done.map_err(|error| StepError::failed(what.as_str(), &error))?;
    }
    Ok(())
}
