//! A whole examination survives whatever a page answers and whatever stands in the state directory.

use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use housecall::check::Severity;
use housecall::config::Config;
use housecall::cx::{Cx, Probes};
use housecall::probes::built::Built;
use housecall::probes::git::{Canonical, Changes, Checkout, Distance, Remote, Repository, Worktree};
use housecall::probes::http::{Answer, Response};
use housecall::probes::keeper::{Keeper, Running};
use housecall::probes::state::{Fault, FaultKind, Holder, LastSync, State};
use housecall::probes::{Keyed, Probe};
use housecall::report::human::{Detail, View, render};
use housecall::report::{Report, json};
use housecall::run::run;
use housecall::selection::{Selection, Wanted};
use jiff::Timestamp;

use crate::terminal::assert_harmless;
use crate::{HOME, configured};

const SHA: &str = "a1bfbf4c0ffee0123456789abcdef0123456789a";

static MIRROR: LazyLock<Arc<Config>> = LazyLock::new(|| {
    let page = |path: &str, rest: &str| format!("[[page]]\npath = \"{path}\"\n{rest}\n");
    let mut text = format!(
        "name = \"site\"\n[mirror]\nrepository = \"{HOME}/dev/site\"\nupstream = \"origin/main\"\n\
         worktree = \"{HOME}/mirror/site\"\nbranch = \"localhost-sync\"\nstate = \"{HOME}/mirror\"\nevery = \"60s\"\n\
         [serve]\nrun = [\"node\", \"server.mjs\"]\nlisten = \"127.0.0.1:4321\"\n"
    );
    let _ = write!(text, "{}", page("/", "contains = [\"l'idée\"]\nabsent = [\"draft\"]"));
    let _ = write!(text, "{}", page("/sha", "sha = 'built from ([0-9a-f]+)'\nmatches = ['^<h1>']"));
    Arc::new(configured(&text).unwrap_or_else(|error| panic!("{error}")))
});

/// Pages: the first line is one header's value, the rest is the body.
///
/// # Panics
/// Where an examination crashes, or what a page says steers the terminal.
pub fn page(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (header, body) = text.split_once('\n').unwrap_or(("", &text));
    let response = Response {
        status: 200,
        location: None,
        headers: vec![("x-housecall-sha".to_owned(), header.to_owned())],
        body: body.to_owned(),
        truncated: false,
        lossy: false,
        took: Duration::from_millis(14),
        certified_until: None,
        doubt: None,
    };
    let mut plain = response.clone();
    plain.headers.clear();
    let answers = [
        ("http://127.0.0.1:4321/".to_owned(), Ok(Answer::Response(plain))),
        ("http://127.0.0.1:4321/sha".to_owned(), Ok(Answer::Response(response))),
    ];
    examine(Probes { pages: Keyed::given(answers), ..world() });
}

/// The state directory: a line each for the last sync, who holds the lock, and the keeper, all JSON.
///
/// # Panics
/// Where an examination crashes, or what is written there steers the terminal.
pub fn state(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.lines().map(str::trim);
    let mut next = || lines.next().unwrap_or_default();
    let last_sync: Option<LastSync> = serde_json::from_str(next()).ok();
    let holder: Option<Holder> = serde_json::from_str(next()).ok();
    let keeper: Option<Running> = serde_json::from_str(next()).ok();
    let rest = next().to_owned();
    let state = State {
        last_sync_age: last_sync.as_ref().map(|it| Duration::from_millis(it.awake_ms)),
        last_sync,
        built: Built::default(),
        stopped: rest.parse().ok(),
        holder,
        bad: if rest.is_empty() {
            Vec::new()
        } else {
            vec![(format!("{HOME}/{rest}").into(), Fault { kind: FaultKind::Torn, why: rest })]
        },
    };
    let keeper = keeper.map_or(Keeper::Absent, |it| {
        if text.len().is_multiple_of(2) { Keeper::Died(it) } else { Keeper::Running(it) }
    });
    examine(Probes { state: Probe::given(Ok(state)), keeper: Probe::given(Ok(keeper)), ..world() });
}

fn now() -> Timestamp {
    Timestamp::from_second(1_773_692_983).unwrap_or_default()
}

/// A worktree that is one commit behind.
fn world() -> Probes {
    let top = format!("{HOME}/mirror/site");
    let common_dir = format!("{HOME}/dev/site/.git");
    Probes {
        canonical: Probe::given(Ok(Canonical::Present(Repository {
            top: format!("{HOME}/dev/site").into(),
            symbolic: None,
            common_dir: common_dir.clone().into(),
            remote_url: None,
            tracking: Some(SHA.to_owned()),
            fetched: Some(now()),
            branch_worktree: Some(top.clone().into()),
        }))),
        worktree: Probe::given(Ok(Worktree::Present(Checkout {
            top: top.into(),
            git_dir: format!("{common_dir}/worktrees/site").into(),
            common_dir: common_dir.into(),
            branch: Some("localhost-sync".to_owned()),
            head: Some(SHA.to_owned()),
            moved: None,
            operation: None,
            kept: Some("kept by housecall".to_owned()),
            locks: Vec::new(),
        }))),
        changes: Probe::given(Ok(Changes::default())),
        distance: Probe::given(Ok(Distance { of: SHA.replace('a', "b"), ahead: 0, behind: 1 })),
        remote: Probe::given(Ok(Remote::At { sha: SHA.replace('a', "b"), took: Duration::from_millis(9) })),
        ..Probes::default()
    }
}

/// Every check by itself, so that none is hidden by another, and all of them with their report.
fn examine(probes: Probes) {
    let config = Arc::clone(&MIRROR);
    let cx = Arc::new(Cx::given(Arc::clone(&config), now(), probes));
    for check in housecall::checks::ALL {
        for (_, look) in check.look.bind(&config) {
            let _ = look(&cx);
        }
    }
    let Ok(selection) = Selection::new(&config, &Wanted::default()) else { panic!("nothing is selected") };
    let examined = run(&selection, &cx);
    let took = Duration::from_millis(90);
    let stopped = cx.state().ok().and_then(|it| it.stopped);
    let report = Report::new(&config, Severity::Error, &examined, &[], stopped, now(), took);
    for detail in [Detail::Normal, Detail::Everything] {
        assert_harmless(&render(&report, &View { detail, ..View::default() }));
    }
    let document = json::render(&report);
    assert!(serde_json::from_str::<serde_json::Value>(&document).is_ok(), "no JSON: {document}");
}
