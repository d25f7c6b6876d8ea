//! Submodules follow upstream as the repository has them active, and what a person left inside one is kept.
#![expect(clippy::disallowed_methods, reason = "these tests read and write files of their own")]

#[path = "mending/world.rs"]
mod world;

use std::fs;

use world::{World, walk};

/// A mirror whose project has a submodule that its owner has initialised.
fn with_submodule() -> World {
    let world = World::new();
    world.home.git(world.home.path(), ["config", "--global", "protocol.file.allow", "always"]);
    let library = world.home.bare("library.git");
    let part = world.home.at("part");
    world.home.git(world.home.path(), ["clone", "--quiet", &library.display().to_string(), "part"]);
    world.home.write("part/lib.txt", "one\n");
    world.home.commit(&part, "one");
    world.home.git(&part, ["push", "--quiet", "origin", "main"]);
    let author = world.home.at("author");
    world.home.git(&author, ["submodule", "--quiet", "add", &library.display().to_string(), "lib"]);
    world.push("index.html", "with a library\n");
    let repository = world.repository();
    world.home.git(&repository, ["pull", "--quiet"]);
    world.home.git(&repository, ["submodule", "--quiet", "update", "--init"]);
    world
}

/// Somebody publishes a new version of the library, and the project takes it.
fn bump(world: &World, text: &str) {
    world.home.write("part/lib.txt", text);
    let part = world.home.at("part");
    world.home.commit(&part, "more");
    world.home.git(&part, ["push", "--quiet", "origin", "main"]);
    let inner = world.home.at("author/lib");
    world.home.git(&inner, ["pull", "--quiet", "origin", "main"]);
    world.push("index.html", text);
}

fn library(world: &World) -> String {
    fs::read_to_string(world.worktree().join("lib/lib.txt")).unwrap_or_default()
}

#[test]
fn a_submodule_follows_and_what_was_left_inside_is_kept() {
    let world = with_submodule();
    let before = world.canonical();
    world.heals();
    assert_eq!(library(&world), "one\n");
    bump(&world, "two\n");
    world.heals();
    assert_eq!(library(&world), "two\n");

    world.edit("lib/lib.txt", "edited\n");
    world.edit("lib/new.txt", "new\n");
    bump(&world, "three\n");
    let last = world.heals();
    assert!(last.reason.contains("what was left in lib set aside"), "{}", last.reason);
    assert_eq!(library(&world), "three\n");
    assert!(!world.worktree().join("lib/new.txt").exists());
    let inner = world.worktree().join("lib");
    let name = world.home.git(&inner, ["for-each-ref", "--format=%(refname)", "refs/housecall/rescued"]);
    assert_eq!(world.home.git(&inner, ["show", &format!("{name}:lib.txt")]), "edited");
    let patches = walk(&world.config.state.join("rescued"));
    let holds =
        |text: &str| patches.iter().any(|it| fs::read_to_string(it).unwrap_or_default().contains(text));
    assert!(holds("+edited") && holds("+new"), "{patches:?}");
    assert_eq!(world.canonical(), before, "the canonical repository is as it was");
}

#[test]
fn edits_in_a_submodule_that_upstream_removed_are_kept() {
    let world = with_submodule();
    world.heals();
    world.edit("lib/lib.txt", "edited\n");
    let author = world.home.at("author");
    world.home.git(&author, ["rm", "--quiet", "-f", "lib"]);
    world.push("index.html", "without\n");
    world.heals();
    assert!(!world.worktree().join("lib").exists());
    let patches = walk(&world.config.state.join("rescued"));
    let holds = patches.iter().any(|it| fs::read_to_string(it).unwrap_or_default().contains("+edited"));
    assert!(holds, "{patches:?}");
}

#[test]
fn a_submodule_that_nobody_initialised_stays_empty() {
    let world = with_submodule();
    let repository = world.repository();
    world.home.git(&repository, ["submodule", "--quiet", "deinit", "-f", "lib"]);
    world.heals();
    assert_eq!(library(&world), "");
}
