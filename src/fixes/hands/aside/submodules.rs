//! Submodules: what a person left inside one is kept in its own repository, as a patch, and whole beside the state, so
//! that it outlives that repository too.
#![expect(clippy::disallowed_methods, reason = "hands write")]

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{KEEP, Snapshot, commit_tree, free_name, is_kept, message, patched, restore, write_patch};
use crate::config::{Config, Mirror};
use crate::error::StepError;
use crate::fixes::hands::files::{self, stamp};
use crate::fixes::hands::git::{commit, git_path, must, run};
use crate::fixes::hands::index::Index;
use crate::fixes::hands::submodules::{linked, recorded};
use crate::fixes::hands::tree::Tree;
use crate::fixes::hands::{guard, held, killed, torn, worktree};
use crate::git;
use crate::probes::git::{INSIDE, REFS, STAGED, WHICH, reference};

/// Keeps what a person left in the submodules that are checked out, and in theirs; says where, if there was anything.
/// The commit is the one that they are brought to, where that is known.
pub(super) fn keep(
    config: &Config,
    mirror: &Mirror,
    sha: Option<&str>,
    time: Timestamp,
) -> Result<Option<String>, StepError> {
    let mut told = Vec::new();
    keep_within(config, mirror, Path::new(""), sha, time, &mut told)?;
    Ok((!told.is_empty()).then(|| told.join("; ")))
}

fn keep_within(
    config: &Config,
    mirror: &Mirror,
    within: &Path,
    sha: Option<&str>,
    time: Timestamp,
    told: &mut Vec<String>,
) -> Result<(), StepError> {
    let top = mirror.worktree.join(within);
    // What a commit of a submodule records is known once it is fetched.
    let sha = match sha {
        Some(sha) => commit(config, &top, sha)?,
        None => None,
    };
    for path in linked(config, &top)? {
        let whole = within.join(&path);
        let Some(tree) = Tree::of_submodule(config, mirror, &whole)? else {
            told.push(move_broken(config, mirror, &whole, time)?);
            continue;
        };
        let before = run(config, &top, &[OsStr::new("rev-parse"), &at("HEAD", &path)])?;
        let before = before.succeeded().then(|| git::said(&before)).filter(|it| !it.is_empty());
        let after = match &sha {
            Some(sha) => recorded(config, &top, sha, &path)?,
            None => None,
        };
        keep_within(config, mirror, &whole, after.as_deref(), time, told)?;
        told.extend(snapshot(&tree, before.as_deref(), after.as_deref(), time)?.told);
        if torn::is_torn(config, &tree.top)? {
            // git cannot add the submodule to an index of the worktree above.
            let aside = files::move_aside(&tree.administration.join("index"))?;
            told.push(format!("the torn index of {} set aside as {}", whole.display(), config.tilde(&aside)));
        }
    }
    Ok(())
}

/// Moves a submodule out whole whose repository git cannot read: what was edited there cannot be told.
fn move_broken(
    config: &Config,
    mirror: &Mirror,
    within: &Path,
    time: Timestamp,
) -> Result<String, StepError> {
    let place = files::rescued_place(config, time);
    let (kept, _) =
        held::keep(config, mirror, &mirror.worktree.join(within), [&place, within]).map_err(|error| {
            StepError::failed(format!("move the submodule {} out of the mirror", within.display()), &error)
        })?;
    let kept = config.tilde(&kept);
    Ok(format!("the submodule {}, whose repository git cannot read, set aside in {kept}", within.display()))
}

/// What is in a submodule at one moment, all of it kept that a person made. It comes from one recorded commit and is
/// brought to another, where these are known.
///
/// # Errors
/// It could not be kept whole: then nothing may be changed.
pub(in crate::fixes::hands) fn snapshot(
    it: &Tree<'_>,
    before: Option<&str>,
    after: Option<&str>,
    time: Timestamp,
) -> Result<Snapshot, StepError> {
    let (config, inner) = (it.config, it.top.as_path());
    let head = commit(config, inner, "HEAD")?;
    let there = |sha: Option<&str>| sha.map_or(Ok(None), |sha| commit(config, inner, sha));
    let (before, after) = (there(before)?, there(after)?);
    let directory = tempfile::Builder::new()
        .prefix(killed::INDEX)
        .tempdir_in(&config.state)
        .map_err(|error| StepError::failed("make a temporary index", &error))?;
    let index = Index { config, top: inner, file: directory.path().join("index") };
    let own = git_path(config, inner, "index")?;
    let seen = guard::identity(&own);
    let base = head.clone().or_else(|| before.clone());
    let staged = index.start(base.as_deref())?;
    let moved = it.add_all(&index, base.as_deref(), &own_files(it)?, time)?;
    if let Some(after) = &after {
        index.add_overwritten(after)?;
    }
    let tree = index.write_tree()?;
    // What git calls modified straight after its own checkout is no work of a person's.
    let same = match &base {
        Some(base) => index.as_checked_out(base, &tree)?,
        None => Vec::new(),
    };
    let theirs = index.tree_with(&tree, &same)?;
    let nothing = index.nothing(seen.is_none(), &tree)?;
    let known: Vec<&OsStr> =
        [&head, &before, &after].into_iter().flatten().map(OsStr::new).chain(nothing.as_deref()).collect();
    let is_edited = if known.is_empty() {
        !super::is_empty(config, inner, &theirs)?
    } else {
        !index.differs_from_all(&theirs, &known)?.is_empty()
    };
    let staged = match staged.filter(|it| *it != theirs && *it != tree) {
        Some(it)
            if !index.differs_from_all(&it, &[&known[..], &[theirs.as_os_str()]].concat())?.is_empty() =>
        {
            Some(it)
        }
        _ => None,
    };
    let ours: Vec<String> = before.iter().chain(&after).cloned().collect();
    let is_theirs = match &head {
        Some(head) => !ours.contains(head) && !is_kept(config, inner, head, &ours)?,
        None => false,
    };
    let changed = is_edited || staged.is_some();
    let mut told = Vec::new();
    if is_theirs || changed && !is_kept_whole(config, inner, &theirs, staged.as_deref())? {
        let found = Found {
            index: &index,
            tree: &theirs,
            staged,
            head: head.clone(),
            from: before.clone().or(base.clone()),
            time,
        };
        told.push(keep_one(it, found, directory.path())?);
    }
    told.extend(moved.map(|place| {
        format!("a repository in {} set aside in {}", it.within.display(), config.tilde(&place))
    }));
    let told = (!told.is_empty()).then(|| told.join("; "));
    let as_checked_out = same.into_iter().map(|file| file.path).collect();
    let index = index.file;
    Ok(Snapshot {
        told,
        tree,
        tips: [head, None],
        own: (own, seen),
        index,
        as_checked_out,
        _directory: directory,
    })
}

/// What was found in a submodule to be kept.
struct Found<'a> {
    index: &'a Index<'a>,
    /// The files, and those that are staged.
    tree: &'a OsStr,
    staged: Option<OsString>,
    head: Option<String>,
    /// What the patch is against.
    from: Option<String>,
    time: Timestamp,
}

/// Keeps it as a patch, whole, and under a ref of the submodule's repository; says where.
fn keep_one(it: &Tree<'_>, found: Found<'_>, directory: &Path) -> Result<String, StepError> {
    let (config, inner, path) = (it.config, it.top.as_path(), it.within.as_path());
    let Found { index, tree, staged, head, from, time } = found;
    let mut parents: Vec<String> = head.into_iter().collect();
    if let Some(staged) = &staged {
        parents.push(commit_tree(config, inner, staged, &parents, STAGED)?);
    }
    let kept = commit_tree(config, inner, tree, &parents, &message(staged.as_deref()))?;
    let plain = |it: char| if it.is_ascii_alphanumeric() || it == '_' { it } else { '-' };
    let last: String = path.to_string_lossy().chars().map(plain).collect();
    // The patch and the whole first: whatever has a ref is kept outside of its repository too.
    let name = free_name(config, inner, &format!("{}-{last}", stamp(time)))?;
    let lies = patched(config, write_patch(index, &name, from.as_deref(), &kept, staged.as_deref()))?;
    let place = directory.join("whole");
    let failed = |error: std::io::Error| StepError::failed(KEEP, &error);
    files::private_directory(&place.join(INSIDE)).map_err(failed)?;
    fs::write(place.join(WHICH), path.as_os_str().as_encoded_bytes()).map_err(failed)?;
    restore::write(config, inner, &reference(config, inner, &name, &kept, true)?, &place.join(INSIDE))?;
    let to = whole(config, &name);
    files::private_directory(to.parent().unwrap_or(&to)).map_err(failed)?;
    fs::rename(&place, &to).map_err(failed)?;
    must(config, inner, KEEP, &["update-ref", "--no-deref", &name, &kept, &"0".repeat(kept.len())])?;
    Ok(format!("what was left in {} set aside as its {name} and {lies}", path.display()))
}

/// What Housecall itself put into a submodule and git does not ignore there, by its path in it.
pub(in crate::fixes::hands) fn own_files(it: &Tree<'_>) -> Result<Vec<PathBuf>, StepError> {
    let is_inside = |path: &PathBuf| path.starts_with(&it.within);
    if !it.mirror.carry.iter().any(is_inside) {
        return Ok(Vec::new());
    }
    let own = worktree::own_files(it.config, it.mirror)?;
    Ok(own.iter().filter_map(|path| path.strip_prefix(&it.within).ok()).map(Path::to_owned).collect())
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

fn at(commit: &str, path: &Path) -> OsString {
    let mut name = OsString::from(commit);
    name.push(":");
    name.push(path);
    name
}
