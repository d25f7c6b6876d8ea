//! `user` and `unix-group`: accounts of the system.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::Question;
use super::several::{self, AnyId, AnyText};
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
    uid: Option<AnyId>,
    gid: Option<AnyId>,
    groups: Vec<String>,
    only: bool,
    home: Vec<PathBuf>,
    shell: Vec<PathBuf>,
}

/// A group, and what is asked of it.
#[derive(Debug, Clone)]
pub struct Group {
    name: String,
    exists: bool,
    gid: Option<AnyId>,
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
    /// The number, several any of which is right, or `{ min, max, above, below }`.
    #[schemars(with = "Option<AnyId>")]
    pub uid: Option<Spanned<AnyId>>,
    /// The same of the primary group.
    #[schemars(with = "Option<AnyId>")]
    pub gid: Option<Spanned<AnyId>>,
    /// Groups that the user is in, by name or number; there may be more.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub groups: Vec<config::Text>,
    /// Whether the user may be in no other groups; default false.
    pub only: Option<bool>,
    /// The home directory, or several any of which is right.
    #[schemars(with = "Option<AnyText>")]
    pub home: Option<Spanned<AnyText>>,
    /// The login shell, or several any of which is right.
    #[schemars(with = "Option<AnyText>")]
    pub shell: Option<Spanned<AnyText>>,
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
    /// The number, several any of which is right, or `{ min, max, above, below }`.
    #[schemars(with = "Option<AnyId>")]
    pub gid: Option<Spanned<AnyId>>,
}

impl Written {
    /// What it means; mistakes are written down.
    pub fn read(self, _: Range<usize>, it: &mut Reading<'_>) -> Option<User> {
        let user = User {
            name: it.text(&self.name)?,
            exists: self.exists.unwrap_or(true),
            uid: AnyId::read(self.uid.as_ref(), it)?,
            gid: AnyId::read(self.gid.as_ref(), it)?,
            groups: it.texts(&self.groups)?,
            only: self.only.unwrap_or(false),
            home: AnyText::read(self.home.as_ref(), it, |text, it| it.path(text))?,
            shell: AnyText::read(self.shell.as_ref(), it, |text, it| it.path(text))?,
        };
        let asks_more = user.uid.is_some()
            || user.gid.is_some()
            || !user.groups.is_empty()
            || !user.home.is_empty()
            || !user.shell.is_empty();
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
        let gid = AnyId::read(self.gid.as_ref(), it)?;
        Some(Group { name: it.text(&self.name)?, exists, gid })
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
        let number = |wanted: &Option<AnyId>, actual: u32| {
            let other = wanted.as_ref().filter(|it| !it.has(actual));
            other.map(|it| (it.to_string(), actual.to_string()))
        };
        let path = |wanted: &[PathBuf], actual: &PathBuf| {
            let shown: Vec<String> = wanted.iter().map(|it| it.display().to_string()).collect();
            let is_other = !wanted.is_empty() && !wanted.contains(actual);
            is_other.then(|| (several::or(&shown), actual.display().to_string()))
        };
        let others = [
            ("number", number(&self.uid, found.uid)),
            ("primary group", number(&self.gid, found.gid)),
            ("home directory", path(&self.home, &found.home)),
            ("shell", path(&self.shell, &found.shell)),
        ];
        for (what, other) in others {
            if let Some((expected, actual)) = other {
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
        Ok(match (found, self.exists, &self.gid) {
            (None, true, _) => Verdict::fail(format!("there is no group {name}")),
            (Some(_), false, _) => Verdict::fail(format!("there is a group {name}")),
            (Some(actual), true, Some(gid)) if !gid.has(actual) => {
                let failure = Verdict::fail(format!("the group {name} has another number"));
                failure.with("expected", gid.to_string()).with("actual", actual.to_string())
            }
            (None, false, _) | (Some(_), true, _) => Verdict::pass(),
        })
    }
}
