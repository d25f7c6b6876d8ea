//! `housecall.toml` as it is written: its keys, their types, and where each stands. The JSON schema is made of this.

pub mod check;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

pub use check::{Accept, Check, Fix, When};

/// A text and its place.
pub type Text = Spanned<String>;

/// The configuration of one mirror, `housecall.toml`. Every part is optional.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct File {
    /// The mirror's name; without it, the repository's directory name.
    #[schemars(with = "Option<String>")]
    pub name: Option<Text>,
    /// The ranges of the tools that the jobs run, `node = ">=22 <23"`, and `path`: directories put first in their PATH.
    #[schemars(with = "Option<BTreeMap<String, RangeOrPath>>")]
    pub runtime: Option<Spanned<BTreeMap<String, Spanned<RangeOrPath>>>>,
    /// The worktree and what it follows.
    #[schemars(with = "Option<Mirror>")]
    pub mirror: Option<Spanned<Mirror>>,
    /// The server that runs from the worktree.
    #[schemars(with = "Option<Serve>")]
    pub serve: Option<Spanned<Serve>>,
    /// The pages that must answer; without any, the ready path with status 200.
    #[serde(default)]
    #[schemars(with = "Vec<Page>")]
    pub page: Vec<Spanned<Page>>,
    /// How the jobs are kept.
    pub jobs: Option<Jobs>,
    /// Other jobs that must run and answer.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Service>")]
    pub service: BTreeMap<Text, Spanned<Service>>,
    /// What a built-in check counts as, or a check of your own.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Check>")]
    pub check: BTreeMap<Text, Spanned<Box<Check>>>,
    /// Findings that you live with for a while.
    #[serde(default)]
    #[schemars(with = "Vec<Accept>")]
    pub accept: Vec<Spanned<Accept>>,
    /// Values for `${NAME}` in checks of your own; they come before the environment's.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub variables: BTreeMap<Text, Text>,
    /// Files with more checks, accepted findings and variables, beside this one: "checks/*.toml".
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub include: Vec<Text>,
}

/// A version range, or directories.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a version range such as \">=22 <23\"")]
pub enum RangeOrPath {
    /// A range.
    Range(String),
    /// Directories.
    Path(Vec<String>),
}

/// The worktree and what it follows.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mirror {
    /// The canonical repository, which is never written to; a relative path starts at this file.
    #[schemars(with = "Option<String>")]
    pub repository: Option<Text>,
    /// The remote and its branch; default "origin/main".
    #[schemars(with = "Option<String>")]
    pub upstream: Option<Text>,
    /// The mirror's own worktree, outside the repository; default: `worktree` beneath `state`.
    #[schemars(with = "Option<String>")]
    pub worktree: Option<Text>,
    /// The branch it is on; default "localhost-sync".
    #[schemars(with = "Option<String>")]
    pub branch: Option<Text>,
    /// State, logs and journal; default `~/.local/state/housecall/NAME`.
    #[schemars(with = "Option<String>")]
    pub state: Option<Text>,
    /// How often it is aligned; default "60s".
    #[schemars(with = "Option<String>")]
    pub every: Option<Text>,
    /// What installs the dependencies, as an argument list.
    #[schemars(with = "Option<Vec<String>>")]
    pub install: Option<Spanned<Vec<String>>>,
    /// What builds before a restart, as an argument list.
    #[schemars(with = "Option<Vec<String>>")]
    pub build: Option<Spanned<Vec<String>>>,
    /// Files that git does not track, copied from the repository, relative to it.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub carry: Vec<Text>,
}

/// The server that runs from the worktree: `run` or `static`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Serve {
    /// The server's program, as an argument list.
    #[schemars(with = "Option<Vec<String>>")]
    pub run: Option<Spanned<Vec<String>>>,
    /// A directory inside the worktree that Housecall serves itself.
    #[serde(rename = "static")]
    #[schemars(with = "Option<String>")]
    pub directory: Option<Text>,
    /// The one address at which it must answer: "127.0.0.1:4321".
    #[schemars(with = "Option<String>")]
    pub listen: Option<Text>,
    /// Whether it serves what its files are now, or what they were when it started: `false` has it restarted whenever the
    /// worktree moves; default true.
    #[schemars(with = "Option<bool>")]
    pub watches: Option<Spanned<bool>>,
    /// Variables added to its clean environment.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// When it counts as started.
    pub ready: Option<Ready>,
}

/// When a server counts as started.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Ready {
    /// The path that must answer; default "/".
    #[schemars(with = "Option<String>")]
    pub path: Option<Text>,
    /// How long a start may take; default "60s".
    #[schemars(with = "Option<String>")]
    pub within: Option<Text>,
}

/// A page that must answer.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Page {
    /// Its path on the server.
    #[schemars(with = "Option<String>")]
    pub path: Option<Text>,
    /// Its whole address, where this mirror runs no server.
    #[schemars(with = "Option<String>")]
    pub url: Option<Text>,
    /// The `[service.NAME]` whose page it is; its path is looked for at that service's address.
    #[schemars(with = "Option<String>")]
    pub service: Option<Text>,
    /// The status it must have; default 200.
    #[schemars(with = "Option<u16>")]
    pub status: Option<Spanned<u16>>,
    /// Texts that it must contain.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub contains: Vec<Text>,
    /// Texts that it must not contain.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub absent: Vec<Text>,
    /// Regular expressions that it must match.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub matches: Vec<Text>,
    /// A regular expression whose one group is the SHA that the page was made from.
    #[schemars(with = "Option<String>")]
    pub sha: Option<Text>,
}

/// How the jobs are kept.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Jobs {
    /// `auto`, `launchd`, `systemd` or `embedded`.
    #[schemars(with = "Option<String>")]
    pub manager: Option<Text>,
    /// What their labels begin with.
    #[schemars(with = "Option<String>")]
    pub label: Option<Text>,
    /// Labels of jobs that already have names: `sync`, `serve`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub labels: BTreeMap<Text, Text>,
}

/// Another job that must run and answer.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Service {
    /// Its label, where launchd keeps it.
    #[schemars(with = "Option<String>")]
    pub label: Option<Text>,
    /// Its unit, where systemd keeps it: "conductor.service".
    #[schemars(with = "Option<String>")]
    pub unit: Option<Text>,
    /// Whose job it is: `agent`, the user's, or `daemon`, the system's; default `agent`.
    #[schemars(with = "Option<String>")]
    pub scope: Option<Text>,
    /// Where it answers: an address, or where its property list says so.
    #[schemars(with = "Option<Health>")]
    pub health: Option<Spanned<Health>>,
    /// The status it must answer with; default 200.
    #[schemars(with = "Option<u16>")]
    pub status: Option<Spanned<u16>>,
    /// How often it is asked after a reload before it is given up; default 30.
    #[schemars(with = "Option<u16>")]
    pub tries: Option<Spanned<u16>>,
    /// How long between two tries; default "1s".
    #[schemars(with = "Option<String>")]
    pub every: Option<Text>,
    /// How long one try may take; default "5s".
    #[schemars(with = "Option<String>")]
    pub timeout: Option<Text>,
}

/// Where a service answers.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "expected an address, or { plist-key = \"…\", default = \"http://…\", path = \"/…\" }"
)]
pub enum Health {
    /// There.
    Address(String),
    /// Where its installed property list says.
    Plist(PlistHealth),
}

/// An address that a job's installed property list names.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PlistHealth {
    /// The key, nested ones with dots: "EnvironmentVariables.API".
    pub plist_key: String,
    /// The address where the property list does not have it.
    pub default: Option<String>,
    /// What is added to it: "/healthz".
    pub path: Option<String>,
}
