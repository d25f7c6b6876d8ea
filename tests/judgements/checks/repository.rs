//! The repository people develop in, and its remote.

use std::path::PathBuf;
use std::time::Duration;

use housecall::checks::repository::{canonical_repo, remote_reachable};
use housecall::cx::Probes;
use housecall::error::ProbeError;
use housecall::probes::Probe;
use housecall::probes::git::{Canonical, Remote, Repository};
use insta::assert_snapshot;

use super::worlds::{self, SHA, ago, config, cx, cx_of, verdict, worktree};

/// The usual repository, fetched three minutes ago.
pub(crate) fn usual() -> Repository {
    Repository {
        symbolic: None,
        top: worlds::repository(),
        common_dir: worlds::repository().join(".git"),
        remote_url: Some("git@example.org:ada/site.git".to_owned()),
        tracking: Some(SHA.to_owned()),
        fetched: Some(ago(180)),
        branch_worktree: Some(worktree()),
    }
}

/// The usual repository's answer.
pub(crate) fn present() -> Probe<Canonical> {
    Probe::given(Ok(Canonical::Present(usual())))
}

fn canonical(found: Result<Canonical, ProbeError>) -> String {
    verdict(&canonical_repo::CHECK, &cx(Probes { canonical: Probe::given(found), ..Probes::default() }))
}

fn reached(found: Result<Remote, ProbeError>) -> String {
    let probes = Probes { canonical: present(), remote: Probe::given(found), ..Probes::default() };
    verdict(&remote_reachable::CHECK, &cx(probes))
}

#[test]
fn canonical_repo_present() {
    assert_snapshot!(canonical(Ok(Canonical::Present(usual()))), @"
    pass ~/dev/site
      repository: /home/ada/dev/site
      origin: git@example.org:ada/site.git
    ");
}

#[test]
fn canonical_repo_absent() {
    assert_snapshot!(canonical(Ok(Canonical::Absent)), @"
    fail the canonical repository is not there
      expected: /home/ada/dev/site
    ");
}

#[test]
fn canonical_repo_unmounted() {
    assert_snapshot!(canonical(Ok(Canonical::Unmounted(PathBuf::from("/Volumes/FunIA")))), @"
    fail the canonical repository's volume is not mounted
      expected: /home/ada/dev/site
      volume: /Volumes/FunIA
    ");
}

#[test]
fn canonical_repo_not_git() {
    assert_snapshot!(canonical(Ok(Canonical::NotGit("it is an empty directory".to_owned()))), @"
    fail the canonical repository is not a git repository
      expected: /home/ada/dev/site
      actual: it is an empty directory
    ");
}

#[test]
fn canonical_repo_without_the_remote() {
    assert_snapshot!(canonical(Ok(Canonical::Present(Repository { remote_url: None, ..usual() }))), @"
    fail the canonical repository has no remote `origin`
      repository: /home/ada/dev/site
    ");
}

#[test]
fn canonical_repo_on_a_volume_that_hangs() {
    let after = Duration::from_secs(5);
    assert_snapshot!(canonical(Err(ProbeError::TimedOut { what: "the volume at /Volumes/FunIA".to_owned(), after })), @"unknown the volume at /Volumes/FunIA did not answer within 5 s");
}

#[test]
fn remote_reachable_answers() {
    let took = Duration::from_millis(180);
    assert_snapshot!(reached(Ok(Remote::At { sha: SHA.to_owned(), took })), @"
    pass origin answers in 180 ms
      origin/main: a1bfbf4c0ffee0123456789abcdef0123456789a
    ");
}

#[test]
fn remote_reachable_without_the_branch() {
    assert_snapshot!(reached(Ok(Remote::NoSuchRef)), @"
    fail origin has no branch `main`
      expected: refs/heads/main
      origin: git@example.org:ada/site.git
    ");
}

#[test]
fn remote_reachable_refused() {
    assert_snapshot!(reached(Ok(Remote::Refused("Host key verification failed".to_owned()))), @"
    fail origin refuses to be read
      actual: Host key verification failed
      origin: git@example.org:ada/site.git
    ");
}

#[test]
fn remote_reachable_offline_is_unknown() {
    let why = "ssh: Could not resolve hostname example.org: Name or service not known".to_owned();
    assert_snapshot!(reached(Ok(Remote::Unreachable(why))), @"unknown cannot reach origin: ssh: Could not resolve hostname example.org: Name or service not known");
}

#[test]
fn remote_reachable_in_vain() {
    let after = Duration::from_secs(5);
    assert_snapshot!(reached(Err(ProbeError::TimedOut { what: "git@example.org".to_owned(), after })), @"unknown git@example.org did not answer within 5 s");
}

#[test]
fn remote_reachable_is_not_asked_offline() {
    let mut config = config();
    config.limits.offline = true;
    assert_snapshot!(verdict(&remote_reachable::CHECK, &cx_of(config, Probes::default())), @"skip --offline leaves the network alone");
}

#[test]
fn remote_reachable_untrusted() {
    assert_snapshot!(reached(Err(ProbeError::NotTrusted { what: "git".to_owned() })), @"unknown not trusted: git is not run before `housecall trust`");
}
