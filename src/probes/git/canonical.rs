//! The canonical repository: whether it is there, what it follows, where the mirror's branch is checked out.
#![expect(clippy::disallowed_methods, reason = "probes are where files are read")]

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use git2::ErrorCode;
use jiff::Timestamp;

use super::{Canonical, Repository};
use crate::config::{Config, Mirror};
use crate::error::ProbeError;
use crate::git;
use crate::plain;
use crate::probes::away::{self, Local, Place, What};
use crate::probes::machine::{Machine, Where};
use crate::probes::mounts::Mounts;
use crate::probes::program::{self, Output};

/// Where systems mount what comes and goes.
const VOLUMES: [&str; 4] = ["/Volumes", "/media", "/run/media", "/mnt"];

/// Reads the canonical repository, within the deadline and away from this process where its volume may hang.
///
/// # Errors
/// Where it cannot be looked at: no answer in time, no permission, a volume that hangs.
pub fn canonical(machine: &Machine, config: &Config, mirror: &Mirror) -> Result<Canonical, ProbeError> {
    let place = Place::of(mirror);
    away::look(machine, config, &place, What::Canonical, read)?.or_ask(config, || ask(config, &place))
}

/// The commit of the remote-tracking branch of a repository that was looked at before, where a file of its own says it:
/// that is all that git itself would read. `None`: the whole repository knows.
#[must_use]
pub fn tracking(machine: &Machine, repository: &Repository, mirror: &Mirror) -> Option<String> {
    let common = &repository.common_dir;
    if machine.guard(common) != Ok(Where::Here) || common.join("reftable").exists() {
        return None;
    }
    let text = plain::text(&common.join(mirror.tracking_ref())).ok()?;
    let sha = text.strip_suffix('\n')?;
    let is_sha =
        matches!(sha.len(), 40 | 64) && sha.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
    is_sha.then(|| sha.to_owned())
}

/// Reads it here, with libgit2 and nothing else.
pub(in crate::probes) fn read(place: &Place) -> Local<Canonical> {
    let path = &place.repository;
    match fs::metadata(path) {
        Ok(it) if it.is_dir() => {}
        Ok(_) => return Local::Read(Canonical::NotGit("it is a file".to_owned())),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Local::Read(unmounted(path).map_or(Canonical::Absent, Canonical::Unmounted));
        }
        Err(error) => return Local::failed("look at", path, &error),
    }
    match git2::Repository::open(path) {
        Ok(repository) => describe(place, &repository).map_or_else(
            |error| Local::Closed(error.message().to_owned()),
            |found| Local::Read(Canonical::Present(found)),
        ),
        Err(error) if error.code() == ErrorCode::NotFound => match barred(path) {
            Some((part, error)) => Local::failed("look into", &part, &error),
            None if path.join(".git").exists() => Local::Closed(error.message().to_owned()),
            None => Local::Read(not_git(path)),
        },
        Err(error) => Local::Closed(error.message().to_owned()),
    }
}

/// The part of a repository that may not be read, where git says only that there is none.
pub(crate) fn barred(path: &Path) -> Option<(PathBuf, std::io::Error)> {
    let git = path.join(".git");
    let parts = ["", "HEAD", "objects", "refs", "worktrees"].map(|part| git.join(part));
    let linked = fs::read_dir(git.join("worktrees")).into_iter().flatten().flatten().map(|it| it.path());
    parts.into_iter().chain(linked).find_map(|part| {
        let found = match fs::metadata(&part) {
            Ok(it) if it.is_dir() => fs::read_dir(&part).map(drop),
            Ok(_) => fs::File::open(&part).map(drop),
            Err(error) => Err(error),
        };
        let error = found.err().filter(|it| it.kind() == ErrorKind::PermissionDenied)?;
        Some((part, error))
    })
}

fn not_git(path: &Path) -> Canonical {
    if fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none()) {
        let empty = || Canonical::NotGit("it is an empty directory".to_owned());
        return unmounted(path).map_or_else(empty, Canonical::Unmounted);
    }
    let Ok(parent) = git2::Repository::discover(path) else {
        return Canonical::NotGit("it is not a git repository".to_owned());
    };
    let top = parent.workdir().unwrap_or_else(|| parent.path());
    Canonical::NotGit(format!("it lies inside the repository {} and is none itself", real(top).display()))
}

/// The place on which its volume is to be mounted, where nothing is and it is missing or empty.
fn unmounted(path: &Path) -> Option<PathBuf> {
    let root = VOLUMES.iter().map(Path::new).find(|root| path.starts_with(root))?;
    let mount = Mounts::read().ok()?.holding(path);
    if mount.point.starts_with(root) {
        return None;
    }
    let there = path.ancestors().find(|it| it.exists())?;
    let empty = fs::read_dir(there).is_ok_and(|mut entries| entries.next().is_none());
    // Below some roots each user has a folder of their own.
    let between = there == root || (root.ends_with("media") && there.parent() == Some(root));
    if empty && there != root {
        return Some(there.to_owned());
    }
    let next = path.strip_prefix(there).ok()?.components().next()?;
    between.then(|| there.join(next))
}

fn describe(place: &Place, repository: &git2::Repository) -> Result<Repository, git2::Error> {
    let top = repository.workdir().unwrap_or_else(|| repository.path());
    let common_dir = real(repository.commondir());
    let remote_url = match repository.find_remote(&place.remote) {
        Ok(remote) => Some(git::without_credentials(&String::from_utf8_lossy(remote.url_bytes()))),
        Err(error) if error.code() == ErrorCode::NotFound => None,
        Err(error) => return Err(error),
    };
    let tracking = match repository.refname_to_id(&place.tracking_ref()) {
        Ok(id) => Some(id.to_string()),
        Err(error) if error.code() == ErrorCode::NotFound => None,
        Err(error) => return Err(error),
    };
    Ok(Repository {
        top: real(top),
        symbolic: symbolic(place, repository),
        fetched: fetched(place, &common_dir, remote_url.as_deref()),
        branch_worktree: branch_worktree(place, repository, &common_dir),
        remote_url,
        tracking,
        common_dir,
    })
}

/// The first of the refs that a sync writes that is symbolic, and the ref it points at: a write would move that one.
fn symbolic(place: &Place, repository: &git2::Repository) -> Option<[String; 2]> {
    [place.tracking_ref(), format!("refs/heads/{}", place.branch)].into_iter().find_map(|name| {
        // Old gits wrote a symbolic ref as a link, and today's still follow it.
        if let Ok(target) = std::fs::read_link(repository.commondir().join(&name)) {
            return Some([name, target.to_string_lossy().into_owned()]);
        }
        let found = repository.find_reference(&name).ok()?;
        let target = String::from_utf8_lossy(found.symbolic_target_bytes()?).into_owned();
        Some([name, target])
    })
}

/// Where the mirror's branch is checked out: in the main worktree, or in a linked one, even one that is gone.
fn branch_worktree(place: &Place, repository: &git2::Repository, common_dir: &Path) -> Option<PathBuf> {
    let wanted = format!("ref: refs/heads/{}", place.branch);
    let on_it = |admin: &Path| plain::text(&admin.join("HEAD")).is_ok_and(|head| head.trim() == wanted);
    let main = common_dir.ends_with(".git") || !repository.is_bare();
    if main && on_it(common_dir) {
        return common_dir.parent().map(Path::to_owned);
    }
    let entries = fs::read_dir(common_dir.join("worktrees")).ok()?;
    let admin = entries.flatten().map(|entry| entry.path()).find(|admin| on_it(admin))?;
    let named = plain::text(&admin.join("gitdir")).ok()?;
    // The path may be relative, to the administrative directory.
    let link = admin.join(named.trim());
    link.parent().map(real)
}

/// When the remote's branch was last fetched: the newest `FETCH_HEAD` that tells of it, or the ref's own last change.
fn fetched(place: &Place, common_dir: &Path, remote_url: Option<&str>) -> Option<Timestamp> {
    let branch = format!("branch '{}' of ", place.upstream);
    let plain = |url: &str| url.trim_end_matches('/').trim_end_matches(".git").to_owned();
    let tells = |line: &str| {
        let url = line.split_once(&branch).map(|(_, url)| plain(&git::without_credentials(url)));
        url.is_some_and(|url| remote_url.is_none_or(|remote| plain(remote) == url))
    };
    let linked = fs::read_dir(common_dir.join("worktrees")).into_iter().flatten().flatten();
    let heads = std::iter::once(common_dir.to_owned()).chain(linked.map(|entry| entry.path()));
    let heads = heads
        .map(|admin| admin.join("FETCH_HEAD"))
        .filter(|head| plain::text(head).is_ok_and(|text| text.lines().any(tells)));
    let tracking = place.tracking_ref();
    let refs = [common_dir.join(&tracking), common_dir.join("logs").join(&tracking)];
    heads.chain(refs).filter_map(|file| modified(&file)).max()
}

pub(super) fn modified(file: &Path) -> Option<Timestamp> {
    Timestamp::try_from(fs::metadata(file).ok()?.modified().ok()?).ok()
}

/// The path with its links resolved, as far as that can be done.
fn real(path: &Path) -> PathBuf {
    let resolved = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    resolved.components().collect()
}

/// Asks the git program, where libgit2 cannot open the repository.
fn ask(config: &Config, place: &Place) -> Result<Canonical, ProbeError> {
    let git = |arguments: &[&str]| program::run(&git::command(config, &place.repository, arguments));
    let lines = |output: &Output| git::said(output).lines().map(str::to_owned).collect::<Vec<_>>();
    let found = git(&["rev-parse", "--path-format=absolute", "--is-bare-repository", "--git-common-dir"])?;
    if !found.succeeded() {
        return Ok(Canonical::NotGit(git::complaint(&found)));
    }
    let [bare, common_dir] = lines(&found).try_into().map_err(|lines: Vec<String>| {
        ProbeError::unreadable("what git says of the repository", &lines.join(", "))
    })?;
    let top = match bare.as_str() {
        "true" => real(Path::new(&common_dir)),
        _ => real(Path::new(&git::said(&git(&["rev-parse", "--show-toplevel"])?))),
    };
    if top != real(&place.repository) && bare != "true" {
        let why = format!("it lies inside the repository {} and is none itself", top.display());
        return Ok(Canonical::NotGit(why));
    }
    let url = git(&["remote", "get-url", "--", &place.remote])?;
    let remote_url = url.succeeded().then(|| git::without_credentials(&git::said(&url)));
    let tracking = git(&["rev-parse", "--verify", "--quiet", &place.tracking_ref()])?;
    let mut symbolic = None;
    for name in [place.tracking_ref(), format!("refs/heads/{}", place.branch)] {
        let target = git(&["symbolic-ref", "--quiet", &name])?;
        if symbolic.is_none() && target.succeeded() {
            symbolic = Some([name, git::said(&target)]);
        }
    }
    let worktrees = git(&["worktree", "list", "--porcelain", "-z"])?;
    let common_dir = real(Path::new(&common_dir));
    Ok(Canonical::Present(Repository {
        top,
        symbolic,
        tracking: tracking.succeeded().then(|| git::said(&tracking)),
        fetched: fetched(place, &common_dir, remote_url.as_deref()),
        branch_worktree: listed(&git::said(&worktrees), &place.branch),
        remote_url,
        common_dir,
    }))
}

/// The worktree that `worktree list --porcelain -z` says is on this branch.
fn listed(text: &str, branch: &str) -> Option<PathBuf> {
    let wanted = format!("branch refs/heads/{branch}");
    let record = text.split("\0\0").find(|record| record.split('\0').any(|line| line == wanted))?;
    let path = record.split('\0').find_map(|line| line.strip_prefix("worktree "))?;
    Some(real(Path::new(path)))
}
