//! What a mend that was killed left behind of its own: unfinished files, temporary indexes, half packs.
//!
//! All of it was made under the mirror's lock, so whoever holds that lock may remove it.
#![expect(clippy::disallowed_methods, reason = "hands write")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::config::{Config, Mirror};
use crate::fixes::hands::files::UNFINISHED;
use crate::fixes::hands::submodules::indexes;
use crate::fixes::hands::tree::Tree;
use crate::fixes::hands::{at_work, git, locks, swap};
use crate::probes::git::REFS;
use crate::probes::git::submodules::repositories;

/// How long is waited before it is looked again whether somebody has a file open.
const DYING: Duration = Duration::from_millis(25);

/// The temporary indexes, through which is read what a person left.
pub(super) const INDEX: &str = ".housecall-index-";

/// Half packs that another git may be at work on were left: they are looked for again.
const LEFT: &str = "half-packs";

/// In the state directory, others than the lock's holder write files too, and finish them within this.
const FINISHED: Duration = Duration::from_secs(10);

/// The clock of a file system may be behind.
const BEHIND: Duration = Duration::from_secs(1);

/// Removes what is left in the state directory; each mend looks there.
pub(super) fn in_state(config: &Config) {
    for (path, found) in entries(&config.state) {
        let age = found.modified().ok().and_then(|made| SystemTime::now().duration_since(made).ok());
        if found.is_dir() && is_named(&path, INDEX) {
            let _ = fs::remove_dir_all(&path);
        } else if found.is_file() && is_named(&path, UNFINISHED) && age.is_some_and(|age| age >= FINISHED) {
            let _ = fs::remove_file(&path);
        }
    }
}

/// Removes what is left in the mirror and in its repository by a mend whose last step began then and never ended.
///
/// What cannot be removed stays: it harms nobody, and git removes its own in two weeks.
pub(super) fn in_mirror(config: &Config, mirror: &Mirror, began: SystemTime) {
    let mut places = vec![mirror.worktree.clone(), mirror.worktree.join("node_modules")];
    places.extend(
        mirror.carry.iter().filter_map(|file| mirror.worktree.join(file).parent().map(Path::to_owned)),
    );
    let since = began.checked_sub(BEHIND).unwrap_or(began);
    if let Ok(Some(administration)) = git::administration(config, mirror) {
        locks_in(&administration, mirror, since);
        let (top, within) = (mirror.worktree.clone(), PathBuf::new());
        let _ = swap::resume(&Tree { config, mirror, top, within, administration: administration.clone() });
        for inner in &repositories(&administration) {
            let _ = indexes::put_back(inner);
            locks_in(inner, mirror, since);
            locks_in(&inner.join(REFS), mirror, since);
            remove(&half_packs_in(inner, since));
        }
        places.push(administration);
    }
    if let Ok(common) = git::common_directory(config, &mirror.repository) {
        half_packs(config, mirror, &common, since);
        locks_in(&common.join(REFS), mirror, since);
        places.extend([common.join("hooks"), common]);
    }
    folders(&config.state.join("rescued"), &mut places);
    for (path, found) in places.iter().flat_map(|place| entries(place)) {
        if found.is_file() && is_named(&path, UNFINISHED) {
            let _ = fs::remove_file(path);
        }
    }
}

/// Removes git's temporary files among the objects that were written since then, unless a git is at work there: one that
/// packs has its files closed for a while before it names them.
///
/// Of a fetch that was ended a moment ago, a part may still be dying: it is waited for. What is left is remembered.
fn half_packs(config: &Config, mirror: &Mirror, common: &Path, since: SystemTime) {
    let left = half_packs_in(common, since);
    let is_free = |attempt: u32| {
        std::thread::sleep(DYING * attempt.min(1));
        at_work::somebody(common, mirror).is_none()
    };
    if left.is_empty() || (0..20).any(is_free) {
        // They were there before it was seen that nobody is at work.
        return remove(&left);
    }
    let note = config.state.join(LEFT);
    if !note.exists() {
        // The time of the note is the time since when.
        let _ = fs::File::create(note).and_then(|note| note.set_modified(since));
    }
}

/// Removes those that had to be left, once nobody is at work there any more.
pub(super) fn half_packs_again(config: &Config, mirror: &Mirror) {
    let note = config.state.join(LEFT);
    let Some(since) = fs::metadata(&note).ok().and_then(|note| note.modified().ok()) else { return };
    let Ok(common) = git::common_directory(config, &mirror.repository) else { return };
    let left = half_packs_in(&common, since);
    if left.is_empty() || at_work::somebody(&common, mirror).is_none() {
        remove(&left);
        let _ = fs::remove_file(note);
    }
}

fn remove(files: &[PathBuf]) {
    for file in files {
        let _ = fs::remove_file(file);
    }
}

fn half_packs_in(common: &Path, since: SystemTime) -> Vec<PathBuf> {
    let folders = entries(&common.join("objects")).into_iter().filter(|(_, found)| found.is_dir());
    let files = folders.flat_map(|(folder, _)| entries(&folder));
    let is_left = |found: &fs::Metadata| found.is_file() && found.modified().is_ok_and(|at| at >= since);
    files.filter(|(path, found)| is_left(found) && is_named(path, "tmp_")).map(|(path, _)| path).collect()
}

/// Removes locks that stop no sync, and would stop whoever needs them: of `AUTO_MERGE`, of a rescue.
///
/// Those that stop a sync have a step of their own.
fn locks_in(directory: &Path, mirror: &Mirror, since: SystemTime) {
    let places = [mirror.repository.clone(), mirror.worktree.clone()];
    for (path, found) in entries(directory) {
        let is_lock = found.is_file() && path.extension().is_some_and(|it| it == "lock");
        let has_step = ["index.lock", "HEAD.lock"].iter().any(|it| path.ends_with(it));
        let is_left = is_lock && !has_step && found.modified().is_ok_and(|at| at >= since);
        // The look that goes on beside a fetch is a git at work there too, for a moment.
        if is_left && becomes_free(&path, &places) {
            let _ = fs::remove_file(path);
        }
    }
}

/// Whether nobody has it in use, or soon no more.
fn becomes_free(path: &Path, places: &[PathBuf]) -> bool {
    let free = |attempt: u32| {
        std::thread::sleep(DYING * attempt.min(1));
        locks::in_use(path, places).is_none()
    };
    (0..20).any(free)
}

/// All folders beneath one, links not followed.
fn folders(top: &Path, found: &mut Vec<PathBuf>) {
    for (path, _) in entries(top).into_iter().filter(|(_, found)| found.is_dir()) {
        folders(&path, found);
        found.push(path);
    }
}

fn is_named(path: &Path, start: &str) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(start.as_bytes()))
}

/// What is in a directory, itself and not what a link leads to; nothing where it cannot be read.
fn entries(directory: &Path) -> Vec<(PathBuf, fs::Metadata)> {
    let entries = fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok);
    entries.filter_map(|entry| Some((entry.path(), entry.metadata().ok()?))).collect()
}
