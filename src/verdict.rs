//! What a look may say, and what may become of a unit.

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::error::ProbeError;
use crate::unit::UnitId;

/// The answer of a look: a verdict, or the reason why it could not look.
pub type Seen = Result<Verdict, ProbeError>;

/// All that a look may say about its subject.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// What the check promises holds.
    Pass(Facts),
    /// It does not hold.
    Fail(Finding),
    /// The question does not arise here, for this reason.
    NotApplicable(Cow<'static, str>),
    /// It is changing, and has until then to settle.
    Pending {
        /// What is under way: "the server is starting".
        why: Cow<'static, str>,
        /// When it stops being an excuse.
        until: Timestamp,
    },
}

/// What a passing look learned, for the calm lines of a healthy verdict.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// A short phrase such as "node 22.23.3"; `None` where the fact is dull.
    pub note: Option<String>,
    /// The facts behind it.
    pub evidence: Vec<Evidence>,
}

/// What a failing look found: one sentence, and the facts that prove it.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// One sentence, present tense, no full stop, no instruction.
    pub message: String,
    /// Expected and actual among them.
    pub evidence: Vec<Evidence>,
    /// What it only repeats, where that fails too: checks, or units such as "job-state:serve".
    pub repeats: &'static [&'static str],
}

/// One fact with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// "expected", "actual", "who" …
    pub label: Cow<'static, str>,
    /// The fact itself.
    pub fact: Fact,
}

/// A typed value, so that every format can show it in its own way.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// A file or directory.
    Path(PathBuf),
    /// A process.
    Pid(u32),
    /// A commit, full length.
    Sha(String),
    /// How long ago, or how long.
    Age(Duration),
    /// A size in bytes.
    Bytes(u64),
    /// A version, as the tool writes it.
    Version(String),
    /// An address.
    Url(String),
    /// A moment.
    Time(Timestamp),
    /// A command line that can be pasted.
    Command(String),
    /// Anything else.
    Text(String),
}

/// What became of a unit once the whole was judged.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The look spoke, and nothing beneath it takes away its worth.
    Judged(Verdict),
    /// It could not look.
    Unknown(ProbeError),
    /// The look itself broke: a defect of ours, with the panic's message.
    Crashed(String),
    /// It found its subject broken, and the user lives with that for now.
    Accepted {
        /// What it found.
        finding: Finding,
        /// Why it is lived with.
        reason: String,
        /// The last day on which it is.
        until: Date,
    },
    /// Something it rests on is broken, unknown or unsettled.
    Blocked {
        /// The first such unit.
        by: UnitId,
        /// What was seen all the same.
        seen: Box<Self>,
    },
    /// It was not looked at, since this unit did not pass.
    NotRun {
        /// The unit that it waited for.
        by: UnitId,
    },
}

impl Verdict {
    /// A pass with nothing to add.
    #[must_use]
    pub fn pass() -> Self {
        Self::Pass(Facts::default())
    }

    /// A pass with a short phrase for the healthy verdict.
    #[must_use]
    pub fn pass_with(note: impl Into<String>) -> Self {
        Self::Pass(Facts { note: Some(note.into()), evidence: Vec::new() })
    }

    /// A failure, with its sentence.
    #[must_use]
    pub fn fail(message: impl Into<String>) -> Self {
        Self::Fail(Finding { message: message.into(), evidence: Vec::new(), repeats: &[] })
    }

    /// The question does not arise.
    #[must_use]
    pub fn not_applicable(why: impl Into<Cow<'static, str>>) -> Self {
        Self::NotApplicable(why.into())
    }

    /// Something is under way until then.
    #[must_use]
    pub fn pending(why: impl Into<Cow<'static, str>>, until: Timestamp) -> Self {
        Self::Pending { why: why.into(), until }
    }

    /// The same failure, which only repeats what these say where they fail.
    #[must_use]
    pub fn repeating(mut self, what: &'static [&'static str]) -> Self {
        if let Self::Fail(finding) = &mut self {
            finding.repeats = what;
        }
        self
    }

    /// The same verdict with one more fact; verdicts that carry none stay as they are.
    #[must_use]
    pub fn with(mut self, label: impl Into<Cow<'static, str>>, fact: impl Into<Fact>) -> Self {
        if let Self::Pass(Facts { evidence, .. }) | Self::Fail(Finding { evidence, .. }) = &mut self {
            evidence.push(Evidence { label: label.into(), fact: fact.into() });
        }
        self
    }
}

impl Outcome {
    /// What the look itself said, beneath any block.
    #[must_use]
    pub fn seen(&self) -> &Self {
        match self {
            Self::Blocked { seen, .. } => seen.seen(),
            other => other,
        }
    }

    /// Whether the look found its subject broken, blocked or not.
    #[must_use]
    pub fn saw_failure(&self) -> bool {
        matches!(self.seen(), Self::Judged(Verdict::Fail(_)))
    }

    /// Whether this is a failure that nothing beneath explains.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Judged(Verdict::Fail(_)))
    }

    /// Whether it passed, and the pass counts.
    #[must_use]
    pub fn is_pass(&self) -> bool {
        matches!(self, Self::Judged(Verdict::Pass(_)))
    }
}

impl From<PathBuf> for Fact {
    fn from(path: PathBuf) -> Self {
        Self::Path(path)
    }
}

impl From<&std::path::Path> for Fact {
    fn from(path: &std::path::Path) -> Self {
        Self::Path(path.to_owned())
    }
}

impl From<Duration> for Fact {
    fn from(age: Duration) -> Self {
        Self::Age(age)
    }
}

impl From<Timestamp> for Fact {
    fn from(time: Timestamp) -> Self {
        Self::Time(time)
    }
}

impl From<String> for Fact {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Fact {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
