//! Submodules: each that the repository has active comes to the commit that is recorded for it, and those of it too, by
//! the exchange that the mirror's own files have.
#![expect(clippy::disallowed_methods, reason = "hands write")]

pub(super) use remote::fetch;
pub(super) mod indexes;
mod remote;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::config::{Config, Mirror};
use crate::error::StepError;
use crate::fixes::hands::align::{self, PERSISTENT};
use crate::fixes::hands::aside::{self, operation};
use crate::fixes::hands::files;
use crate::fixes::hands::git::{Tell, commit, must, run, succeeded};
use crate::fixes::hands::tree::Tree;
use crate::fixes::hands::{held, killed, torn, within};
use crate::git;
use crate::probes::clock;
use crate::probes::git::submodules::{active, links, recorded_links, wishes};
use crate::probes::program;

/// This task, as error messages name it.
const LIST: &str = "list the submodules";

/// How deep submodules of submodules may lie.
const DEEPEST: usize = 8;

/// Takes away the submodules that this commit does not have, or that are not active any more. Each is moved out whole,
/// and stays where it is kept unless it holds nothing but what is kept already. Says where they are.
///
/// # Errors
/// The disk's or git's words.
pub(super) fn leave(
    config: &Config,
    mirror: &Mirror,
    within: &Path,
    sha: &str,
) -> Result<Option<String>, StepError> {
    let top = mirror.worktree.join(within);
    let linked = linked(config, &top)?;
    if linked.is_empty() {
        return Ok(None);
    }
    let active = active(config, &top)?;
    let mut told = Vec::new();
    for path in linked {
        let is_recorded = recorded(config, &top, sha, &path)?.is_some();
        if !(is_recorded && active.contains(&path)) {
            told.extend(move_out(config, mirror, &within.join(path))?);
        }
    }
    Ok((!told.is_empty()).then(|| told.join("; ")))
}

/// Moves one out; where all that it held is kept elsewhere too, nothing of it stays.
fn move_out(config: &Config, mirror: &Mirror, within: &Path) -> Result<Option<String>, StepError> {
    let top = mirror.worktree.join(within);
    let failed = |error: std::io::Error| StepError::failed(format!("take {} away", within.display()), &error);
    let time = clock::now();
    let tree = Tree::of_submodule(config, mirror, within)?;
    // A repository that lies in it, of its own or of its submodules, is all that there is of what was committed there.
    let mut snapshot = None;
    let mut told = Vec::new();
    if let Some(tree) = tree.as_ref().filter(|it| !it.administration.starts_with(&it.top)) {
        let it = aside::submodules::snapshot(tree, None, None, time)?;
        told.extend(it.told.clone());
        snapshot = linked(config, &top)?.is_empty().then_some((tree, it));
    }
    let place = files::rescued_place(config, time);
    let (kept, _) = held::keep(config, mirror, &top, [&place, within]).map_err(failed)?;
    // Where somebody has begun something new there, it is a file of the mirror's by now.
    match fs::create_dir(&top) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(failed(error)),
        _ => {}
    }
    let is_known = match snapshot {
        Some((tree, snapshot)) => holds_nothing_but(tree, &snapshot, &kept)?,
        None => false,
    };
    if is_known {
        fs::remove_dir_all(&kept).map_err(failed)?;
        let _ = kept.ancestors().skip(1).take_while(|it| it.starts_with(&place)).try_for_each(fs::remove_dir);
    } else {
        told.push(format!("a submodule set aside in {}", config.tilde(&place)));
    }
    Ok((!told.is_empty()).then(|| told.join("; ")))
}

/// Whether a submodule that was moved out holds only what a snapshot of it has, and no program can write to it.
fn holds_nothing_but(tree: &Tree<'_>, snapshot: &aside::Snapshot, moved: &Path) -> Result<bool, StepError> {
    let failed = |error: std::io::Error| StepError::failed("look at what was moved out", &error);
    if within::all(moved).map_err(failed)?.iter().any(|path| held::for_writing(&moved.join(path))) {
        return Ok(false);
    }
    let directory =
        tempfile::Builder::new().prefix(killed::INDEX).tempdir_in(&tree.config.state).map_err(failed)?;
    let index = directory.path().join("index");
    let read = tree.git_with(&index, moved, &[OsStr::new("read-tree"), &snapshot.tree]);
    succeeded("read what was set aside", program::run(&read)?)?;
    let mut differing = tree.differing_from(&index, moved)?;
    differing.remove(Path::new(".git"));
    Ok(differing.is_empty())
}

/// Brings the submodules that the repository has active to what the commit records: those that are missing are cloned.
/// Says what was kept.
///
/// # Errors
/// A remote that is away; git's words.
pub(super) fn follow(config: &Config, mirror: &Mirror, tell: Tell<'_>) -> Result<Vec<String>, StepError> {
    let mut told = Vec::new();
    let mut level = vec![PathBuf::new()];
    for _ in 0..DEEPEST {
        let mut next = Vec::new();
        for within in &level {
            next.extend(follow_in(config, mirror, within, &mut told, tell)?);
        }
        if next.is_empty() {
            break;
        }
        // Of submodules of submodules, the repository's own checkout says it: those of the mirror begin without a word.
        for (inner, key, value) in wishes(config, &mirror.worktree)? {
            let arguments = ["config".as_ref(), "--local".as_ref(), key.as_os_str(), value.as_os_str()];
            must(config, &inner, "take over which submodules are wanted", &arguments)?;
        }
        level = next;
    }
    Ok(told)
}

/// The same for those of one worktree: says which of them may have submodules of their own.
fn follow_in(
    config: &Config,
    mirror: &Mirror,
    within: &Path,
    told: &mut Vec<String>,
    tell: Tell<'_>,
) -> Result<Vec<PathBuf>, StepError> {
    let top = mirror.worktree.join(within);
    if !top.join(".gitmodules").exists() {
        return Ok(Vec::new());
    }
    let active = active(config, &top)?;
    let listed = must(config, &top, LIST, &["ls-files", "--stage", "-z"])?;
    let wanted: Vec<(PathBuf, String)> =
        recorded_links(&listed.stdout).filter(|(path, _)| active.contains(path)).collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    told.extend(remote::move_broken(config, &top, &wanted)?);
    remote::answers(config, mirror, &top, tell)?;
    let saved = indexes::save(config, &top, &wanted)?;
    let cloned = clone(config, mirror, within, &wanted, told, tell);
    saved.iter().try_for_each(|repository| indexes::put_back(repository))?;
    cloned?;
    let mut inner = Vec::new();
    for (path, sha) in wanted {
        let whole = within.join(path);
        let Some(tree) = Tree::of_submodule(config, mirror, &whole)? else {
            let what = format!("check out the submodule {}", whole.display());
            return Err(StepError::failed(what, &"git does not take its directory for a repository"));
        };
        told.extend(align(&tree, &sha, tell)?);
        if tree.top.join(".gitmodules").exists() {
            inner.push(whole);
        }
    }
    Ok(inner)
}

/// Has git clone and link those that are missing; files in their places go out of its way. Says what was kept.
fn clone(
    config: &Config,
    mirror: &Mirror,
    within: &Path,
    wanted: &[(PathBuf, String)],
    told: &mut Vec<String>,
    tell: Tell<'_>,
) -> Result<(), StepError> {
    let top = mirror.worktree.join(within);
    let mut attempt = 0;
    loop {
        // git sees no file in the place of a submodule that is not checked out, and clones nothing over one.
        let occupied = wanted.iter().map(|(path, _)| within.join(path));
        let occupied: Vec<PathBuf> =
            occupied.filter(|path| is_occupied(&mirror.worktree.join(path))).collect();
        for path in &occupied {
            told.push(vacate(config, mirror, path)?);
        }
        attempt += 1;
        match remote::clone(config, mirror, &top, tell) {
            Err(_) if attempt < PERSISTENT && wanted.iter().any(|(path, _)| is_occupied(&top.join(path))) => {
            }
            done => return done,
        }
    }
}

/// Whether something is where a submodule belongs, and no submodule is.
fn is_occupied(place: &Path) -> bool {
    !place.join(".git").exists() && fs::read_dir(place).is_ok_and(|mut it| it.next().is_some())
}

/// Moves what is in the place of a submodule out of its way, whole; says where it is kept.
fn vacate(config: &Config, mirror: &Mirror, within: &Path) -> Result<String, StepError> {
    let place = files::rescued_place(config, clock::now());
    let top = mirror.worktree.join(within);
    let failed = |error: std::io::Error| {
        StepError::failed(format!("move {} out of the mirror", within.display()), &error)
    };
    let (kept, _) = held::keep(config, mirror, &top, [&place, within]).map_err(failed)?;
    Ok(format!(
        "files in the place of the submodule {} set aside in {}",
        within.display(),
        config.tilde(&kept)
    ))
}

/// Brings one to that commit; its HEAD is detached then, so that no branch of a person's moves. Says what was kept.
fn align(tree: &Tree<'_>, sha: &str, tell: Tell<'_>) -> Result<Vec<String>, StepError> {
    let (config, top) = (tree.config, tree.top.as_path());
    let mut told = Vec::new();
    let mut last = Vec::new();
    for _ in 0..PERSISTENT {
        let snapshot = aside::submodules::snapshot(tree, Some(sha), Some(sha), clock::now())?;
        told.extend(snapshot.told.clone());
        told.extend(leave(config, tree.mirror, &tree.within, sha)?);
        operation::forget_autostash(config, top)?;
        align::quit(config, top)?;
        let (is_done, saved) = align::move_files(tree, &snapshot, sha, tell)?;
        told.extend(saved);
        if !is_done || !detach(tree, &snapshot, sha)? {
            continue;
        }
        align::end_operations(config, top, sha)?;
        let own = aside::submodules::own_files(tree)?;
        last = align::differing(config, top, &own, align::Inner::Nothing)?.0;
        if last.is_empty() {
            return Ok(told);
        }
    }
    Err(align::gave_up(&format!("align the submodule {}", tree.within.display()), &last))
}

/// Moves HEAD to that commit and off any branch, where it is what it was.
fn detach(tree: &Tree<'_>, snapshot: &aside::Snapshot, sha: &str) -> Result<bool, StepError> {
    let (config, top, [head, _]) = (tree.config, tree.top.as_path(), &snapshot.tips);
    let none = "0".repeat(sha.len());
    let before = head.as_deref().unwrap_or(&none);
    let arguments = ["update-ref", "--no-deref", "-m", "housecall: align", "HEAD", sha, before];
    let moved = run(config, top, &arguments)?;
    if !moved.succeeded() && commit(config, top, "HEAD")? != *head {
        return Ok(false);
    }
    succeeded("move HEAD of a submodule", moved).map(|_| true)
}

/// The submodules of a worktree that are checked out, by their path in it.
pub(super) fn linked(config: &Config, top: &Path) -> Result<BTreeSet<PathBuf>, StepError> {
    // A person may have taken the file away: what it named is checked out all the same.
    let is_known = |name: &str| Ok::<_, StepError>(run(config, top, &["cat-file", "-e", name])?.succeeded());
    if !top.join(".gitmodules").exists() && !is_known("HEAD:.gitmodules")? && !is_known(":.gitmodules")? {
        return Ok(BTreeSet::new());
    }
    // HEAD counts as well: an index may be torn, or lack a submodule that is checked out.
    let mut found = BTreeSet::new();
    let indexed = torn::entries(config, top)?;
    if let Some(entries) = &indexed {
        found.extend(links(entries));
    }
    if indexed.is_none() || commit(config, top, "HEAD")?.is_some() {
        let listed = must(config, top, LIST, &["ls-tree", "-r", "-z", "--full-tree", "HEAD"])?;
        if listed.truncated {
            return Err(StepError::failed(LIST, &"git says more than is read"));
        }
        found.extend(links(&listed.stdout));
    }
    found.retain(|path| top.join(path).join(".git").exists());
    Ok(found)
}

/// What a commit records of the submodule at that path, if it is one there.
pub(super) fn recorded(
    config: &Config,
    top: &Path,
    sha: &str,
    path: &Path,
) -> Result<Option<String>, StepError> {
    let arguments = ["ls-tree", "-z", sha, "--"].map(OsStr::new);
    let arguments: Vec<&OsStr> = arguments.into_iter().chain([path.as_os_str()]).collect();
    let listed = must(config, top, "list a submodule", &arguments)?;
    if links(&listed.stdout).next().is_none() {
        return Ok(None);
    }
    Ok(git::said(&listed).split([' ', '\t']).nth(2).map(str::to_owned))
}
