//! Users and groups, as the system's own name service knows them: files, directories of a network, macOS's Open Directory.

use std::path::PathBuf;
use std::time::Duration;

use nix::unistd;

use crate::error::ProbeError;
use crate::probes::program::{self, Program};

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// The number.
    pub uid: u32,
    /// The primary group.
    pub gid: u32,
    /// The home directory.
    pub home: PathBuf,
    /// The login shell.
    pub shell: PathBuf,
}

/// The user of that name; `None` where there is none.
///
/// # Errors
/// The name service fails: that says nothing of the user.
pub fn user(name: &str) -> Result<Option<User>, ProbeError> {
    let failed = |error| ProbeError::failed(format!("look the user {name} up"), &error);
    let found = unistd::User::from_name(name).map_err(failed)?;
    Ok(found.map(|it| User {
        name: it.name,
        uid: it.uid.as_raw(),
        gid: it.gid.as_raw(),
        home: it.dir,
        shell: it.shell,
    }))
}

/// The number of the group of that name; `None` where there is none.
///
/// # Errors
/// As for [`user`].
pub fn group(name: &str) -> Result<Option<u32>, ProbeError> {
    let failed = |error| ProbeError::failed(format!("look the group {name} up"), &error);
    Ok(unistd::Group::from_name(name).map_err(failed)?.map(|it| it.gid.as_raw()))
}

/// A user's name, for people; else the number.
#[must_use]
pub fn user_name(uid: u32) -> String {
    let found = unistd::User::from_uid(uid.into()).ok().flatten();
    found.map_or_else(|| uid.to_string(), |it| it.name)
}

/// A group's name, for people; else the number.
#[must_use]
pub fn group_name(gid: u32) -> String {
    let found = unistd::Group::from_gid(gid.into()).ok().flatten();
    found.map_or_else(|| gid.to_string(), |it| it.name)
}

/// The numbers of all groups that a user is in.
///
/// # Errors
/// `id` cannot be run, or says something else.
pub fn groups_of(name: &str, deadline: Duration) -> Result<Vec<u32>, ProbeError> {
    let what = || format!("ask for the groups of {name}");
    let program = Program {
        argv: ["id", "-G", "--", name].map(Into::into).to_vec(),
        directory: None,
        environment: [("PATH", "/usr/bin:/bin"), ("LC_ALL", "C")].map(|(k, v)| (k.into(), v.into())).into(),
        deadline,
        limit: 1 << 20,
    };
    let output = program::run(&program)?;
    if !output.succeeded() {
        return Err(ProbeError::failed(what(), &String::from_utf8_lossy(&output.stderr).trim()));
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let groups: Result<Vec<u32>, _> = said.split_whitespace().map(str::parse).collect();
    groups.map_err(|error| ProbeError::failed(what(), &error))
}
