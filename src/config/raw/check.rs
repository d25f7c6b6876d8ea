//! `[check.NAME]` and `[[accept]]` as they are written.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::Text;
use crate::config::Reading;
use crate::declared::{
    Question, command, connect, disk, dns, env, file, git, http, interface, kernel_param, launch, listener,
    mount, package, process, service, tool, user,
};

/// What a built-in check counts as, or a check of your own: then it asks exactly one question.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Check {
    /// Whether something mistaken was taken out of it, which has been told.
    #[serde(skip)]
    pub is_cut: bool,
    /// `info`, `warning`, `error`, or `off`.
    #[schemars(with = "Option<String>")]
    pub severity: Option<Text>,
    /// What holds when it passes: one clause.
    #[schemars(with = "Option<String>")]
    pub summary: Option<Text>,
    /// What is told with its failure, in one line: what to do, whom to ask, where to read.
    #[schemars(with = "Option<String>")]
    pub help: Option<Text>,
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
    /// What it does not look at, though it should, each in your words: while there is any, it never passes.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub unchecked: Vec<Text>,
    /// How long the look may take; default: that of `--timeout`.
    #[schemars(with = "Option<String>")]
    pub timeout: Option<Text>,
    /// Where it applies.
    #[schemars(with = "Option<When>")]
    pub when: Option<Spanned<Box<When>>>,
    /// What mends it.
    #[schemars(with = "Option<Fix>")]
    pub fix: Option<Spanned<Box<Fix>>>,
    // Boxed, since a check asks one of these, and there may be thousands of checks.
    /// A program: how it ends, what it writes.
    #[schemars(with = "Option<command::Written>")]
    pub command: Option<Spanned<Box<command::Written>>>,
    /// A volume: how much room it has.
    #[schemars(with = "Option<disk::Written>")]
    pub disk: Option<Spanned<Box<disk::Written>>>,
    /// A name: whether it resolves, and to what.
    #[schemars(with = "Option<dns::Written>")]
    pub dns: Option<Spanned<Box<dns::Written>>>,
    /// A variable of the caller's environment.
    #[schemars(with = "Option<env::Written>")]
    pub env: Option<Spanned<Box<env::Written>>>,
    /// A path: what is there, what it holds, whose it is.
    #[schemars(with = "Option<file::Written>")]
    pub file: Option<Spanned<Box<file::Written>>>,
    /// A repository of git's: what it is on, whether it is clean.
    #[schemars(with = "Option<git::Written>")]
    pub git: Option<Spanned<Box<git::Written>>>,
    /// A group of users.
    #[schemars(with = "Option<user::WrittenGroup>")]
    pub unix_group: Option<Spanned<Box<user::WrittenGroup>>>,
    /// A network interface of this machine, and its addresses.
    #[schemars(with = "Option<interface::Written>")]
    pub interface: Option<Spanned<Box<interface::Written>>>,
    /// A parameter of the kernel, as `sysctl` names it.
    #[schemars(with = "Option<kernel_param::Written>")]
    pub kernel_param: Option<Spanned<Box<kernel_param::Written>>>,
    /// A place: what is mounted there.
    #[schemars(with = "Option<mount::Written>")]
    pub mount: Option<Spanned<Box<mount::Written>>>,
    /// A package: whether it is installed, in which version.
    #[schemars(with = "Option<package::Written>")]
    pub package: Option<Spanned<Box<package::Written>>>,
    /// Processes: how many of a sort run.
    #[schemars(with = "Option<process::Written>")]
    pub process: Option<Spanned<Box<process::Written>>>,
    /// A job of launchd's or systemd's: whether it runs, is loaded, is enabled.
    #[schemars(with = "Option<service::Written>")]
    pub service: Option<Spanned<Box<service::Written>>>,
    /// A program: whether it is found, in which version.
    #[schemars(with = "Option<tool::Written>")]
    pub tool: Option<Spanned<Box<tool::Written>>>,
    /// A user's account.
    #[schemars(with = "Option<user::Written>")]
    pub user: Option<Spanned<Box<user::Written>>>,
    /// An address of this machine: who listens there, and whether anybody does.
    #[schemars(with = "Option<listener::Written>")]
    pub listener: Option<Spanned<Box<listener::Written>>>,
    /// A port or a socket anywhere: whether it can be reached, and what it says first.
    #[schemars(with = "Option<connect::Written>")]
    pub connect: Option<Spanned<Box<connect::Written>>>,
    /// An address: what it answers, over http or https.
    #[schemars(with = "Option<http::Written>")]
    pub http: Option<Spanned<Box<http::Written>>>,
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

/// The questions that a check may ask, by the fields that hold them.
macro_rules! questions {
    ($($kind:ident),* $(,)?) => {
        impl Check {
            /// Every question that a check may ask, as it is written.
            #[must_use]
            pub fn questions() -> Vec<String> {
                [$(stringify!($kind)),*].map(|kind| kind.replace('_', "-")).to_vec()
            }

            /// How many questions it asks.
            #[must_use]
            pub fn asks(&self) -> usize {
                [$(self.$kind.is_some()),*].into_iter().filter(|asked| *asked).count()
            }

            /// What its question means; mistakes are written down.
            pub fn question(&mut self, it: &mut Reading<'_>) -> Option<Arc<dyn Question>> {
                $(if let Some(written) = self.$kind.take() {
                    let place = written.span();
                    return Some(Arc::new(written.into_inner().read(place, it)?));
                })*
                None
            }
        }
    };
}

questions! {
    command, connect, disk, dns, env, file, git, http, interface, kernel_param, listener, mount, package,
    process, service, tool, unix_group, user,
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
