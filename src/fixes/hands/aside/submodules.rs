//! Submodules: what a person left inside one is kept in its own repository, as a patch, and whole beside the state, so
//! that it outlives that repository too; then they follow upstream.
#![expect(clippy::disallowed_methods, reason = "hands write")]

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{KEEP, commit_tree, free_name, is_kept, message, patched, restore, write_patch};
use crate::config::{Config, Mirror};
use crate::error::{ProbeError, StepError, human_duration};
use crate::fixes::hands::files::{self, stamp};
use crate::fixes::hands::git::{Tell, command, commit, git_path, must, run, succeeded};
use crate::fixes::hands::index::Index;
use crate::fixes::hands::killed;
use crate::git;
use crate::probes::git::submodules::{active, links, never_cloned, wishes};
use crate::probes::git::{INSIDE, REFS, Remote, STAGED, WHICH, failure, reference};
use crate::probes::program::{self, Output};

/// A clone is followed by a checkout, which may say nothing for longer than a remote may.
const CHECKOUT: u32 = 4;

/// How deep submodules of submodules may lie.
const DEEPEST: usize = 8;

/// Keeps what a person left in the submodules that are checked out; says where, if there was anything.
pub(super) fn keep(config: &Config, top: &Path, time: Timestamp) -> Result<Option<String>, StepError> {
    let told = keep_within(config, top, Path::new(""), time)?;
    Ok((!told.is_empty()).then(|| told.join("; ")))
}

fn keep_within(
    config: &Config,
    top: &Path,
    within: &Path,
    time: Timestamp,
) -> Result<Vec<String>, StepError> {
    let mut told = Vec::new();
    for path in linked(config, top)? {
        let inner = top.join(&path);
        let whole = within.join(&path);
        told.extend(keep_within(config, &inner, &whole, time)?);
        let recorded = run(config, top, &[OsStr::new("rev-parse"), &at("HEAD", &path)])?;
        let recorded = recorded.succeeded().then(|| git::said(&recorded)).filter(|it| !it.is_empty());
        told.extend(keep_one(config, &inner, &whole, recorded.as_deref(), time)?);
    }
    Ok(told)
}

fn keep_one(
    config: &Config,
    inner: &Path,
    path: &Path,
    recorded: Option<&str>,
    time: Timestamp,
) -> Result<Option<String>, StepError> {
    let Some(head) = commit(config, inner, "HEAD")? else { return Ok(None) };
    let base = match recorded {
        Some(recorded) => commit(config, inner, recorded)?,
        None => None,
    };
    let directory = tempfile::Builder::new()
        .prefix(killed::INDEX)
        .tempdir_in(&config.state)
        .map_err(|error| StepError::failed("make a temporary index", &error))?;
    let index = Index { config, top: inner, file: directory.path().join("index") };
    let staged = index.start(Some(&head))?;
    let moved = move_repositories(config, &index, path, time)?;
    index.add_all(Some(&head), &[])?;
    let tree = index.write_tree()?;
    let known = [OsStr::new(&head)];
    let is_edited = !index.differs_from_all(&tree, &known)?.is_empty();
    let staged = match staged.filter(|it| *it != tree) {
        Some(it) if !index.differs_from_all(&it, &[known[0], &tree])?.is_empty() => Some(it),
        _ => None,
    };
    let is_theirs = recorded != Some(head.as_str())
        && !is_kept(config, inner, &head, &base.iter().cloned().collect::<Vec<_>>())?;
    let changed = is_edited || staged.is_some();
    if !is_theirs && (!changed || is_kept_whole(config, inner, &tree, staged.as_deref())?) {
        return Ok(moved);
    }
    let mut parents = vec![head.clone()];
    if let Some(staged) = &staged {
        parents.push(commit_tree(config, inner, staged, &parents, STAGED)?);
    }
    let kept = commit_tree(config, inner, &tree, &parents, &message(staged.as_deref()))?;
    let plain = |it: char| if it.is_ascii_alphanumeric() || it == '_' { it } else { '-' };
    let last: String = path.to_string_lossy().chars().map(plain).collect();
    // The patch and the whole first: whatever has a ref is kept outside of its repository too.
    let name = free_name(config, inner, &format!("{}-{last}", stamp(time)))?;
    let lies = patched(config, write_patch(&index, &name, Some(base.as_deref().unwrap_or(&head)), &kept))?;
    let place = directory.path().join("whole");
    let failed = |error: std::io::Error| StepError::failed(KEEP, &error);
    files::private_directory(&place.join(INSIDE)).map_err(failed)?;
    fs::write(place.join(WHICH), path.as_os_str().as_encoded_bytes()).map_err(failed)?;
    restore::write(config, inner, &reference(config, inner, &name, &kept, true)?, &place.join(INSIDE))?;
    let to = whole(config, &name);
    files::private_directory(to.parent().unwrap_or(&to)).map_err(failed)?;
    fs::rename(&place, &to).map_err(failed)?;
    must(config, inner, KEEP, &["update-ref", "--no-deref", &name, &kept, &"0".repeat(kept.len())])?;
    let told = format!("what was left in {} set aside as its {name} and {lies}", path.display());
    Ok(Some(moved.map_or_else(|| told.clone(), |moved| format!("{told}; {moved}"))))
}

/// Moves repositories inside a submodule out of it, whole: of them, git would keep only the name.
fn move_repositories(
    config: &Config,
    index: &Index<'_>,
    path: &Path,
    time: Timestamp,
) -> Result<Option<String>, StepError> {
    let place = files::rescued_place(config, time).join(path);
    let found = index.repositories()?;
    for repository in &found {
        move_out(&index.top.join(repository), &place, repository)?;
    }
    Ok((!found.is_empty())
        .then(|| format!("a repository in {} set aside in {}", path.display(), config.tilde(&place))))
}

/// Moves a folder out of the mirror.
fn move_out(from: &Path, place: &Path, path: &Path) -> Result<(), StepError> {
    files::keep(from, place, path)
        .map(drop)
        .map_err(|error| StepError::failed(format!("move {} out of the mirror", from.display()), &error))
}

/// Whether this very tree, with this very one staged, is kept already, outside of its repository too.
fn is_kept_whole(
    config: &Config,
    inner: &Path,
    tree: &OsStr,
    staged: Option<&OsStr>,
) -> Result<bool, StepError> {
    let format = "--format=%(refname) %(tree) %(contents:subject)";
    let kept = must(config, inner, "list what was set aside", &["for-each-ref", format, REFS])?;
    let wanted = format!("{} {}", tree.to_string_lossy(), message(staged));
    let kept = String::from_utf8_lossy(&kept.stdout);
    let mut kept = kept.lines().filter_map(|line| line.split_once(' '));
    Ok(kept.any(|(name, what)| what == wanted && whole(config, name).exists()))
}

/// Where that is kept whole.
fn whole(config: &Config, name: &str) -> PathBuf {
    config.state.join("rescued").join(name.rsplit('/').next().unwrap_or(name))
}

/// Fetches what that commit records of the submodules that are checked out: where a remote is away, nothing is changed.
///
/// # Errors
/// A remote that is away; git's words.
pub(in crate::fixes::hands) fn fetch(
    config: &Config,
    mirror: &Mirror,
    sha: &str,
    tell: Tell<'_>,
) -> Result<(), StepError> {
    let top = mirror.worktree.as_path();
    let linked = linked(config, top)?;
    if linked.is_empty() {
        return Ok(());
    }
    let active = active(config, top)?;
    for path in linked.iter().filter(|path| active.contains(*path)) {
        let inner = top.join(path);
        let Some(wanted) = recorded(config, top, sha, path)? else { continue };
        let by_name = ["fetch", "--progress", "--no-auto-maintenance", "--no-recurse-submodules"];
        let by_commit = [&by_name[..], &["origin", &wanted]].concat();
        // As git does it: what its branches do not have, the remote may have all the same.
        for arguments in [&by_name[..], &by_commit] {
            if commit(config, &inner, &wanted)?.is_some() {
                break;
            }
            let what = format!("fetch the submodule {}", path.display());
            talk(config, mirror, &inner, arguments, git::silence(config), &what, tell)?;
        }
    }
    Ok(())
}

/// Takes away the submodules that this commit does not have, or that are not active any more, where git would take
/// away more than its own: a whole repository, or files that are ignored. Says where they are.
///
/// # Errors
/// The disk's or git's words.
pub(in crate::fixes::hands) fn leave(
    config: &Config,
    top: &Path,
    sha: &str,
    time: Timestamp,
) -> Result<Option<String>, StepError> {
    let linked = linked(config, top)?;
    if linked.is_empty() {
        return Ok(None);
    }
    let active = active(config, top)?;
    let place = files::rescued_place(config, time);
    let mut is_moved = false;
    for path in linked {
        let is_recorded = recorded(config, top, sha, &path)?.is_some();
        if is_recorded && active.contains(&path) {
            continue;
        }
        let inner = top.join(&path);
        let failed =
            |error: std::io::Error| StepError::failed(format!("take {} away", path.display()), &error);
        let ignored = must(
            config,
            &inner,
            "list what is ignored",
            &["ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z"],
        )?;
        if inner.join(".git").is_dir() || !ignored.stdout.is_empty() {
            move_out(&inner, &place, &path)?;
            is_moved = true;
        } else {
            fs::remove_dir_all(&inner).map_err(failed)?;
        }
        fs::create_dir(&inner).map_err(failed)?;
    }
    Ok(is_moved.then(|| format!("a submodule set aside in {}", config.tilde(&place))))
}

/// Brings the submodules that the repository has active to what the commit records. What they have is set aside.
///
/// # Errors
/// A remote that is away; git's words.
pub(in crate::fixes::hands) fn update(
    config: &Config,
    mirror: &Mirror,
    tell: Tell<'_>,
) -> Result<(), StepError> {
    let top = mirror.worktree.as_path();
    clear(config, top)?;
    if !top.join(".gitmodules").exists() {
        return Ok(());
    }
    answers(config, mirror, top, tell)?;
    // Without `--init`: which ones are wanted is the repository's to say, and its configuration is not written to.
    let arguments = ["submodule", "update", "--progress", "--recursive"];
    let silence = git::silence(config).saturating_mul(CHECKOUT);
    for _ in 0..DEEPEST {
        talk(config, mirror, top, &arguments, silence, "update the submodules", tell)?;
        // Of submodules of submodules, the repository's own checkout says it: those of the mirror begin without a word.
        let wishes = wishes(config, top)?;
        if wishes.is_empty() {
            break;
        }
        for (inner, key, value) in wishes {
            let arguments = ["config".as_ref(), "--local".as_ref(), key.as_os_str(), value.as_os_str()];
            must(config, &inner, "take over which submodules are wanted", &arguments)?;
        }
    }
    Ok(())
}

/// Takes away what was left in the submodules, and in theirs; it is set aside.
fn clear(config: &Config, top: &Path) -> Result<(), StepError> {
    for path in linked(config, top)? {
        let inner = top.join(&path);
        clear(config, &inner)?;
        must(config, &inner, "reset a submodule", &["reset", "--hard", "--quiet"])?;
        must(config, &inner, "clean a submodule", &["clean", "-ffd", "--quiet"])?;
    }
    Ok(())
}

/// Asks each remote first that was never cloned from: a clone that hangs looks like a checkout that takes its time.
fn answers(config: &Config, mirror: &Mirror, top: &Path, tell: Tell<'_>) -> Result<(), StepError> {
    let modules = git_path(config, top, "modules")?;
    for (path, address) in never_cloned(config, top, &modules)? {
        let what = format!("reach the remote of the submodule {}", path.display());
        let arguments = ["ls-remote", "--quiet", "--"].map(OsStr::new);
        let arguments = [&arguments[..], &[address.as_os_str(), OsStr::new("HEAD")]].concat();
        talk(config, mirror, top, &arguments, git::silence(config), &what, tell)?;
    }
    Ok(())
}

/// Runs a git that asks a submodule's remote; one that does not answer is no failure.
fn talk(
    config: &Config,
    mirror: &Mirror,
    directory: &Path,
    arguments: &[impl AsRef<OsStr>],
    silence: std::time::Duration,
    what: &str,
    tell: Tell<'_>,
) -> Result<(), StepError> {
    // What is asked, and how long it may stay silent, for whoever watches.
    tell(format!("{what}, for up to {} of silence\n", human_duration(silence)).as_bytes());
    let mut command = command(config, directory, arguments);
    command.environment.remove(OsStr::new("GIT_LITERAL_PATHSPECS"));
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

/// The submodules of a worktree that are checked out, by their path in it.
fn linked(config: &Config, top: &Path) -> Result<BTreeSet<PathBuf>, StepError> {
    // A person may have taken the file away: what it named is checked out all the same.
    let is_known = |name: &str| Ok::<_, StepError>(run(config, top, &["cat-file", "-e", name])?.succeeded());
    if !top.join(".gitmodules").exists() && !is_known("HEAD:.gitmodules")? && !is_known(":.gitmodules")? {
        return Ok(BTreeSet::new());
    }
    let mut listed = run(config, top, &["ls-files", "--stage", "-z"])?;
    if !listed.succeeded() {
        // The index is corrupt.
        listed = must(config, top, "list the submodules", &["ls-tree", "-r", "-z", "HEAD"])?;
    }
    Ok(links(&listed.stdout).filter(|path| top.join(path).join(".git").exists()).collect())
}

/// What a commit records of the submodule at that path, if it is one there.
fn recorded(config: &Config, top: &Path, sha: &str, path: &Path) -> Result<Option<String>, StepError> {
    let arguments = ["ls-tree", "-z", sha, "--"].map(OsStr::new);
    let arguments: Vec<&OsStr> = arguments.into_iter().chain([path.as_os_str()]).collect();
    let listed = must(config, top, "list a submodule", &arguments)?;
    if links(&listed.stdout).next().is_none() {
        return Ok(None);
    }
    Ok(git::said(&listed).split([' ', '\t']).nth(2).map(str::to_owned))
}

fn at(commit: &str, path: &Path) -> OsString {
    let mut name = OsString::from(commit);
    name.push(":");
    name.push(path);
    name
}
