//! The mirror's worktree: whose it is, what it is on, and what stands in the way of aligning it.
#![expect(clippy::disallowed_methods, reason = "probes are where files are read")]

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use git2::{ErrorCode, RepositoryOpenFlags};
use jiff::Timestamp;

use super::canonical::modified;
use super::{Canonical, Checkout, Lock, Worktree, submodules};
use crate::config::{Config, Mirror};
use crate::error::ProbeError;
use crate::git;
use crate::plain;
use crate::probes::away::{self, Local, Place, What};
use crate::probes::machine::Machine;
use crate::probes::program;

/// What git leaves in the administrative directory while an operation is in progress, and its name.
pub const OPERATIONS: [(&str, &str); 8] = [
    ("rebase-merge", "rebase"),
    ("rebase-apply/applying", "am"),
    ("rebase-apply", "rebase"),
    ("MERGE_HEAD", "merge"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("sequencer", "cherry-pick or revert"),
    ("BISECT_LOG", "bisect"),
];

/// Reads the mirror's worktree.
///
/// git searches upwards: what it finds from there is the mirror's only if its top level is the worktree
/// and its common directory is the canonical repository's, both by real path.
///
/// # Errors
/// Where it cannot be looked at, or where there is no canonical repository to compare it with.
pub fn worktree(
    machine: &Machine,
    config: &Config,
    mirror: &Mirror,
    canonical: &Canonical,
) -> Result<Worktree, ProbeError> {
    let place = Place::of(mirror);
    let found =
        away::look(machine, config, &place, What::Worktree, read)?.or_ask(config, || ask(config, &place))?;
    let Worktree::Present(checkout) = found else {
        return Ok(found);
    };
    match canonical {
        Canonical::Present(repository) if repository.common_dir == checkout.common_dir => {
            Ok(Worktree::Present(checkout))
        }
        Canonical::Present(_) => Ok(Worktree::Foreign { top: checkout.top, common_dir: checkout.common_dir }),
        _ => Err(ProbeError::failed("tell whose the worktree is", &"its repository is not there")),
    }
}

/// Reads a worktree of whatever repository; `None`: it is none, or git itself must be asked, and [`worktree`] says more.
///
/// # Errors
/// Its volume hangs, or does not answer in time.
pub fn checkout(machine: &Machine, config: &Config, mirror: &Mirror) -> Result<Option<Checkout>, ProbeError> {
    let found = away::look(machine, config, &Place::of(mirror), What::Worktree, read)?;
    Ok(match found {
        Local::Read(Worktree::Present(checkout)) => Some(checkout),
        _ => None,
    })
}

/// Reads it here, with libgit2 and nothing else; a worktree of whatever repository is `Present`.
pub(in crate::probes) fn read(place: &Place) -> Local<Worktree> {
    let path = &place.worktree;
    match fs::metadata(path) {
        Ok(it) if it.is_dir() => {}
        Ok(_) => return Local::Read(Worktree::NotGit("it is a file".to_owned())),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return match fs::symlink_metadata(path) {
                Ok(_) => Local::Read(Worktree::NotGit("it is a link to nothing".to_owned())),
                Err(_) => Local::Read(Worktree::Absent),
            };
        }
        Err(error) => return Local::failed("look at", path, &error),
    }
    match fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
        Ok(true) => return Local::Read(Worktree::Absent),
        Ok(false) => {}
        Err(error) => return Local::failed("look into", path, &error),
    }
    if fs::symlink_metadata(path.join(".git")).is_err() {
        return outside(path);
    }
    if let Some(broken) = broken_link(path) {
        return broken;
    }
    match git2::Repository::open(path) {
        Ok(repository) => describe(place, &repository)
            .map_or_else(|error| Local::Closed(error.message().to_owned()), Local::Read),
        Err(error) => Local::Closed(error.message().to_owned()),
    }
}

/// A directory without a `.git`: git would take the repository of a parent for its own.
fn outside(path: &Path) -> Local<Worktree> {
    let none: [&Path; 0] = [];
    match git2::Repository::open_ext(path, RepositoryOpenFlags::CROSS_FS, none) {
        Ok(parent) => Local::Read(Worktree::Foreign {
            top: real(parent.workdir().unwrap_or_else(|| parent.path())),
            common_dir: real(parent.commondir()),
        }),
        Err(error) if error.code() == ErrorCode::NotFound => {
            Local::Read(Worktree::NotGit("there are files in it, and no `.git`".to_owned()))
        }
        Err(error) => Local::Closed(error.message().to_owned()),
    }
}

/// What is wrong with a worktree's `.git` file or the administrative directory that it names, if anything is. Where one of
/// these cannot be read, nothing is known of it: it does not count as broken.
fn broken_link(path: &Path) -> Option<Local<Worktree>> {
    let broken = |why: String| Some(Local::Read(Worktree::NotGit(why)));
    let link = path.join(".git");
    let text = match plain::text(&link) {
        Ok(text) => text,
        Err(error) if plain::cannot_be_read(&error) => return Some(Local::failed("read", &link, &error)),
        Err(_) => return None,
    };
    let Some(named) = text.strip_prefix("gitdir: ") else {
        return broken("its `.git` file is torn".to_owned());
    };
    let admin = path.join(named.trim());
    match fs::metadata(&admin) {
        Ok(_) => {}
        Err(error) if plain::cannot_be_read(&error) => return Some(Local::failed("look at", &admin, &error)),
        Err(_) => {
            return broken(format!("its `.git` file names {}, which is not there", admin.display()));
        }
    }
    for name in ["HEAD", "commondir", "gitdir"] {
        let file = admin.join(name);
        match plain::read(&file) {
            Err(error) if plain::cannot_be_read(&error) => return Some(Local::failed("read", &file, &error)),
            _ => {}
        }
    }
    let head = plain::text(&admin.join("HEAD")).unwrap_or_default();
    if head.trim_matches(['\0', '\n', ' ']).is_empty() {
        return broken("its HEAD is missing or empty".to_owned());
    }
    None
}

fn describe(place: &Place, repository: &git2::Repository) -> Result<Worktree, git2::Error> {
    let head = repository.find_reference("HEAD")?;
    let target = head.symbolic_target_bytes().map(|it| String::from_utf8_lossy(it).into_owned());
    let commit = repository.refname_to_id("HEAD").and_then(|id| repository.find_commit(id)).ok();
    Ok(complete(
        place,
        Found {
            top: repository.workdir().unwrap_or_else(|| repository.path()).to_owned(),
            git_dir: repository.path().to_owned(),
            common_dir: repository.commondir().to_owned(),
            branch: target.map(|it| it.strip_prefix("refs/heads/").unwrap_or(&it).to_owned()),
            head: commit.map(|it| it.id().to_string()),
        },
    ))
}

/// What git said, whichever of the two was asked.
struct Found {
    top: PathBuf,
    git_dir: PathBuf,
    common_dir: PathBuf,
    branch: Option<String>,
    head: Option<String>,
}

fn complete(place: &Place, found: Found) -> Worktree {
    let (top, git_dir, common_dir) = (real(&found.top), real(&found.git_dir), real(&found.common_dir));
    if top != real(&place.worktree) {
        return Worktree::Foreign { top, common_dir };
    }
    let operation = OPERATIONS.iter().find(|(mark, _)| git_dir.join(mark).exists());
    Worktree::Present(Checkout {
        operation: operation.map(|(_, name)| (*name).to_owned()),
        locks: locks(place, &git_dir, &common_dir),
        kept: plain::read(&git_dir.join("locked"))
            .ok()
            .map(|it| String::from_utf8_lossy(&it).trim().to_owned()),
        branch: found.branch,
        head: found.head,
        moved: modified(&git_dir.join("logs/HEAD")),
        top,
        git_dir,
        common_dir,
    })
}

/// The lock files that stop a fetch of the one ref or an alignment of this worktree.
fn locks(place: &Place, git_dir: &Path, common_dir: &Path) -> Vec<Lock> {
    let own = [
        git_dir.join("index.lock"),
        git_dir.join("HEAD.lock"),
        common_dir.join(format!("refs/heads/{}.lock", place.branch)),
        common_dir.join(format!("{}.lock", place.tracking_ref())),
        common_dir.join("packed-refs.lock"),
        common_dir.join("shallow.lock"),
        common_dir.join("reftable/tables.list.lock"),
    ];
    let inner = ["index.lock", "HEAD.lock", "packed-refs.lock", "shallow.lock", "config.lock"];
    let modules = submodules::repositories(git_dir);
    let inner = modules.iter().flat_map(|module| inner.iter().map(|name| module.join(name)));
    let candidates = own.into_iter().chain(inner);
    let lock = |path: PathBuf| {
        let found = fs::symlink_metadata(&path).ok()?;
        let made = Timestamp::try_from(found.modified().ok()?).ok()?;
        Some(Lock { path, made, bytes: found.len() })
    };
    candidates.filter_map(lock).collect()
}

/// The path with its links resolved, as far as that can be done.
fn real(path: &Path) -> PathBuf {
    let resolved = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    resolved.components().collect()
}

/// Asks the git program, where libgit2 cannot open the repository.
fn ask(config: &Config, place: &Place) -> Result<Worktree, ProbeError> {
    let git = |arguments: &[&str]| program::run(&git::command(config, &place.worktree, arguments));
    let found =
        git(&["rev-parse", "--path-format=absolute", "--show-toplevel", "--git-dir", "--git-common-dir"])?;
    if !found.succeeded() {
        return Ok(Worktree::NotGit(git::complaint(&found)));
    }
    let lines: Vec<String> = git::said(&found).lines().map(str::to_owned).collect();
    let [top, git_dir, common_dir] = lines.try_into().map_err(|lines: Vec<String>| {
        ProbeError::unreadable("what git says of the worktree", &lines.join(", "))
    })?;
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"])?;
    let head = git(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])?;
    let branch = branch.succeeded().then(|| git::said(&branch));
    Ok(complete(
        place,
        Found {
            top: top.into(),
            git_dir: git_dir.into(),
            common_dir: common_dir.into(),
            branch: branch.map(|it| it.strip_prefix("refs/heads/").unwrap_or(&it).to_owned()),
            head: head.succeeded().then(|| git::said(&head)),
        },
    ))
}
