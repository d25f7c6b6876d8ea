//! How far the worktree follows its upstream.

use std::sync::Arc;
use std::time::Duration;

use housecall::checks::sync::{dependencies, sha_parity, sync_recent};
use housecall::config::{Config, Mirror};
use housecall::cx::Probes;
use housecall::error::ProbeError;
use housecall::probes::built::Built;
use housecall::probes::deps::{Installed, Stamp};
use housecall::probes::git::{Canonical, Checkout, Distance, Remote, Repository};
use housecall::probes::project::{Lockfile, Project};
use housecall::probes::state::{Fault, FaultKind, State, SyncStatus};
use housecall::probes::tools::FoundTool;
use housecall::probes::{Keyed, Probe};
use insta::assert_snapshot;

use super::repository::{present, usual};
use super::worktree::{checkout, on};
use super::worlds::{OLD_SHA, SHA, ago, config, cx, cx_of, last_sync, verdict, worktree};

/// A state whose last sync ended so, that many seconds ago, and wrote that commit.
pub(crate) fn state(status: SyncStatus, seconds: i64, sha: &str) -> State {
    let last_sync = last_sync(status, seconds, sha, "nothing was needed");
    let last_sync_age = Some(Duration::from_secs(seconds.unsigned_abs()));
    State {
        last_sync: Some(last_sync),
        last_sync_age,
        built: Built::default(),
        stopped: None,
        holder: None,
        bad: Vec::new(),
    }
}

fn remote() -> Probe<Remote> {
    Probe::given(Ok(Remote::At { sha: SHA.to_owned(), took: Duration::from_millis(15) }))
}

/// Behind: on an old commit, while the remote has moved.
fn behind(state: Result<State, ProbeError>, distance: Result<Distance, ProbeError>) -> String {
    let worktree = on(Checkout { head: Some(OLD_SHA.to_owned()), ..checkout() });
    let (state, distance) = (Probe::given(state), Probe::given(distance));
    let probes =
        Probes { canonical: present(), worktree, remote: remote(), state, distance, ..Probes::default() };
    verdict(&sha_parity::CHECK, &cx(probes))
}

const NOT_COUNTED: Result<Distance, ProbeError> = Err(ProbeError::NotGiven("distance"));

fn overdue() -> State {
    state(SyncStatus::Noop, 75, OLD_SHA)
}

fn counted(ahead: usize, behind: usize) -> Distance {
    Distance { of: SHA.to_owned(), ahead, behind }
}

#[test]
fn sha_parity_equal() {
    let probes = Probes { worktree: on(checkout()), remote: remote(), ..Probes::default() };
    assert_snapshot!(verdict(&sha_parity::CHECK, &cx(probes)), @"
    pass a1bfbf4 is origin/main
      commit: a1bfbf4c0ffee0123456789abcdef0123456789a
    ");
}

#[test]
fn sha_parity_pending_while_the_next_sync_is_due() {
    assert_snapshot!(behind(Ok(state(SyncStatus::Updated, 12, OLD_SHA)), NOT_COUNTED), @"pending origin/main has moved to a1bfbf4, and the next sync is due, until 2026-03-16T20:30:46Z");
    assert_snapshot!(behind(Ok(state(SyncStatus::Stale, 74, OLD_SHA)), NOT_COUNTED), @"pending origin/main has moved to a1bfbf4, and the next sync is due, until 2026-03-16T20:29:44Z");
}

#[test]
fn sha_parity_behind() {
    assert_snapshot!(behind(Ok(overdue()), Ok(counted(0, 3))), @"
    fail the worktree is 3 commits behind origin/main
      expected: a1bfbf4c0ffee0123456789abcdef0123456789a
      actual: 0ddba11c0ffee0123456789abcdef0123456789a
    ");
    assert_snapshot!(behind(Ok(overdue()), Ok(counted(0, 1))), @"
    fail the worktree is 1 commit behind origin/main
      expected: a1bfbf4c0ffee0123456789abcdef0123456789a
      actual: 0ddba11c0ffee0123456789abcdef0123456789a
    ");
    assert_snapshot!(behind(Ok(overdue()), Ok(counted(2, 0))), @"
    fail the worktree is 2 commits ahead of origin/main
      expected: a1bfbf4c0ffee0123456789abcdef0123456789a
      actual: 0ddba11c0ffee0123456789abcdef0123456789a
    ");
    assert_snapshot!(behind(Ok(overdue()), Ok(counted(2, 3))), @"
    fail the worktree has 2 commits of its own and is 3 behind origin/main
      expected: a1bfbf4c0ffee0123456789abcdef0123456789a
      actual: 0ddba11c0ffee0123456789abcdef0123456789a
    ");
}

#[test]
fn sha_parity_is_no_pending_matter_without_an_excuse() {
    let expected = behind(Ok(overdue()), NOT_COUNTED);
    assert_snapshot!(expected, @"
    fail the worktree is not on the commit of origin/main
      expected: a1bfbf4c0ffee0123456789abcdef0123456789a
      actual: 0ddba11c0ffee0123456789abcdef0123456789a
    ");
    // Not what the last sync wrote; it failed; nobody syncs; the state cannot be read; an older fetch was counted.
    assert_eq!(behind(Ok(state(SyncStatus::Noop, 12, SHA)), NOT_COUNTED), expected);
    assert_eq!(behind(Ok(state(SyncStatus::Failed, 12, OLD_SHA)), NOT_COUNTED), expected);
    let stopped = State { stopped: Some(ago(5)), ..state(SyncStatus::Noop, 12, OLD_SHA) };
    assert_eq!(behind(Ok(stopped), NOT_COUNTED), expected);
    assert_eq!(behind(Err(ProbeError::failed("read the state", &"denied")), NOT_COUNTED), expected);
    let older = Ok(Distance { of: OLD_SHA.to_owned(), ahead: 0, behind: 0 });
    assert_eq!(behind(Ok(overdue()), older), expected);
}

#[test]
fn sha_parity_on_no_commit() {
    let worktree = on(Checkout { head: None, ..checkout() });
    let probes = Probes { worktree, remote: remote(), ..Probes::default() };
    assert_snapshot!(verdict(&sha_parity::CHECK, &cx(probes)), @"
    fail the worktree's HEAD names no commit
      expected: a1bfbf4c0ffee0123456789abcdef0123456789a
      actual: no such commit
    ");
}

#[test]
fn sha_parity_offline_is_against_the_last_fetch() {
    let offline = |repository: Repository| {
        let mut config = config();
        config.limits.offline = true;
        let canonical = Probe::given(Ok(Canonical::Present(repository)));
        let state = Probe::given(Ok(overdue()));
        let probes = Probes { canonical, worktree: on(checkout()), state, ..Probes::default() };
        verdict(&sha_parity::CHECK, &cx_of(config, probes))
    };
    assert_snapshot!(offline(usual()), @"
    pass a1bfbf4 is origin/main as fetched 3 min ago
      commit: a1bfbf4c0ffee0123456789abcdef0123456789a
    ");
    assert_snapshot!(offline(Repository { tracking: Some(OLD_SHA.to_owned()), ..usual() }), @"
    fail the worktree is not on the commit of origin/main as fetched 3 min ago
      expected: 0ddba11c0ffee0123456789abcdef0123456789a
      actual: a1bfbf4c0ffee0123456789abcdef0123456789a
    ");
    assert_snapshot!(offline(Repository { tracking: None, fetched: None, ..usual() }), @"
    fail origin/main was never fetched
      expected: refs/remotes/origin/main
      actual: no such ref
    ");
}

#[test]
fn sha_parity_unknown_where_the_remote_is_out_of_reach() {
    let remote = Probe::given(Ok(Remote::Unreachable("Could not resolve host: example.org".to_owned())));
    let probes = Probes { worktree: on(checkout()), remote, ..Probes::default() };
    assert_snapshot!(verdict(&sha_parity::CHECK, &cx(probes)), @"unknown cannot compare with origin/main: Could not resolve host: example.org");
}

fn recent(state: Result<State, ProbeError>) -> String {
    verdict(&sync_recent::CHECK, &cx(Probes { state: Probe::given(state), ..Probes::default() }))
}

#[test]
fn sync_recent_just_now() {
    assert_snapshot!(recent(Ok(state(SyncStatus::Noop, 12, SHA))), @"
    pass synced 12 s ago
      at: 2026-03-16T20:29:31Z
    ");
}

#[test]
fn sync_recent_never() {
    assert_snapshot!(recent(Ok(State { last_sync: None, last_sync_age: None, ..state(SyncStatus::Noop, 0, SHA) })), @"
    fail the mirror was never synced
      expected: every 60 s
    ");
}

#[test]
fn sync_recent_long_ago() {
    assert_snapshot!(recent(Ok(state(SyncStatus::Noop, 241, SHA))), @"
    fail the last sync was 4 min ago
      expected: every 60 s
      actual: 4 min
      at: 2026-03-16T20:25:42Z
    ");
}

#[test]
fn sync_recent_counts_time_awake_only() {
    let asleep =
        State { last_sync_age: Some(Duration::from_secs(40)), ..state(SyncStatus::Noop, 9 * 3600, SHA) };
    assert_snapshot!(recent(Ok(asleep)), @"
    pass synced 40 s ago
      at: 2026-03-16T11:29:43Z
    ");
}

#[test]
fn sync_recent_failed() {
    let mut failed = state(SyncStatus::Failed, 12, SHA);
    failed.last_sync.as_mut().expect("one").reason = "npm ci ended with 1".to_owned();
    assert_snapshot!(recent(Ok(failed)), @"
    fail the last sync failed
      reason: npm ci ended with 1
      at: 2026-03-16T20:29:31Z
    ");
}

#[test]
fn sync_recent_stale_is_no_fault_while_it_is_tried() {
    let mut stale = state(SyncStatus::Stale, 12, SHA);
    let last = stale.last_sync.as_mut().expect("one");
    last.reason = "Could not resolve host: example.org".to_owned();
    last.contact = Some(ago(3 * 3600));
    assert_snapshot!(recent(Ok(stale.clone())), @"
    pass origin was last reached 3 h ago
      reason: Could not resolve host: example.org
      last reached: 2026-03-16T17:29:43Z
    ");
    stale.last_sync.as_mut().expect("one").contact = None;
    assert_snapshot!(recent(Ok(stale)), @"
    pass origin was never reached
      reason: Could not resolve host: example.org
    ");
    assert_snapshot!(recent(Ok(state(SyncStatus::Stale, 3600, SHA))), @"
    fail the last sync was 60 min ago
      expected: every 60 s
      actual: 60 min
      at: 2026-03-16T19:29:43Z
    ");
}

#[test]
fn sync_recent_stopped() {
    assert_snapshot!(recent(Ok(State { stopped: Some(ago(60)), ..state(SyncStatus::Noop, 3600, SHA) })), @"skip the mirror was stopped by its user");
}

#[test]
fn sync_recent_unknown() {
    let bad = vec![(config().sync_file(), Fault { kind: FaultKind::Torn, why: "it is torn".to_owned() })];
    assert_snapshot!(recent(Ok(State { last_sync: None, bad, ..overdue() })), @"unknown ~/ops/site/sync.json is not readable: it is torn");
    assert_snapshot!(recent(Err(ProbeError::failed("read the state", &"Permission denied"))), @"unknown cannot read the state: Permission denied");
}

fn dependencies(installed: Installed, node: &str) -> String {
    let path = worktree().join("package-lock.json");
    let lockfile = Some(Lockfile { path, manager: "npm", digest: "aa11".to_owned() });
    let node = (!node.is_empty()).then(|| FoundTool {
        path: "/opt/node22/bin/node".into(),
        real: "/opt/node22/bin/node".into(),
        version: Ok(node.to_owned()),
    });
    let probes = Probes {
        project: Probe::given(Ok(Project { lockfile, ..Project::default() })),
        installed: Probe::given(Ok(installed)),
        tools: Keyed::given([("node".to_owned(), Ok(node))]),
        ..Probes::default()
    };
    verdict(&dependencies::CHECK, &cx(probes))
}

pub(crate) fn installed(lockfile: &str, runtime: &str) -> Installed {
    let (lockfile, runtime) = (lockfile.to_owned(), runtime.to_owned());
    let stamp = Stamp { schema: 1, lockfile, runtime, at: ago(3600), command: Vec::new() };
    Installed { tree: true, stamp: Some(stamp) }
}

#[test]
fn dependencies_match() {
    assert_snapshot!(dependencies(installed("aa11", "22"), "22.23.3"), @"
    pass dependencies match the lockfile
      installed: 2026-03-16T19:29:43Z
    ");
    assert_eq!(dependencies(installed("aa11", "22"), ""), dependencies(installed("aa11", "22"), "22.0.0"));
}

#[test]
fn dependencies_not_installed() {
    assert_snapshot!(dependencies(Installed { tree: false, stamp: None }, "22.23.3"), @"
    fail the dependencies are not installed
      lockfile: /home/ada/ops/site/worktree/package-lock.json
    ");
}

#[test]
fn dependencies_of_unknown_origin() {
    assert_snapshot!(dependencies(Installed { tree: true, stamp: None }, "22.23.3"), @"
    fail the installed dependencies are not known to match `package-lock.json`
      lockfile: /home/ada/ops/site/worktree/package-lock.json
      actual: installed by somebody else, or not to the end
    ");
}

#[test]
fn dependencies_of_another_lockfile() {
    assert_snapshot!(dependencies(installed("bb22", "22"), "22.23.3"), @"
    fail `package-lock.json` has changed since the dependencies were installed
      expected: sha256 aa11
      actual: sha256 bb22
      installed: 2026-03-16T19:29:43Z
    ");
}

#[test]
fn dependencies_of_another_runtime() {
    assert_snapshot!(dependencies(installed("aa11", "20"), "22.23.3"), @"
    fail the dependencies were installed for node 20, and the jobs run node 22
      expected: 22.23.3
      actual: 20
      installed: 2026-03-16T19:29:43Z
    ");
}

#[test]
fn dependencies_where_nothing_installs_or_nothing_is_locked() {
    let project = Probe::given(Ok(Project::default()));
    let probes = Probes { project, worktree: on(checkout()), ..Probes::default() };
    assert_snapshot!(verdict(&dependencies::CHECK, &cx(probes)), @"skip the project has no lockfile");
    let config = with(|mirror| mirror.install.clear());
    assert_snapshot!(verdict(&dependencies::CHECK, &cx_of(config, Probes::default())), @"skip no `install` is configured");
}

#[test]
fn dependencies_unknown() {
    let project = Probe::given(Err(ProbeError::unreadable("package.json", &"EOF at line 1")));
    assert_snapshot!(verdict(&dependencies::CHECK, &cx(Probes { project, ..Probes::default() })), @"unknown package.json is not readable: EOF at line 1");
}

pub(crate) fn with(change: impl FnOnce(&mut Mirror)) -> Config {
    let mut config = config();
    change(Arc::make_mut(config.mirror.as_mut().expect("a mirror")));
    config
}
