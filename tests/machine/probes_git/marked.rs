//! Edits that a mark in the index hides: deletions where the worktree is sparse, kinds of files and their rights.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use housecall::probes::git::Changes;

use super::changes::changes;
use super::world::World;

/// A world with these files beside `page.md`.
fn with(names: &[&str]) -> World {
    let world = World::new();
    for name in names {
        world.home.write(format!("ops/worktree/{name}"), "text\n");
    }
    world.home.commit(&world.mirror.worktree, "files");
    world
}

fn mark(world: &World, files: &[&str]) {
    let start = ["update-index", "--assume-unchanged"];
    world.home.git(&world.mirror.worktree, start.iter().chain(files));
    assert_eq!(changes(world), Changes::default(), "a mark is no edit");
}

#[test]
fn a_deletion_that_a_mark_hides_is_found_where_the_worktree_is_sparse() {
    let world = with(&["deep/a.md", "other/b.md"]);
    let tree = &world.mirror.worktree;
    world.home.git(tree, ["sparse-checkout", "set", "deep"]);
    mark(&world, &["deep/a.md", "page.md"]);
    fs::remove_file(tree.join("deep/a.md")).unwrap();
    assert_eq!(changes(&world).hidden, ["deep/a.md"]);
}

#[test]
fn a_right_or_a_kind_that_a_mark_hides_is_found() {
    let world = with(&["run.sh", "plain.md"]);
    let tree = &world.mirror.worktree;
    let set = |name: &str, mode: u32| fs::set_permissions(tree.join(name), Permissions::from_mode(mode));
    set("run.sh", 0o755).unwrap();
    symlink("page.md", tree.join("link")).unwrap();
    world.home.commit(tree, "a program and a link");
    mark(&world, &["run.sh", "plain.md", "link", "page.md"]);
    set("run.sh", 0o644).unwrap();
    set("plain.md", 0o755).unwrap();
    fs::remove_file(tree.join("link")).unwrap();
    fs::write(tree.join("link"), "page.md").unwrap();
    assert_eq!(changes(&world).hidden, ["link", "plain.md", "run.sh"]);
    world.home.git(tree, ["config", "core.fileMode", "false"]);
    assert_eq!(changes(&world).hidden, ["link"], "rights mean nothing here");
}
