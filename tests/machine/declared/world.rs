//! A home with a configuration of one check, and what became of it in one line.

use std::sync::Arc;
use std::time::Duration;

use housecall::config::{Config, Limits, Surroundings, Trust};
use housecall::cx::{Cx, Probes};
use housecall::probes::machine::Machine;
use housecall::run::run;
use housecall::selection::{Selection, Wanted};
use housecall::verdict::{Evidence, Fact, Outcome, Verdict};
use jiff::Timestamp;
use support::Home;

/// A home, and how its configuration is looked at.
pub(crate) struct World {
    pub(crate) home: Home,
    pub(crate) trust: Trust,
    pub(crate) limits: Limits,
}

impl World {
    pub(crate) fn new() -> Self {
        let limits = Limits { timeout: Duration::from_secs(10), ..Limits::default() };
        Self { home: Home::new(), trust: Trust::Trusted, limits }
    }

    /// The configuration of one check that asks this: `file = { path = "x" }`.
    pub(crate) fn config(&self, question: &str) -> Config {
        let text = format!("[check.it]\n{question}\n");
        let config = self.load(&text).unwrap_or_else(|error| panic!("{error}"));
        Config { trust: self.trust, ..config }
    }

    fn load(&self, text: &str) -> Result<Config, String> {
        let home = self.home.path();
        let environment = self.home.environment().iter();
        let surroundings = Surroundings {
            home: home.to_owned(),
            directory: home.to_owned(),
            environment: environment
                .map(|(name, value)| (name.clone(), value.to_string_lossy().into_owned()))
                .collect(),
            odd: [].into(),
            uid: rustix::process::geteuid().as_raw(),
        };
        let file = home.join("housecall.toml");
        Config::of_text(text, &file, &surroundings, self.limits).map_err(|error| error.render(false))
    }

    /// What became of it: `pass`, `fail: MESSAGE; expected X; actual Y`, `unknown: WHY`, `skip: WHY`.
    pub(crate) fn look(&self, question: &str) -> String {
        told(&self.looked(question)).replace(&*self.home.path().to_string_lossy(), "~")
    }

    /// The evidence of that label, as text.
    pub(crate) fn evidence(&self, question: &str, label: &str) -> String {
        let outcome = self.looked(question);
        let all = match &outcome {
            Outcome::Judged(Verdict::Pass(passed)) => &passed.evidence,
            Outcome::Judged(Verdict::Fail(finding)) => &finding.evidence,
            other => panic!("{other:?} has no evidence"),
        };
        let found = all.iter().find(|it| it.label == label).expect("evidence of that label");
        fact(found)[label.len() + 1..].to_owned()
    }

    fn looked(&self, question: &str) -> Outcome {
        let config = Arc::new(self.config(question));
        let machine = Machine::with_program(support::housecall::binary());
        judged(&Arc::new(Cx::new(config, Arc::new(machine))))
    }

    /// The same in a world of values, in which nothing is given.
    pub(crate) fn nowhere(&self, question: &str) -> String {
        let config = Arc::new(self.config(question));
        told(&judged(&Arc::new(Cx::given(config, Timestamp::UNIX_EPOCH, Probes::default()))))
    }

    /// The mistakes of a configuration of one such check.
    pub(crate) fn mistakes(&self, question: &str) -> String {
        self.load(&format!("[check.it]\n{question}\n")).expect_err("this is mistaken")
    }
}

fn judged(cx: &Arc<Cx>) -> Outcome {
    let wanted = Wanted { only: vec!["it".to_owned()], ..Wanted::default() };
    let selection = Selection::new(cx.config(), &wanted).expect("the check");
    run(&selection, cx)[0].outcome.clone()
}

fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Judged(Verdict::Pass(_)) => "pass".to_owned(),
        Outcome::Judged(Verdict::Fail(finding)) => {
            let proof = finding.evidence.iter().filter(|it| ["expected", "actual"].contains(&&*it.label));
            let parts = std::iter::once(format!("fail: {}", finding.message)).chain(proof.map(fact));
            parts.collect::<Vec<_>>().join("; ")
        }
        Outcome::Judged(Verdict::NotApplicable(why)) => format!("skip: {why}"),
        Outcome::Unknown(error) => format!("unknown: {error}"),
        other => format!("{other:?}"),
    }
}

fn fact(Evidence { label, fact }: &Evidence) -> String {
    match fact {
        Fact::Text(text) | Fact::Version(text) | Fact::Sha(text) | Fact::Command(text) | Fact::Url(text) => {
            format!("{label} {text}")
        }
        Fact::Path(path) => format!("{label} {}", path.display()),
        Fact::Bytes(bytes) => format!("{label} {bytes} bytes"),
        other => format!("{label} {other:?}"),
    }
}
