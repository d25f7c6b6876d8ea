//! `user` and `unix-group`: accounts of the system.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Question;
use super::who::Who;
use crate::config::{self, Reading};
use crate::cx::Cx;
use crate::probes::accounts;
use crate::verdict::{Seen, Verdict};

/// A user, and what is asked of the account.
#[derive(Debug, Clone)]
pub struct User {
    name: String,
    exists: bool,
    uid: Option<u32>,
    gid: Option<u32>,
    groups: Vec<String>,
    only: bool,
    home: Option<PathBuf>,
    shell: Option<PathBuf>,
}

/// A group, and what is asked of it.
#[derive(Debug, Clone)]
pub struct Group {
    name: String,
    exists: bool,
    gid: Option<u32>,
}

/// A user as it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Written {
    /// The name.
    #[schemars(with = "String")]
    pub name: config::Text,
    /// Whether there must be such a user, or none; default true.
    pub exists: Option<bool>,
    /// The number.
    pub uid: Option<u32>,
    /// The number of the primary group.
    pub gid: Option<u32>,
    /// Groups that the user is in, by name or number; there may be more.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub groups: Vec<config::Text>,
    /// Whether the user may be in no other groups; default false.
    pub only: Option<bool>,
    /// The home directory.
    #[schemars(with = "Option<String>")]
    pub home: Option<config::Text>,
    /// The login shell.
    #[schemars(with = "Option<String>")]
    pub shell: Option<config::Text>,
}

/// A group as it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WrittenGroup {
    /// The name.
    #[schemars(with = "String")]
    pub name: config::Text,
    /// Whether there must be such a group, or none; default true.
    pub exists: Option<bool>,
    /// The number.
    pub gid: Option<u32>,
}

impl Written {
    /// What it means; mistakes are written down.
    pub fn read(self, _: Range<usize>, it: &mut Reading<'_>) -> Option<User> {
        let user = User {
            name: it.text(&self.name)?,
            exists: self.exists.unwrap_or(true),
            uid: self.uid,
            gid: self.gid,
            groups: it.texts(&self.groups)?,
            only: self.only.unwrap_or(false),
            home: it.maybe(self.home.as_ref(), Reading::path)?,
            shell: it.maybe(self.shell.as_ref(), Reading::path)?,
        };
        let asks_more = user.uid.is_some()
            || user.gid.is_some()
            || !user.groups.is_empty()
            || user.home.is_some()
            || user.shell.is_some();
        if user.only && user.groups.is_empty() {
            it.wrong(self.name.span(), "`only` has nothing to be only of", "add `groups`");
            return None;
        }
        if !user.exists && asks_more {
            it.wrong(self.name.span(), "of who must not be there nothing can be asked", "");
            return None;
        }
        Some(user)
    }
}

impl WrittenGroup {
    /// What it means; mistakes are written down.
    pub fn read(self, _: Range<usize>, it: &mut Reading<'_>) -> Option<Group> {
        let exists = self.exists.unwrap_or(true);
        if !exists && self.gid.is_some() {
            it.wrong(self.name.span(), "a group that must not be there has no number", "leave `gid` out");
            return None;
        }
        Some(Group { name: it.text(&self.name)?, exists, gid: self.gid })
    }
}

impl Question for User {
    fn summary(&self) -> String {
        let Self { name, exists, .. } = self;
        if *exists {
            format!("the user {name} is as it should be")
        } else {
            format!("there is no user {name}")
        }
    }

    /// Asks the system's name service.
    ///
    /// # Errors
    /// It fails.
    fn look(&self, cx: &Cx, deadline: Duration) -> Seen {
        let name = &self.name;
        let found = cx.user(name)?;
        let found = match (&*found, self.exists) {
            (None, false) => return Ok(Verdict::pass()),
            (None, true) => return Ok(Verdict::fail(format!("there is no user {name}"))),
            (Some(_), false) => return Ok(Verdict::fail(format!("there is a user {name}"))),
            (Some(found), true) => found,
        };
        let path = |path: &PathBuf| path.display().to_string();
        let asked = [
            ("number", self.uid.map(|it| it.to_string()), found.uid.to_string()),
            ("primary group", self.gid.map(|it| it.to_string()), found.gid.to_string()),
            ("home directory", self.home.as_ref().map(path), path(&found.home)),
            ("shell", self.shell.as_ref().map(path), path(&found.shell)),
        ];
        for (what, expected, actual) in asked {
            if let Some(expected) = expected.filter(|expected| *expected != actual) {
                let failure = Verdict::fail(format!("the user {name} has another {what}"));
                return Ok(failure.with("expected", expected).with("actual", actual));
            }
        }
        if self.groups.is_empty() {
            return Ok(Verdict::pass());
        }
        let in_them = accounts::groups_of(name, deadline)?;
        let mut others: BTreeSet<u32> = in_them.iter().copied().collect();
        for group in &self.groups {
            let gid = group.parse().map_or_else(|_| Who::Name(group.clone()), Who::Id).gid(cx)?;
            let Some(gid) = gid else { return Ok(Verdict::fail(format!("there is no group {group}"))) };
            if !in_them.contains(&gid) {
                let names: Vec<String> = in_them.iter().map(|gid| accounts::group_name(*gid)).collect();
                let failure = Verdict::fail(format!("the user {name} is not in the group {group}"));
                return Ok(failure.with("expected", &**group).with("actual", names.join(", ")));
            }
            others.remove(&gid);
        }
        Ok(match others.first().filter(|_| self.only) {
            None => Verdict::pass(),
            Some(other) => {
                let other = accounts::group_name(*other);
                let failure = Verdict::fail(format!("the user {name} is in the group {other} too"));
                failure.with("expected", self.groups.join(", ")).with("actual", other)
            }
        })
    }
}

impl Question for Group {
    fn summary(&self) -> String {
        let Self { name, exists, .. } = self;
        if *exists { format!("there is a group {name}") } else { format!("there is no group {name}") }
    }

    /// Asks the system's name service.
    ///
    /// # Errors
    /// It fails.
    fn look(&self, cx: &Cx, _: Duration) -> Seen {
        let name = &self.name;
        let found = *cx.group(name)?;
        Ok(match (found, self.exists, self.gid) {
            (None, true, _) => Verdict::fail(format!("there is no group {name}")),
            (Some(_), false, _) => Verdict::fail(format!("there is a group {name}")),
            (Some(actual), true, Some(gid)) if gid != actual => {
                let failure = Verdict::fail(format!("the group {name} has another number"));
                failure.with("expected", gid.to_string()).with("actual", actual.to_string())
            }
            (None, false, _) | (Some(_), true, _) => Verdict::pass(),
        })
    }
}
