//! Repositories of git's other formats, which libgit2 cannot open: SHA-256, and reftable, which needs a new git.
#![expect(clippy::disallowed_methods, reason = "tests make the world that the product looks at")]

use std::fs;

use housecall::probes::git::{self, Changes, Checkout, Remote};
use housecall::probes::state::SyncStatus::{Noop, Updated};
use support::{Part, Test};

#[path = "../machine/probes_git/world.rs"]
#[expect(dead_code, reason = "other test binaries use the rest of it")]
mod probed;
#[path = "../mirror/world.rs"]
#[expect(dead_code, reason = "other test binaries use the rest of it")]
mod synced;

use probed::World;

const SHA256: &[&str] = &["--object-format=sha256"];
const REFTABLE: &[&str] = &["--ref-format=reftable"];

pub(crate) const OF_SHA256: &[Test] = &[
    Test { name: "a_repository_is_described", needs: &[], run: || repository(SHA256) },
    Test { name: "a_worktree_is_described", needs: &[], run: || worktree(SHA256) },
    Test { name: "a_remote_of_files_says_its_commit", needs: &[], run: || remote(SHA256) },
    Test { name: "a_fresh_worktree_is_clean", needs: &[], run: || clean(SHA256) },
    Test { name: "edits_that_a_mark_hides_are_found", needs: &[], run: || marked(SHA256) },
    Test { name: "a_sync_aligns_and_sets_aside", needs: &[], run: || sync(SHA256, &[]) },
];

pub(crate) const OF_REFTABLE: &[Test] = &[
    Test { name: "a_repository_is_described", needs: &[Part::Reftable], run: || repository(REFTABLE) },
    Test { name: "a_worktree_is_described", needs: &[Part::Reftable], run: || worktree(REFTABLE) },
    Test { name: "a_remote_of_files_says_its_commit", needs: &[Part::Reftable], run: || remote(REFTABLE) },
    Test { name: "a_fresh_worktree_is_clean", needs: &[Part::Reftable], run: || clean(REFTABLE) },
    Test { name: "edits_that_a_mark_hides_are_found", needs: &[Part::Reftable], run: || marked(REFTABLE) },
    Test { name: "a_sync_aligns_and_sets_aside", needs: &[Part::Reftable], run: || sync(REFTABLE, REFTABLE) },
];

fn changes(world: &World) -> Changes {
    git::changes(&world.machine, &world.config, &world.checkout()).expect("git's answer")
}

fn repository(format: &[&str]) {
    let world = World::of(format);
    let found = world.repository();
    assert_eq!(found.tracking.as_deref(), Some(world.sha.as_str()));
    assert_eq!(found.branch_worktree.as_ref(), Some(&world.mirror.worktree));
    assert_eq!(found.remote_url.as_deref(), world.home.at("remote.git").to_str());
}

fn worktree(format: &[&str]) {
    let world = World::of(format);
    let log = fs::metadata(world.admin().join("logs/HEAD")).and_then(|it| it.modified());
    let moved = log.ok().map(|it| it.try_into().expect("a time"));
    assert_eq!(moved.is_none(), format == REFTABLE, "git keeps a log of it");
    let expected = Checkout {
        top: world.mirror.worktree.clone(),
        git_dir: world.admin(),
        common_dir: world.mirror.repository.join(".git"),
        branch: Some("localhost-sync".to_owned()),
        head: Some(world.sha.clone()),
        moved,
        operation: None,
        locks: Vec::new(),
        kept: None,
    };
    assert_eq!(world.checkout(), expected);
}

fn remote(format: &[&str]) {
    let world = World::of(format);
    match world.remote() {
        Ok(Remote::At { sha, .. }) => assert_eq!(sha, world.sha),
        other => panic!("{other:?}"),
    }
}

fn clean(format: &[&str]) {
    assert_eq!(changes(&World::of(format)), Changes::default());
}

fn marked(format: &[&str]) {
    for mark in ["--assume-unchanged", "--skip-worktree"] {
        let world = World::of(format);
        let tree = &world.mirror.worktree;
        world.home.git(tree, ["update-index", mark, "page.md"]);
        assert_eq!(changes(&world), Changes::default(), "{mark}: nothing is edited yet");
        world.home.write("ops/worktree/page.md", "edited\n");
        assert_eq!(world.home.git(tree, ["status", "--porcelain"]), "", "git hides it");
        assert_eq!(changes(&world).hidden, ["page.md"], "{mark}");
    }
}

fn sync(init: &[&str], clone: &[&str]) {
    let world = synced::World::made_of(init, clone);
    let last = world.sync();
    assert_eq!(last.status, Updated, "{}", last.reason);
    world.push("index.html", "two\n");
    world.edit("note.txt", "a person's\n");
    let last = world.sync();
    assert_eq!(last.status, Updated, "{}", last.reason);
    world.assert_aligned();
    assert_eq!(world.rescued_file("note.txt"), "a person's");
    assert_eq!(world.sync().status, Noop);
}
