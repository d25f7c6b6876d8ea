//! Reports made by chance, the same on every run; also such as an enemy would make.

use std::collections::BTreeMap;
use std::time::Duration;

use housecall::check::Severity;
use housecall::error::ProbeError;
use housecall::report::{RepairReport, RepairResult, Report, SafetyReport, Status, StepReport, StepResult};
use housecall::run::judge;
use housecall::unit::Examined;
use housecall::verdict::{Fact, Finding, Outcome, Verdict};

use super::given::{ago, config, healthy, now};

/// What tries to break out of each format, or to be taken for something else.
pub(crate) const HOSTILE: [&str; 20] = [
    "a\u{1b}[2Jb\r\n::error::owned",
    "100% done%0A::stop-commands::x",
    "::add-mask::a,b:c",
    " ##[error]owned",
    "`code` and ``two``",
    "`",
    "```\n</details>\n# heading\n- item\n| a | b |\n|---|---|",
    "<script>alert(1)</script><!-- @ada #12 GH-1 https://example.org/?a=1&b=2 [x](javascript:y) ![z](w)",
    "\u{202e}\u{200b}\u{feff}\u{fffe}\u{ffff}\u{85}\u{2028}\u{0}",
    "]]> & < > \" ' &#0; &amp;",
    "# SKIP nothing # TODO nothing \\# \\",
    "...\n---\nnot ok 1 - x\nok 2 - y # SKIP\nTAP version 14\n1..0\nBail out!",
    "{\"type\":\"summary\",\"verdict\":\"healthy\"}",
    "a\\nb\\\"c\\\\\n# HELP housecall_healthy x\nhousecall_healthy 1",
    "} 1\nx{a=\"b\",",
    "  leading and trailing  \t\n\n",
    "",
    "*bold* _under_ ~~struck~~ $math$ :smile: \\`",
    "é ü 日本 👩\u{200d}💻 e\u{301}",
    "saw       fail  nothing\n  fail on info",
];

/// A small generator of numbers (xorshift), the same on every run.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % bound
    }
}

fn outcome(chance: &mut Chance) -> Outcome {
    match chance.below(10) {
        0 | 1 => Outcome::Judged(Verdict::fail("it is broken").with("expected", "whole")),
        2 => Outcome::Judged(Verdict::not_applicable("there is none")),
        3 => Outcome::Judged(Verdict::pending("it is starting", ago(-5))),
        4 => Outcome::Unknown(ProbeError::failed("look", &"permission denied")),
        5 => Outcome::Unknown(ProbeError::Unchecked { parts: vec!["a part".into()] }),
        6 => Outcome::Crashed("it broke".into()),
        _ => Outcome::Judged(Verdict::pass_with("it holds")),
    }
}

/// A mirror of which anything may be true: outcomes, severities and requirements are chosen by chance.
fn examined(chance: &mut Chance) -> Vec<Examined> {
    let mut examined = healthy();
    for (at, it) in examined.iter_mut().enumerate() {
        it.outcome = outcome(chance);
        it.unit.severity = [Severity::Info, Severity::Warning, Severity::Error][chance.below(3)];
        it.unit.needs = (0..at).filter(|_| chance.below(4) == 0).collect();
    }
    let keep = 1 + chance.below(examined.len());
    examined.truncate(keep);
    judge(examined)
}

pub(crate) fn each(mut holds: impl FnMut(&[Examined], &Report)) {
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    for _ in 0..2_000 {
        let examined = examined(&mut chance);
        let fail_on = [Severity::Info, Severity::Warning, Severity::Error][chance.below(3)];
        let stopped = (chance.below(20) == 0).then(|| ago(60));
        let took = Duration::from_millis(chance.below(9_000) as u64);
        holds(&examined, &Report::new(&config(), fail_on, &examined, &[], stopped, now(), took));
    }
}

/// The same, where every text that comes from outside is hostile, and something may have been mended.
pub(crate) fn each_hostile(mut holds: impl FnMut(&Report)) {
    let mut chance = Chance(0x2545_f491_4f6c_dd1d);
    for _ in 0..600 {
        let mut examined = examined(&mut chance);
        for (at, it) in examined.iter_mut().enumerate() {
            // A unit's name stands once.
            let has_one = it.unit.id.subject.is_some() || chance.below(3) > 0;
            it.unit.id.subject = has_one.then(|| format!("{}{at}", hostile(&mut chance)));
            let finding = match &it.outcome {
                Outcome::Judged(Verdict::Fail(finding)) => Some(finding.clone()),
                Outcome::Unknown(gap @ ProbeError::Unchecked { .. }) => {
                    Some(Finding { message: gap.to_string(), evidence: Vec::new(), repeats: &[] })
                }
                _ => None,
            };
            if let Some(finding) = finding.filter(|_| chance.below(4) == 0) {
                let until = "2027-01-01".parse().expect("a date");
                it.outcome = Outcome::Accepted { finding, reason: hostile(&mut chance), until };
            }
            spoil(&mut it.outcome, &mut chance);
        }
        let fail_on = [Severity::Info, Severity::Warning, Severity::Error][chance.below(3)];
        let stopped = (chance.below(20) == 0).then(|| ago(60));
        let took = Duration::from_millis(chance.below(9_000) as u64);
        let mut report = Report::new(&config(), fail_on, &judge(examined), &[], stopped, now(), took);
        report.mirror.name = hostile(&mut chance);
        report.mirror.host = hostile(&mut chance);
        report.mirror.config = hostile(&mut chance);
        report.repairs = (0..chance.below(3)).map(|_| repair(&mut chance)).collect();
        holds(&report);
    }
}

fn hostile(chance: &mut Chance) -> String {
    let one = |chance: &mut Chance| HOSTILE[chance.below(HOSTILE.len())];
    format!("{}{}", one(chance), one(chance))
}

/// Puts hostile words into what a look says.
fn spoil(outcome: &mut Outcome, chance: &mut Chance) {
    match outcome {
        Outcome::Judged(Verdict::Pass(facts)) => facts.note = Some(hostile(chance)),
        Outcome::Judged(Verdict::Fail(finding)) => {
            *finding = match Verdict::fail(hostile(chance))
                .with("expected", hostile(chance))
                .with("where", Fact::Url(hostile(chance)))
                .with("who", Fact::Command(hostile(chance)))
            {
                Verdict::Fail(finding) => finding,
                _ => unreachable!("a failure is one"),
            };
        }
        Outcome::Judged(Verdict::NotApplicable(why) | Verdict::Pending { why, .. }) => {
            *why = hostile(chance).into();
        }
        Outcome::Unknown(ProbeError::Unchecked { parts }) => *parts = vec![hostile(chance)],
        Outcome::Unknown(error) => *error = ProbeError::failed("look", &hostile(chance)),
        Outcome::Crashed(why) => *why = hostile(chance),
        Outcome::Blocked { seen, .. } => spoil(seen, chance),
        Outcome::Accepted { .. } | Outcome::NotRun { .. } => {}
    }
}

fn repair(chance: &mut Chance) -> RepairReport {
    let results = [
        (RepairResult::Proposed, StepResult::Proposed),
        (RepairResult::Verified, StepResult::Done),
        (RepairResult::StillFailing, StepResult::Done),
        (RepairResult::Unverified, StepResult::Undone),
        (RepairResult::Refused, StepResult::Refused),
        (RepairResult::Failed, StepResult::Failed),
    ];
    let (result, of_step) = results[chance.below(results.len())];
    let step = StepReport {
        action: "align".to_owned(),
        safety: SafetyReport::Safe,
        commands: vec![hostile(chance)],
        result: of_step,
        note: (chance.below(2) == 0).then(|| hostile(chance)),
        took_ms: None,
    };
    RepairReport {
        fix: ["sync", "serve"][chance.below(2)].to_owned(),
        safety: [SafetyReport::Safe, SafetyReport::Risky][chance.below(2)],
        for_units: vec![hostile(chance)],
        steps: vec![step],
        result,
        units: BTreeMap::from([(hostile(chance), Status::Pass)]),
        reason: Some(hostile(chance)),
        later: Some(hostile(chance)),
    }
}
