//! Looks at what lies on a volume that may hang: in a child process of our own, which can be left behind.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::config::{Config, Mirror, Trust};
use crate::error::ProbeError;
use crate::probes::machine::{Machine, Where};
use crate::probes::mounts::Mount;
use crate::probes::{declared, files, git};

/// The most that a child may answer, in bytes: a whole file's content, escaped.
const ANSWER: usize = 128 << 20;

/// What a child has to know of the mirror, and no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) repository: PathBuf,
    pub(crate) remote: String,
    pub(crate) upstream: String,
    pub(crate) worktree: PathBuf,
    pub(crate) branch: String,
    pub(crate) carry: Vec<PathBuf>,
}

/// What can be looked at from an address of files alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Canonical,
    Worktree,
    Carried,
    File,
    Disk,
}

/// What a local look came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Local<T> {
    /// It was read.
    Read(T),
    /// libgit2 cannot open the repository; the git program may know more.
    Closed(String),
    /// The system said no: a verb phrase, and its words.
    Failed(String, String),
}

impl Place {
    pub(crate) fn of(mirror: &Mirror) -> Self {
        Self {
            repository: mirror.repository.clone(),
            remote: mirror.remote.clone(),
            upstream: mirror.upstream.clone(),
            worktree: mirror.worktree.clone(),
            branch: mirror.branch.clone(),
            carry: mirror.carry.clone(),
        }
    }

    pub(crate) fn tracking_ref(&self) -> String {
        format!("refs/remotes/{}/{}", self.remote, self.upstream)
    }
}

impl What {
    const ALL: [Self; 5] = [Self::Canonical, Self::Worktree, Self::Carried, Self::File, Self::Disk];

    const fn name(self) -> &'static str {
        match self {
            Self::Canonical => "canonical",
            Self::Worktree => "worktree",
            Self::Carried => "carried",
            Self::File => "file",
            Self::Disk => "disk",
        }
    }
}

impl<T> Local<T> {
    pub(crate) fn failed(what: &str, path: &Path, why: &dyn std::fmt::Display) -> Self {
        Self::Failed(format!("{what} {}", path.display()), why.to_string())
    }

    /// The answer, or what the git program says where libgit2 had to give up and the program may be run.
    pub(crate) fn or_ask(
        self,
        config: &Config,
        ask: impl FnOnce() -> Result<T, ProbeError>,
    ) -> Result<T, ProbeError> {
        match self {
            Self::Read(answer) => Ok(answer),
            Self::Closed(_) if config.trust == Trust::Trusted => ask(),
            Self::Closed(_) => Err(ProbeError::NotTrusted { what: "git".to_owned() }),
            Self::Failed(what, why) => Err(ProbeError::Failed { what, why }),
        }
    }
}

/// Looks here, or in a child where the mount table says that the repository's or the worktree's volume may hang.
pub(crate) fn look<T: DeserializeOwned>(
    machine: &Machine,
    config: &Config,
    place: &Place,
    what: What,
    here: fn(&Place) -> T,
) -> Result<T, ProbeError> {
    let mut away = machine.guard(&place.repository)?;
    if what != What::Canonical && away == Where::Here {
        away = machine.guard(&place.worktree)?;
    }
    let Where::InChild(mount) = away else {
        return Ok(here(place));
    };
    in_child(machine, config, &mount, what, place, config.limits.timeout)
}

/// Looks at one path here, or in a child where the mount table says that its volume may hang.
pub(crate) fn look_at<O: Serialize, T: DeserializeOwned>(
    machine: &Machine,
    config: &Config,
    path: &Path,
    (what, order): (What, &O),
    deadline: Duration,
    here: fn(&O) -> Local<T>,
) -> Result<T, ProbeError> {
    let seen = match machine.guard(path)? {
        Where::Here => here(order),
        Where::InChild(mount) => in_child(machine, config, &mount, what, order, deadline)?,
    };
    match seen {
        Local::Read(answer) => Ok(answer),
        Local::Closed(why) => Err(ProbeError::failed(format!("look at {}", path.display()), &why)),
        Local::Failed(what, why) => Err(ProbeError::Failed { what, why }),
    }
}

fn in_child<O: Serialize, T: DeserializeOwned>(
    machine: &Machine,
    config: &Config,
    mount: &Mount,
    what: What,
    order: &O,
    deadline: Duration,
) -> Result<T, ProbeError> {
    let unreadable = |why: &dyn std::fmt::Display| ProbeError::unreadable("what a child of ours saw", why);
    let order = serde_json::to_string(order).map_err(|error| unreadable(&error))?;
    let mut child = machine.look_program(&[what.name(), &order], &config.environment, deadline);
    child.limit = ANSWER;
    let output = machine.in_child(mount, &child)?;
    if !output.succeeded() {
        let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(ProbeError::failed(format!("look at {}", mount.point.display()), &why));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| unreadable(&error))
}

/// What `housecall __look WHAT ORDER` (see [`crate::probes::machine::LOOK`]) prints: the child's side of a look at a volume that may hang.
///
/// # Errors
/// Arguments that no parent of this version gives.
pub fn look_in_child(arguments: &[String]) -> Result<String, ProbeError> {
    let [name, order] = arguments else {
        return Err(disorder(&"it has two words: what, and where"));
    };
    let what = What::ALL.into_iter().find(|it| it.name() == name);
    match what.ok_or_else(|| disorder(&"nothing of that name can be looked at"))? {
        What::Canonical => told(order, git::read_canonical),
        What::Worktree => told(order, git::read_worktree),
        What::Carried => told(order, files::read),
        What::File => told(order, declared::file::read),
        What::Disk => told(order, declared::disk::read),
    }
}

fn told<O: DeserializeOwned, T: Serialize>(order: &str, look: fn(&O) -> T) -> Result<String, ProbeError> {
    let order = serde_json::from_str(order).map_err(|error| disorder(&error))?;
    serde_json::to_string(&look(&order)).map_err(|error| disorder(&error))
}

fn disorder(why: &dyn std::fmt::Display) -> ProbeError {
    ProbeError::unreadable("the order to look", why)
}
