//! Bringing files to another commit without overwriting or deleting one: each that must go is moved out whole, and
//! what somebody saved meanwhile is found in it and kept.
//!
//! git writes the new files into a directory beside the worktree, with its filters and sparse patterns; from there they
//! are moved to where nothing is. So no save can fall between a look and an overwriting.
#![expect(clippy::disallowed_methods, reason = "hands write")]

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::StepError;
use crate::fixes::hands::git::{Tell, as_os, succeeded};
use crate::fixes::hands::tree::{LOOK, Tree};
use crate::fixes::hands::within::{self, Within};
use crate::fixes::hands::{files, guard, held, index};
use crate::plain;
use crate::probes::mounts::Mounts;
use crate::probes::{clock, program};

/// How the name of the directory begins in which files wait; it lies beside the worktree, on the same volume.
const WAITING: &str = ".housecall-swap-";

/// The file in it that says which submodule's files wait; it is empty where they are the mirror's own.
const WHOSE: &str = "whose";

/// How often something may come in the way of one file before it is given up.
const PERSISTENT: u32 = 20;

/// The directory in which files wait.
pub(super) struct Waiting<'a> {
    /// The worktree whose files are exchanged.
    tree: &'a Tree<'a>,
    /// The directory; it may hold what a person saved, and is only removed once that was looked at.
    place: PathBuf,
}

/// One path at which the commit differs from what was set aside, and what each has there.
struct Change {
    path: PathBuf,
    before: Kind,
    after: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Nothing,
    File,
    Submodule,
}

impl<'a> Waiting<'a> {
    /// Begins: git writes the files of that commit that differ from that tree, which the index holds.
    ///
    /// # Errors
    /// The disk's or git's words; the worktree is as it was.
    pub(super) fn begin(
        worktree: &'a Tree<'a>,
        index: &Path,
        [tree, sha]: [&OsStr; 2],
        tell: Tell<'_>,
    ) -> Result<Self, StepError> {
        let failed = |error: io::Error| StepError::failed("make a place for new files", &error);
        let prefix = prefix(&worktree.mirror.worktree);
        let parent = beside_tree(worktree)?;
        let made = tempfile::Builder::new().prefix(&prefix).tempdir_in(parent).map_err(failed)?;
        let it = Self { tree: worktree, place: made.path().to_owned() };
        // Of which worktree it is, before anything is in it.
        fs::write(it.place.join(WHOSE), worktree.within.as_os_str().as_encoded_bytes()).map_err(failed)?;
        for place in ["new", "old", "late"] {
            fs::create_dir(it.place.join(place)).map_err(failed)?;
        }
        // It knows no file's time, size or number, so git looks into each: that of a save may be what it was.
        let before = it.git("old", "before", &[OsStr::new("read-tree"), tree]);
        succeeded("read what was set aside", program::run(&before)?)?;
        let looked = fs::metadata(index).and_then(|it| it.modified()).map_err(failed)?;
        index::copy(index, &it.index()).map_err(failed)?;
        let arguments = ["read-tree", "-v", "-m", "-u", "--no-recurse-submodules"].map(OsStr::new);
        let arguments: Vec<&OsStr> = arguments.into_iter().chain([tree, sha]).collect();
        let mut git = it.git("new", "after", &arguments);
        git.environment.insert("GIT_PROGRESS_DELAY".into(), "0".into());
        succeeded("check out the worktree", program::run_observed(&git, tell)?)?;
        // git did not look at the files that stay.
        index::date(&it.index(), looked).map_err(failed)?;
        // Only now it is worth keeping.
        let _ = made.keep();
        Ok(it)
    }

    /// The index of the commit, as git would have left it.
    pub(super) fn index(&self) -> PathBuf {
        self.place.join("after")
    }

    /// Moves what must go out of the worktree, and in what comes.
    ///
    /// # Errors
    /// The disk's or git's words; each file is old, new, or waits.
    pub(super) fn exchange(&self, trees: [&OsStr; 2]) -> Result<(), StepError> {
        let changes = self.changes(trees)?;
        let open = |path: &Path| {
            Within::open(path).map_err(|error| StepError::failed(format!("open {}", path.display()), &error))
        };
        let (worktree, new, old) =
            (open(&self.tree.top)?, open(&self.place.join("new"))?, open(&self.place.join("old"))?);
        let failed = |path: &Path, error: io::Error| {
            StepError::failed(format!("replace {}", self.tree.top.join(path).display()), &error)
        };
        let (come, go): (Vec<&Change>, Vec<&Change>) = changes.iter().partition(|it| it.comes(&new));
        // What comes nowhere goes first: a file may be where a directory is to be, and the other way round.
        for Change { path, .. } in go.iter().filter(|it| it.before == Kind::File) {
            worktree.take(path, &old).map_err(|error| failed(path, error))?;
            worktree.prune(path.parent().unwrap_or(Path::new("")));
        }
        for change in changes.iter().filter(|it| it.before == Kind::Submodule && it.after != Kind::Submodule)
        {
            worktree.prune(&change.path);
        }
        for change in come {
            let path = change.path.as_path();
            if change.before == Kind::File {
                worktree.take(path, &old).map_err(|error| failed(path, error))?;
            }
            self.put(change, &worktree, &new).map_err(|error| failed(path, error))?;
        }
        Ok(())
    }

    /// Puts one in its place; what came there meanwhile goes out of its way.
    fn put(&self, change: &Change, worktree: &Within, new: &Within) -> io::Result<()> {
        let path = change.path.as_path();
        let mut attempt = 0;
        loop {
            let done = match change.after {
                Kind::Submodule => worktree.make(path),
                _ => worktree.put(path, new),
            };
            let is_blocked = |error: &io::Error| {
                matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory)
            };
            let blocked = done.as_ref().is_err_and(is_blocked) && attempt < PERSISTENT;
            let Some(other) = blocked.then(|| worktree.in_the_way(path)).flatten() else { return done };
            let late = tempfile::Builder::new().prefix("").tempdir_in(self.place.join("late"))?.keep();
            worktree.take(other, &Within::open(&late)?)?;
            attempt += 1;
        }
    }

    /// Keeps what somebody saved in what was moved out, says where, and removes the rest.
    ///
    /// # Errors
    /// It could not be kept: then it lies where it is, which the error names.
    pub(super) fn end(self) -> Result<Option<String>, StepError> {
        let (config, mirror) = (self.tree.config, self.tree.mirror);
        let failed = |error: io::Error| {
            let what = format!("keep what was saved meanwhile, in {}", config.tilde(&self.place));
            StepError::failed(what, &error)
        };
        // Who has none open now wrote all that there is: only then it is compared.
        let mut held = self.held().map_err(failed)?;
        let saved = self.saved()?;
        held.retain(|(place, path)| !saved.iter().any(|it| it.0 == *place && path.starts_with(&it.1)));
        let kept = files::rescued_place(config, clock::now()).join("saved");
        let mut told = Vec::new();
        for (found, which) in [(&saved, "saved meanwhile"), (&held, "open for writing")] {
            let mut stay = Vec::new();
            for (place, path) in found {
                let whole = self.tree.within.join(path);
                let at = [kept.as_path(), &whole];
                let (at, stays) = held::keep(config, mirror, &place.join(path), at).map_err(failed)?;
                stay.extend(stays.then(|| config.tilde(&at)));
            }
            let count = |count: usize| match count {
                1 => format!("1 file {which}"),
                many => format!("{many} files {which}"),
            };
            match found.len() - stay.len() {
                0 => {}
                1 => told.push(format!("{} is set aside in {}", count(1), config.tilde(&kept))),
                many => told.push(format!("{} are set aside in {}", count(many), config.tilde(&kept))),
            }
            match stay.as_slice() {
                [] => {}
                [one] => told.push(format!("{} stays on its volume, as {one}", count(1))),
                [one, ..] => {
                    told.push(format!("{} stay on their volume, the first as {one}", count(stay.len())));
                }
            }
        }
        fs::remove_dir_all(&self.place).map_err(failed)?;
        Ok((!told.is_empty()).then(|| told.join("; ")))
    }

    /// What was moved out and a program can still write to.
    fn held(&self) -> io::Result<Vec<(PathBuf, PathBuf)>> {
        let old = self.place.join("old");
        let paths = within::all(&old)?.into_iter().filter(|path| held::for_writing(&old.join(path)));
        Ok(paths.map(|path| (old.clone(), path)).collect())
    }

    /// Puts back what was moved out and is what git knows, where nothing is in its place: the exchange did not end.
    pub(super) fn put_back(&self) -> Result<(), StepError> {
        let old = self.place.join("old");
        let failed = |error: io::Error| StepError::failed("put files back", &error);
        let saved: BTreeSet<PathBuf> = self.saved()?.into_iter().map(|(_, path)| path).collect();
        let (worktree, from) =
            (Within::open(&self.tree.top).map_err(failed)?, Within::open(&old).map_err(failed)?);
        for path in within::all(&old).map_err(failed)? {
            if !saved.contains(&path) && worktree.in_the_way(&path).is_none() {
                worktree.put(&path, &from).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// What was moved out and is not what was set aside: the directory it lies in, and its path there.
    fn saved(&self) -> Result<Vec<(PathBuf, PathBuf)>, StepError> {
        let failed = |error: io::Error| StepError::failed(LOOK, &error);
        let old = self.place.join("old");
        let found = self.tree.differing_from(&self.place.join("before"), &old)?;
        let mut found: Vec<(PathBuf, PathBuf)> = found.into_iter().map(|path| (old.clone(), path)).collect();
        for entry in fs::read_dir(self.place.join("late")).map_err(failed)? {
            let place = entry.map_err(failed)?.path();
            found.extend(within::all(&place).map_err(failed)?.into_iter().map(|path| (place.clone(), path)));
        }
        Ok(found)
    }

    /// Where the commit differs from what was set aside.
    fn changes(&self, [tree, sha]: [&OsStr; 2]) -> Result<Vec<Change>, StepError> {
        let what = "compare with the upstream";
        let arguments = ["diff-tree", "-r", "-z", "--raw", "--no-renames"].map(OsStr::new);
        let arguments: Vec<&OsStr> = arguments.into_iter().chain([tree, sha]).collect();
        let output = succeeded(what, program::run(&self.git("new", "after", &arguments))?)?;
        if output.truncated {
            return Err(StepError::failed(what, &"git says more than is read"));
        }
        let mut parts = output.stdout.split(|byte| *byte == 0);
        let mut changes = Vec::new();
        // `:100644 100755 <sha> <sha> M`, and then the path.
        while let (Some(facts), Some(path)) = (parts.next().filter(|it| !it.is_empty()), parts.next()) {
            let mut modes =
                facts.strip_prefix(b":").unwrap_or(facts).split(|byte| *byte == b' ').map(Kind::of);
            let (Some(before), Some(after)) = (modes.next(), modes.next()) else { continue };
            changes.push(Change { path: PathBuf::from(as_os(path)), before, after });
        }
        Ok(changes)
    }

    /// git, with one of the directories for its worktree and one of the indexes for its own.
    fn git<A: AsRef<OsStr>>(&self, worktree: &str, index: &str, arguments: &[A]) -> program::Program {
        self.tree.git_with(&self.place.join(index), &self.place.join(worktree), arguments)
    }
}

impl Change {
    /// Whether git made something for that path; where the repository is sparse it does not.
    fn comes(&self, new: &Within) -> bool {
        self.after != Kind::Nothing && (self.after == Kind::Submodule || new.has(&self.path))
    }
}

impl Kind {
    fn of(mode: &[u8]) -> Self {
        match mode {
            b"000000" => Self::Nothing,
            b"160000" => Self::Submodule,
            _ => Self::File,
        }
    }
}

/// Ends what a mend that was killed left in the middle, in the mirror's own worktree and its submodules.
///
/// # Errors
/// It could not be put back or kept: it lies where it is.
pub(super) fn resume(tree: &Tree<'_>) -> Result<(), StepError> {
    let top = tree.mirror.worktree.as_path();
    let prefix = prefix(top);
    for parent in places(tree)? {
        for entry in fs::read_dir(parent).into_iter().flatten().filter_map(Result::ok) {
            let name = entry.file_name();
            let random = name.as_encoded_bytes().strip_prefix(prefix.as_bytes());
            if random.is_none_or(|it| it.len() != 6) || !entry.file_type().is_ok_and(|it| it.is_dir()) {
                continue;
            }
            let place = entry.path();
            if ["before", "new", "old", "late"].iter().all(|part| place.join(part).exists()) {
                resume_one(tree, place)?;
            } else {
                // It was killed before anything was moved.
                let _ = fs::remove_dir_all(&place);
            }
        }
    }
    Ok(())
}

/// Ends one exchange that was killed.
fn resume_one(tree: &Tree<'_>, place: PathBuf) -> Result<(), StepError> {
    let whose = plain::read(&place.join(WHOSE)).unwrap_or_default();
    let within = Path::new(as_os(&whose));
    if within.as_os_str().is_empty() {
        let it = Waiting { tree, place };
        it.put_back()?;
        return it.end().map(drop);
    }
    let inner = if tree.mirror.worktree.join(within).join(".git").exists() {
        Tree::of_submodule(tree.config, tree.mirror, within)?
    } else {
        None
    };
    if let Some(inner) = inner {
        let it = Waiting { tree: &inner, place };
        // The submodule may have another repository since: then nothing of it is known, and all is kept.
        if it.put_back().is_ok() {
            return it.end().map(drop);
        }
        return keep_all(tree, &it.place, within);
    }
    keep_all(tree, &place, within)
}

/// Keeps all that an exchange had moved out of a submodule that is not there any more.
fn keep_all(tree: &Tree<'_>, place: &Path, within: &Path) -> Result<(), StepError> {
    let failed = |error: io::Error| StepError::failed("keep what was moved out of a submodule", &error);
    let kept = files::rescued_place(tree.config, clock::now()).join("saved");
    for part in ["old", "late"] {
        let part = place.join(part);
        for path in within::all(&part).map_err(failed)? {
            let to = [kept.as_path(), &within.join(&path)];
            held::keep(tree.config, tree.mirror, &part.join(&path), to).map_err(failed)?;
        }
    }
    fs::remove_dir_all(place).map_err(failed)
}

/// Where files of a worktree may wait: beside the mirror and in it, and in each submodule that is a volume of its own.
fn places(tree: &Tree<'_>) -> Result<Vec<PathBuf>, StepError> {
    let top = tree.mirror.worktree.as_path();
    let mounts = Mounts::read()?;
    let mut places = vec![top.parent().unwrap_or(top).to_owned(), top.to_owned()];
    places.extend(mounts.local_beneath(top).map(Path::to_owned));
    Ok(places)
}

/// Puts an index in the place of the worktree's own, unless that was changed since it was looked at.
///
/// # Errors
/// Somebody holds its lock; the disk's own words.
pub(super) fn install_index(
    index: &Path,
    own: &Path,
    seen: Option<(u64, u64, u64, i128)>,
) -> Result<bool, StepError> {
    let lock = own.with_extension("lock");
    let failed = |error: io::Error| StepError::failed(format!("write {}", own.display()), &error);
    let mut from = fs::File::open(index).map_err(failed)?;
    let mut to = fs::File::options().write(true).create_new(true).open(&lock).map_err(failed)?;
    let written = if guard::identity(own) == seen {
        io::copy(&mut from, &mut to)
            .and_then(|_| to.set_modified(from.metadata()?.modified()?))
            .and_then(|()| to.sync_all())
            .and_then(|()| fs::rename(&lock, own))
            .map(|()| true)
    } else {
        Ok(false)
    };
    if !matches!(written, Ok(true)) {
        let _ = fs::remove_file(&lock);
    }
    written.map_err(failed)
}

/// Where files can wait: beside the worktree, or in it where it is a volume of its own.
pub(super) fn beside(top: &Path) -> Result<&Path, StepError> {
    let mounts = Mounts::read()?;
    let parent = top.parent().filter(|parent| mounts.holding(parent) == mounts.holding(top));
    Ok(parent.unwrap_or(top))
}

/// The same for any worktree: a submodule's files wait where the mirror's do, unless it is a volume of its own.
fn beside_tree<'a>(tree: &'a Tree<'_>) -> Result<&'a Path, StepError> {
    let (mounts, place) = (Mounts::read()?, beside(&tree.mirror.worktree)?);
    Ok(if mounts.holding(place) == mounts.holding(&tree.top) { place } else { &tree.top })
}

fn prefix(top: &Path) -> String {
    format!("{WAITING}{}-", top.file_name().unwrap_or_default().to_string_lossy())
}
