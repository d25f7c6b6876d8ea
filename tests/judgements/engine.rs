//! Looking and judging: what a look is worth, given what became of all it rests on.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::unnecessary_wraps, reason = "looks have one shape")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use housecall::check::{Bound, Check, CheckId, Group, Look, Needs, Severity};
use housecall::config::{Config, Limits, Override, Tool, Trust};
use housecall::cx::{Cx, Probes};
use housecall::error::ProbeError;
use housecall::fixes::{Fix, Remedy, Turn};
use housecall::probes::Probe;
use housecall::probes::built::Built;
use housecall::probes::state::{Holder, State};
use housecall::run::run;
use housecall::selection::{Selection, SelectionError, Wanted};
use housecall::unit::{Examined, Unit, UnitId};
use housecall::verdict::{Outcome, Seen, Verdict};
use jiff::Timestamp;

const NOW: &str = "2026-11-20T20:00:00Z";

fn config() -> Config {
    let home = PathBuf::from("/home/ada");
    Config {
        trust: Trust::Trusted,
        ..Config::empty("site", home.join("housecall.toml"), home.clone(), home.join("state"))
    }
}

fn cx_with(probes: Probes) -> Arc<Cx> {
    Arc::new(Cx::given(Arc::new(config()), NOW.parse().unwrap(), probes))
}

fn unit(id: &'static str, needs: &[usize], look: fn() -> Seen) -> Unit {
    let look: Bound = Arc::new(move |_| look());
    Unit { needs: needs.to_vec(), ..Unit::new(UnitId::of(id), Group::Worktree.name(), look) }
}

fn pass() -> Seen {
    Ok(Verdict::pass())
}

fn fail() -> Seen {
    Ok(Verdict::fail("it is broken"))
}

fn skip() -> Seen {
    Ok(Verdict::not_applicable("there is none"))
}

fn pending() -> Seen {
    Ok(Verdict::pending("it is starting", NOW.parse().unwrap()))
}

fn unknown() -> Seen {
    Err(ProbeError::failed("look", &"permission denied"))
}

fn examine(units: Vec<Unit>) -> Vec<Examined> {
    run(&Selection { units }, &cx_with(Probes::default()))
}

/// One line a unit: its outcome, and what was seen where that differs.
fn told(examined: &[Examined]) -> String {
    fn word(outcome: &Outcome) -> String {
        match outcome {
            Outcome::Judged(Verdict::Pass(_)) => "pass".into(),
            Outcome::Judged(Verdict::Fail(_)) => "fail".into(),
            Outcome::Judged(Verdict::NotApplicable(_)) => "skip".into(),
            Outcome::Judged(Verdict::Pending { why, .. }) => format!("pending: {why}"),
            Outcome::Unknown(error) => format!("unknown: {error}"),
            Outcome::Crashed(why) => format!("crashed: {why}"),
            Outcome::Blocked { by, seen } => format!("blocked by {by}, saw {}", word(seen)),
            Outcome::Accepted { reason, .. } => format!("accepted: {reason}"),
            Outcome::NotRun { by } => format!("not run, waits for {by}"),
        }
    }
    let lines: Vec<_> = examined.iter().map(|it| format!("{}: {}", it.unit.id, word(&it.outcome))).collect();
    lines.join("\n")
}

#[test]
fn a_failure_blocks_all_above_it_and_names_the_first_root() {
    let examined = examine(vec![
        unit("repository", &[], pass),
        unit("worktree", &[0], fail),
        unit("branch", &[1], fail),
        unit("listener", &[], fail),
        unit("page", &[2, 3], pass),
        unit("text", &[4], unknown),
    ]);
    insta::assert_snapshot!(told(&examined), @"
    repository: pass
    worktree: fail
    branch: blocked by worktree, saw fail
    listener: fail
    page: blocked by worktree, saw pass
    text: blocked by worktree, saw unknown: cannot look: permission denied
    ");
}

#[test]
fn what_is_unsettled_blocks_all_but_failures() {
    let examined = examine(vec![
        unit("remote", &[], unknown),
        unit("parity", &[0], pass),
        unit("branch", &[0], fail),
        unit("server", &[], pending),
        unit("page", &[3], pass),
        unit("text", &[4, 3], skip),
    ]);
    insta::assert_snapshot!(told(&examined), @"
    remote: unknown: cannot look: permission denied
    parity: blocked by remote, saw pass
    branch: fail
    server: pending: it is starting
    page: blocked by server, saw pass
    text: skip
    ");
}

#[test]
fn what_does_not_apply_is_looked_through() {
    let units = vec![unit("worktree", &[], fail), unit("carried", &[0], skip), unit("page", &[1], pass)];
    insta::assert_snapshot!(told(&examine(units)), @"
    worktree: fail
    carried: skip
    page: blocked by worktree, saw pass
    ");
}

#[test]
fn a_look_that_panics_is_a_result() {
    fn crash() -> Seen {
        panic!("a defect in a check")
    }
    let units = vec![unit("broken", &[], crash), unit("above", &[0], pass), unit("other", &[], pass)];
    insta::assert_snapshot!(told(&examine(units)), @"
    broken: crashed: a defect in a check
    above: blocked by broken, saw pass
    other: pass
    ");
}

#[test]
fn a_look_that_never_returns_is_given_up() {
    fn hang() -> Seen {
        loop {
            std::thread::park();
        }
    }
    let limits = Limits { timeout: Duration::ZERO, ..Limits::default() };
    let config = Arc::new(Config { limits, ..config() });
    let cx = Arc::new(Cx::given(config, NOW.parse().unwrap(), Probes::default()));
    let units = vec![unit("hangs", &[], hang), unit("above", &[0], pass), unit("other", &[], pass)];
    insta::assert_snapshot!(told(&run(&Selection { units }, &cx)), @"
    hangs: unknown: the look of hangs did not answer within 2 s
    above: blocked by hangs, saw pass
    other: pass
    ");
}

static SYNC: Fix =
    Fix { id: "sync", title: "align", plan: |_, _| Ok(Vec::new()), but: &[], turn: Turn::InOrder };
static SERVE: Fix =
    Fix { id: "serve", title: "serve", plan: |_, _| Ok(Vec::new()), but: &[], turn: Turn::InOrder };

fn beside(doing: &str, pid: u32, since: &str) -> String {
    let holder = Holder { pid, doing: doing.into(), since: since.parse::<Timestamp>().unwrap() };
    let state = State {
        last_sync: None,
        last_sync_age: None,
        built: Built::default(),
        stopped: None,
        holder: Some(holder),
        bad: Vec::new(),
    };
    let probes = Probes { state: Probe::given(Ok(state)), ..Probes::default() };
    let units = vec![
        Unit { fix: Some(Remedy::Built(&SYNC)), ..unit("branch", &[], fail) },
        Unit { fix: Some(Remedy::Built(&SERVE)), ..unit("listener", &[], fail) },
        unit("by-hand", &[], fail),
    ];
    told(&run(&Selection { units }, &cx_with(probes)))
}

#[test]
fn what_is_being_mended_has_not_settled() {
    insta::assert_snapshot!(beside("fix", 1, "2026-11-20T19:59:00Z"), @"
    branch: pending: fix is at work on it (pid 1)
    listener: pending: fix is at work on it (pid 1)
    by-hand: fail
    ");
    insta::assert_snapshot!(beside("sync", 1, "2026-11-20T19:59:00Z"), @"
    branch: pending: sync is at work on it (pid 1)
    listener: fail
    by-hand: fail
    ");
}

#[test]
fn neither_we_ourselves_nor_a_mend_without_end_is_an_excuse() {
    let all_fail = "branch: fail\nlistener: fail\nby-hand: fail";
    assert_eq!(beside("fix", std::process::id(), "2026-11-20T19:59:00Z"), all_fail);
    assert_eq!(beside("fix", 1, "2026-11-20T19:40:00Z"), all_fail);
}

static TOOLS: Check = Check {
    id: CheckId("tools"),
    group: Group::Runtime,
    summary: "the tools are there",
    docs: "",
    severity: Severity::Error,
    requires: &[],
    fix: None,
    look: Look::Tool(|_, _| Ok(Verdict::pass())),
};
static VERSIONS: Check = Check {
    id: CheckId("versions"),
    group: Group::Runtime,
    summary: "the tools have the right versions",
    docs: "",
    severity: Severity::Error,
    requires: &[Needs::same(&TOOLS)],
    fix: None,
    look: Look::Tool(|_, _| Ok(Verdict::pass())),
};
static LISTENER: Check = Check {
    id: CheckId("listener"),
    group: Group::Server,
    summary: "something listens",
    docs: "",
    severity: Severity::Error,
    requires: &[Needs::all(&VERSIONS)],
    fix: None,
    look: Look::Server(|_, _| Ok(Verdict::pass())),
};
static CHECKS: &[&Check] = &[&TOOLS, &VERSIONS, &LISTENER];

fn selected(only: &[&str], skip: &[&str], overrides: &[(&str, Override)]) -> Result<String, SelectionError> {
    let tool = |name: &str| Arc::new(Tool { name: name.into(), range: None });
    let config = Config {
        tools: vec![tool("node"), tool("npm")],
        overrides: overrides.iter().map(|(id, it)| ((*id).to_owned(), *it)).collect(),
        ..config()
    };
    let names = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect();
    let selection = Selection::among(CHECKS, &config, &Wanted { only: names(only), skip: names(skip) })?;
    let line = |unit: &Unit| {
        let needs: Vec<_> = unit.needs.iter().map(|&at| selection.units[at].id.to_string()).collect();
        format!("{} ({}) needs [{}]", unit.id, unit.severity, needs.join(", "))
    };
    Ok(selection.units.iter().map(line).collect::<Vec<_>>().join("\n"))
}

#[test]
fn everything_is_selected_with_what_it_needs() {
    insta::assert_snapshot!(selected(&[], &[], &[]).unwrap(), @"
    tools:node (error) needs []
    tools:npm (error) needs []
    versions:node (error) needs [tools:node]
    versions:npm (error) needs [tools:npm]
    listener (error) needs [versions:node, versions:npm]
    ");
}

#[test]
fn what_is_asked_for_brings_what_it_needs() {
    insta::assert_snapshot!(selected(&["versions:npm"], &[], &[]).unwrap(), @"
    tools:npm (error) needs []
    versions:npm (error) needs [tools:npm]
    ");
}

#[test]
fn what_is_off_is_looked_through() {
    let off = [("versions", Override::Off), ("tools", Override::Severity(Severity::Warning))];
    insta::assert_snapshot!(selected(&["server"], &["tools:npm"], &off).unwrap(), @"
    tools:node (warning) needs []
    listener (error) needs [tools:node]
    ");
}

#[test]
fn a_name_that_nothing_has_is_an_error_with_the_nearest() {
    insta::assert_snapshot!(selected(&["version"], &[], &[]).unwrap_err(), @"no check, group, tag or subject is named `version`: did you mean `versions`?");
    insta::assert_snapshot!(selected(&[], &["tools:bun"], &[]).unwrap_err(), @"no check, group, tag or subject is named `tools:bun`: did you mean `tools:npm`?");
    assert_eq!(selected(&["tools"], &["runtime"], &[]), Err(SelectionError::Empty));
}
