//! A temporary index, through which what a person left is read: their own is only copied.
#![expect(clippy::disallowed_methods, reason = "hands write")]

use std::collections::{BTreeSet, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::config::Config;
use crate::error::StepError;
use crate::fixes::hands::git::{self, as_os, command, git_path, succeeded};
use crate::fixes::hands::torn;
use crate::probes::git::unchanged::{self, Recorded};
use crate::probes::program;

/// How many arguments one command gets.
pub(super) const CHUNK: usize = 500;

/// What the sides of a conflict are called, by git's number for each.
const SIDES: [&str; 4] = ["", "~base", "~ours", "~theirs"];

/// A temporary index: the person's own is never written to.
pub(super) struct Index<'a> {
    pub(super) config: &'a Config,
    pub(super) top: &'a Path,
    pub(super) file: PathBuf,
}

impl Index<'_> {
    /// Begins as a copy of the person's; the tree that is staged there, where it makes one.
    pub(super) fn start(&self, base: Option<&str>) -> Result<Option<OsString>, StepError> {
        let own = git_path(self.config, self.top, "index")?;
        if own.exists() && !torn::is_torn(self.config, self.top)? {
            copy(&own, &self.file).map_err(|error| StepError::failed("copy the index", &error))?;
            let tree = self.run(&["write-tree"])?;
            let staged = if tree.succeeded() {
                Some(as_os(git::trimmed(&tree.stdout)).to_owned())
            } else {
                let tree = self.conflicted_tree()?;
                copy(&own, &self.file).map_err(|error| StepError::failed("copy the index", &error))?;
                tree
            };
            self.look_at_all()?;
            return Ok(staged);
        }
        if let Some(base) = base {
            self.must("read HEAD into a temporary index", &["read-tree", base])?;
        }
        Ok(None)
    }

    /// An index in the middle of a conflict makes no tree: each side of it becomes a file beside the others.
    fn conflicted_tree(&self) -> Result<Option<OsString>, StepError> {
        let listed = self.must("list the conflicts", &["ls-files", "--unmerged", "-z"])?;
        let mut sides: Vec<OsString> = Vec::new();
        let mut paths = BTreeSet::new();
        for entry in listed.stdout.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()) {
            let mut parts = entry.splitn(2, |byte| *byte == b'\t');
            let (Some(facts), Some(path)) = (parts.next(), parts.next()) else { continue };
            let facts = String::from_utf8_lossy(facts);
            let mut facts = facts.split(' ');
            let (Some(mode), Some(blob), Some(stage)) = (facts.next(), facts.next(), facts.next()) else {
                continue;
            };
            let side = SIDES.get(stage.parse::<usize>().unwrap_or_default()).unwrap_or(&"");
            let mut info = OsString::from(format!("{mode},{blob},"));
            info.push(as_os(path));
            info.push(side);
            sides.push(info);
            paths.insert(as_os(path));
        }
        let paths: Vec<&OsStr> = paths.into_iter().collect();
        self.with_paths("keep a conflict", &["update-index", "--force-remove", "--"], &paths)?;
        self.enter("keep a conflict", &sides)?;
        let tree = self.run(&["write-tree"])?;
        Ok(tree.succeeded().then(|| as_os(git::trimmed(&tree.stdout)).to_owned()))
    }

    /// Enters what is said as git wants it: mode, object and path.
    fn enter(&self, what: &str, entries: &[OsString]) -> Result<(), StepError> {
        for chunk in entries.chunks(CHUNK) {
            let each = chunk.iter().flat_map(|it| [OsStr::new("--cacheinfo"), it]);
            let whole: Vec<&OsStr> =
                ["update-index", "--add"].map(OsStr::new).into_iter().chain(each).collect();
            self.must(what, &whole)?;
        }
        Ok(())
    }

    /// The files at which a tree of this index differs from that commit, and that are what git checks out for it.
    pub(super) fn as_checked_out(&self, base: &str, tree: &OsStr) -> Result<Vec<Recorded>, StepError> {
        let start = ["diff-tree", "-r", "-z", "--no-renames", base].map(OsStr::new);
        let arguments: Vec<&OsStr> = start.into_iter().chain([tree]).collect();
        let raw = self.must("compare what was left in the mirror", &arguments)?;
        let mut files = unchanged::edited(&raw.stdout);
        let same = unchanged::as_checked_out(self.config, self.top, &files)?;
        files.retain(|file| same.contains(&file.path));
        Ok(files)
    }

    /// That tree of this index, with these files as they are recorded.
    pub(super) fn tree_with(&self, tree: &OsStr, files: &[Recorded]) -> Result<OsString, StepError> {
        if files.is_empty() {
            return Ok(tree.to_owned());
        }
        let other = Index { config: self.config, top: self.top, file: self.file.with_extension("recorded") };
        fs::copy(&self.file, &other.file).map_err(|error| StepError::failed("copy the index", &error))?;
        let entry = |file: &Recorded| {
            let mut entry = OsString::from(format!("{},{},", file.mode, file.blob));
            entry.push(&file.path);
            entry
        };
        other.enter("keep what was left in the mirror", &files.iter().map(entry).collect::<Vec<_>>())?;
        other.write_tree()
    }

    /// Has files looked at that the person told git to take for unchanged.
    fn look_at_all(&self) -> Result<(), StepError> {
        let listed = self.must("list the files", &["ls-files", "-v", "-z"])?;
        let assumed: Vec<&OsStr> = listed
            .stdout
            .split(|byte| *byte == 0)
            .filter(|entry| entry.first().is_some_and(u8::is_ascii_lowercase) && entry.len() > 2)
            .map(|entry| as_os(&entry[2..]))
            .collect();
        self.with_paths("look at every file", &["update-index", "--no-assume-unchanged", "--"], &assumed)?;
        // Where a repository is sparse most files are not there; one that is was put there by a person.
        let is_sparse = !self.sparse()?.is_empty();
        let is_there = |path: &&OsStr| !is_sparse || fs::symlink_metadata(self.top.join(path)).is_ok();
        let skipped: Vec<&OsStr> = listed
            .stdout
            .split(|byte| *byte == 0)
            .filter(|entry| {
                entry.first().is_some_and(|mark| mark.eq_ignore_ascii_case(&b's')) && entry.len() > 2
            })
            .map(|entry| as_os(&entry[2..]))
            .filter(is_there)
            .collect();
        self.with_paths("look at every file", &["update-index", "--no-skip-worktree", "--"], &skipped)
    }

    /// Adds all that is there, but for what Housecall itself put there.
    ///
    /// An index that is not torn may still name objects that are lost: then it begins afresh, from that commit.
    pub(super) fn add_all(&self, base: Option<&str>, own: &[PathBuf]) -> Result<(), StepError> {
        if self.add(own).and_then(|()| self.write_tree()).is_ok() {
            return Ok(());
        }
        let _ = fs::remove_file(&self.file);
        if let Some(base) = base {
            self.must("read HEAD into a temporary index", &["read-tree", base])?;
        }
        self.add(own)
    }

    fn add(&self, own: &[PathBuf]) -> Result<(), StepError> {
        let mut arguments: Vec<OsString> =
            [&["add", "-A"], self.sparse()?, &["--", "."]].concat().into_iter().map(OsString::from).collect();
        for path in own {
            let path = path.as_os_str();
            // Only where git does not track it: else it is a file of the project's that was edited.
            let listed = self.run(&[OsStr::new("ls-files"), "-z".as_ref(), "--".as_ref(), path])?;
            if listed.stdout.is_empty() {
                let mut exclude = OsString::from(":(exclude,top,literal)");
                exclude.push(path);
                arguments.push(exclude);
            }
        }
        let mut program = command(self.config, self.top, &arguments);
        program.environment.remove(OsStr::new("GIT_LITERAL_PATHSPECS"));
        program.environment.insert("GIT_INDEX_FILE".into(), self.file.clone().into());
        succeeded("keep what was left in the mirror", program::run(&program)?).map(drop)
    }

    /// Adds files that the upstream has too and that this index leaves out, since git ignores them: they would be
    /// replaced.
    pub(super) fn add_overwritten(&self, upstream: &str) -> Result<(), StepError> {
        let tree = self.write_tree()?;
        let arguments =
            ["diff-tree", "-r", "-z", "--no-renames", "--name-only", "--diff-filter=A"].map(OsStr::new);
        let arguments: Vec<&OsStr> =
            arguments.into_iter().chain([tree.as_os_str(), upstream.as_ref()]).collect();
        let added = self.must("compare with the upstream", &arguments)?;
        let paths = added.stdout.split(|byte| *byte == 0).filter(|path| !path.is_empty());
        let there: BTreeSet<&OsStr> =
            paths.filter_map(|path| self.in_the_way(Path::new(as_os(path)))).map(Path::as_os_str).collect();
        let there: Vec<&OsStr> = there.into_iter().collect();
        if there.is_empty() {
            return Ok(());
        }
        let arguments = [&["add", "-f"], self.sparse()?, &["--"]].concat();
        self.with_paths("keep an ignored file", &arguments, &there)
    }

    /// What has `git add` take files too that a sparse repository leaves out.
    fn sparse(&self) -> Result<&'static [&'static str], StepError> {
        let asked = self.run(&["config", "--type=bool", "--get", "core.sparseCheckout"])?;
        Ok(if crate::git::said(&asked) == "true" { &["--sparse"] } else { &[] })
    }

    /// The files among those that git does not give back byte for byte: it would write other ends of lines.
    pub(super) fn altered(&self, tree: &OsStr, paths: &HashSet<Vec<u8>>) -> Result<Vec<PathBuf>, StepError> {
        let is_file = |path: &&OsStr| fs::symlink_metadata(self.top.join(path)).is_ok_and(|it| it.is_file());
        let paths: Vec<&OsStr> = paths.iter().map(|path| as_os(path)).filter(is_file).collect();
        let mut found = Vec::new();
        for chunk in paths.chunks(CHUNK) {
            let raw: Vec<&OsStr> = ["hash-object", "--no-filters", "--"]
                .map(OsStr::new)
                .into_iter()
                .chain(chunk.iter().copied())
                .collect();
            let raw = self.must("keep what was left in the mirror", &raw)?;
            for (path, raw) in chunk.iter().zip(raw.stdout.split(|byte| *byte == b'\n')) {
                let mut name = tree.to_owned();
                name.push(":");
                name.push(path);
                let kept =
                    self.run(&[OsStr::new("rev-parse"), "--verify".as_ref(), "--quiet".as_ref(), &name])?;
                if git::trimmed(&kept.stdout) == raw {
                    continue;
                }
                let given = self.run(&[OsStr::new("cat-file"), "--filters".as_ref(), &name])?;
                let is_same = fs::read(self.top.join(path)).is_ok_and(|content| content == given.stdout);
                if given.truncated || !is_same {
                    found.push(PathBuf::from(path));
                }
            }
        }
        Ok(found)
    }

    /// What a file of that name would replace: what has its name, or a file where one of its directories is to be.
    fn in_the_way<'a>(&self, path: &'a Path) -> Option<&'a Path> {
        let mut way: Vec<&Path> = path.ancestors().filter(|it| !it.as_os_str().is_empty()).collect();
        way.reverse();
        way.into_iter().find(|it| {
            let found = fs::symlink_metadata(self.top.join(it));
            found.is_ok_and(|found| *it == path || !found.is_dir())
        })
    }

    /// The untracked repositories inside: git would keep only their names, and clean would delete them.
    pub(super) fn repositories(&self) -> Result<Vec<PathBuf>, StepError> {
        let listed =
            self.must("list what is untracked", &["ls-files", "--others", "--exclude-standard", "-z"])?;
        let of_one = |entry: &[u8]| entry.strip_suffix(b"/").map(|path| PathBuf::from(as_os(path)));
        Ok(listed.stdout.split(|byte| *byte == 0).filter_map(of_one).collect())
    }

    /// The empty tree, where the worktree with that tree was never checked out: it has no index, or no file at all. Missing
    /// files do not count as deleted then.
    pub(super) fn nothing(&self, has_no_index: bool, tree: &OsStr) -> Result<Option<OsString>, StepError> {
        let made =
            self.must("write a tree without a file", &["hash-object", "-t", "tree", "-w", "/dev/null"])?;
        let made = as_os(git::trimmed(&made.stdout));
        Ok((has_no_index || made == tree).then(|| made.to_owned()))
    }

    pub(super) fn write_tree(&self) -> Result<OsString, StepError> {
        let tree = self.must("write what was left in the mirror", &["write-tree"])?;
        Ok(as_os(git::trimmed(&tree.stdout)).to_owned())
    }

    /// The paths at which a tree is different from every one of those others.
    pub(super) fn differs_from_all(
        &self,
        tree: &OsStr,
        others: &[&OsStr],
    ) -> Result<HashSet<Vec<u8>>, StepError> {
        let mut common: Option<HashSet<Vec<u8>>> = None;
        for other in others {
            let arguments: [&OsStr; 7] = [
                "diff-tree".as_ref(),
                "-r".as_ref(),
                "-z".as_ref(),
                "--no-renames".as_ref(),
                "--name-only".as_ref(),
                other,
                tree,
            ];
            let output = self.must("compare what was left in the mirror", &arguments)?;
            let paths: HashSet<Vec<u8>> = output
                .stdout
                .split(|byte| *byte == 0)
                .filter(|it| !it.is_empty())
                .map(<[u8]>::to_vec)
                .collect();
            common = Some(match common {
                Some(common) => common.intersection(&paths).cloned().collect(),
                None => paths,
            });
        }
        Ok(common.unwrap_or_default())
    }

    fn with_paths(&self, what: &str, arguments: &[&str], paths: &[&OsStr]) -> Result<(), StepError> {
        for chunk in paths.chunks(CHUNK) {
            let whole: Vec<&OsStr> = arguments.iter().map(OsStr::new).chain(chunk.iter().copied()).collect();
            self.must(what, &whole)?;
        }
        Ok(())
    }

    pub(super) fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<program::Output, StepError> {
        let mut program = command(self.config, self.top, arguments);
        program.environment.insert("GIT_INDEX_FILE".into(), self.file.clone().into());
        Ok(program::run(&program)?)
    }

    pub(super) fn must<A: AsRef<OsStr>>(
        &self,
        what: &str,
        arguments: &[A],
    ) -> Result<program::Output, StepError> {
        let output = succeeded(what, self.run(arguments)?)?;
        if output.truncated {
            return Err(StepError::failed(what, &"git says more than is read"));
        }
        Ok(output)
    }
}

/// Copies an index with its time: git looks into a file that is as new as the index, since it may have been edited in the
/// same second, and would take it for unchanged in an index that is newer.
pub(super) fn copy(index: &Path, to: &Path) -> io::Result<()> {
    let written = fs::metadata(index)?.modified()?;
    fs::copy(index, to)?;
    date(to, written)
}

/// Dates an index back to when its files were last looked at.
pub(super) fn date(index: &Path, looked: SystemTime) -> io::Result<()> {
    fs::File::options().write(true).open(index)?.set_modified(looked)
}
