//! What a crash, a power cut or a wrong command leaves in git's own files.

use std::fs;

use housecall::probes::state::SyncStatus::{self, Failed};
use support::processes::Kept;

use super::oracle::{Oracle, assert_kept};
use crate::world::{World, age};

#[test]
fn every_lock_that_nobody_holds_is_taken_away() {
    let world = World::synced();
    let oracle = Oracle::of(&world);
    let git = world.repository().join(".git");
    let locks = [
        world.administration().join("index.lock"),
        world.administration().join("HEAD.lock"),
        git.join("refs/heads/localhost-sync.lock"),
        git.join("refs/remotes/origin/main.lock"),
        git.join("packed-refs.lock"),
        git.join("shallow.lock"),
    ];
    for (round, lock) in locks.iter().enumerate() {
        world.push("index.html", &format!("round {round}\n"));
        fs::write(lock, "").expect("a lock");
        age(lock);
        oracle.heals(&world);
    }
}

#[test]
fn a_lock_that_a_live_process_holds_is_left_and_named() {
    let world = World::synced();
    world.push("index.html", "two\n");
    let lock = world.repository().join(".git/refs/remotes/origin/main.lock");
    fs::write(&lock, "").expect("a lock");
    age(&lock);
    let lock_file = fs::File::open(&lock).expect("the lock");
    let holder = Kept::start(std::process::Command::new("sleep").arg("60").stdin(lock_file));
    let last = world.sync();
    assert_eq!(last.status, Failed);
    assert!(last.reason.contains("main.lock"), "{}", last.reason);
    assert!(lock.exists());
    drop(holder);
    world.heals();
}

#[test]
fn packed_refs_of_all_that_is_there_change_nothing() {
    let world = World::synced();
    world.home.git(&world.repository(), ["pack-refs", "--all"]);
    let oracle = Oracle::of(&world);
    world.push("index.html", "two\n");
    oracle.heals(&world);
}

#[test]
fn files_of_the_administration_that_are_torn_one_after_the_other() {
    for (name, content) in [
        ("HEAD", ""),
        ("HEAD", "\0\0\0\0\0\0\0\0"),
        ("HEAD", "ref: refs/heads/gone\n"),
        ("HEAD", "0123456789012345678901234567890123456789\n"),
        ("index", ""),
        ("index", "DIRC\0\0\0\u{2}\0\0\0\u{1}"),
        ("commondir", ""),
        ("gitdir", ""),
    ] {
        let world = World::synced();
        let oracle = Oracle::of(&world);
        world.push("index.html", "two\n");
        world.edit("note.txt", "a person's\n");
        fs::write(world.administration().join(name), content).expect("torn");
        let last = world.sync();
        assert_eq!(last.status, SyncStatus::Updated, "{name} {content:?}: {}", last.reason);
        world.assert_aligned();
        oracle.holds(&world);
        let aside = fs::read_dir(&world.config.state).expect("the state").filter_map(Result::ok);
        let beside = aside.map(|it| it.path().join("note.txt")).any(|it| it.exists());
        if !beside {
            assert_kept(&world, "note.txt", "a person's\n");
        }
    }
}

#[test]
fn files_of_the_administration_that_are_missing_one_after_the_other() {
    for name in ["HEAD", "index", "commondir", "gitdir"] {
        let world = World::synced();
        let oracle = Oracle::of(&world);
        world.push("index.html", "two\n");
        fs::remove_file(world.administration().join(name)).expect("removed");
        let last = world.sync();
        assert_eq!(last.status, SyncStatus::Updated, "{name}: {}", last.reason);
        world.assert_aligned();
        oracle.holds(&world);
    }
}

#[test]
fn a_torn_git_file_in_the_worktree_is_written_again() {
    for content in ["", "gitdir", "gitdir: /nowhere/at/all\n"] {
        let world = World::synced();
        let oracle = Oracle::of(&world);
        world.edit("note.txt", "a person's\n");
        fs::write(world.worktree().join(".git"), content).expect("torn");
        let last = world.sync();
        assert_eq!(last.status, SyncStatus::Updated, "{content:?}: {}", last.reason);
        world.assert_aligned();
        oracle.holds(&world);
        assert_kept(&world, "note.txt", "a person's\n");
    }
}

#[test]
fn refs_of_the_mirror_that_name_nothing_or_garbage() {
    for name in ["heads/localhost-sync", "remotes/origin/main"] {
        for content in ["", "garbage\n", "0123456789012345678901234567890123456789\n"] {
            let world = World::synced();
            let oracle = Oracle::of(&world);
            world.push("index.html", "two\n");
            fs::write(world.repository().join(".git/refs").join(name), content).expect("torn");
            let last = world.sync();
            assert_eq!(last.status, SyncStatus::Updated, "{name} {content:?}: {}", last.reason);
            world.assert_aligned();
            oracle.holds(&world);
        }
    }
}

#[test]
fn commits_of_a_branch_that_is_torn_are_kept_by_what_its_log_says() {
    for content in ["", "garbage\n", "0123456789012345678901234567890123456789\n"] {
        let world = World::synced();
        let oracle = Oracle::of(&world);
        for version in ["v1\n", "v2\n"] {
            world.edit("note.txt", version);
            world.home.commit(&world.worktree(), version.trim());
        }
        let tip = world.home.git(&world.worktree(), ["rev-parse", "HEAD"]);
        fs::write(world.repository().join(".git/refs/heads/localhost-sync"), content).expect("torn");
        oracle.heals(&world);
        let containing = ["for-each-ref", "--format=%(refname)", "--contains", &tip, "refs/housecall"];
        assert_ne!(world.home.git(&world.repository(), containing), "", "{content:?}");
        let kept = world.rescued();
        world.push("index.html", "two\n");
        oracle.heals(&world);
        assert_eq!(world.rescued(), kept, "once");
    }
}

#[test]
fn what_a_killed_sync_left_unfinished_is_removed_wherever_it_is() {
    let world = World::synced();
    let oracle = Oracle::of(&world);
    let journal = world.config.state.join("journal.jsonl");
    let written = fs::read_to_string(&journal).expect("the journal");
    let last = written.lines().last().expect("a step");
    // A step that begins and never ends.
    fs::write(&journal, format!("{written}{}\n", last.replace("\"done\"", "\"begins\"")))
        .expect("the journal");
    let git = world.repository().join(".git");
    for place in [
        world.config.state.join("rescued/2026-01-01T00-00-00/operation/rebase-merge/.housecall-tmp-1"),
        world.config.state.join(".housecall-index-1/index"),
        world.worktree().join(".housecall-tmp-1"),
        world.administration().join(".housecall-tmp-1"),
        world.administration().join("AUTO_MERGE.lock"),
        git.join("refs/housecall/rescued/2026-01-01T00-00-00.lock"),
        git.join("objects/pack/tmp_pack_1"),
        git.join("objects/ab/tmp_obj_1"),
    ] {
        fs::create_dir_all(place.parent().expect("a folder")).expect("the folder");
        fs::write(place, "half").expect("it");
    }
    oracle.goes_on(&world);
}

/// Takes the object of a file of HEAD's away, as a torn disk does.
fn lose(world: &World, file: &str) -> String {
    let blob = world.home.git(&world.worktree(), ["rev-parse", &format!("HEAD:{file}")]);
    let object = world.repository().join(".git/objects").join(&blob[..2]).join(&blob[2..]);
    fs::remove_file(object).expect("it is no part of a pack");
    blob
}

#[test]
fn an_object_that_is_lost_is_fetched_again() {
    let world = World::synced();
    let oracle = Oracle::of(&world);
    for is_deleted in [true, false] {
        world.push("index.html", &format!("of which the content is lost, {is_deleted}\n"));
        oracle.heals(&world);
        lose(&world, "index.html");
        if is_deleted {
            fs::remove_file(world.worktree().join("index.html")).expect("deleted");
        }
        world.edit("note.txt", &format!("a person's, {is_deleted}\n"));
        let _ = fs::remove_file(world.config.state.join("asked-again"));
        oracle.heals(&world);
        assert_kept(&world, "note.txt", &format!("a person's, {is_deleted}\n"));
    }
    world.home.git(&world.repository(), ["fsck", "--connectivity-only", "--no-dangling"]);
}

#[test]
fn an_object_that_is_lost_for_good_is_told_and_keeps_nothing_else_from_being_kept() {
    let world = World::synced();
    let oracle = Oracle::of(&world);
    let blob = lose(&world, "index.html");
    fs::remove_file(world.worktree().join("index.html")).expect("deleted");
    world.edit("note.txt", "a person's\n");
    let remote = world.home.at("remote.git").join("objects").join(&blob[..2]).join(&blob[2..]);
    fs::remove_file(remote).expect("lost there too");
    oracle.ends(&world, Failed, &blob);
    assert_kept(&world, "note.txt", "a person's\n");
    oracle.ends(&world, Failed, &blob);
    world.push("index.html", "a new page\n");
    oracle.heals(&world);
    assert_kept(&world, "note.txt", "a person's\n");
}

#[test]
fn an_administration_that_git_was_killed_at_removing_is_made_whole() {
    let world = World::synced();
    world.edit("note.txt", "a person's\n");
    for name in ["gitdir", "locked", "index"] {
        fs::remove_file(world.administration().join(name)).expect("half of it");
    }
    world.push("index.html", "two\n");
    world.heals();
    assert_eq!(world.rescued_file("note.txt"), "a person's");
}
