//! What a person made and git does not show: ignored files, marks that hide edits, ends of lines, sparse worktrees.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use housecall::probes::state::SyncStatus::{Failed, Noop};

use crate::world::World;

/// Syncs until nothing is left to do; no cycle may fail.
fn settle(world: &World) {
    for _ in 0..3 {
        let last = world.sync();
        assert_ne!(last.status, Failed, "{}", last.reason);
        if last.status == Noop {
            world.assert_aligned();
            return;
        }
    }
    panic!("there is always something to do");
}

/// The content of that file in whatever was set aside, oldest first.
fn kept(world: &World, file: &str) -> Vec<String> {
    let of = |name: &String| {
        let found = std::process::Command::new("git")
            .args(["show", &format!("{name}:{file}")])
            .current_dir(world.repository())
            .output();
        found.ok().filter(|it| it.status.success()).map(|it| String::from_utf8_lossy(&it.stdout).into_owned())
    };
    world.rescued().iter().filter_map(of).collect()
}

fn git<const N: usize>(world: &World, arguments: [&str; N]) {
    world.home.git(&world.worktree(), arguments);
}

#[test]
fn what_upstream_ignores_no_more_is_kept() {
    let world = World::synced();
    world.push(".gitignore", ".env\n");
    settle(&world);
    fs::write(world.worktree().join(".env"), "mine\n").expect("a file that is ignored");
    world.push(".gitignore", "other\n");
    settle(&world);
    assert_eq!(kept(&world, ".env"), ["mine\n"]);
}

#[test]
fn what_an_ignored_directory_held_is_kept_where_upstream_moves_it() {
    let world = World::synced();
    world.push("app/.gitignore", "db.keep\n");
    settle(&world);
    fs::write(world.worktree().join("app/db.keep"), "mine\n").expect("a file that is ignored");
    let author = world.home.at("author");
    world.home.git(&author, ["mv", "app", "web"]);
    world.push("index.html", "moved\n");
    settle(&world);
    assert_eq!(kept(&world, "app/db.keep"), ["mine\n"]);
}

#[test]
fn edits_that_a_mark_hides_are_kept() {
    for mark in ["--skip-worktree", "--assume-unchanged"] {
        let world = World::synced();
        git(&world, ["update-index", mark, "index.html"]);
        world.edit("index.html", "mine\n");
        world.push("index.html", "two\n");
        settle(&world);
        assert_eq!(kept(&world, "index.html"), ["mine\n"], "{mark}");
    }
}

#[test]
fn an_edit_that_a_mark_hides_is_found_though_upstream_has_nothing_new() {
    for mark in ["--skip-worktree", "--assume-unchanged"] {
        let world = World::synced();
        git(&world, ["update-index", mark, "index.html", "deep/page.html"]);
        assert_eq!(world.sync().status, Noop, "{mark}: a mark alone is no edit");
        world.edit("index.html", "mine\n");
        fs::remove_file(world.worktree().join("deep/page.html")).expect("deleted");
        world.heals();
        assert_eq!(kept(&world, "index.html"), ["mine\n"], "{mark}");
        assert!(world.worktree().join("deep/page.html").exists(), "{mark}");
    }
}

#[test]
fn what_a_mark_hides_of_rights_kinds_and_deletions_beside_a_sparse_cone_is_mended() {
    const MARK: [&str; 5] = ["update-index", "--assume-unchanged", "index.html", "run.sh", "link"];
    let world = World::synced();
    let author = world.home.at("author");
    world.home.program("author/run.sh", "#!/bin/sh\n");
    std::os::unix::fs::symlink("index.html", author.join("link")).expect("a link");
    world.home.git(&author, ["add", "run.sh", "link"]);
    world.push("other/page.html", "one\n");
    settle(&world);
    git(&world, ["sparse-checkout", "set", "--cone", "deep"]);
    settle(&world);
    git(&world, MARK);
    settle(&world);
    let tree = world.worktree();
    // One after the other, since whichever is found has all of them mended.
    fs::remove_file(tree.join("index.html")).expect("deleted");
    world.heals();
    assert!(tree.join("index.html").exists() && !tree.join("other").exists());
    git(&world, MARK);
    fs::set_permissions(tree.join("run.sh"), fs::Permissions::from_mode(0o644)).expect("its rights");
    world.heals();
    assert!(fs::metadata(tree.join("run.sh")).expect("it").permissions().mode() & 0o100 != 0);
    git(&world, MARK);
    fs::remove_file(tree.join("link")).expect("the link");
    fs::write(tree.join("link"), "index.html").expect("a file in its place");
    world.heals();
    assert!(fs::symlink_metadata(tree.join("link")).expect("it").is_symlink());
}

#[test]
fn a_file_that_was_taken_out_of_the_index_and_excluded_is_kept() {
    let world = World::synced();
    git(&world, ["rm", "-q", "--cached", "index.html"]);
    fs::create_dir_all(world.repository().join(".git/info")).expect("a directory");
    fs::write(world.repository().join(".git/info/exclude"), "index.html\n").expect("an exclusion");
    world.edit("index.html", "mine\n");
    world.push("index.html", "two\n");
    settle(&world);
    assert!(kept(&world, "index.html").contains(&"mine\n".to_owned()));
}

#[test]
fn what_git_would_give_back_with_other_ends_of_lines_is_kept_as_it_was() {
    let world = World::synced();
    world.push(".gitattributes", "*.txt text=auto\n");
    settle(&world);
    world.home.git(&world.repository(), ["config", "core.safecrlf", "true"]);
    let mixed = "one\r\ntwo\nthree\r\n";
    world.edit("note.txt", mixed);
    world.push("index.html", "two\n");
    let last = world.sync();
    assert!(last.reason.contains("what git does not keep whole, in ~/ops/rescued/"), "{}", last.reason);
    let whole = crate::world::walk(&world.config.state.join("rescued"));
    let whole = whole.iter().find(|path| path.ends_with("as-it-was/note.txt")).expect("the file as it was");
    assert_eq!(fs::read_to_string(whole).expect("it is text"), mixed);
    settle(&world);
}

#[test]
fn a_new_file_beyond_a_sparse_cone_is_kept() {
    let world = World::synced();
    world.push("site/page.html", "one\n");
    world.push("other/page.html", "one\n");
    settle(&world);
    git(&world, ["sparse-checkout", "set", "--cone", "site"]);
    settle(&world);
    fs::create_dir_all(world.worktree().join("other")).expect("a directory");
    for (name, content) in [("mine.txt", "mine\n"), ("page.html", "mine too\n")] {
        fs::write(world.worktree().join("other").join(name), content).expect("a file beyond it");
    }
    world.push("site/page.html", "two\n");
    settle(&world);
    assert_eq!(kept(&world, "other/mine.txt"), ["mine\n"]);
    assert_eq!(kept(&world, "other/page.html"), ["mine too\n"]);
    assert!(!world.worktree().join("other").exists(), "it is sparse still");
}

#[test]
fn an_empty_directory_of_a_persons_is_in_nobodys_way() {
    let world = World::synced();
    fs::create_dir_all(world.worktree().join("empty/deep")).expect("a directory");
    world.push("index.html", "two\n");
    settle(&world);
}
