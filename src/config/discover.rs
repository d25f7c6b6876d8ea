//! Which file is meant: the one named, the nearest `housecall.toml`, or the registered mirror that this is.
#![expect(clippy::disallowed_methods, reason = "the configuration is read at the edge")]

use crate::plain;
use std::path::{Path, PathBuf};

use super::{ConfigError, Surroundings, parse, raw, values};

/// The name of the file.
pub const FILE_NAME: &str = "housecall.toml";

/// Finds the file for this directory.
///
/// # Errors
/// None is here, or several mirrors are.
pub fn discover(surroundings: &Surroundings) -> Result<PathBuf, ConfigError> {
    if let Some(file) = in_a_parent(surroundings) {
        return Ok(file);
    }
    let here = real(&surroundings.directory);
    let mut found: Vec<(usize, PathBuf)> = registered(surroundings)
        .into_iter()
        .filter_map(|file| Some((nearness(&file, &here, surroundings)?, file)))
        .collect();
    found.sort();
    // The innermost place wins: a worktree beneath another mirror's repository is its own.
    let nearest = found.last().map(|(depth, _)| *depth);
    found.retain(|(depth, _)| Some(*depth) == nearest);
    let directory = surroundings.tilde(&surroundings.directory);
    match found.as_slice() {
        // One that does not say what it is about may be this one: what is wrong with it is the thing to tell.
        [] => registered(surroundings)
            .into_iter()
            .find(|file| is_unclear(file))
            .ok_or(ConfigError::Absent { directory }),
        [(_, file)] => Ok(file.clone()),
        several => {
            let files = several.iter().map(|(_, file)| file.clone()).collect();
            Err(ConfigError::Several { directory, files })
        }
    }
}

/// The files of the registry, by name.
#[must_use]
pub fn registered(surroundings: &Surroundings) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(surroundings.registry()).into_iter().flatten().flatten();
    let is_file = |path: &PathBuf| path.extension().is_some_and(|it| it == "toml") && path.is_file();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_file).collect();
    files.sort();
    files
}

/// Whether mistakes in a file hide which mirror it is about.
#[must_use]
pub fn is_unclear(file: &Path) -> bool {
    let (raw, mistakes) = plain::text(file).map(|text| parse::parse(&text)).unwrap_or_default();
    let names_one = raw.mirror.is_some_and(|mirror| mirror.get_ref().repository.is_some());
    !names_one && !mistakes.is_empty()
}

/// The repository and the worktree that a file names, as far as it can be read: mistakes elsewhere hide nothing.
#[must_use]
pub fn places(file: &Path, surroundings: &Surroundings) -> [Option<PathBuf>; 2] {
    let (raw, _) = plain::text(file).map(|text| parse::parse(&text)).unwrap_or_default();
    let Some(mirror) = raw.mirror.map(toml::Spanned::into_inner) else { return [None, None] };
    let beside = file.parent().unwrap_or(Path::new("/"));
    let place = |text: &Option<raw::Text>| {
        let path = values::path(text.as_ref()?.get_ref(), surroundings).ok()?;
        Some(values::lexical(&beside.join(path)))
    };
    let repository = place(&mirror.repository);
    let name = raw.name.map(toml::Spanned::into_inner).or_else(|| {
        let name = repository.as_deref()?.file_name()?;
        Some(name.to_string_lossy().into_owned())
    });
    let state = place(&mirror.state).or_else(|| Some(surroundings.state_home().join(name?)));
    let worktree = place(&mirror.worktree).or_else(|| Some(state?.join("worktree")));
    [repository, worktree]
}

/// How deep the place of that mirror is that holds this directory.
fn nearness(file: &Path, here: &Path, surroundings: &Surroundings) -> Option<usize> {
    let [repository, worktree] = places(file, surroundings);
    // The repository may lie on a volume that hangs: it is compared by its text, and never touched.
    let worktree_too = worktree.as_deref().map(real);
    let holds = |place: PathBuf| {
        let held = here.starts_with(&place) || surroundings.directory.starts_with(&place);
        held.then(|| place.components().count())
    };
    [repository, worktree, worktree_too].into_iter().flatten().filter_map(holds).max()
}

/// The nearest one at or above this directory: up to the home directory where this is beneath it, else to the root.
fn in_a_parent(surroundings: &Surroundings) -> Option<PathBuf> {
    for directory in surroundings.directory.ancestors() {
        let file = directory.join(FILE_NAME);
        if file.is_file() {
            return Some(own_or_original(file, directory, surroundings));
        }
        if directory == surroundings.home {
            break;
        }
    }
    None
}

/// A file that lies in the mirror's own worktree came there by a checkout: the repository's own one is meant.
fn own_or_original(file: PathBuf, directory: &Path, surroundings: &Surroundings) -> PathBuf {
    let original = main_worktree(directory).map(|main| main.join(FILE_NAME)).filter(|file| file.is_file());
    let Some(original) = original else { return file };
    let [_, worktree] = places(&original, surroundings);
    let is_mirror = worktree.is_some_and(|worktree| real(&worktree) == real(directory));
    if is_mirror { original } else { file }
}

/// The top level of the repository whose linked worktree this directory is.
fn main_worktree(directory: &Path) -> Option<PathBuf> {
    let link = plain::text(&directory.join(".git")).ok()?;
    let git_dir = directory.join(link.strip_prefix("gitdir:")?.trim());
    let common = git_dir.parent().filter(|parent| parent.ends_with("worktrees"))?.parent()?;
    common.parent().filter(|_| common.ends_with(".git")).map(Path::to_owned)
}

fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
