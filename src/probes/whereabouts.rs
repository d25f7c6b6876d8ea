//! Which worktree a directory is in, for a reader who has no configuration.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::error::ProbeError;
use crate::probes::machine::{Machine, Where};
use crate::probes::program::{Program, run};

/// A worktree of git's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Worktree {
    /// Its top level.
    #[serde(serialize_with = "as_text")]
    pub top: PathBuf,
    /// The branch it is on; `None` where it is on none.
    pub branch: Option<String>,
    /// The commit it is on; `None` where there is none yet.
    pub sha: Option<String>,
}

/// A path, or none, as JSON can hold it: bytes that are not UTF-8 are replaced, where serde would refuse the whole.
pub(crate) fn as_text<P: AsPath, S: Serializer>(path: &P, serializer: S) -> Result<S::Ok, S::Error> {
    path.as_path().map(Path::to_string_lossy).serialize(serializer)
}

/// What may be a path.
pub(crate) trait AsPath {
    /// The path, if there is one.
    fn as_path(&self) -> Option<&Path>;
}

impl AsPath for PathBuf {
    fn as_path(&self) -> Option<&Path> {
        Some(self)
    }
}

impl AsPath for Option<PathBuf> {
    fn as_path(&self) -> Option<&Path> {
        self.as_deref()
    }
}

/// How long the git program may take.
const DEADLINE: Duration = Duration::from_secs(3);

/// The worktree that holds this directory; `None` where it is in none.
///
/// # Errors
/// The volume hangs, or the repository cannot be read, such as one of another user.
pub fn read(machine: &Machine, directory: &Path) -> Result<Option<Worktree>, ProbeError> {
    let place = machine.guard(directory)?;
    if place == Where::Here {
        match git2::Repository::discover(directory) {
            Ok(repository) => return Ok(of(&repository)),
            Err(error) if error.code() == git2::ErrorCode::NotFound => return Ok(None),
            // libgit2 does not know every kind of repository.
            Err(_) => (),
        }
    }
    let program = asking(directory);
    let output = match &place {
        Where::Here => run(&program)?,
        Where::InChild(mount) => machine.in_child(mount, &program)?,
    };
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    match said.lines().collect::<Vec<_>>()[..] {
        [top, sha, branch] => Ok(Some(Worktree {
            top: PathBuf::from(top),
            branch: (branch != "HEAD").then(|| branch.to_owned()),
            sha: Some(sha.to_owned()),
        })),
        [] if complaint.contains("not a git repository") => Ok(None),
        _ => Err(ProbeError::failed(
            "ask git for the worktree",
            &complaint.lines().next().unwrap_or("no answer"),
        )),
    }
}

fn of(repository: &git2::Repository) -> Option<Worktree> {
    let top = repository.workdir()?;
    let top: PathBuf = top.components().collect();
    let head = repository.head().ok();
    let branch = head.as_ref().filter(|head| head.is_branch()).and_then(|head| head.shorthand().ok());
    let branch = branch.map(str::to_owned);
    let sha = head.as_ref().and_then(git2::Reference::target).map(|it| it.to_string());
    Some(Worktree { top, branch, sha })
}

fn asking(directory: &Path) -> Program {
    let mut argv: Vec<std::ffi::OsString> = vec!["git".into(), "-C".into(), directory.into()];
    argv.extend(["rev-parse", "--show-toplevel", "HEAD", "--abbrev-ref", "HEAD"].map(Into::into));
    let environment = [
        ("PATH", "/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin"),
        ("LC_ALL", "C"),
        ("GIT_OPTIONAL_LOCKS", "0"),
        ("GIT_TERMINAL_PROMPT", "0"),
    ];
    Program {
        argv,
        directory: None,
        environment: environment.map(|(name, value)| (name.into(), value.into())).into(),
        deadline: DEADLINE,
        limit: 64 << 10,
    }
}
