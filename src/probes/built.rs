//! What was last built, and what the server was last seen to serve, by the stamps that a sync leaves.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::{Config, Serving};
use crate::probes::files;

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

/// A build that failed: with the same commit, command and dependencies it is likely to fail again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedBuild {
    /// The commit that it was to be made from.
    pub sha: String,
    /// What was run.
    pub command: Vec<String>,
    /// When the dependencies were installed that it used, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed: Option<Timestamp>,
    /// How many times in a row.
    pub times: u32,
    /// When it ended.
    pub at: Timestamp,
    /// Its last words.
    pub why: String,
}

/// The longest that a build which fails is left alone, unless syncs are rarer.
const LONGEST: Duration = Duration::from_mins(15);

impl FailedBuild {
    /// Whether it was of the same.
    #[must_use]
    pub fn is_of(&self, sha: &str, command: &[String], installed: Option<Timestamp>) -> bool {
        self.sha == sha && self.command == command && self.installed == installed
    }

    /// When the jobs try it again: longer each time.
    #[must_use]
    pub fn again(&self, every: Duration) -> Timestamp {
        let pause = every.saturating_mul(1 << self.times.min(16)).min(LONGEST.max(every));
        self.at.saturating_add(pause).unwrap_or(Timestamp::MAX)
    }
}

/// A server that was seen to answer, and started after what it serves was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// When what it had loaded was installed or built, whichever was later.
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

/// A digest of all that the configuration says of the server: who was started with another one runs with old settings.
#[must_use]
pub fn settings(config: &Config) -> String {
    let Some(server) = config.server.as_deref() else { return String::new() };
    let run = match &server.run {
        Serving::Program(argv) => argv.join("\0"),
        Serving::Static(root) => format!("\u{1}{}", root.display()),
    };
    let env: Vec<String> = server.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let path: Vec<String> = config.jobs_path().iter().map(|it| it.display().to_string()).collect();
    let (env, path) = (env.join("\0"), path.join("\0"));
    let place = server.directory.display();
    files::digest(format!("{run}\u{2}{place}\u{2}{}\u{2}{env}\u{2}{path}", server.listen).as_bytes())
}
