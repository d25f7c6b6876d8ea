//! What an installer must not change: the repository's configuration, hooks and attributes. They are written down before
//! it runs, and put back after it: by the next holder of the mirror's lock, where whoever ran it was killed.
#![expect(clippy::disallowed_methods, reason = "hands write")]

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, Metadata, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::StepError;
use crate::fixes::hands::files;
use crate::fixes::hands::install::orphans;
use crate::plain;
use crate::probes::clock;

/// What is looked after, in the repository's common directory; a folder with all that is in it.
const PLACES: [&str; 4] = ["config", "config.worktree", "hooks", "info"];

/// Where it is written down, in the state directory, for as long as an installer runs.
const RECORD: &str = "before-install.json";

/// The version of its shape.
const SCHEMA: u32 = 1;

/// A link in the place of a folder uncovers others once it is put back: it is looked that often.
const ROUNDS: usize = 3;

/// What was there before an install.
#[derive(Serialize, Deserialize)]
pub(super) struct Before {
    schema: u32,
    at: Timestamp,
    common: Vec<u8>,
    entries: Vec<(Vec<u8>, Entry)>,
}

/// One file, by what makes it the same: a link by where it leads, and what it leads to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    link: Option<Vec<u8>>,
    content: Option<(Vec<u8>, u32)>,
}

type Entries = BTreeMap<PathBuf, Entry>;

impl Before {
    /// Looks, and writes down what it saw. What an earlier one wrote down is put back by now.
    ///
    /// # Errors
    /// It cannot be looked at, or not be written down: then nothing may be run.
    pub(super) fn of(config: &Config, common: &Path) -> Result<Self, StepError> {
        let entries = look(common)?;
        let entries = entries.into_iter().map(|(path, it)| (path.into_os_string().into_vec(), it)).collect();
        let common = common.as_os_str().as_bytes().to_vec();
        let before = Self { schema: SCHEMA, at: clock::now(), common, entries };
        let failed = |error: &dyn std::fmt::Display| {
            StepError::failed("write down what the repository's hooks are", error)
        };
        let content = serde_json::to_vec(&before).map_err(|error| failed(&error))?;
        files::write_private(&config.state.join(RECORD), &content).map_err(|error| failed(&error))?;
        Ok(before)
    }

    /// What was written down by one that did not come to its end.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub(super) fn left(config: &Config) -> Result<Option<Self>, StepError> {
        let record = config.state.join(RECORD);
        let failed = |error: &dyn std::fmt::Display| StepError::failed(format!("read {RECORD}"), error);
        let content = match plain::own_text(&record) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            content => content.map_err(|error| failed(&error))?,
        };
        let before: Self = serde_json::from_str(&content).map_err(|error| failed(&error))?;
        if before.schema > SCHEMA {
            return Err(failed(&"it was written by a newer Housecall"));
        }
        Ok(Some(before))
    }

    /// What everything carries that the installer starts.
    pub(super) fn mark(&self, config: &Config) -> String {
        orphans::mark(config, self.at)
    }

    /// When the installer began.
    pub(super) fn at(&self) -> SystemTime {
        self.at.into()
    }

    /// Puts back what is different now; names what that was, and where it is kept.
    ///
    /// An install takes minutes, in which a person may have changed the same files: what is taken away is theirs to get
    /// back. What was changed after `until` is a person's: it is left as it is.
    ///
    /// # Errors
    /// The repository is not there, or the system's own words; it is still written down then.
    pub(super) fn put_back(
        &self,
        config: &Config,
        until: Option<SystemTime>,
    ) -> Result<Option<String>, StepError> {
        let common = PathBuf::from(OsString::from_vec(self.common.clone()));
        let failed =
            |path: &Path, error: &io::Error| StepError::failed(format!("put back {}", path.display()), error);
        fs::metadata(&common).map_err(|error| failed(&common, &error))?;
        let before: Entries = self
            .entries
            .iter()
            .map(|(path, it)| (OsString::from_vec(path.clone()).into(), it.clone()))
            .collect();
        let place = files::rescued_place(config, clock::now()).join("repository");
        let (mut restored, mut theirs) = (BTreeSet::new(), BTreeSet::new());
        for _ in 0..ROUNDS {
            let after = look(&common)?;
            let differs = |path: &&PathBuf| before.get(*path) != after.get(*path) && !theirs.contains(*path);
            // What is new goes first: it may be in the way of what was there.
            let new = after.keys().filter(|path| !before.contains_key(*path));
            let differing: Vec<PathBuf> = new.chain(before.keys()).filter(differs).cloned().collect();
            if differing.is_empty() {
                break;
            }
            for path in differing {
                let whole = common.join(&path);
                if until.is_some_and(|until| changed(&whole).is_some_and(|at| at > until)) {
                    theirs.insert(path);
                    continue;
                }
                keep(&place, &path, after.get(&path))
                    .and_then(|()| restore(&common, &whole, before.get(&path), after.get(&path)))
                    .map_err(|error| failed(&path, &error))?;
                restored.insert(path);
            }
        }
        // Without it, the next one would put back what a person changes from now on.
        fs::remove_file(config.state.join(RECORD)).map_err(|error| failed(Path::new(RECORD), &error))?;
        let named = |paths: &BTreeSet<PathBuf>| {
            paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
        };
        let put_back = (!restored.is_empty()).then(|| {
            let place = config.tilde(&place);
            format!("put back in the repository: {}; what was there is kept in {place}", named(&restored))
        });
        let left = (!theirs.is_empty()).then(|| {
            format!("left as it is in the repository, since it was changed later: {}", named(&theirs))
        });
        Ok(put_back.into_iter().chain(left).reduce(|all, one| format!("{all}; {one}")))
    }
}

/// When what is there was changed; of what is gone, when that was taken away at the latest.
fn changed(path: &Path) -> Option<SystemTime> {
    let found = fs::symlink_metadata(path)
        .or_else(|_| path.parent().map_or_else(|| Err(io::Error::from(ErrorKind::NotFound)), fs::metadata));
    found.and_then(|it: Metadata| it.modified()).ok()
}

fn keep(place: &Path, path: &Path, entry: Option<&Entry>) -> io::Result<()> {
    match entry.and_then(|it| it.content.as_ref()) {
        Some((content, _)) => files::write_private(&files::vacant(place, path)?, content),
        None => Ok(()),
    }
}

fn restore(common: &Path, path: &Path, before: Option<&Entry>, after: Option<&Entry>) -> io::Result<()> {
    let Some(before) = before else {
        fs::remove_file(path)?;
        // Folders that were made for it; those that hold more stay.
        let folders = path.ancestors().skip(1).take_while(|it| it.parent() != Some(common));
        let _ = folders.take_while(|it| *it != common).try_for_each(fs::remove_dir);
        return Ok(());
    };
    if before.link != after.and_then(|it| it.link.clone()) {
        if after.is_some() {
            fs::remove_file(path)?;
        }
        if let Some(link) = &before.link {
            fs::create_dir_all(path.parent().unwrap_or(common))?;
            std::os::unix::fs::symlink(OsString::from_vec(link.clone()), path)?;
        }
    }
    match &before.content {
        Some((content, mode)) => replace(path, content, *mode),
        None => Ok(()),
    }
}

fn look(common: &Path) -> Result<Entries, StepError> {
    let mut found = Entries::new();
    for place in PLACES {
        add(common, Path::new(place), &mut found)
            .map_err(|error| StepError::failed("look at the repository's hooks", &error))?;
    }
    Ok(found)
}

/// Adds what is there, and all beneath it. A link is followed where it is one of the places, and to a plain file.
fn add(common: &Path, path: &Path, found: &mut Entries) -> io::Result<()> {
    let whole = common.join(path);
    let itself = match fs::symlink_metadata(&whole) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        itself => itself?,
    };
    let link = itself.is_symlink().then(|| fs::read_link(&whole)).transpose()?;
    let link = link.map(|it| it.into_os_string().into_vec());
    let is_place = path.components().count() == 1;
    let leads_to = fs::metadata(&whole).ok();
    if leads_to.as_ref().is_some_and(Metadata::is_dir) && (is_place || link.is_none()) {
        for entry in fs::read_dir(&whole)? {
            add(common, &path.join(entry?.file_name()), found)?;
        }
    }
    let content = match leads_to.filter(Metadata::is_file) {
        Some(file) => Some((plain::read(&whole)?, file.permissions().mode() & 0o7777)),
        None => None,
    };
    if link.is_some() || content.is_some() {
        found.insert(path.to_owned(), Entry { link, content });
    }
    Ok(())
}

/// Writes a file of the repository's whole or not at all; a link is followed.
fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let parent = real.parent().unwrap_or(&real);
    fs::create_dir_all(parent)?;
    let mut beside = files::unfinished(parent)?;
    beside.write_all(content)?;
    beside.as_file().set_permissions(Permissions::from_mode(mode))?;
    beside.as_file().sync_all()?;
    beside.persist(&real).map(drop).map_err(|error| error.error)
}
