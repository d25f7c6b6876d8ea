//! What only declared checks ask for, and many of them at once: each fact is read once for all.

use super::Cx;
use crate::probes::declared::packages;
use crate::probes::{Answer, Keyed, Probe, accounts, processes};

/// The facts of declared checks.
#[derive(Debug, Default)]
pub(super) struct Facts {
    users: Keyed<String, Option<accounts::User>>,
    groups: Keyed<String, Option<u32>>,
    processes: Probe<processes::Processes>,
    packages: Keyed<packages::Database, packages::Installed>,
}

impl Cx {
    /// The user of that name.
    ///
    /// # Errors
    /// See [`accounts::user`].
    pub fn user(&self, name: &str) -> Answer<Option<accounts::User>> {
        self.declared.users.get(name.to_owned(), || {
            self.machine("users")?;
            accounts::user(name)
        })
    }

    /// The number of the group of that name.
    ///
    /// # Errors
    /// See [`accounts::group`].
    pub fn group(&self, name: &str) -> Answer<Option<u32>> {
        self.declared.groups.get(name.to_owned(), || {
            self.machine("groups")?;
            accounts::group(name)
        })
    }

    /// All processes.
    ///
    /// # Errors
    /// See [`processes::all`].
    pub fn processes(&self) -> Answer<processes::Processes> {
        self.declared.processes.get(|| {
            self.machine("processes")?;
            processes::all()
        })
    }

    /// What is installed, as the database of a manager says that is a file.
    ///
    /// # Errors
    /// See [`packages::read`].
    pub fn packages(&self, database: packages::Database) -> Answer<packages::Installed> {
        self.declared.packages.get(database, || {
            self.machine("packages")?;
            packages::read(database)
        })
    }
}
