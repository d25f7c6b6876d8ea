//! What was set aside: the refs, patches, files and directories that a mend left behind, by the name of each.
#![expect(clippy::disallowed_methods, reason = "probes are where files are read")]

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use crate::config::{Config, Mirror};
use crate::error::ProbeError;
use crate::git;
use crate::probes::declared::disk;
use crate::probes::git::OPERATIONS;
use crate::probes::machine::Machine;
use crate::probes::mounts::Mounts;
use crate::probes::program;

/// Where the refs of what was set aside are.
pub const REFS: &str = "refs/housecall/rescued";

/// The subject of the commit that holds what was left in the mirror begins with it.
pub const LEFT: &str = "what was left in the mirror";

/// The subject of the commit that holds what was staged.
pub const STAGED: &str = "what was staged in the mirror";

/// The folder of an operation under way, where it is kept.
pub const FOLDER: &str = "operation";

/// The folder of what was left in a submodule, where it is kept.
pub const INSIDE: &str = "submodule";

/// The file beside it that says which one.
pub const WHICH: &str = "path";

/// How the name of what is kept begins in a worktree that is a volume of its own; a time follows.
pub const LEFT_INSIDE: &str = ".housecall.aside-";

/// The folder in it that has what is kept, beside the file that hides it from git.
pub const KEPT: &str = "kept";

/// What hides it.
const HIDES: &[u8] = b"*\n";

/// One thing that was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rescue {
    /// When, as a part of names: "2026-03-16T20-29-43"; or the name of what was moved out of the way.
    pub name: String,
    /// The ref that holds commits and edits.
    pub reference: Option<Reference>,
    /// The patch of the same.
    pub patch: Option<PathBuf>,
    /// The file or directory that lies somewhere whole.
    pub place: Option<PathBuf>,
    /// What the place holds, by name; the name of a file that lies there by itself.
    pub kept: Vec<String>,
    /// The submodule that it was left in, relative to the mirror.
    pub inside: Option<PathBuf>,
    /// The operation under way that is kept: "rebase".
    pub operation: Option<String>,
    /// How much of the disk the patch and the place take, in bytes.
    pub bytes: u64,
}

/// What a ref holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reference {
    /// Its whole name.
    pub name: String,
    /// The commit it is on.
    pub commit: String,
    /// The commit that HEAD was on; the edits are against it. `None` where only commits were kept.
    pub head: Option<String>,
    /// The commit that holds what was staged.
    pub staged: Option<String>,
    /// The edited files, each with git's letter for what became of it.
    pub files: Vec<(char, String)>,
    /// A person's commits that no remote has, oldest first: the commit and its subject.
    pub commits: Vec<(String, String)>,
}

/// Lists what was set aside, by name and so oldest first; and why not all of it, where the worktree's own volume cannot be
/// read.
///
/// # Errors
/// git cannot say; a directory that is there and may not be read.
pub fn rescued(config: &Config, mirror: &Mirror) -> Result<(Vec<Rescue>, Option<ProbeError>), ProbeError> {
    let mut found: BTreeMap<String, Rescue> = BTreeMap::new();
    for reference in references(config, mirror)? {
        let name = reference.name.rsplit('/').next().unwrap_or(&reference.name).to_owned();
        of(&mut found, name).reference = Some(reference);
    }
    let mut places = places(config)?;
    let unseen = match inside(config, &mirror.worktree) {
        Ok(found) => {
            places.extend(found);
            None
        }
        Err(error) => Some(error),
    };
    for path in places {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = size(&path);
        let patch = name.strip_suffix(".patch").filter(|_| path.is_file()).map(str::to_owned);
        let rescue = of(&mut found, patch.clone().unwrap_or(name));
        rescue.bytes += bytes;
        if patch.is_some() {
            rescue.patch = Some(path);
            continue;
        }
        let which = std::fs::read(path.join(WHICH)).ok().filter(|_| !is_inside(&path));
        rescue.inside = which.map(|path| PathBuf::from(std::ffi::OsString::from_vec(path)));
        rescue.kept = if rescue.inside.is_some() { names(&path.join(INSIDE))? } else { kept(&path)? };
        let has = |mark: &str| !is_inside(&path) && path.join(FOLDER).join(mark).exists();
        let squashed = [("SQUASH_MSG", "squash")];
        let mut marks = OPERATIONS.iter().chain(&squashed);
        rescue.operation = marks.find(|(mark, _)| has(mark)).map(|(_, name)| (*name).to_owned());
        rescue.place = Some(path);
    }
    Ok((found.into_values().collect(), unseen))
}

fn of(found: &mut BTreeMap<String, Rescue>, name: String) -> &mut Rescue {
    let rescue = found.entry(name.clone()).or_default();
    rescue.name = name;
    rescue
}

/// Reads each ref, and what is in it.
fn references(config: &Config, mirror: &Mirror) -> Result<Vec<Reference>, ProbeError> {
    let listed = ask(
        config,
        &mirror.repository,
        &["for-each-ref", "--format=%(refname) %(objectname) %(subject)", REFS],
    )?;
    let mut found = Vec::new();
    for line in listed.lines() {
        let mut parts = line.splitn(3, ' ');
        let (Some(name), Some(commit)) = (parts.next(), parts.next()) else { continue };
        let is_ours = parts.next().is_some_and(|subject| subject.starts_with(LEFT));
        found.push(reference(config, &mirror.repository, name, commit, is_ours)?);
    }
    Ok(found)
}

/// Reads what a ref, or what is to be one, holds: in the repository, or in a submodule.
///
/// # Errors
/// git cannot say.
pub fn reference(
    config: &Config,
    repository: &Path,
    name: &str,
    commit: &str,
    is_ours: bool,
) -> Result<Reference, ProbeError> {
    let mut reference =
        Reference { name: name.to_owned(), commit: commit.to_owned(), ..Reference::default() };
    // Whatever a remote has is nobody's own; nor is what holds the edits.
    let arguments = ["log", "--reverse", "--format=%H%x00%P%x00%s", commit, "--not", "--remotes", "--tags"];
    for line in ask(config, repository, &arguments)?.lines() {
        let mut parts = line.split('\0').map(str::to_owned);
        let (Some(sha), Some(parents), Some(subject)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        if is_ours && sha == commit {
            reference.head = parents.split(' ').next().filter(|it| !it.is_empty()).map(str::to_owned);
        } else if is_ours && subject == STAGED {
            reference.staged = Some(sha);
        } else {
            reference.commits.push((sha, subject));
        }
    }
    if let Some(head) = &reference.head {
        let arguments = ["diff-tree", "-r", "-z", "--no-renames", "--name-status", head, commit];
        let changed = ask(config, repository, &arguments)?;
        let mut words = changed.split('\0');
        while let (Some(letter), Some(file)) = (words.next(), words.next()) {
            reference.files.push((letter.chars().next().unwrap_or('?'), file.to_owned()));
        }
    }
    Ok(reference)
}

fn ask(config: &Config, repository: &Path, arguments: &[&str]) -> Result<String, ProbeError> {
    let mut command = git::command(config, repository, arguments);
    // diff-tree reads an index though it needs none, and fails where that is torn: this one is never there.
    command.environment.insert("GIT_INDEX_FILE".into(), config.state.join(".housecall-no-index").into());
    let output = program::run(&command)?;
    if output.succeeded() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(ProbeError::failed("list what was set aside", &git::complaint(&output)))
}

/// Lists the files and directories that were moved away or copied before they were replaced: patches, repositories
/// found in the mirror, own versions of carried files, whatever was at the worktree's place, torn state files.
fn places(config: &Config) -> Result<Vec<PathBuf>, ProbeError> {
    let is_aside = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.as_encoded_bytes().windows(7).any(|part| part == b".aside-"))
    };
    let is_hidden =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let mut found: Vec<PathBuf> = entries(&config.state.join("rescued"))?;
    found.retain(|path| !is_hidden(path));
    let worktree = config.mirror.as_ref().and_then(|mirror| mirror.worktree.parent());
    let beside = worktree.filter(|place| *place != config.state);
    for place in [Some(config.state.as_path()), beside].into_iter().flatten() {
        found.extend(entries(place)?.into_iter().filter(is_aside));
    }
    Ok(found)
}

/// What stays in a worktree that is a volume of its own: it has no beside.
fn inside(config: &Config, worktree: &Path) -> Result<Vec<PathBuf>, ProbeError> {
    let mounts = Mounts::read()?;
    if worktree.parent().is_none_or(|parent| mounts.holding(parent) == mounts.holding(worktree)) {
        return Ok(Vec::new());
    }
    // Whoever reads a volume that does not answer may hang for ever.
    disk::look(&Machine::default(), config, worktree, config.limits.timeout)?;
    Ok(entries(worktree)?.into_iter().filter(|path| is_inside(path)).collect())
}

fn is_inside(path: &Path) -> bool {
    name(path).starts_with(LEFT_INSIDE)
}

/// What is kept in a place within the worktree. It was once kept right beside the file that hides it.
///
/// # Errors
/// The place may not be read.
pub fn within(place: &Path) -> Result<Vec<PathBuf>, ProbeError> {
    let mut found = entries(place)?;
    // A person's own file may lie there, which is in the place of what hid it.
    found.retain(|it| !it.ends_with(".gitignore") || std::fs::read(it).ok().as_deref() != Some(HIDES));
    match found.as_slice() {
        [kept] if kept.ends_with(KEPT) && kept.is_dir() => entries(kept),
        _ => Ok(found),
    }
}

/// The names in a directory that was made for what is kept; of all else, its own.
fn kept(path: &Path) -> Result<Vec<String>, ProbeError> {
    let was_made = path.parent().is_some_and(|it| it.ends_with("rescued"));
    match path.is_dir() {
        true if is_inside(path) => Ok(sorted(&within(path)?)),
        true if was_made => names(path),
        _ => Ok(vec![name(path)]),
    }
}

/// What lies in a directory, by name.
fn names(path: &Path) -> Result<Vec<String>, ProbeError> {
    Ok(sorted(&entries(path)?))
}

fn sorted(paths: &[PathBuf]) -> Vec<String> {
    let mut names: Vec<String> = paths.iter().map(|path| name(path)).collect();
    names.sort();
    names
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// How much lies at a path and beneath it, in bytes; what may not be read counts for nothing.
#[must_use]
pub fn size(path: &Path) -> u64 {
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => {
            entries(path).unwrap_or_default().iter().map(|inner| size(inner)).sum()
        }
        Ok(found) => found.len(),
        Err(_) => 0,
    }
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, ProbeError> {
    let failed = |error: std::io::Error| ProbeError::failed(format!("read {}", directory.display()), &error);
    match std::fs::read_dir(directory) {
        Ok(entries) => entries.map(|entry| entry.map(|it| it.path()).map_err(failed)).collect(),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failed(error)),
    }
}
