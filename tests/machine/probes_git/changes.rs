//! How the worktree's files differ from HEAD.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use housecall::probes::git::{self, Changes};

use super::world::World;

pub(crate) fn changes(world: &World) -> Changes {
    git::changes(&world.machine, &world.config, &world.checkout()).expect("git's answer")
}

#[test]
fn a_fresh_worktree_is_clean() {
    assert_eq!(changes(&World::new()), Changes::default());
}

#[test]
fn edits_renames_deletions_and_new_files_are_told_apart() {
    let world = World::new();
    let tree = &world.mirror.worktree;
    for name in ["a b.md", "gone.md", "old.md"] {
        world.home.write(format!("ops/worktree/{name}"), format!("{name} is long enough to be followed\n"));
    }
    world.home.commit(tree, "files");
    world.home.write("ops/worktree/a b.md", "edited\n");
    fs::remove_file(tree.join("gone.md")).unwrap();
    world.home.git(tree, ["mv", "old.md", "new name.md"]);
    world.home.write("ops/worktree/deep/er/été.md", "new\n");
    let found = changes(&world);
    let mut tracked = found.tracked;
    tracked.sort();
    assert_eq!(tracked, ["a b.md", "gone.md", "new name.md"]);
    assert_eq!(found.untracked, ["deep/er/été.md"]);
}

#[test]
fn edits_that_a_mark_hides_are_found() {
    for mark in ["--assume-unchanged", "--skip-worktree"] {
        let world = World::new();
        let tree = &world.mirror.worktree;
        world.home.write("ops/worktree/other.md", "other\n");
        world.home.commit(tree, "files");
        world.home.git(tree, ["update-index", mark, "page.md", "other.md"]);
        assert_eq!(changes(&world), Changes::default(), "{mark}: nothing is edited yet");
        world.home.write("ops/worktree/page.md", "edited\n");
        assert_eq!(world.home.git(tree, ["status", "--porcelain"]), "", "git hides it");
        let found = changes(&world);
        assert_eq!(found.hidden, ["page.md"], "{mark}");
        assert!(found.tracked.is_empty(), "{found:?}");
        fs::remove_file(tree.join("other.md")).unwrap();
        assert_eq!(changes(&world).hidden, ["other.md", "page.md"], "{mark}");
    }
}

#[test]
fn a_split_index_and_a_link_hide_no_edit_either() {
    let world = World::new();
    let tree = &world.mirror.worktree;
    std::os::unix::fs::symlink("page.md", tree.join("link")).unwrap();
    world.home.commit(tree, "a link");
    world.home.git(tree, ["update-index", "--split-index"]);
    world.home.git(tree, ["update-index", "--assume-unchanged", "page.md", "link"]);
    assert_eq!(changes(&world), Changes::default());
    fs::remove_file(tree.join("link")).unwrap();
    std::os::unix::fs::symlink("elsewhere.md", tree.join("link")).unwrap();
    world.home.write("ops/worktree/page.md", "edited\n");
    assert_eq!(changes(&world).hidden, ["link", "page.md"]);
}

#[test]
fn what_a_sparse_worktree_leaves_out_is_no_edit() {
    let world = World::new();
    let tree = &world.mirror.worktree;
    for name in ["deep/a.md", "other/b.md"] {
        world.home.write(format!("ops/worktree/{name}"), "text\n");
    }
    world.home.commit(tree, "files");
    world.home.git(tree, ["sparse-checkout", "set", "deep"]);
    assert!(!tree.join("other").exists());
    assert_eq!(changes(&world), Changes::default());
}

#[test]
fn a_file_that_git_calls_modified_straight_after_its_checkout_is_named_apart() {
    let world = World::new();
    let tree = &world.mirror.worktree;
    world.home.write("ops/worktree/page.txt", "one\r\ntwo\r\n");
    world.home.write("ops/worktree/other.txt", "one\r\ntwo\r\n");
    world.home.commit(tree, "as on another system");
    world.home.write("ops/worktree/.gitattributes", "*.txt text\n");
    world.home.git(tree, ["add", ".gitattributes"]);
    world.home.git(tree, ["commit", "--quiet", "-m", "attributes"]);
    fs::remove_file(tree.join("page.txt")).unwrap();
    world.home.write("ops/worktree/page.txt", "one\r\ntwo\r\n");
    world.home.write("ops/worktree/other.txt", "one\r\nmine\r\n");
    let found = changes(&world);
    assert_eq!((found.as_checked_out, found.tracked), (vec!["page.txt".into()], vec!["other.txt".into()]));
}

#[test]
fn a_file_as_it_is_recorded_is_an_edit_where_git_would_check_out_another() {
    let world = World::new();
    let tree = &world.mirror.worktree;
    world.home.write("ops/worktree/k.sec", "grkg\n");
    world.home.write("ops/worktree/.gitattributes", "*.sec filter=turned\n");
    world.home.commit(tree, "before the filter is configured");
    for side in ["filter.turned.smudge", "filter.turned.clean"] {
        world.home.git(tree, ["config", side, "tr a-z n-za-m"]);
    }
    fs::remove_file(tree.join("k.sec")).unwrap();
    world.home.write("ops/worktree/k.sec", "grkg\n");
    let found = changes(&world);
    assert_eq!((found.as_checked_out, found.tracked), (Vec::new(), vec!["k.sec".to_owned()]));
}

#[test]
fn however_many_files_git_calls_modified_straight_after_its_checkout() {
    let world = World::new();
    let tree = &world.mirror.worktree;
    let mut names: Vec<String> = (0..200).map(|number| format!("deep/{number:03}.txt")).collect();
    names.extend([" a.txt", "new\nline.txt", "big.txt", "empty and more.txt"].map(str::to_owned));
    let content = |name: &str| match name {
        "big.txt" => "a\r\nb\n".repeat(4 << 20),
        _ => format!("{name}\r\nb\n"),
    };
    for name in &names {
        world.home.write(format!("ops/worktree/{name}"), content(name));
    }
    world.home.commit(tree, "as on another system");
    world.home.write("ops/worktree/.gitattributes", "*.txt text eol=crlf\n");
    world.home.git(tree, ["add", ".gitattributes"]);
    world.home.git(tree, ["commit", "--quiet", "-m", "attributes"]);
    for name in &names {
        fs::remove_file(tree.join(name)).unwrap();
    }
    world.home.git(tree, ["checkout", "--quiet", "--", "."]);
    for name in &names {
        let found = fs::read(tree.join(name)).unwrap();
        fs::remove_file(tree.join(name)).unwrap();
        fs::write(tree.join(name), found).unwrap();
    }
    world.home.write("ops/worktree/deep/007.txt", "deep/007.txt\r\nb\r\nmine");
    let found = changes(&world);
    assert_eq!(
        (found.as_checked_out.len(), found.tracked),
        (names.len() - 1, vec!["deep/007.txt".to_owned()])
    );
}

#[test]
fn names_that_are_no_text_stay_readable() {
    let world = World::new();
    fs::write(world.mirror.worktree.join(OsStr::from_bytes(b"caf\xe9\n.md")), "x").unwrap();
    assert_eq!(changes(&world).untracked, ["caf\\xe9\\n.md"]);
}

#[test]
fn looking_leaves_no_trace_and_runs_no_fsmonitor() {
    let world = World::new();
    let spy = world.home.program("bin/spy", "#!/bin/sh\ntouch \"$HOME/spied\"\n");
    world.home.git(&world.mirror.repository, ["config", "core.fsmonitor", spy.to_str().unwrap()]);
    let index = world.admin().join("index");
    fs::File::options()
        .append(true)
        .open(world.mirror.worktree.join("page.md"))
        .unwrap()
        .set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000))
        .unwrap();
    let before = fs::read(&index).unwrap();
    assert_eq!(changes(&world), Changes::default());
    assert_eq!(fs::read(&index).unwrap(), before, "status refreshed the index");
    assert!(!world.home.at("spied").exists(), "the fsmonitor ran");
}

#[test]
fn a_corrupt_index_is_a_finding_in_gits_words() {
    let world = World::new();
    let index = world.admin().join("index");
    fs::write(&index, "torn").unwrap();
    let torn = format!("{}: index file smaller than expected", index.display());
    assert_eq!(changes(&world).corrupt, Some(torn));
    fs::write(&index, "no index at all, but long enough to be one").unwrap();
    assert!(changes(&world).corrupt.is_some());
}

#[test]
fn what_a_hook_leaves_in_the_environment_is_not_heard() {
    let mut world = World::new();
    for (name, value) in
        [("GIT_DIR", "/nowhere"), ("GIT_INDEX_FILE", "/nowhere/index"), ("GIT_WORK_TREE", "/")]
    {
        world.config.environment.insert(name.to_owned(), value.to_owned());
    }
    assert_eq!(changes(&world), Changes::default());
    assert_eq!(world.checkout().top, world.mirror.worktree);
}

#[test]
fn a_french_locale_changes_no_answer() {
    let mut world = World::new();
    for name in ["LANG", "LC_ALL", "LC_MESSAGES", "LANGUAGE"] {
        world.config.environment.insert(name.to_owned(), "fr_FR.UTF-8".to_owned());
    }
    fs::write(world.admin().join("index"), "torn").unwrap();
    let torn = changes(&world).corrupt.unwrap();
    assert!(torn.ends_with("index file smaller than expected"), "{torn}");
    world.set_remote("/nowhere/at/all");
    let refused = world.remote().unwrap();
    let why = "'/nowhere/at/all' does not appear to be a git repository".to_owned();
    assert_eq!(refused, housecall::probes::git::Remote::Refused(why));
}
