//! Submodules: which the repository has active, and which of those are not checked out.
#![expect(clippy::disallowed_methods, reason = "probes are where files are read")]

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::error::ProbeError;
use crate::git;
use crate::probes::program::{self, Ended};

/// How git lists a submodule: its mode.
pub const LINK: &[u8] = b"160000 ";

/// The submodules that the repository has active, by their path: git itself updates no others.
///
/// One is active if `submodule.NAME.active` says so, else if `submodule.active` names its path, else if it has an address.
///
/// # Errors
/// git cannot say.
pub fn active(config: &Config, top: &Path) -> Result<BTreeSet<PathBuf>, ProbeError> {
    active_of(config, top, named(config, top)?)
}

/// Those of a worktree that are active and not checked out, with those of its submodules, relative to its top.
///
/// # Errors
/// git cannot say.
pub fn missing(config: &Config, top: &Path) -> Result<Vec<PathBuf>, ProbeError> {
    missing_beside(config, top, None)
}

/// The same, where the one beside is the owner's checkout of the same: what it has active is wanted too.
fn missing_beside(config: &Config, top: &Path, beside: Option<&Path>) -> Result<Vec<PathBuf>, ProbeError> {
    let mut found = Vec::new();
    let mut absent = BTreeMap::new();
    for (path, name) in named(config, top)? {
        if top.join(&path).join(".git").exists() {
            let owners = owners(config, top, beside, &path);
            let inner = missing_beside(config, &top.join(&path), owners.as_deref())?;
            found.extend(inner.into_iter().map(|inner| path.join(inner)));
        } else {
            absent.insert(path, name);
        }
    }
    if !absent.is_empty() {
        // What `.gitmodules` names need not be there in this commit.
        let start = ["--literal-pathspecs", "ls-files", "--stage", "-z", "--"].map(OsStr::new);
        let paths = absent.keys().map(|path| path.as_os_str());
        let recorded = ask(config, top, &start.into_iter().chain(paths).collect::<Vec<_>>())?;
        absent.retain(|path, _| links(&recorded).any(|it| it == *path));
        let mut wanted = active_of(config, top, absent.clone())?;
        if let Some(beside) = beside {
            wanted.extend(active_of(config, beside, absent)?);
        }
        found.extend(wanted);
    }
    Ok(found)
}

/// The owner's own checkout of a submodule, if there is one: in the repository, where the mirror has it.
fn owners(config: &Config, top: &Path, beside: Option<&Path>, path: &Path) -> Option<PathBuf> {
    let mirror = config.mirror.as_deref().filter(|mirror| mirror.worktree == top);
    let beside = beside.or(mirror.map(|mirror| mirror.repository.as_path()))?;
    Some(beside.join(path)).filter(|it| it.join(".git").exists())
}

/// What the owner has active of the submodules of submodules, where the mirror's own does not say so yet: the submodule, a
/// setting, and its value.
///
/// # Errors
/// git cannot say.
pub fn wishes(config: &Config, top: &Path) -> Result<Vec<(PathBuf, OsString, OsString)>, ProbeError> {
    let mut found = Vec::new();
    wishes_beside(config, top, None, &mut found)?;
    Ok(found)
}

fn wishes_beside(
    config: &Config,
    top: &Path,
    beside: Option<&Path>,
    found: &mut Vec<(PathBuf, OsString, OsString)>,
) -> Result<(), ProbeError> {
    if let Some(beside) = beside {
        let all = named(config, top)?;
        let wanted = active_of(config, beside, all.clone())?;
        let own = active_of(config, top, all.clone())?;
        let settings = settings(config, beside, &[], r"^submodule\..*\.(url|active)$")?;
        for (_, name) in all.iter().filter(|(path, _)| wanted.contains(*path) && !own.contains(*path)) {
            let is_its = |key: &OsString| {
                let start = [b"submodule.", name.as_bytes(), b"."].concat();
                key.as_bytes().starts_with(&start)
            };
            let mut its: Vec<(OsString, OsString)> =
                settings.iter().filter(|(key, _)| is_its(key)).cloned().collect();
            if its.is_empty() {
                // A pattern of the owner's has it active.
                let key =
                    OsStr::from_bytes(&[b"submodule.", name.as_bytes(), b".active"].concat()).to_owned();
                its.push((key, "true".into()));
            }
            found.extend(its.into_iter().map(|(key, value)| (top.to_owned(), key, value)));
        }
    }
    for path in named(config, top)?.into_keys() {
        let inner = top.join(&path);
        if inner.join(".git").exists() {
            let owners = owners(config, top, beside, &path);
            wishes_beside(config, &inner, owners.as_deref(), found)?;
        }
    }
    Ok(())
}

/// The active submodules of a worktree that were never cloned for it, and the address of each.
///
/// # Errors
/// git cannot say.
pub fn never_cloned(
    config: &Config,
    top: &Path,
    modules: &Path,
) -> Result<Vec<(PathBuf, OsString)>, ProbeError> {
    let all = named(config, top)?;
    let is_new = |name: &OsString| !modules.join(name).exists();
    let all: BTreeMap<PathBuf, OsString> = all.into_iter().filter(|(_, name)| is_new(name)).collect();
    let wanted = active_of(config, top, all.clone())?;
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let settings = settings(config, top, &[], r"^submodule\..*\.url$")?;
    let address = |name: &OsString| {
        let key = [b"submodule.", name.as_bytes(), b".url"].concat();
        settings.iter().rfind(|(it, _)| it.as_bytes() == key).map(|(_, value)| value.clone())
    };
    let wanted = all.into_iter().filter(|(path, _)| wanted.contains(path));
    Ok(wanted.filter_map(|(path, name)| Some((path, address(&name)?))).collect())
}

/// The paths of submodules in what `ls-files --stage -z` or `ls-tree -z` lists.
pub fn links(listed: &[u8]) -> impl Iterator<Item = PathBuf> {
    listed.split(|byte| *byte == 0).filter_map(|entry| {
        let path =
            entry.starts_with(LINK).then(|| entry.splitn(2, |byte| *byte == b'\t').nth(1)).flatten()?;
        Some(PathBuf::from(OsStr::from_bytes(path)))
    })
}

/// The submodules in what `ls-files --stage -z` lists: the path of each, and the commit that is recorded for it.
pub fn recorded_links(listed: &[u8]) -> impl Iterator<Item = (PathBuf, String)> {
    listed.split(|byte| *byte == 0).filter_map(|entry| {
        let entry = entry.strip_prefix(LINK)?;
        let mut parts = entry.splitn(2, |byte| *byte == b'\t');
        let (facts, path) = (parts.next()?, parts.next()?);
        let sha = facts.split(|byte| *byte == b' ').next()?;
        Some((PathBuf::from(OsStr::from_bytes(path)), String::from_utf8_lossy(sha).into_owned()))
    })
}

/// The repositories of submodules that git keeps in a directory of its own, and those of their submodules.
#[must_use]
pub fn repositories(administration: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![administration.join("modules")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok) {
            let path = entry.path();
            if !entry.file_type().is_ok_and(|it| it.is_dir()) {
                continue;
            }
            // The name of a submodule may have slashes in it.
            if path.join("objects").is_dir() {
                folders.push(path.join("modules"));
                found.push(path);
            } else {
                folders.push(path);
            }
        }
    }
    found
}

fn active_of(
    config: &Config,
    top: &Path,
    named: BTreeMap<PathBuf, OsString>,
) -> Result<BTreeSet<PathBuf>, ProbeError> {
    if named.is_empty() {
        return Ok(BTreeSet::new());
    }
    let settings = settings(config, top, &[], r"^submodule\.")?;
    let patterns: Vec<&OsString> =
        settings.iter().filter(|(key, _)| key == "submodule.active").map(|(_, value)| value).collect();
    let by_pattern: Option<BTreeSet<PathBuf>> = if patterns.is_empty() {
        None
    } else {
        let start = ["ls-files", "--stage", "-z", "--"].map(OsStr::new);
        let patterns = patterns.into_iter().map(OsString::as_os_str);
        let listed = ask(config, top, &start.into_iter().chain(patterns).collect::<Vec<_>>())?;
        Some(links(&listed).collect())
    };
    let published = settings_of_file(config, top)?;
    let is_active = |path: &PathBuf, name: &OsString| {
        let of = |settings: &'_ [(OsString, OsString)], what: &str| {
            let key = [b"submodule.", name.as_bytes(), what.as_bytes()].concat();
            settings.iter().rfind(|(it, _)| it.as_bytes() == key).map(|(_, value)| value.clone())
        };
        let last = |what: &str| of(&settings, what);
        // git itself leaves these alone.
        if last(".update").or_else(|| of(&published, ".update")).is_some_and(|it| it == "none") {
            return false;
        }
        match (last(".active"), &by_pattern) {
            (Some(said), _) => !matches!(said.to_str(), Some("false" | "no" | "off" | "0")),
            (None, Some(by_pattern)) => by_pattern.contains(path),
            (None, None) => last(".url").is_some(),
        }
    };
    Ok(named.into_iter().filter(|(path, name)| is_active(path, name)).map(|(path, _)| path).collect())
}

/// The paths that `.gitmodules` gives to submodules, and their names.
///
/// # Errors
/// git cannot say.
pub fn named(config: &Config, top: &Path) -> Result<BTreeMap<PathBuf, OsString>, ProbeError> {
    let found = settings_of_file(config, top)?;
    let of_one = |(key, path): (OsString, OsString)| {
        let key = key.as_bytes();
        let name = key.strip_prefix(b"submodule.")?.strip_suffix(b".path")?;
        Some((PathBuf::from(path), OsStr::from_bytes(name).to_owned()))
    };
    Ok(found.into_iter().filter_map(of_one).collect())
}

/// What `.gitmodules` says of submodules.
fn settings_of_file(config: &Config, top: &Path) -> Result<Vec<(OsString, OsString)>, ProbeError> {
    if !top.join(".gitmodules").exists() {
        return Ok(Vec::new());
    }
    settings(config, top, &["--file", ".gitmodules"], r"^submodule\..*\.(path|update)$")
}

/// The settings whose keys match, in order; one without a value is true.
fn settings(
    config: &Config,
    top: &Path,
    of: &[&str],
    keys: &str,
) -> Result<Vec<(OsString, OsString)>, ProbeError> {
    let arguments = [&["config", "--null"], of, &["--get-regexp", keys]].concat();
    let output = program::run(&git::command(config, top, &arguments))?;
    if output.ended == Ended::Code(1) && output.stdout.is_empty() {
        return Ok(Vec::new());
    }
    if !output.succeeded() {
        return Err(ProbeError::failed("read the submodules", &git::complaint(&output)));
    }
    let of_one = |entry: &[u8]| {
        let mut parts = entry.splitn(2, |byte| *byte == b'\n').map(|part| OsStr::from_bytes(part).to_owned());
        Some((parts.next()?, parts.next().unwrap_or_else(|| "true".into())))
    };
    let entries = output.stdout.split(|byte| *byte == 0).filter(|entry| !entry.is_empty());
    Ok(entries.filter_map(of_one).collect())
}

fn ask(config: &Config, top: &Path, arguments: &[&OsStr]) -> Result<Vec<u8>, ProbeError> {
    let output = program::run(&git::command(config, top, arguments))?;
    if output.succeeded() {
        return Ok(output.stdout);
    }
    Err(ProbeError::failed("list the submodules", &git::complaint(&output)))
}
