//! The worktrees that are aligned: the mirror's own, and those of its submodules.
#![expect(clippy::disallowed_methods, reason = "hands look where they write")]

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::config::{Config, Mirror};
use crate::error::StepError;
use crate::fixes::hands::align::PERSISTENT;
use crate::fixes::hands::git::{as_os, command, git_path, real, run, succeeded};
use crate::fixes::hands::index::Index;
use crate::fixes::hands::{files, held, submodules};
use crate::probes::program;

/// What is done with files that were moved out, for people.
pub(super) const LOOK: &str = "look at what was moved out";

/// One worktree, with the repository that it belongs to.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    pub(super) config: &'a Config,
    pub(super) mirror: &'a Mirror,
    /// Its top level.
    pub(super) top: PathBuf,
    /// Its path in the mirror; empty for the mirror's own.
    pub(super) within: PathBuf,
    /// git's directory of this worktree.
    pub(super) administration: PathBuf,
}

impl<'a> Tree<'a> {
    /// The mirror's own worktree.
    ///
    /// # Errors
    /// git does not know it.
    pub(super) fn of_mirror(config: &'a Config, mirror: &'a Mirror) -> Result<Self, StepError> {
        let index = git_path(config, &mirror.worktree, "index")?;
        let administration = index.parent().unwrap_or(&mirror.worktree).to_owned();
        Ok(Self { config, mirror, top: mirror.worktree.clone(), within: PathBuf::new(), administration })
    }

    /// The submodule at that path in the mirror. `None` where git takes that directory for no repository of its own: it
    /// would work on the one above.
    ///
    /// # Errors
    /// git cannot be run.
    pub(super) fn of_submodule(
        config: &'a Config,
        mirror: &'a Mirror,
        within: &Path,
    ) -> Result<Option<Self>, StepError> {
        let top = mirror.worktree.join(within);
        let arguments = ["rev-parse", "--path-format=absolute", "--show-toplevel", "--absolute-git-dir"];
        let output = run(config, &top, &arguments)?;
        let mut lines = output.stdout.split(|byte| *byte == b'\n').map(|line| PathBuf::from(as_os(line)));
        let (Some(found), Some(administration), true) = (lines.next(), lines.next(), output.succeeded())
        else {
            return Ok(None);
        };
        let is_its_own = fs::canonicalize(&found).ok() == Some(real(&top)?);
        Ok(is_its_own.then(|| Self { config, mirror, top, within: within.to_owned(), administration }))
    }

    /// Adds all that is there to that index, but for what Housecall itself put there. Repositories in the worktree are moved
    /// out whole before, since git would keep only their names; says where to.
    ///
    /// # Errors
    /// git's words, or the disk's.
    pub(super) fn add_all(
        &self,
        index: &Index<'_>,
        base: Option<&str>,
        own: &[PathBuf],
        time: Timestamp,
    ) -> Result<Option<PathBuf>, StepError> {
        let place = files::rescued_place(self.config, time);
        let mut is_moved = false;
        let mut attempt = 0;
        // A submodule is aligned by itself, though a torn index lacks it.
        let linked = submodules::linked(self.config, &self.top)?;
        let repositories = || -> Result<Vec<PathBuf>, StepError> {
            let found = index.repositories()?;
            Ok(found.into_iter().filter(|path| !linked.contains(path)).collect())
        };
        loop {
            for repository in repositories()? {
                let (from, whole) = (index.top.join(&repository), self.within.join(&repository));
                held::keep(self.config, self.mirror, &from, [&place, &whole]).map_err(|error| {
                    let what = format!("move the repository {} out of the mirror", whole.display());
                    StepError::failed(what, &error)
                })?;
                is_moved = true;
            }
            attempt += 1;
            match index.add_all(base, own) {
                // A repository that was made meanwhile is in git's way.
                Err(_) if attempt < PERSISTENT && !repositories()?.is_empty() => {}
                done => return done.map(|()| is_moved.then_some(place)),
            }
        }
    }

    /// A git of this repository with another index and another directory for its files.
    pub(super) fn git_with<A: AsRef<OsStr>>(
        &self,
        index: &Path,
        worktree: &Path,
        arguments: &[A],
    ) -> program::Program {
        let mut git = command(self.config, worktree, arguments);
        let variables: [(&str, &OsStr); 3] = [
            ("GIT_DIR", self.administration.as_os_str()),
            ("GIT_WORK_TREE", worktree.as_os_str()),
            ("GIT_INDEX_FILE", index.as_os_str()),
        ];
        git.environment.extend(variables.map(|(name, value)| (name.into(), value.into())));
        git
    }

    /// The files in a directory that are not as that index has them, or not in it; ignored ones too.
    ///
    /// # Errors
    /// git's words.
    pub(super) fn differing_from(
        &self,
        index: &Path,
        directory: &Path,
    ) -> Result<BTreeSet<PathBuf>, StepError> {
        let differing =
            ["diff", "--name-only", "-z", "--diff-filter=MT", "--no-ext-diff", "--ignore-submodules=all"];
        let unknown = ["ls-files", "--others", "-z"];
        let mut found = BTreeSet::new();
        for arguments in [&differing[..], &unknown[..]] {
            let output = succeeded(LOOK, program::run(&self.git_with(index, directory, arguments))?)?;
            if output.truncated {
                return Err(StepError::failed(LOOK, &"git says more than is read"));
            }
            let paths = output.stdout.split(|byte| *byte == 0).filter(|path| !path.is_empty());
            // A repository is named with a slash at its end.
            found.extend(paths.map(|path| PathBuf::from(as_os(path.strip_suffix(b"/").unwrap_or(path)))));
        }
        Ok(found)
    }
}
