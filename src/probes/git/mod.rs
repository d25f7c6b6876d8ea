//! What git knows: the canonical repository, the worktree, its changes, the remote.
//!
//! Local facts are read with libgit2, and with the git program where libgit2 cannot open a repository
//! (SHA-256, reftable). Changes and the remote are always asked of the git program.

mod canonical;
mod changes;
mod distance;
mod remote;
mod repeated;
mod rescued;
pub mod store;
pub mod submodules;
pub mod unchanged;
mod worktree;

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use canonical::barred;
pub use canonical::{canonical, tracking};
pub use changes::changes;
pub use distance::distance;
pub use remote::{failure, remote};
pub use repeated::{AGAIN, Repeated, repeated};
pub use rescued::{
    FOLDER, INSIDE, KEPT, LEFT, LEFT_INSIDE, REFS, Reference, Rescue, STAGED, WHICH, reference, rescued,
    size, within,
};
pub use worktree::{OPERATIONS, checkout, worktree};

pub(super) use canonical::read as read_canonical;
pub(super) use worktree::read as read_worktree;

/// The canonical repository, as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Canonical {
    /// Nothing is there.
    Absent,
    /// Nothing is there, and this place, where a volume is mounted, is missing or empty.
    Unmounted(PathBuf),
    /// Something is there, and git does not take it for a repository; its own words.
    NotGit(String),
    /// It is a repository.
    Present(Repository),
}

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// Its top level, or itself where it is bare; real path.
    pub top: PathBuf,
    /// Its common directory, real path: what its worktrees share.
    pub common_dir: PathBuf,
    /// The address of the remote, credentials removed; `None` where there is no such remote.
    pub remote_url: Option<String>,
    /// The remote-tracking branch's commit, as last fetched.
    pub tracking: Option<String>,
    /// The first of the tracking ref and the mirror's branch that is symbolic, and the ref it points at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbolic: Option<[String; 2]>,
    /// When the remote was last fetched from, by any git: the age of `FETCH_HEAD` or of the ref.
    pub fetched: Option<Timestamp>,
    /// Where the mirror's branch is checked out, if it is, real path.
    pub branch_worktree: Option<PathBuf>,
}

/// The mirror's worktree, as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Worktree {
    /// Nothing is there, or an empty directory.
    Absent,
    /// Something is there, and it is no worktree; why.
    NotGit(String),
    /// git finds another repository from there: a parent's, or a clone.
    Foreign {
        /// That one's top level.
        top: PathBuf,
        /// Its common directory.
        common_dir: PathBuf,
    },
    /// It is the mirror's own.
    Present(Checkout),
}

/// A worktree of the canonical repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkout {
    /// Its top level, real path.
    pub top: PathBuf,
    /// Its administrative directory.
    pub git_dir: PathBuf,
    /// The repository's common directory, real path.
    pub common_dir: PathBuf,
    /// The branch it is on, short; `None` where HEAD is detached.
    pub branch: Option<String>,
    /// The commit it is on; `None` where HEAD is unborn, empty or bad.
    pub head: Option<String>,
    /// When git's log of its HEAD was written: at every move. `None` where it keeps none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Timestamp>,
    /// The operation in progress: "merge", "rebase", "cherry-pick" …
    pub operation: Option<String>,
    /// Why it is locked against pruning and removal; `None` where it is not. No reason given is an empty one.
    pub kept: Option<String>,
    /// Lock files in the way: of its index, its HEAD, its branch and the remote-tracking ref.
    pub locks: Vec<Lock>,
}

/// A lock file of git's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// Where it is.
    pub path: PathBuf,
    /// When it was made.
    pub made: Timestamp,
    /// Its size in bytes; git's stale ones are mostly empty.
    pub bytes: u64,
}

/// How the files differ from HEAD.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Tracked files that differ, in the index or on disk, relative to the top; as git writes them.
    pub tracked: Vec<String>,
    /// Files that git neither tracks nor ignores.
    pub untracked: Vec<String>,
    /// Submodules that the repository has active and that are not checked out.
    pub missing: Vec<String>,
    /// Edited files that the index has taken for unchanged, or leaves out: `git status` says nothing of them.
    pub hidden: Vec<String>,
    /// Tracked files that git calls modified though they are what it checks out: nobody edited them.
    pub as_checked_out: Vec<String>,
    /// What git says of an index that it cannot read, so that it cannot compare anything.
    pub corrupt: Option<String>,
}

/// How far HEAD and the remote-tracking branch are apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distance {
    /// The remote-tracking branch's commit.
    pub of: String,
    /// Commits that only HEAD has.
    pub ahead: usize,
    /// Commits that only the remote-tracking branch has.
    pub behind: usize,
}

/// What the remote said about the one ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remote {
    /// Its commit.
    At {
        /// Full length.
        sha: String,
        /// How long it took to say so.
        took: Duration,
    },
    /// It answers, and has no such branch.
    NoSuchRef,
    /// It answers, and refuses: no such repository, no permission; git's own words, credentials removed.
    Refused(String),
    /// It could not be reached: DNS, no route, connection refused; git's own words.
    Unreachable(String),
}
