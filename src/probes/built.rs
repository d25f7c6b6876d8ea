//! What was last built, and what the server was last seen to serve, by the stamps that a sync leaves.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::{Config, Serving};
use crate::probes::files::{self, Carried};

/// `<state>/built.json`. What it does not say was not done, or not to the end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Built {
    /// The version of this shape.
    pub schema: u32,
    /// The last build that ended well; none while one runs, for it may have replaced half of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,
    /// The last build, where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<FailedBuild>,
    /// The last time that a mend brought the worktree's files, where the server does not notice; none while one does, and
    /// where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Moved>,
    /// The server that answered last after what it serves was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served: Option<Served>,
}

/// A build that ended well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// The commit that it was made from.
    pub sha: String,
    /// What was run.
    pub command: Vec<String>,
    /// When the dependencies were installed that it used, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed: Option<Timestamp>,
    /// When it ended.
    pub at: Timestamp,
}

/// A build that failed: with the same commit, command, dependencies, runtime and carried files it is likely to fail again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedBuild {
    /// The commit that it was to be made from.
    pub sha: String,
    /// What was run.
    pub command: Vec<String>,
    /// When the dependencies were installed that it used, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed: Option<Timestamp>,
    /// See [`inputs`]; of an older version none, which is like no other.
    #[serde(default)]
    pub inputs: String,
    /// How many times in a row.
    pub times: u32,
    /// When it ended.
    pub at: Timestamp,
    /// Its last words.
    pub why: String,
    /// The one try that is not waited for.
    #[serde(default)]
    pub extra: Extra,
}

/// What has become of the one try that a failed build has at once where its files are put right: what somebody had done to
/// them may have been why it failed. A program that does it in each cycle has no other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extra {
    /// They have been as they should be ever since.
    #[default]
    Unused,
    /// They were put right: the next cycle builds.
    Due,
    /// It was made, and failed.
    Spent,
}

/// The longest that a build which fails is left alone.
const LONGEST: Duration = Duration::from_mins(15);

impl FailedBuild {
    /// Whether it was of the same.
    #[must_use]
    pub fn is_of(&self, sha: &str, command: &[String], installed: Option<Timestamp>, inputs: &str) -> bool {
        (self.sha.as_str(), self.command.as_slice()) == (sha, command)
            && (self.installed, self.inputs.as_str()) == (installed, inputs)
    }

    /// When the jobs try it again: longer each time, and a part of a cycle less, since the one that comes next does it.
    #[must_use]
    pub fn again(&self, every: Duration) -> Timestamp {
        if self.extra == Extra::Due {
            return self.at;
        }
        let pause = every.saturating_mul(1 << self.times.min(16)).min(LONGEST);
        let pause = pause.saturating_sub(every.min(LONGEST / 2));
        self.at.saturating_add(pause).unwrap_or(Timestamp::MAX)
    }
}

/// Files of the worktree that were brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// What was brought.
    pub files: Brought,
    /// When git's log of its HEAD was written last, where there is one: written again, somebody else has moved it, and may
    /// have moved it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<Timestamp>,
    /// When all of them were there.
    pub at: Timestamp,
    /// The same, but for those times for which a server is not restarted that a sync has started.
    pub due: Timestamp,
    /// How often the same were brought since, for somebody had changed them.
    #[serde(default)]
    pub again: u32,
    /// Whether they are being brought: a mend that is cut off leaves it so.
    #[serde(default)]
    pub is_under_way: bool,
}

/// Which files the worktree has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brought {
    /// The commit that it is on.
    pub sha: String,
    /// A digest of the carried files as the repository has them.
    pub carried: String,
}

/// How often the same files may be brought for which a server is restarted: one that writes them itself would be restarted
/// for ever.
const AGAIN: u32 = 1;

impl Moved {
    /// These files are there since then, after what is known of before.
    #[must_use]
    pub fn after(before: Option<&Self>, files: Brought, log: Option<Timestamp>, now: Timestamp) -> Self {
        let same = before.filter(|it| it.files == files);
        let again = same.map_or(0, |it| it.again.saturating_add(1));
        let due = same.filter(|_| again > AGAIN).map_or(now, |it| it.due);
        Self { files, log, at: now, due, again, is_under_way: false }
    }

    /// Whether the worktree is still as it was left, on this commit and by this log.
    #[must_use]
    pub fn is_of(&self, sha: &str, log: Option<Timestamp>) -> bool {
        !self.is_under_way && (self.files.sha.as_str(), self.log) == (sha, log)
    }

    /// Since when a server that started then has to serve: where it did after a sync last saw to one, somebody else has
    /// started it, and it may have read what was put right since.
    #[must_use]
    pub fn since(&self, started: Timestamp, served: Option<&Served>) -> Timestamp {
        if served.is_some_and(|it| started > it.at) { self.at } else { self.due }
    }
}

/// A server that was seen to answer, and started after what it serves was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// When what it had loaded was installed, built or brought, whichever was last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loaded: Option<Timestamp>,
    /// A digest of all that the configuration says of it.
    pub settings: String,
    /// When it was seen.
    pub at: Timestamp,
}

impl Served {
    /// Whether another one says the same, whenever that was.
    #[must_use]
    pub fn is_of(&self, other: &Self) -> bool {
        (self.loaded, &self.settings) == (other.loaded, &other.settings)
    }
}

/// A digest of all that the configuration says of the runtime, and of the carried files as the repository has them: a build
/// that failed may end well with others.
#[must_use]
pub fn inputs(config: &Config, carried: &[Carried]) -> String {
    let path = config.jobs_path().into_iter().map(|it| it.display().to_string());
    let ranges = config.tools.iter().map(|tool| format!("{}\u{1}{:?}", tool.name, tool.range));
    let all: Vec<String> = path.chain(ranges).chain(sources(carried)).collect();
    files::digest(all.join("\0").as_bytes())
}

/// A digest of the carried files as the repository has them.
#[must_use]
pub fn digest_of(carried: &[Carried]) -> String {
    files::digest(sources(carried).collect::<Vec<_>>().join("\0").as_bytes())
}

fn sources(carried: &[Carried]) -> impl Iterator<Item = String> {
    carried.iter().map(|it| {
        let digest = it.source.as_ref().and_then(|it| it.digest.as_deref());
        format!("{}\u{1}{}", it.file.display(), digest.unwrap_or_default())
    })
}

/// A digest of all that the configuration says of the server: who was started with another one runs with old settings.
///
/// Of its text: what a variable of the environment is differs from process to process, and that says nothing of an edit.
#[must_use]
pub fn settings(config: &Config) -> String {
    let Some(server) = config.server.as_deref() else { return String::new() };
    let run = match &server.run {
        Serving::Program(argv) => argv.join("\0"),
        Serving::Static(root) => format!("\u{1}{}", root.display()),
    };
    let env: Vec<String> = server.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let (env, path) = (env.join("\0"), config.written.runtime_path.join("\0"));
    let place = config.written.worktree.clone().unwrap_or_else(|| server.directory.display().to_string());
    // Of files that were brought before it was said, nobody knows when.
    let watches = if server.watches == Some(false) { "\u{2}unwatched" } else { "" };
    files::digest(format!("{run}\u{2}{place}\u{2}{}\u{2}{env}\u{2}{path}{watches}", server.listen).as_bytes())
}

/// Whether the server has to be restarted for files that were brought: it says that it does not watch them. Where there is a
/// build it waits for that, and goes on serving while it fails.
#[must_use]
pub fn is_restarted_for_files(config: &Config) -> bool {
    let is_built = config.mirror.as_ref().is_some_and(|it| !it.build.is_empty());
    !is_built && config.server.as_ref().is_some_and(|it| it.watches == Some(false))
}
