//! Setting aside: whatever a person left in the mirror goes under a ref and into a patch, before anything is changed.
//!
//! The person's own index is only copied. What differs from HEAD but is, file by file, what HEAD or the upstream
//! holds (a reset that was killed half way) is nobody's work and is not kept.
#![expect(clippy::disallowed_methods, reason = "hands write")]

pub(in crate::fixes::hands) mod operation;
pub mod restore;
pub(in crate::fixes::hands) mod submodules;

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use crate::config::{Config, Mirror};
use crate::error::StepError;
use crate::fixes::hands::aside::operation::Operation;
use crate::fixes::hands::files::{self, stamp};
use crate::fixes::hands::git::{self, Tell, commit, must, run};
use crate::fixes::hands::index::Index;
use crate::fixes::hands::tree::Tree;
use crate::fixes::hands::{guard, killed, objects, swap, worktree};
use crate::plain;
use crate::probes::git::{LEFT, REFS, STAGED};
use crate::probes::{clock, state};

/// What an operation under way has in hand, by git's own names for it.
const IN_HAND: [&str; 4] = ["MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD"];

/// What is done here, for people.
const KEEP: &str = "keep what was left in the mirror";

/// What is in the worktree at one moment, all of it kept that a person made.
pub(in crate::fixes::hands) struct Snapshot {
    /// What was set aside, and where.
    pub(in crate::fixes::hands) told: Option<String>,
    /// The files, as git would have them.
    pub(in crate::fixes::hands) tree: OsString,
    /// The commit that HEAD is on, and that of the mirror's branch.
    pub(in crate::fixes::hands) tips: [Option<String>; 2],
    /// The worktree's own index, and which file that was.
    pub(in crate::fixes::hands) own: (PathBuf, Option<(u64, u64, u64, i128)>),
    /// An index of the files, with what git knows of each.
    pub(in crate::fixes::hands) index: PathBuf,
    /// The files that git calls modified though they are what it checks out.
    pub(in crate::fixes::hands) as_checked_out: Vec<OsString>,
    /// Where that index lies.
    _directory: tempfile::TempDir,
}

/// What was found to be kept.
struct Found<'a> {
    index: &'a Index<'a>,
    /// The files, and those that are staged.
    tree: &'a OsStr,
    staged: Option<OsString>,
    /// What the files began as, and what upstream has.
    base: Option<String>,
    upstream: Option<String>,
    /// The tree without a file, where nothing was checked out.
    nothing: Option<OsString>,
    /// Where repositories were moved to, and what was kept in submodules.
    moved: Option<PathBuf>,
    inside: Option<String>,
    time: jiff::Timestamp,
}

/// Puts what a person left in the mirror under a ref and into a patch; says where, if there was anything.
///
/// # Errors
/// It could not be kept whole: then nothing may be changed.
pub fn set_aside(config: &Config, mirror: &Mirror, tell: Tell<'_>) -> Result<Option<String>, StepError> {
    snapshot(config, mirror, tell).map(|it| it.told)
}

/// The same, and what the worktree is made of then.
///
/// # Errors
/// As those of `set_aside`.
pub(in crate::fixes::hands) fn snapshot(
    config: &Config,
    mirror: &Mirror,
    tell: Tell<'_>,
) -> Result<Snapshot, StepError> {
    let top = mirror.worktree.as_path();
    let tree = Tree::of_mirror(config, mirror)?;
    swap::resume(&tree)?;
    let own = tree.administration.join("index");
    let upstream = commit(config, top, &mirror.tracking_ref())?;
    let head = commit(config, top, "HEAD")?;
    let tip = commit(config, top, &format!("refs/heads/{}", mirror.branch))?;
    let base = head.clone().or_else(|| upstream.clone());
    let time = clock::now();

    let inside = submodules::keep(config, mirror, upstream.as_deref(), time)?;
    let directory = tempfile::Builder::new()
        .prefix(killed::INDEX)
        .tempdir_in(&config.state)
        .map_err(|error| StepError::failed("make a temporary index", &error))?;
    let index = Index { config, top, file: directory.path().join("index") };
    let seen = guard::identity(&own);
    let staged = index.start(base.as_deref())?;
    let own_files = worktree::own_files(config, mirror)?;
    let moved = tree.add_all(&index, base.as_deref(), &own_files, time)?;
    if let Some(upstream) = &upstream {
        index.add_overwritten(upstream)?;
    }
    let tree = index.write_tree()?;
    // What git calls modified straight after its own checkout is no work of a person's.
    let same = match &base {
        Some(base) => index.as_checked_out(base, &tree)?,
        None => Vec::new(),
    };
    let theirs = index.tree_with(&tree, &same)?;
    let nothing = index.nothing(seen.is_none(), &tree)?;
    let found = Found { index: &index, tree: &theirs, staged, base, upstream, nothing, moved, inside, time };
    let told = keep(config, mirror, found, tell)?;
    let (index, tips, own) = (index.file, [head, tip], (own, seen));
    let as_checked_out = same.into_iter().map(|file| file.path).collect();
    Ok(Snapshot { told, tree, tips, own, index, as_checked_out, _directory: directory })
}

/// Keeps what differs from all that is kept already, and says where.
fn keep(
    config: &Config,
    mirror: &Mirror,
    found: Found<'_>,
    tell: Tell<'_>,
) -> Result<Option<String>, StepError> {
    let Found { index, tree, staged, base, upstream, nothing, moved, inside, time } = found;
    let place = files::rescued_place(config, time);
    let top = mirror.worktree.as_path();
    // What a sync checked out is no work of a person's, even where upstream was rewritten since.
    let aligned = state::read(config).ok().and_then(|it| it.last_sync).and_then(|it| it.aligned);
    let ours: Vec<String> = upstream.iter().cloned().chain(aligned).collect();
    let is_ours = |commits: &[&String]| -> Result<bool, StepError> {
        let trees = commits.iter().map(|it| OsStr::new(it.as_str())).chain(nothing.as_deref());
        let trees: Vec<&OsStr> = trees.collect();
        index.differs_from_all(tree, &trees).map(|differing| differing.is_empty())
    };
    let known: Vec<&String> = base.iter().chain(&upstream).collect();
    let edited = !known.is_empty() && !is_ours(&known)? || known.is_empty() && !is_empty(config, top, tree)?;
    let staged = staged.filter(|it| it != tree);
    let staged = match staged {
        // The index of an alignment that ended before it was replaced holds what is kept already.
        Some(it) if !edited && is_kept_tree(config, top, None, Some(&it))? => None,
        Some(it) if !index.differs_from_all(&it, &known_as(&known, tree))?.is_empty() => Some(it),
        _ => None,
    };

    let operation = Operation::read(config, top)?;
    let mut parents: Vec<String> = Vec::new();
    let branch = format!("refs/heads/{}", mirror.branch);
    let mut tips = Vec::new();
    for name in ["HEAD", branch.as_str()].into_iter().chain(IN_HAND) {
        tips.extend(commit(config, top, name)?);
    }
    if let Some(operation) = &operation {
        tips.extend(operation.commits(config, top)?);
    }
    for sha in tips {
        if !parents.contains(&sha) && !is_kept(config, top, &sha, &[&ours[..], &parents[..]].concat())? {
            parents.push(sha);
        }
    }
    let operation = operation.filter(|it| !it.is_kept(config));
    let commits = parents.len();
    let nothing = !edited && staged.is_none() && commits == 0;
    let known = || is_kept_tree(config, top, Some(tree), staged.as_deref());
    if operation.is_none() && (nothing || commits == 0 && known()?) {
        let moved = moved.as_ref().map(|place| format!("set aside in {}", config.tilde(place)));
        let told: Vec<String> = moved.into_iter().chain(inside).collect();
        return Ok((!told.is_empty()).then(|| told.join("; ")));
    }
    if let Some(head) = base.as_ref().filter(|head| !parents.contains(head)) {
        parents.insert(0, head.clone());
    }
    if let Some(staged) = &staged {
        let parent = base.iter().cloned().collect::<Vec<_>>();
        parents.push(commit_tree(config, top, staged, &parent, STAGED)?);
    }
    let kept = commit_tree(config, top, tree, &parents, &message(staged.as_deref()))?;
    // The patch first: whatever has a ref has its patch, unless an object that it needs is lost.
    let name = free_name(config, top, &stamp(time))?;
    let from = upstream.as_deref().or(base.as_deref());
    let patch = patched(
        config,
        objects::whole(config, mirror, tell, |_| write_patch(index, &name, from, &kept, staged.as_deref())),
    )?;
    must(config, top, KEEP, &["update-ref", "--no-deref", &name, &kept, &"0".repeat(kept.len())])?;
    if let Some(operation) = &operation {
        let last = name.rsplit('/').next().unwrap_or(&name);
        operation.keep(config, top, &config.state.join("rescued").join(last))?;
    }
    let changed = match &base {
        Some(base) => index.differs_from_all(tree, &[OsStr::new(base)])?,
        None => HashSet::new(),
    };
    let altered = index.altered(tree, &changed)?;
    for path in &altered {
        files::vacant(&place.join("as-it-was"), path)
            .and_then(|to| {
                files::private_directory(to.parent().unwrap_or(&place))?;
                files::copy(&top.join(path), &to)
            })
            .map_err(|error| StepError::failed(format!("keep {}", path.display()), &error))?;
    }
    let what = match (changed.len(), commits) {
        (0, 0) => {
            operation.as_ref().map_or_else(|| "what was staged".to_owned(), |it| format!("a {}", it.name))
        }
        (0, _) => "commits".to_owned(),
        (1, 0) => "1 file".to_owned(),
        (files, 0) => format!("{files} files"),
        (files, _) => format!("{files} files and commits"),
    };
    let told = format!("{what} set aside as {name} and {patch}");
    let whole = (moved.is_some() || !altered.is_empty())
        .then(|| format!("what git does not keep whole, in {}", config.tilde(&place)));
    Ok(Some([Some(told), whole, inside].into_iter().flatten().collect::<Vec<_>>().join("; ")))
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
        let head = plain::text(&administration.join("HEAD")).unwrap_or_default();
        if !head.starts_with("ref: ") && head.trim().len() >= 40 {
            tips.extend(commit(config, repository, head.trim())?);
        }
    }
    keep_commits(config, repository, &tips, &[target.to_owned()])
}

/// Keeps those commits that are in none of the others.
pub(in crate::fixes::hands) fn keep_commits(
    config: &Config,
    repository: &Path,
    tips: &[String],
    others: &[String],
) -> Result<Option<String>, StepError> {
    let mut kept = Vec::new();
    for tip in tips {
        if !is_kept(config, repository, tip, others)? {
            kept.push(reference(config, repository, &stamp(clock::now()), tip)?);
        }
    }
    kept.dedup();
    Ok((!kept.is_empty()).then(|| format!("commits set aside as {}", kept.join(" and "))))
}

fn known_as<'a>(known: &[&'a String], tree: &'a OsStr) -> Vec<&'a OsStr> {
    known.iter().map(|it| OsStr::new(it.as_str())).chain([tree]).collect()
}

fn is_empty(config: &Config, top: &Path, tree: &OsStr) -> Result<bool, StepError> {
    let listed = must(config, top, "list a tree", &[OsStr::new("ls-tree"), tree])?;
    Ok(listed.stdout.is_empty())
}

/// Whether this very tree, or any, is kept already with this very one staged.
fn is_kept_tree(
    config: &Config,
    top: &Path,
    tree: Option<&OsStr>,
    staged: Option<&OsStr>,
) -> Result<bool, StepError> {
    let kept = must(
        config,
        top,
        "list what was set aside",
        &["for-each-ref", "--format=%(tree) %(contents:subject)", REFS],
    )?;
    let message = message(staged);
    let kept = String::from_utf8_lossy(&kept.stdout);
    let mut kept = kept.lines().filter_map(|line| line.split_once(' '));
    Ok(kept.any(|(of, subject)| subject == message && tree.is_none_or(|tree| tree == of)))
}

fn message(staged: Option<&OsStr>) -> String {
    let staged = staged.map_or_else(String::new, |tree| format!(", with {} staged", tree.to_string_lossy()));
    format!("{LEFT}{staged}")
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
    let output = must(config, top, KEEP, &arguments)?;
    Ok(crate::git::said(&output))
}

/// Makes a new ref for what is kept; never over one that is there.
fn reference(config: &Config, directory: &Path, time: &str, sha: &str) -> Result<String, StepError> {
    let name = free_name(config, directory, time)?;
    must(config, directory, KEEP, &["update-ref", "--no-deref", &name, sha, &"0".repeat(sha.len())])?;
    Ok(name)
}

/// A name under which nothing is kept yet, neither a ref nor a patch; under the mirror's lock it stays free.
fn free_name(config: &Config, top: &Path, time: &str) -> Result<String, StepError> {
    for attempt in 0..100 {
        let last = if attempt == 0 { time.to_owned() } else { format!("{time}-{attempt}") };
        let name = format!("{REFS}/{last}");
        let is_taken = run(config, top, &["rev-parse", "--verify", "--quiet", &name])?.succeeded();
        if !is_taken && fs::symlink_metadata(git::patch_file(config, &last)).is_err() {
            return Ok(name);
        }
    }
    Err(StepError::failed(KEEP, &"every name for it is taken"))
}

/// Where the patch lies. What has a ref is kept even where no patch of it can be made.
fn patched(config: &Config, came: Result<PathBuf, StepError>) -> Result<String, StepError> {
    match came {
        Ok(patch) => Ok(config.tilde(&patch)),
        Err(error) if objects::are_lost(&error) => Ok(format!("no patch: {error}")),
        Err(error) => Err(error),
    }
}

/// Writes the patch whole: beside the temporary index first, then to its place. Where no file was edited it is the patch of
/// what was staged.
fn write_patch(
    index: &Index<'_>,
    name: &str,
    from: Option<&str>,
    kept: &str,
    staged: Option<&OsStr>,
) -> Result<PathBuf, StepError> {
    let what = "write the patch of what was set aside";
    let path = git::patch_file(index.config, name.rsplit('/').next().unwrap_or(name));
    let failed = |error: std::io::Error| StepError::failed(what, &error);
    let Some(from) = from else {
        files::write_private(&path, b"").map_err(failed)?;
        return Ok(path);
    };
    let output = index.run(&["merge-base", from, kept])?;
    let base = crate::git::said(&output);
    let base = if output.succeeded() && !base.is_empty() { base } else { from.to_owned() };
    let draft = index.file.with_extension("patch");
    let mut output = OsString::from("--output=");
    output.push(&draft);
    for to in [Some(OsStr::new(kept)), staged].into_iter().flatten() {
        let start = ["diff-tree", "-r", "-p", "--binary", "--full-index", "--no-ext-diff"].map(OsStr::new);
        let arguments = [&start[..], &[&output, OsStr::new(&base), to]].concat();
        index.must(what, &arguments)?;
        if fs::metadata(&draft).is_ok_and(|it| it.len() > 0) {
            break;
        }
    }
    files::settle_private(&draft, &path).map_err(failed)?;
    Ok(path)
}
