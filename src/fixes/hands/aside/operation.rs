//! Operations under way: all that git keeps of a merge, a rebase or a bisect is kept before it is ended.
#![expect(clippy::disallowed_methods, reason = "hands write")]

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::error::StepError;
use crate::fixes::hands::files;
use crate::fixes::hands::git::{commit, git_path};
use crate::plain;
use crate::probes::git::{FOLDER, OPERATIONS};

/// What git keeps of operations in a worktree's administrative directory.
const KEPT: [&str; 17] = [
    "AUTO_MERGE",
    "BISECT_ANCESTORS_OK",
    "BISECT_LOG",
    "BISECT_NAMES",
    "BISECT_START",
    "BISECT_TERMS",
    "CHERRY_PICK_HEAD",
    "MERGE_AUTOSTASH",
    "MERGE_HEAD",
    "MERGE_MODE",
    "MERGE_MSG",
    "ORIG_HEAD",
    "REBASE_HEAD",
    "REVERT_HEAD",
    "rebase-apply",
    "rebase-merge",
    "sequencer",
];

/// Files of a line a commit, or with a commit in it, that are to do or in hand.
const IN_HAND: [&str; 6] = [
    "MERGE_HEAD",
    "rebase-merge/git-rebase-todo",
    "rebase-merge/orig-head",
    "rebase-apply/orig-head",
    "sequencer/todo",
    "sequencer/head",
];

/// A person's edits that an operation put away before it began; to end it would move them to the stash of everybody.
const AUTOSTASHES: [&str; 3] = ["rebase-merge/autostash", "rebase-apply/autostash", "MERGE_AUTOSTASH"];

/// An operation under way, as git keeps it.
#[derive(Debug)]
pub(super) struct Operation {
    /// "merge", "rebase" …
    pub(super) name: &'static str,
    /// What git wrote of it, by the name within the administrative directory.
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Operation {
    /// Reads the one that is under way, if one is.
    pub(super) fn read(config: &Config, top: &Path) -> Result<Option<Self>, StepError> {
        let head = git_path(config, top, "HEAD")?;
        let administration = head.parent().unwrap_or(top);
        let squashed = [("SQUASH_MSG", "squash")];
        let mut marks = OPERATIONS.iter().chain(&squashed);
        let Some((_, name)) = marks.find(|(mark, _)| fs::symlink_metadata(administration.join(mark)).is_ok())
        else {
            return Ok(None);
        };
        let mut files = BTreeMap::new();
        for kept in KEPT.iter().chain(&["SQUASH_MSG"]) {
            collect(administration, Path::new(kept), &mut files)
                .map_err(|error| StepError::failed(format!("read the {name} under way"), &error))?;
        }
        Ok(Some(Self { name, files }))
    }

    /// The commits that it has in hand or still to do; they may be reachable from nowhere else.
    pub(super) fn commits(&self, config: &Config, top: &Path) -> Result<Vec<String>, StepError> {
        let mut found = Vec::new();
        for file in IN_HAND.iter().chain(&AUTOSTASHES) {
            let Some(content) = self.files.get(Path::new(file)) else { continue };
            for line in String::from_utf8_lossy(content).lines() {
                let words = line.split_whitespace().take(3);
                let is_name =
                    |word: &&str| word.len() >= 7 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
                for word in words.filter(is_name) {
                    found.extend(commit(config, top, word)?);
                }
            }
        }
        Ok(found)
    }

    /// Whether this very one is kept already.
    pub(super) fn is_kept(&self, config: &Config) -> bool {
        let places = fs::read_dir(config.state.join("rescued")).into_iter().flatten().filter_map(Result::ok);
        places.map(|place| place.path().join(FOLDER)).any(|folder| {
            let mut files = BTreeMap::new();
            let read = collect(&folder, Path::new(""), &mut files);
            files.remove(Path::new("index"));
            read.is_ok() && files == self.files
        })
    }

    /// Keeps it in that place, with the index, in which a conflict is half resolved.
    pub(super) fn keep(&self, config: &Config, top: &Path, place: &Path) -> Result<(), StepError> {
        let folder = place.join(FOLDER);
        let failed =
            |error: std::io::Error| StepError::failed(format!("keep the {} under way", self.name), &error);
        let index = git_path(config, top, "index")?;
        files::private_directory(&folder).map_err(failed)?;
        match fs::copy(&index, folder.join("index")) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        for (name, content) in &self.files {
            files::write_private(&folder.join(name), content).map_err(failed)?;
        }
        Ok(())
    }
}

/// Takes away what would go to the stash of the whole repository once an operation ends; its commit is kept by now.
pub(in crate::fixes::hands) fn forget_autostash(config: &Config, top: &Path) -> Result<(), StepError> {
    for name in AUTOSTASHES {
        match fs::remove_file(git_path(config, top, name)?) {
            Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Err(StepError::failed("end the operation under way", &error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The files at and beneath a path that may not be there.
fn collect(top: &Path, relative: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) -> std::io::Result<()> {
    let path = top.join(relative);
    match fs::symlink_metadata(&path) {
        Ok(it) if it.is_dir() => {
            for entry in fs::read_dir(&path)? {
                collect(top, &relative.join(entry?.file_name()), found)?;
            }
        }
        Ok(it) if it.is_file() => {
            found.insert(relative.to_owned(), plain::read(&path)?);
        }
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    Ok(())
}
