//! The mirror's own worktree.

use std::path::{Path, PathBuf};

use housecall::check::Check;
use housecall::checks::sync::{dependencies, lockfile};
use housecall::checks::worktree::{
    git_locks, worktree_branch, worktree_exists, worktree_locked, worktree_place,
};
use housecall::cx::Probes;
use housecall::error::ProbeError;
use housecall::probes::Probe;
use housecall::probes::git::{Canonical, Checkout, Lock, Repository, Worktree};
use housecall::probes::ground::Ground;
use housecall::probes::mounts::{Kind, Mount};
use housecall::probes::project::Project;
use insta::assert_snapshot;

use super::repository::{present, usual};
use super::worlds::{self, SHA, ago, at, cx, home, verdict};

/// The usual worktree: on its branch, nothing in the way.
pub(crate) fn checkout() -> Checkout {
    Checkout {
        top: worlds::worktree(),
        git_dir: worlds::repository().join(".git/worktrees/worktree"),
        common_dir: worlds::repository().join(".git"),
        branch: Some("localhost-sync".to_owned()),
        head: Some(SHA.to_owned()),
        moved: None,
        operation: None,
        locks: Vec::new(),
        kept: Some("kept by housecall".to_owned()),
    }
}

/// That worktree's answer.
pub(crate) fn on(checkout: Checkout) -> Probe<Worktree> {
    Probe::given(Ok(Worktree::Present(checkout)))
}

fn found(check: &'static Check, found: Worktree) -> String {
    verdict(
        check,
        &cx(Probes { canonical: present(), worktree: Probe::given(Ok(found)), ..Probes::default() }),
    )
}

fn ground() -> Ground {
    let mount = Mount {
        point: "/home".into(),
        filesystem: "ext4".to_owned(),
        source: String::new(),
        options: Vec::new(),
        superblock: None,
        kind: Kind::Local,
    };
    Ground { real: worlds::worktree(), home: home(), mount, around: None }
}

fn place(ground: Ground) -> String {
    let probes = Probes { canonical: present(), ground: Probe::given(Ok(ground)), ..Probes::default() };
    verdict(&worktree_place::CHECK, &cx(probes))
}

fn lock(path: &str, seconds: i64) -> Lock {
    Lock { path: worlds::repository().join(path), made: ago(seconds), bytes: 0 }
}

#[test]
fn worktree_place_under_home() {
    assert_snapshot!(place(ground()), @"pass -");
}

#[test]
fn worktree_place_inside_a_home_kept_in_git() {
    assert_snapshot!(place(Ground { around: Some(home()), ..ground() }), @"
    pass -
      inside the repository: /home/ada
    ");
}

#[test]
fn worktree_place_outside_home() {
    assert_snapshot!(place(Ground { real: "/srv/worktree".into(), ..ground() }), @"
    fail the worktree does not lie under the home directory
      expected: /home/ada
      actual: /srv/worktree
    ");
}

#[test]
fn worktree_place_is_home_itself() {
    assert_snapshot!(place(Ground { real: home(), ..ground() }), @"
    fail the worktree does not lie under the home directory
      expected: /home/ada
      actual: /home/ada
    ");
}

#[test]
fn worktree_place_on_volumes_that_come_and_go() {
    let mount = |point: &str, filesystem: &str, kind| Mount {
        point: point.into(),
        filesystem: filesystem.to_owned(),
        source: String::new(),
        options: Vec::new(),
        superblock: None,
        kind,
    };
    let at = |mount| place(Ground { mount, ..ground() });
    assert_snapshot!(at(mount("/Volumes/Stick", "exfat", Kind::External)), @"
    fail the worktree is on an external volume
      expected: a volume of this machine that is always there
      actual: exfat at /Volumes/Stick
      worktree: /home/ada/ops/site/worktree
    ");
    assert_snapshot!(at(mount("/home/ada/ops", "fuse.sshfs", Kind::Fuse)), @"
    fail the worktree is on a FUSE volume
      expected: a volume of this machine that is always there
      actual: fuse.sshfs at /home/ada/ops
      worktree: /home/ada/ops/site/worktree
    ");
    assert_snapshot!(at(mount("/home", "nfs4", Kind::Network)), @"
    fail the worktree is on a network volume
      expected: a volume of this machine that is always there
      actual: nfs4 at /home
      worktree: /home/ada/ops/site/worktree
    ");
}

#[test]
fn worktree_place_inside_the_repository_by_real_path() {
    assert_snapshot!(place(Ground { real: at("dev/site/mirror"), ..ground() }), @"
    fail the worktree lies inside the canonical repository
      expected: a place apart from it
      actual: /home/ada/dev/site/mirror
      repository: /home/ada/dev/site
    ");
}

#[test]
fn worktree_place_around_the_repository() {
    assert_snapshot!(place(Ground { real: at("dev"), ..ground() }), @"
    fail the canonical repository lies inside the worktree
      expected: places apart from each other
      actual: /home/ada/dev/site
      worktree: /home/ada/dev
    ");
}

#[test]
fn worktree_place_beside_a_repository_of_a_like_name() {
    assert_snapshot!(place(Ground { real: at("dev/site-mirror"), ..ground() }), @"pass -");
}

#[test]
fn worktree_exists_present() {
    assert_snapshot!(found(&worktree_exists::CHECK, Worktree::Present(checkout())), @"
    pass -
      worktree: /home/ada/ops/site/worktree
    ");
}

#[test]
fn worktree_exists_absent() {
    assert_snapshot!(found(&worktree_exists::CHECK, Worktree::Absent), @"
    fail the mirror's worktree is not there
      expected: /home/ada/ops/site/worktree
    ");
}

#[test]
fn worktree_exists_absent_and_its_branch_checked_out_elsewhere() {
    let branch_worktree = Some(at("old/worktree"));
    let canonical = Probe::given(Ok(Canonical::Present(Repository { branch_worktree, ..usual() })));
    let worktree = Probe::given(Ok(Worktree::Absent));
    assert_snapshot!(verdict(&worktree_exists::CHECK, &cx(Probes { canonical, worktree, ..Probes::default() })), @"
    fail the mirror's worktree is not there
      expected: /home/ada/ops/site/worktree
      localhost-sync is at: /home/ada/old/worktree
    ");
}

#[test]
fn worktree_exists_not_git() {
    let why = "its `.git` file names /home/ada/dev/site/.git/worktrees/worktree, which is not there";
    assert_snapshot!(found(&worktree_exists::CHECK, Worktree::NotGit(why.to_owned())), @"
    fail the mirror's directory is not a git worktree
      expected: /home/ada/ops/site/worktree
      actual: its `.git` file names /home/ada/dev/site/.git/worktrees/worktree, which is not there
    ");
}

#[test]
fn worktree_exists_of_another_user() {
    let why = "detected dubious ownership in repository at '/home/ada/ops/site/worktree'";
    assert_snapshot!(found(&worktree_exists::CHECK, Worktree::NotGit(why.to_owned())), @"
    fail git does not read the mirror's directory, since it belongs to another user
      expected: /home/ada/ops/site/worktree
      actual: detected dubious ownership in repository at '/home/ada/ops/site/worktree'
    ");
}

#[test]
fn worktree_exists_foreign() {
    let foreign = |top: PathBuf, common: &Path| Worktree::Foreign { top, common_dir: common.to_owned() };
    let a_clone = foreign(worlds::worktree(), &worlds::worktree().join(".git"));
    assert_snapshot!(found(&worktree_exists::CHECK, a_clone), @"
    fail the mirror's directory is a clone of its own, not a worktree of the repository
      expected: /home/ada/ops/site/worktree
      actual: /home/ada/ops/site/worktree/.git
      top: /home/ada/ops/site/worktree
    ");
    assert_snapshot!(found(&worktree_exists::CHECK, foreign(home(), &at(".git"))), @"
    fail the mirror's directory belongs to another repository
      expected: /home/ada/ops/site/worktree
      actual: /home/ada/.git
      top: /home/ada
    ");
}

#[test]
fn worktree_exists_unknown() {
    let worktree = Probe::given(Err(ProbeError::failed("look at /home/ada/ops", &"Permission denied")));
    assert_snapshot!(verdict(&worktree_exists::CHECK, &cx(Probes { worktree, ..Probes::default() })), @"unknown cannot look at /home/ada/ops: Permission denied");
}

#[test]
fn worktree_branch_its_own() {
    assert_snapshot!(found(&worktree_branch::CHECK, Worktree::Present(checkout())), @"pass ~/ops/site/worktree on localhost-sync");
}

#[test]
fn worktree_branch_another() {
    let branch = Some("feature".to_owned());
    let branch_worktree = Some(worlds::repository());
    let canonical = Probe::given(Ok(Canonical::Present(Repository { branch_worktree, ..usual() })));
    let worktree = on(Checkout { branch, ..checkout() });
    assert_snapshot!(verdict(&worktree_branch::CHECK, &cx(Probes { canonical, worktree, ..Probes::default() })), @"
    fail the worktree is on `feature`, not on `localhost-sync`
      expected: localhost-sync
      actual: feature
      localhost-sync is at: /home/ada/dev/site
    ");
}

#[test]
fn worktree_branch_detached() {
    let detached = Checkout { branch: None, ..checkout() };
    assert_snapshot!(found(&worktree_branch::CHECK, Worktree::Present(detached)), @"
    fail the worktree is on no branch, not on `localhost-sync`
      expected: localhost-sync
      actual: a1bfbf4c0ffee0123456789abcdef0123456789a
    ");
    let nowhere = Checkout { branch: None, head: None, ..checkout() };
    assert_snapshot!(found(&worktree_branch::CHECK, Worktree::Present(nowhere)), @"
    fail the worktree is on no branch, not on `localhost-sync`
      expected: localhost-sync
      actual: HEAD names no commit
    ");
}

#[test]
fn worktree_branch_without_a_worktree_is_unknown() {
    assert_snapshot!(found(&worktree_branch::CHECK, Worktree::Absent), @"unknown cannot look into the worktree: it is not there");
}

#[test]
fn git_locks_none() {
    assert_snapshot!(found(&git_locks::CHECK, Worktree::Present(checkout())), @"pass -");
}

#[test]
fn git_locks_of_a_git_at_work() {
    let locks = vec![lock(".git/worktrees/worktree/index.lock", 12)];
    assert_snapshot!(found(&git_locks::CHECK, Worktree::Present(Checkout { locks, ..checkout() })), @"pending git is at work in the worktree, until 2026-03-16T20:30:01Z");
}

#[test]
fn git_locks_left_behind() {
    let locks =
        vec![lock(".git/packed-refs.lock", 2), lock(".git/worktrees/worktree/index.lock", 11 * 86_400)];
    assert_snapshot!(found(&git_locks::CHECK, Worktree::Present(Checkout { locks, ..checkout() })), @"
    fail git is locked by `index.lock`, left 11 days ago
      lock: /home/ada/dev/site/.git/packed-refs.lock
      age: 2 s
      size: 0 B
      lock: /home/ada/dev/site/.git/worktrees/worktree/index.lock
      age: 11 days
      size: 0 B
    ");
}

#[test]
fn git_locks_of_the_future() {
    let made = "2027-03-16T20:29:43Z".parse().expect("a time");
    let locks = vec![Lock { made, ..lock(".git/worktrees/worktree/index.lock", 0) }];
    assert_snapshot!(found(&git_locks::CHECK, Worktree::Present(Checkout { locks, ..checkout() })), @"
    fail git is locked by `index.lock`, whose time is in the future
      made: 2027-03-16T20:29:43Z
      lock: /home/ada/dev/site/.git/worktrees/worktree/index.lock
      age: 0 ms
      size: 0 B
    ");
}

#[test]
fn git_locks_during_an_operation() {
    let operation = Some("rebase".to_owned());
    let locks = vec![lock(".git/worktrees/worktree/index.lock", 2)];
    assert_snapshot!(found(&git_locks::CHECK, Worktree::Present(Checkout { operation, locks, ..checkout() })), @"
    fail a rebase is in progress in the worktree
      operation: rebase
      lock: /home/ada/dev/site/.git/worktrees/worktree/index.lock
      age: 2 s
      size: 0 B
    ");
    let operation = Some("am".to_owned());
    assert_snapshot!(found(&git_locks::CHECK, Worktree::Present(Checkout { operation, ..checkout() })), @"
    fail an am is in progress in the worktree
      operation: am
    ");
}

#[test]
fn what_a_worktree_that_is_not_there_depends_on_is_not_known() {
    let project = Probe::given(Ok(Project::default()));
    let probes = Probes { project, worktree: Probe::given(Ok(Worktree::Absent)), ..Probes::default() };
    let cx = cx(probes);
    assert_snapshot!(verdict(&dependencies::CHECK, &cx), @"fail the dependencies are not installed");
    assert_snapshot!(verdict(&lockfile::CHECK, &cx), @"unknown cannot look into the worktree: it is not there");
}

#[test]
fn worktree_locked() {
    let of = |kept: Option<&str>| {
        let kept = kept.map(str::to_owned);
        found(&worktree_locked::CHECK, Worktree::Present(Checkout { kept, ..checkout() }))
    };
    assert_snapshot!(of(Some("kept by housecall")), @"
    pass locked
      reason: kept by housecall
    ");
    assert_snapshot!(of(None), @"fail git may prune the worktree while its volume is away");
}
