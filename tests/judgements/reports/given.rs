//! Examinations as values: a usual mirror, and what its looks came to.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use housecall::check::{Group, Severity};
use housecall::config::{Config, Mirror, Ready, Server, Serving, Trust};
use housecall::fixes::{Fix, Remedy, serve, sync};
use housecall::report::Report;
use housecall::report::human::{self, View};
use housecall::run::judge;
use housecall::unit::{Examined, Unit, UnitId};
use housecall::verdict::{Outcome, Verdict};
use jiff::Timestamp;

pub(crate) fn now() -> Timestamp {
    "2026-11-20T20:00:00Z".parse().expect("a timestamp")
}

pub(crate) fn ago(seconds: i64) -> Timestamp {
    Timestamp::from_second(now().as_second() - seconds).expect("a timestamp")
}

pub(crate) fn config() -> Config {
    let worktree = PathBuf::from("/home/ada/ops/site/worktree");
    Config {
        trust: Trust::Trusted,
        mirror: Some(Arc::new(Mirror {
            repository: PathBuf::from("/home/ada/dev/site"),
            remote: "origin".to_owned(),
            upstream: "main".to_owned(),
            worktree: worktree.clone(),
            branch: "localhost-sync".to_owned(),
            every: Duration::from_mins(1),
            install: Vec::new(),
            build: Vec::new(),
            carry: Vec::new(),
        })),
        server: Some(Arc::new(Server {
            run: Serving::Static(PathBuf::from("public")),
            directory: worktree,
            listen: "127.0.0.1:4321".parse().expect("an address"),
            watches: None,
            env: BTreeMap::new(),
            ready: Ready { path: "/".to_owned(), within: Duration::from_mins(1) },
        })),
        ..Config::empty(
            "archicratie",
            PathBuf::from("/home/ada/.config/housecall/archicratie.toml"),
            PathBuf::from("/home/ada"),
            PathBuf::from("/home/ada/ops/site"),
        )
    }
}

/// One unit and what its look said; `needs` are positions in the chain.
pub(crate) fn looked(id: &'static str, needs: &[usize], outcome: impl Into<Said>) -> Examined {
    let (check, subject) = match id.split_once(':') {
        Some((check, subject)) => (check, Some(subject.to_owned())),
        None => (id, None),
    };
    let (group, severity, fix) = place(check);
    Examined {
        unit: Unit {
            summary: format!("{check} holds").into(),
            severity,
            needs: needs.to_vec(),
            fix: fix.map(Remedy::Built),
            ..Unit::new(
                UnitId { check: check.into(), subject },
                group.name(),
                Arc::new(|_| Ok(Verdict::pass())),
            )
        },
        outcome: outcome.into().0,
        took: Duration::from_micros(400),
    }
}

/// A look's answer, written as shortly as it can be.
pub(crate) struct Said(pub(crate) Outcome);

impl From<Verdict> for Said {
    fn from(verdict: Verdict) -> Self {
        Self(Outcome::Judged(verdict))
    }
}

impl From<Outcome> for Said {
    fn from(outcome: Outcome) -> Self {
        Self(outcome)
    }
}

impl From<&str> for Said {
    fn from(note: &str) -> Self {
        Self(Outcome::Judged(Verdict::pass_with(note)))
    }
}

fn place(check: &str) -> (Group, Severity, Option<&'static Fix>) {
    match check {
        "runtime-version" => (Group::Runtime, Severity::Error, None),
        "canonical-repo" | "remote-reachable" => (Group::Repository, Severity::Error, None),
        "worktree-exists" | "worktree-branch" | "worktree-clean" => {
            (Group::Worktree, Severity::Error, Some(&sync::FIX))
        }
        "sync-recent" => (Group::Sync, Severity::Warning, Some(&sync::FIX)),
        "sha-parity" | "dependencies" => (Group::Sync, Severity::Error, Some(&sync::FIX)),
        "listener" | "listener-cwd" => (Group::Server, Severity::Error, Some(&serve::FIX)),
        "http-status" | "page-content" | "page-sha" => (Group::Page, Severity::Error, Some(&serve::FIX)),
        "log-size" => (Group::Logs, Severity::Info, None),
        other => unreachable!("{other} is in no group of these tests"),
    }
}

/// The usual mirror, all well: positions 0 to 12.
pub(crate) fn healthy() -> Vec<Examined> {
    vec![
        looked("runtime-version:node", &[], "node 22.23.3"),
        looked("runtime-version:npm", &[], "npm 10.9.9"),
        looked("canonical-repo", &[], "/home/ada/dev/site"),
        looked("remote-reachable", &[2], "origin answers in 180 ms"),
        looked("worktree-exists", &[2], "/home/ada/ops/site/worktree"),
        looked("worktree-branch", &[4], "on localhost-sync"),
        looked("worktree-clean", &[4], "clean"),
        looked("sha-parity", &[3, 4, 5, 6], "a1bfbf4 is origin/main, asked 12 s ago"),
        looked("dependencies", &[0, 1, 4], "dependencies match the lockfile"),
        looked("listener", &[0, 1, 8], "127.0.0.1:4321 answers"),
        looked("listener-cwd", &[4, 9], "from the worktree"),
        looked("http-status:/", &[9, 10], "200 in 14 ms"),
        looked("page-content:/", &[7, 11], "2 of 2 texts found"),
        looked("page-sha", &[7, 11], Verdict::not_applicable("no page says which commit it was made from")),
        looked("log-size", &[], Verdict::pass()),
    ]
}

/// The usual mirror, but for these looks.
pub(crate) fn but(changes: Vec<(&'static str, Said)>) -> Vec<Examined> {
    let mut examined = healthy();
    for (id, Said(outcome)) in changes {
        let it = examined.iter_mut().find(|it| it.unit.id.to_string() == id);
        it.unwrap_or_else(|| panic!("{id} is not a unit of the usual mirror")).outcome = outcome;
    }
    examined
}

/// Judged and told, as a run does it.
pub(crate) fn report(examined: Vec<Examined>) -> Report {
    report_of(examined, None)
}

pub(crate) fn report_of(examined: Vec<Examined>, stopped: Option<Timestamp>) -> Report {
    let took = Duration::from_millis(196);
    let examined = judge(examined);
    let mut report = Report::new(&config(), Severity::Error, &examined, &[], stopped, now(), took);
    same_everywhere(&mut report);
    report
}

/// Takes away what differs between machines.
pub(crate) fn same_everywhere(report: &mut Report) {
    "here".clone_into(&mut report.mirror.host);
    "linux".clone_into(&mut report.mirror.os);
    "0.0.0".clone_into(&mut report.tool.version);
}

pub(crate) fn human(report: &Report) -> String {
    human::render(report, &View::default())
}
