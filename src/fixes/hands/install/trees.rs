//! Trees of earlier lockfiles: renamed aside before an install, and renamed back when their lockfile comes again.
//!
//! They lie outside the worktree, where neither `git clean` nor a dev server looks, and are never shared: a tree is in
//! one place only, so that nothing that writes into it changes another.
#![expect(clippy::disallowed_methods, reason = "hands write")]

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::config::{Config, Mirror};
use crate::fixes::hands::files;
use crate::probes::clock;
use crate::probes::deps::{self, Stamp, TREE};

/// How many are kept.
const MOST: usize = 3;

/// With less than this free, none is kept once an install went well.
const ROOM: u64 = 1 << 30;

/// How the name of one begins that is being deleted.
const TRASH: &str = ".trash-";

/// Where trees are kept, on the file system of the worktree.
#[derive(Debug)]
pub(super) struct Trees {
    place: PathBuf,
    tree: PathBuf,
}

impl Trees {
    /// Finds the place for the trees of a mirror; none where a rename does not lead there, or where the install makes
    /// more than the one tree at the top: then every install is run.
    pub(super) fn of(config: &Config, mirror: &Mirror, argv: &[String]) -> Option<Self> {
        if !deps::is_one_tree(mirror, argv) {
            return None;
        }
        let tree = mirror.worktree.join(TREE);
        let device = fs::metadata(&mirror.worktree).ok()?.dev();
        let name = mirror.worktree.file_name()?.to_string_lossy();
        let beside = mirror.worktree.parent()?.join(format!(".{name}-trees"));
        [config.state.join("trees"), beside]
            .into_iter()
            .find(|place| {
                let there = place.ancestors().find_map(|it| fs::metadata(it).ok());
                there.is_some_and(|it| it.dev() == device)
            })
            .map(|place| Self { place, tree })
    }

    /// Puts the tree that is there away, if it is known what it was installed from.
    pub(super) fn put_away(&self, stamp: &Stamp) -> io::Result<()> {
        let is_tree = fs::symlink_metadata(&self.tree).is_ok_and(|it| it.is_dir());
        if !is_tree {
            return Ok(());
        }
        let entry = self.entry(stamp);
        self.discard(&entry)?;
        files::private_directory(&entry)?;
        fs::rename(&self.tree, entry.join(TREE))
    }

    /// Brings back a tree that was installed from the same; its stamp, if there is one.
    ///
    /// What is in its place by now has no stamp, and so is no tree that anybody could rely on.
    pub(super) fn bring_back(&self, wanted: &Stamp) -> io::Result<Option<Stamp>> {
        let entry = self.entry(wanted);
        let Some(stamp) = deps::stamp_at(&entry.join(TREE)).filter(|stamp| stamp.is_of(wanted)) else {
            return Ok(None);
        };
        // A server that started before now has loaded another one.
        let anew = serde_json::to_vec(&Stamp { at: clock::now(), ..stamp.clone() })?;
        files::write_private(&deps::stamp_in(&entry.join(TREE)), &anew)?;
        self.discard(&self.tree)?;
        fs::rename(entry.join(TREE), &self.tree)?;
        // It is empty now; should that fail, it counts as one that is kept, until it is the oldest.
        let _ = fs::remove_dir(&entry);
        Ok(Some(stamp))
    }

    /// Brings back the one that was put away last.
    pub(super) fn bring_back_latest(&self) -> io::Result<Option<Stamp>> {
        let stamp = self.by_age().pop().and_then(|entry| deps::stamp_at(&entry.join(TREE)));
        stamp.map_or(Ok(None), |stamp| self.bring_back(&stamp))
    }

    /// Takes the oldest out of the store, down to as many as are kept; [`Self::sweep`] deletes them.
    pub(super) fn prune(&self) {
        let free = rustix::fs::statvfs(&self.place).map_or(0, |it| it.f_bavail.saturating_mul(it.f_frsize));
        let most = if free < ROOM { 0 } else { MOST };
        let entries = self.by_age();
        let surplus = entries.len().saturating_sub(most);
        for entry in &entries[..surplus] {
            // What cannot be moved now is surplus the next time as well.
            let _ = self.discard(entry);
        }
    }

    /// Deletes what was discarded, by this one or by one that was killed. It takes its time: run it beside something.
    pub(super) fn sweep(&self) {
        for trash in self.entries(|name| name.starts_with(TRASH)) {
            let _ = fs::remove_dir_all(trash);
        }
    }

    /// Makes a place vacant at once.
    fn discard(&self, path: &Path) -> io::Result<()> {
        if fs::symlink_metadata(path).is_err() {
            return Ok(());
        }
        files::private_directory(&self.place)?;
        let trash = tempfile::Builder::new().prefix(TRASH).tempdir_in(&self.place)?.keep();
        fs::rename(path, trash.join(TREE))
    }

    /// The kept ones, oldest first: a directory's time is when its tree was put there.
    fn by_age(&self) -> Vec<PathBuf> {
        let mut entries = self.entries(|name| !name.starts_with('.'));
        entries.sort_by_key(|path| {
            fs::metadata(path).and_then(|it| it.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
        });
        entries
    }

    fn entries(&self, wanted: fn(&str) -> bool) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.place).into_iter().flatten().filter_map(Result::ok);
        entries.filter(|it| it.file_name().to_str().is_some_and(wanted)).map(|it| it.path()).collect()
    }

    fn entry(&self, stamp: &Stamp) -> PathBuf {
        self.place.join(stamp.key())
    }
}
