//! The vocabulary: what a check is.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::{Config, Kept, Mirror, Page, Server, Tool};
use crate::cx::Cx;
use crate::fixes::Fix;
use crate::verdict::{Seen, Verdict};

/// A constant record: what can be wrong, and a function that only looks.
#[derive(Debug)]
pub struct Check {
    /// Kebab-case, kept for ever: "worktree-branch".
    pub id: CheckId,
    /// The link of the chain it belongs to.
    pub group: Group,
    /// What holds when it passes: one clause, no full stop.
    pub summary: &'static str,
    /// Its page, for `housecall explain`: `include_str!("worktree_branch.md")`.
    pub docs: &'static str,
    /// How much a failure matters, unless the configuration says otherwise.
    pub severity: Severity,
    /// The checks without which its answer is worth nothing.
    pub requires: &'static [Needs],
    /// What mends it.
    pub fix: Option<&'static Fix>,
    /// What it looks at, and the look.
    pub look: Look,
}

/// What a look looks at: one question for each such part of the configuration.
///
/// A part that the configuration does not have yields one unit that does not apply.
#[derive(Debug, Clone, Copy)]
pub enum Look {
    /// Once, where there is a `[mirror]`.
    Mirror(fn(&Cx, &Mirror) -> Seen),
    /// Once, where there is a `[serve]`.
    Server(fn(&Cx, &Server) -> Seen),
    /// For each tool that the jobs run.
    Tool(fn(&Cx, &Tool) -> Seen),
    /// For each job: the mirror's own two, and each `[service.NAME]`.
    Job(fn(&Cx, &Kept) -> Seen),
    /// For each page.
    Page(fn(&Cx, &Page) -> Seen),
}

/// A look bound to its subject: what a unit runs.
pub type Bound = Arc<dyn Fn(&Cx) -> Seen + Send + Sync>;

/// A requirement: whose units, and which of them.
#[derive(Debug)]
pub struct Needs {
    /// The check required.
    pub check: &'static Check,
    /// Which of its subjects.
    pub of: Of,
}

/// Which subjects of a required check count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// The one of the same name.
    Same,
    /// Every one.
    All,
    /// The one of this name.
    The(&'static str),
    /// The job of the service whose page it is.
    Keeper,
}

/// The name of a built-in check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CheckId(pub &'static str);

/// A link of the chain, in the order in which it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// The tools that the jobs will find.
    Runtime,
    /// The repository people develop in, and its remote.
    Repository,
    /// The mirror's own worktree.
    Worktree,
    /// How far it follows its upstream.
    Sync,
    /// What keeps it running.
    Jobs,
    /// Who answers on the port.
    Server,
    /// What it answers.
    Page,
    /// What it wrote down.
    Logs,
}

/// How much a failure matters; ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Will become a problem.
    Warning,
    /// The mirror does not do its work.
    Error,
}

impl Needs {
    /// Every unit of that check.
    #[must_use]
    pub const fn all(check: &'static Check) -> Self {
        Self { check, of: Of::All }
    }

    /// The unit of that check with the same subject.
    #[must_use]
    pub const fn same(check: &'static Check) -> Self {
        Self { check, of: Of::Same }
    }
}

impl Look {
    /// One bound look for each subject that the configuration has, with the subject's name.
    #[must_use]
    pub fn bind(self, config: &Config) -> Vec<(Option<String>, Bound)> {
        match self {
            Self::Mirror(look) => once(config.mirror.as_ref(), look, "no [mirror] is configured"),
            Self::Server(look) => once(config.server.as_ref(), look, "no [serve] is configured"),
            Self::Tool(look) => each(&config.tools, Tool::subject, look, "the jobs run no known tool"),
            Self::Job(look) => each(&config.kept(), Kept::subject, look, "no job is configured"),
            Self::Page(look) => each(&config.pages, Page::subject, look, "no [[page]] is configured"),
        }
    }
}

fn once<T: Send + Sync + 'static>(
    part: Option<&Arc<T>>,
    look: fn(&Cx, &T) -> Seen,
    absent: &'static str,
) -> Vec<(Option<String>, Bound)> {
    vec![(None, part.map_or_else(|| not_applicable(absent), |part| bound(part, look)))]
}

fn each<T: Send + Sync + 'static>(
    parts: &[Arc<T>],
    name: fn(&T) -> String,
    look: fn(&Cx, &T) -> Seen,
    absent: &'static str,
) -> Vec<(Option<String>, Bound)> {
    if parts.is_empty() {
        return vec![(None, not_applicable(absent))];
    }
    parts.iter().map(|part| (Some(name(part)), bound(part, look))).collect()
}

fn bound<T: Send + Sync + 'static>(part: &Arc<T>, look: fn(&Cx, &T) -> Seen) -> Bound {
    let part = Arc::clone(part);
    Arc::new(move |cx| look(cx, &part))
}

fn not_applicable(why: &'static str) -> Bound {
    Arc::new(move |_| Ok(Verdict::not_applicable(why)))
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl Group {
    /// All of them, in chain order.
    pub const ALL: [Self; 8] = [
        Self::Runtime,
        Self::Repository,
        Self::Worktree,
        Self::Sync,
        Self::Jobs,
        Self::Server,
        Self::Page,
        Self::Logs,
    ];

    /// Its name, as in reports and `--skip`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Runtime => "runtime",
            Self::Repository => "repository",
            Self::Worktree => "worktree",
            Self::Sync => "sync",
            Self::Jobs => "jobs",
            Self::Server => "server",
            Self::Page => "page",
            Self::Logs => "logs",
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}
