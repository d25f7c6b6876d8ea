//! `[check.NAME]` and `[[accept]]` as they are written.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::Text;
use crate::declared::{command, env, launch};

/// What a built-in check counts as, or a check of your own: then it asks exactly one question.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Check {
    /// `info`, `warning`, `error`, or `off`.
    #[schemars(with = "Option<String>")]
    pub severity: Option<Text>,
    /// What holds when it passes: one clause.
    #[schemars(with = "Option<String>")]
    pub summary: Option<Text>,
    /// What it is listed under; default "checks".
    #[schemars(with = "Option<String>")]
    pub group: Option<Text>,
    /// Names by which several are selected.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub tags: Vec<Text>,
    /// Without these its answer is worth nothing: checks, groups, tags, `CHECK:SUBJECT`. A command is not even run.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub needs: Vec<Text>,
    /// How long the look may take; default: that of `--timeout`.
    #[schemars(with = "Option<String>")]
    pub timeout: Option<Text>,
    /// Where it applies.
    #[schemars(with = "Option<When>")]
    pub when: Option<Spanned<When>>,
    /// What mends it.
    #[schemars(with = "Option<Fix>")]
    pub fix: Option<Spanned<Fix>>,
    /// A program: how it ends, what it writes.
    #[schemars(with = "Option<command::Written>")]
    pub command: Option<Spanned<command::Written>>,
    /// A variable of the caller's environment.
    #[schemars(with = "Option<env::Written>")]
    pub env: Option<Spanned<env::Written>>,
}

/// Where a check applies; all that is said must hold.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct When {
    /// Systems: "linux", "macos".
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub os: Vec<Text>,
    /// Names of machines; `*` stands for anything.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub host: Vec<Text>,
    /// Variables that must be set to something.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub env: Vec<Text>,
}

/// What mends a check of your own.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fix {
    /// A verb phrase: "start the database".
    #[schemars(with = "Option<String>")]
    pub title: Option<Text>,
    /// `safe`: it interrupts and loses nothing, and `--fix` does it; `risky`: it is done only with `--risky`.
    #[schemars(with = "String")]
    pub safety: Text,
    /// How long it may take; default "5m".
    #[schemars(with = "Option<String>")]
    pub timeout: Option<Text>,
    /// How long the check may still fail after it; default: it must hold at once.
    #[schemars(with = "Option<String>")]
    pub within: Option<Text>,
    /// The program and its arguments; no shell is involved.
    #[schemars(with = "Option<Vec<String>>")]
    pub run: Option<Spanned<Vec<Text>>>,
    /// A script for `/bin/sh`; nothing in it is expanded by Housecall.
    #[schemars(with = "Option<String>")]
    pub script: Option<Text>,
    /// Where it runs; default: the configuration's own directory.
    #[schemars(with = "Option<String>")]
    pub directory: Option<Text>,
    /// Variables added to the caller's environment.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub env: std::collections::BTreeMap<String, Text>,
}

/// A finding that you live with for a while.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Accept {
    /// The unit: a check, or `CHECK:SUBJECT`.
    #[schemars(with = "String")]
    pub check: Text,
    /// Why it is lived with.
    #[schemars(with = "String")]
    pub reason: Text,
    /// The last day on which it is: 2026-12-31.
    #[schemars(with = "String")]
    pub until: Spanned<toml::value::Datetime>,
}

impl Check {
    /// Every question that a check may ask, and whether this one does.
    #[must_use]
    pub const fn questions(&self) -> [(&'static str, bool); 2] {
        [("command", self.command.is_some()), ("env", self.env.is_some())]
    }

    /// How many questions it asks.
    #[must_use]
    pub fn asks(&self) -> usize {
        self.questions().iter().filter(|(_, asked)| *asked).count()
    }
}

impl Fix {
    /// What it runs.
    #[must_use]
    pub fn launch(&mut self) -> launch::Written {
        launch::Written {
            run: self.run.take(),
            script: self.script.take(),
            directory: self.directory.take(),
            env: std::mem::take(&mut self.env),
        }
    }
}
