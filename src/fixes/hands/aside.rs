//! Setting aside: whatever a person left in the mirror goes under a ref and into a patch, before anything is changed.
//!
//! The person's own index is only copied. What differs from HEAD but is, file by file, what HEAD or the upstream
//! holds (a reset that was killed half way) is nobody's work and is not kept.
#![expect(clippy::disallowed_methods, reason = "hands write")]

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use crate::config::{Config, Mirror};
use crate::error::StepError;
use crate::fixes::hands::files::{self, stamp};
use crate::fixes::hands::git::{self, as_os, command, commit, git_path, must, run, succeeded};
use crate::probes::{clock, program, state};

/// Where the refs of what was set aside are.
pub const REFS: &str = "refs/housecall/rescued";

/// What an operation under way has in hand.
const IN_HAND: [&str; 6] = [
    "MERGE_HEAD",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "REBASE_HEAD",
    "rebase-merge/orig-head",
    "rebase-apply/orig-head",
];

/// How many arguments one command gets.
const CHUNK: usize = 500;

/// Puts what a person left in the mirror under a ref and into a patch; says where, if there was anything.
///
/// # Errors
/// It could not be kept whole: then nothing may be changed.
pub fn set_aside(config: &Config, mirror: &Mirror) -> Result<Option<String>, StepError> {
    let top = mirror.worktree.as_path();
    let upstream = commit(config, top, &mirror.tracking_ref())?;
    let head = commit(config, top, "HEAD")?;
    let base = head.clone().or_else(|| upstream.clone());
    // What the last sync checked out is no work of a person's, even where upstream was rewritten since.
    let written = state::read(config).ok().and_then(|it| it.last_sync).and_then(|it| it.sha);
    let ours: Vec<String> = upstream.iter().cloned().chain(written).collect();
    let time = clock::now();

    let directory = tempfile::Builder::new()
        .prefix(".housecall-index-")
        .tempdir_in(&config.state)
        .map_err(|error| StepError::failed("make a temporary index", &error))?;
    let index = Index { config, top, file: directory.path().join("index") };
    let staged = index.start(base.as_deref())?;
    let moved = move_repositories(config, &index, time)?;
    index.add_all()?;
    if let (Some(base), Some(upstream)) = (&base, &upstream) {
        index.add_overwritten(base, upstream)?;
    }
    let tree = index.write_tree()?;

    let is_ours = |commits: &[&String]| -> Result<bool, StepError> {
        let trees: Vec<&OsStr> = commits.iter().map(|it| OsStr::new(it.as_str())).collect();
        index.differs_from_all(&tree, &trees).map(|differing| differing.is_empty())
    };
    let known: Vec<&String> = base.iter().chain(&upstream).collect();
    let edited = !known.is_empty() && !is_ours(&known)? || known.is_empty() && !is_empty(config, top, &tree)?;
    let staged = staged.filter(|it| *it != tree);
    let staged = match staged {
        Some(it) if !index.differs_from_all(&it, &known_as(&known, &tree))?.is_empty() => Some(it),
        _ => None,
    };

    let mut parents: Vec<String> = Vec::new();
    let branch = format!("refs/heads/{}", mirror.branch);
    let names = ["HEAD", branch.as_str()].into_iter().chain(IN_HAND);
    for name in names {
        let sha = match git_path(config, top, name)? {
            path if name.contains('/') && !name.starts_with("refs/") => match fs::read_to_string(path) {
                Ok(text) => commit(config, top, text.trim())?,
                Err(_) => None,
            },
            _ => commit(config, top, name)?,
        };
        let Some(sha) = sha else { continue };
        if !parents.contains(&sha) && !is_kept(config, top, &sha, &[&ours[..], &parents[..]].concat())? {
            parents.push(sha);
        }
    }
    let commits = parents.len();
    if commits == 0 && is_kept_tree(config, top, &tree, staged.as_deref())? {
        return Ok(None);
    }
    if !edited && staged.is_none() && commits == 0 {
        return Ok(moved.map(|place| format!("set aside in {}", config.tilde(&place))));
    }
    if let Some(head) = &base {
        if !parents.contains(head) {
            parents.insert(0, head.clone());
        }
    }
    if let Some(staged) = &staged {
        let parent = base.iter().cloned().collect::<Vec<_>>();
        parents.push(commit_tree(config, top, staged, &parent, "what was staged in the mirror")?);
    }
    let kept = commit_tree(config, top, &tree, &parents, &message(staged.as_deref()))?;
    let name = reference(config, top, &stamp(time), &kept)?;
    let patch = write_patch(&index, &name, upstream.as_deref().or(base.as_deref()), &kept)?;
    let changed = match &base {
        Some(base) => index.differs_from_all(&tree, &[OsStr::new(base)])?.len(),
        None => 0,
    };
    let what = match (changed, commits) {
        (0, _) => "commits".to_owned(),
        (1, 0) => "1 file".to_owned(),
        (files, 0) => format!("{files} files"),
        (files, _) => format!("{files} files and commits"),
    };
    Ok(Some(format!("{what} set aside as {name} and {}", config.tilde(&patch))))
}

/// Keeps the commits of the mirror's branch that its upstream does not have, where there is no worktree.
///
/// # Errors
/// The ref could not be written.
pub fn keep_branch(config: &Config, mirror: &Mirror, target: &str) -> Result<Option<String>, StepError> {
    let repository = mirror.repository.as_path();
    let mut tips = Vec::new();
    tips.extend(commit(config, repository, &format!("refs/heads/{}", mirror.branch))?);
    if let Some(administration) = git::administration(config, mirror)? {
        let head = fs::read_to_string(administration.join("HEAD")).unwrap_or_default();
        if !head.starts_with("ref: ") && head.trim().len() >= 40 {
            tips.extend(commit(config, repository, head.trim())?);
        }
    }
    let mut kept = Vec::new();
    for tip in tips {
        if !is_kept(config, repository, &tip, &[target.to_owned()])? {
            kept.push(reference(config, repository, &stamp(clock::now()), &tip)?);
        }
    }
    kept.dedup();
    Ok((!kept.is_empty()).then(|| format!("commits set aside as {}", kept.join(" and "))))
}

/// Whether git cannot read the worktree's index.
pub(super) fn index_is_corrupt(config: &Config, top: &Path) -> Result<bool, StepError> {
    let index = git_path(config, top, "index")?;
    Ok(index.exists() && !run(config, top, &["ls-files", "--stage", "--cached", "-z"])?.succeeded())
}

/// A temporary index: the person's own is never written to.
struct Index<'a> {
    config: &'a Config,
    top: &'a Path,
    file: PathBuf,
}

impl Index<'_> {
    /// Begins as a copy of the person's; the tree that is staged there, where it makes one.
    fn start(&self, base: Option<&str>) -> Result<Option<OsString>, StepError> {
        let own = git_path(self.config, self.top, "index")?;
        if own.exists() && !index_is_corrupt(self.config, self.top)? {
            fs::copy(&own, &self.file).map_err(|error| StepError::failed("copy the index", &error))?;
            // An index in the middle of a merge makes no tree, and its parts are in the files.
            let tree = self.run(&["write-tree"])?;
            let staged = tree.succeeded().then(|| as_os(git::trimmed(&tree.stdout)).to_owned());
            self.look_at_all()?;
            return Ok(staged);
        }
        if let Some(base) = base {
            self.must("read HEAD into a temporary index", &["read-tree", base])?;
        }
        Ok(None)
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
        self.with_paths("look at every file", &["update-index", "--no-assume-unchanged", "--"], &assumed)
    }

    fn add_all(&self) -> Result<(), StepError> {
        let mut arguments = vec!["add", "-A", "--", "."];
        let dependencies =
            self.top.join("node_modules").exists() && !git::ignores_dependencies(self.config, self.top)?;
        if dependencies {
            arguments.push(":(exclude,top)node_modules");
        }
        let mut program = command(self.config, self.top, &arguments);
        if dependencies {
            program.environment.remove(OsStr::new("GIT_LITERAL_PATHSPECS"));
        }
        program.environment.insert("GIT_INDEX_FILE".into(), self.file.clone().into());
        succeeded("keep what was left in the mirror", program::run(&program)?).map(drop)
    }

    /// Adds files that git ignores where the upstream has one of that name: a reset would overwrite them.
    fn add_overwritten(&self, base: &str, upstream: &str) -> Result<(), StepError> {
        let arguments =
            ["diff-tree", "-r", "-z", "--no-renames", "--name-only", "--diff-filter=A", base, upstream];
        let added = self.must("compare with the upstream", &arguments)?;
        let there: Vec<&OsStr> = added
            .stdout
            .split(|byte| *byte == 0)
            .filter(|path| !path.is_empty())
            .map(as_os)
            .filter(|path| fs::symlink_metadata(self.top.join(path)).is_ok())
            .collect();
        self.with_paths("keep an ignored file", &["add", "-f", "--"], &there)
    }

    /// The untracked repositories inside: git would keep only their names, and clean would delete them.
    fn repositories(&self) -> Result<Vec<PathBuf>, StepError> {
        let listed =
            self.must("list what is untracked", &["ls-files", "--others", "--exclude-standard", "-z"])?;
        let of_one = |entry: &[u8]| entry.strip_suffix(b"/").map(|path| PathBuf::from(as_os(path)));
        Ok(listed.stdout.split(|byte| *byte == 0).filter_map(of_one).collect())
    }

    fn write_tree(&self) -> Result<OsString, StepError> {
        let tree = self.must("write what was left in the mirror", &["write-tree"])?;
        Ok(as_os(git::trimmed(&tree.stdout)).to_owned())
    }

    /// The paths at which a tree is different from every one of those others.
    fn differs_from_all(&self, tree: &OsStr, others: &[&OsStr]) -> Result<HashSet<Vec<u8>>, StepError> {
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

    fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<program::Output, StepError> {
        let mut program = command(self.config, self.top, arguments);
        program.environment.insert("GIT_INDEX_FILE".into(), self.file.clone().into());
        Ok(program::run(&program)?)
    }

    fn must<A: AsRef<OsStr>>(&self, what: &str, arguments: &[A]) -> Result<program::Output, StepError> {
        let output = succeeded(what, self.run(arguments)?)?;
        if output.truncated {
            return Err(StepError::failed(what, &"git says more than is read"));
        }
        Ok(output)
    }
}

/// Moves repositories inside the mirror out of it, whole; says where to.
fn move_repositories(
    config: &Config,
    index: &Index<'_>,
    time: jiff::Timestamp,
) -> Result<Option<PathBuf>, StepError> {
    let place = files::rescued_place(config, time);
    let found = index.repositories()?;
    for repository in &found {
        let to = place.join(repository);
        let failed = |error: std::io::Error| {
            StepError::failed(
                format!("move the repository {} out of the mirror", repository.display()),
                &error,
            )
        };
        files::private_directory(to.parent().unwrap_or(&place)).map_err(failed)?;
        fs::rename(index.top.join(repository), &to).map_err(failed)?;
    }
    Ok((!found.is_empty()).then_some(place))
}

fn known_as<'a>(known: &[&'a String], tree: &'a OsStr) -> Vec<&'a OsStr> {
    known.iter().map(|it| OsStr::new(it.as_str())).chain([tree]).collect()
}

fn is_empty(config: &Config, top: &Path, tree: &OsStr) -> Result<bool, StepError> {
    let listed = must(config, top, "list a tree", &[OsStr::new("ls-tree"), tree])?;
    Ok(listed.stdout.is_empty())
}

/// Whether this very tree, with this very one staged, is kept already.
fn is_kept_tree(
    config: &Config,
    top: &Path,
    tree: &OsStr,
    staged: Option<&OsStr>,
) -> Result<bool, StepError> {
    let kept = must(
        config,
        top,
        "list what was set aside",
        &["for-each-ref", "--format=%(tree) %(contents:subject)", REFS],
    )?;
    let wanted = format!("{} {}", tree.to_string_lossy(), message(staged));
    Ok(String::from_utf8_lossy(&kept.stdout).lines().any(|line| line == wanted))
}

fn message(staged: Option<&OsStr>) -> String {
    let staged = staged.map_or_else(String::new, |tree| format!(", with {} staged", tree.to_string_lossy()));
    format!("what was left in the mirror{staged}")
}

/// Whether a commit is within one of those, or within one that is kept already.
fn is_kept(config: &Config, directory: &Path, sha: &str, others: &[String]) -> Result<bool, StepError> {
    for other in others {
        if run(config, directory, &["merge-base", "--is-ancestor", sha, other])?.succeeded() {
            return Ok(true);
        }
    }
    let containing = format!("--contains={sha}");
    let arguments =
        ["for-each-ref", "--count=1", "--format=x", &containing, REFS, "refs/remotes", "refs/tags"];
    let output = run(config, directory, &arguments)?;
    Ok(output.succeeded() && !output.stdout.is_empty())
}

fn commit_tree(
    config: &Config,
    top: &Path,
    tree: &OsStr,
    parents: &[String],
    message: &str,
) -> Result<String, StepError> {
    let mut arguments: Vec<OsString> = vec!["commit-tree".into(), tree.to_owned()];
    arguments.extend(parents.iter().flat_map(|parent| [OsString::from("-p"), parent.into()]));
    arguments.extend(["-m".into(), message.into()]);
    let output = must(config, top, "keep what was left in the mirror", &arguments)?;
    Ok(crate::git::said(&output))
}

/// Makes a new ref for what is kept; never over one that is there.
fn reference(config: &Config, directory: &Path, time: &str, sha: &str) -> Result<String, StepError> {
    let none = "0".repeat(sha.len());
    let mut last = None;
    for attempt in 0..100 {
        let name = if attempt == 0 { format!("{REFS}/{time}") } else { format!("{REFS}/{time}-{attempt}") };
        let output = run(config, directory, &["update-ref", &name, sha, &none])?;
        if output.succeeded() {
            return Ok(name);
        }
        last = Some(crate::git::complaint(&output));
    }
    Err(StepError::failed("keep what was left in the mirror", &last.unwrap_or_default()))
}

fn write_patch(index: &Index<'_>, name: &str, from: Option<&str>, kept: &str) -> Result<PathBuf, StepError> {
    let time = name.rsplit('/').next().unwrap_or(name);
    let path = git::patch_file(index.config, time)?;
    let base = match from {
        Some(from) => {
            let output = index.run(&["merge-base", from, kept])?;
            let base = crate::git::said(&output);
            if output.succeeded() && !base.is_empty() { base } else { from.to_owned() }
        }
        None => return Ok(path),
    };
    let mut output = OsString::from("--output=");
    output.push(&path);
    let arguments: [&OsStr; 9] = [
        "diff-tree".as_ref(),
        "-r".as_ref(),
        "-p".as_ref(),
        "--binary".as_ref(),
        "--full-index".as_ref(),
        "--no-ext-diff".as_ref(),
        &output,
        base.as_ref(),
        kept.as_ref(),
    ];
    index.must("write the patch of what was set aside", &arguments)?;
    Ok(path)
}
