//! Checks that the configuration declares: typed questions, with the same verdicts, needs and fixes as ours.
//!
//! One file per kind holds all of it: how it is written, what that means, and the look.

pub mod command;
pub mod connect;
pub mod disk;
pub mod dns;
pub mod env;
pub mod file;
pub mod git;
pub mod http;
pub mod interface;
pub mod json;
pub mod kernel_param;
pub mod launch;
pub mod listener;
pub mod mount;
pub mod number;
pub mod package;
pub mod process;
pub mod reach;
pub mod service;
pub mod several;
pub mod text;
pub mod tool;
pub mod user;
pub mod who;

use std::ffi::OsStr;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::check::{Bound, Severity};
use crate::config::Config;
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::fixes;
use crate::probes::machine;
use crate::unit::Pace;
use crate::verdict::{Seen, Verdict};

/// The group of those that name none.
pub const GROUP: &str = "checks";

/// A check that the user declared.
#[derive(Debug, Clone)]
pub struct Declared {
    /// Its name, by which it is addressed everywhere.
    pub name: String,
    /// What it is listed under.
    pub group: String,
    /// Names by which several are selected.
    pub tags: Vec<String>,
    /// What holds when it passes.
    pub summary: String,
    /// What is told with a failure: what to do, whom to ask, where to read.
    pub help: Option<Arc<str>>,
    /// How much a failure matters.
    pub severity: Severity,
    /// The checks, groups and tags without which its answer is worth nothing.
    pub needs: Vec<String>,
    /// What it does not look at, though it should: while there is any, it never passes.
    pub unchecked: Vec<String>,
    /// How long its look may take, where the command line's limit is not meant.
    pub timeout: Option<Duration>,
    /// Where it applies.
    pub when: When,
    /// What it asks.
    pub question: Arc<dyn Question>,
    /// What mends it.
    pub fix: Option<Arc<fixes::declared::Fix>>,
    /// Where it is written.
    pub origin: Origin,
}

/// Where a check is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file.
    pub file: PathBuf,
    /// Where its name begins there, in bytes.
    pub at: usize,
}

/// What a declared check asks: one file of this folder is one kind of it.
pub trait Question: fmt::Debug + Send + Sync {
    /// What holds when it passes, where the user gives no words of their own.
    fn summary(&self) -> String;

    /// Looks, until the deadline at the latest.
    ///
    /// # Errors
    /// It could not look: what was not seen is neither good nor bad.
    fn look(&self, cx: &Cx, deadline: Duration) -> Seen;

    /// How its look is scheduled, where nothing is needed before it.
    fn pace(&self) -> Pace {
        Pace::Waiting
    }

    /// The line of the program that its look runs, if it runs one that the configuration names.
    fn runs(&self, _config: &Config) -> Option<String> {
        None
    }

    /// What of it waits for trust, in a line: the program that it runs, the machine that it asks.
    fn needs_trust(&self, config: &Config) -> Option<String> {
        self.runs(config)
    }

    /// Whether its look does something, so that what it needs must hold before: it runs a program, it sends what changes.
    fn acts(&self, config: &Config) -> bool {
        self.runs(config).is_some()
    }
}

/// What a check asks that only says what is not looked at.
#[derive(Debug)]
pub struct Nothing;

impl Question for Nothing {
    fn summary(&self) -> String {
        "a check looks at what this one stands for".to_owned()
    }

    /// Nothing is against it, and nothing for it.
    ///
    /// # Errors
    /// None.
    fn look(&self, _cx: &Cx, _deadline: Duration) -> Seen {
        Ok(Verdict::pass())
    }

    fn pace(&self) -> Pace {
        Pace::Quick
    }
}

/// Where a check applies; all that is said must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct When {
    /// Systems, as Rust names them: "linux", "macos".
    pub os: Vec<String>,
    /// Names of machines; `*` stands for anything.
    pub host: Vec<String>,
    /// Variables that must be set to something.
    pub env: Vec<String>,
}

impl Declared {
    /// The look, bound to its question.
    #[must_use]
    pub fn bind(self: &Arc<Self>) -> Bound {
        let declared = Arc::clone(self);
        Arc::new(move |cx| declared.look(cx))
    }

    fn look(&self, cx: &Cx) -> Seen {
        if let Some(why) = self.when.not_here(cx.config()) {
            return Ok(Verdict::not_applicable(why));
        }
        let limits = cx.config().limits;
        let deadline = self.timeout.unwrap_or(limits.timeout).min(limits.most.unwrap_or(Duration::MAX));
        let verdict = match self.question.look(cx, deadline)? {
            Verdict::Pass(_) if !self.unchecked.is_empty() => {
                return Err(ProbeError::Unchecked { parts: self.unchecked.clone() });
            }
            Verdict::Fail(finding) => Verdict::Fail(finding),
            other => return Ok(other),
        };
        let verdict = match self.unchecked.join("; ") {
            nothing if nothing.is_empty() => verdict,
            parts => verdict.with("unchecked", parts),
        };
        Ok(match &self.help {
            Some(help) => verdict.with("help", &**help),
            None => verdict,
        })
    }

    /// How its look is scheduled: what does something is only done once what it needs holds.
    #[must_use]
    pub fn pace(&self, config: &Config) -> Pace {
        if !self.needs.is_empty() && self.question.acts(config) {
            return Pace::After;
        }
        self.question.pace()
    }
}

impl When {
    /// Why it does not apply here, if it does not.
    #[must_use]
    pub fn not_here(&self, config: &Config) -> Option<String> {
        if !self.os.is_empty() && !self.os.iter().any(|os| os == std::env::consts::OS) {
            return Some(format!("only on {}", self.os.join(", ")));
        }
        if !self.host.is_empty() {
            let host = machine::host_name();
            if !self.host.iter().any(|pattern| is_like(&host, pattern)) {
                return Some(format!("only on the machine {}", self.host.join(", ")));
            }
        }
        let unset = |name: &&String| config.caller.get(OsStr::new(*name)).is_none_or(|it| it.is_empty());
        self.env.iter().find(unset).map(|name| format!("only where {name} is set"))
    }
}

/// Whether a name is like a pattern, in which `*` stands for anything.
pub(crate) fn is_like(name: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = name.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::is_like;

    #[test]
    fn a_star_stands_for_anything() {
        for (name, pattern, like) in [
            ("build-1", "build-1", true),
            ("build-1", "build-*", true),
            ("build-1", "*", true),
            ("build-1", "*-1", true),
            ("build-1.local", "b*-*.local", true),
            ("build-1", "build", false),
            ("build-1", "build-2*", false),
            ("ab", "ab*b", false),
        ] {
            assert_eq!(is_like(name, pattern), like, "{name} {pattern}");
        }
    }
}
