//! Files that git calls modified straight after its own checkout: nobody's edits, and what a person edits in them is kept.

use std::fs;

use housecall::probes::state::LastSync;
use housecall::probes::state::SyncStatus::{Noop, Updated};

use super::oracle::Oracle;
use crate::world::World;

/// Somebody pushes a file as it is, whatever the attributes say; and all else that lies there.
fn push_as_it_is(world: &World, file: &str, content: &str) {
    let author = world.home.at("author");
    world.home.write("author/raw", content);
    let blob = world.home.git(&author, ["hash-object", "-w", "--no-filters", "raw"]);
    fs::remove_file(author.join("raw")).expect("the file");
    world.home.git(&author, ["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{file}")]);
    world.home.git(&author, ["commit", "--quiet", "-m", file]);
    world.home.git(&author, ["push", "--quiet", "origin", "HEAD:main"]);
}

/// Files with the ends of another system's lines, which the attributes say they do not have.
fn with_other_ends() -> World {
    let world = World::synced();
    push_as_it_is(&world, "a.txt", "one\r\ntwo\r\n");
    push_as_it_is(&world, "b.txt", "three\r\nfour\r\n");
    push_as_it_is(&world, ".gitattributes", "*.txt text\n");
    world
}

/// A program saves what it read: git has to look into the file again.
fn save_again(world: &World, file: &str) {
    let path = world.worktree().join(file);
    let content = fs::read(&path).expect("the file");
    fs::remove_file(&path).expect("removed");
    fs::write(&path, content).expect("written again");
}

fn status(world: &World) -> String {
    world.home.git(&world.worktree(), ["status", "--porcelain"])
}

#[track_caller]
fn ends(world: &World, status: housecall::probes::state::SyncStatus) -> LastSync {
    let last = world.sync();
    assert_eq!(last.status, status, "{}", last.reason);
    assert_eq!(world.home.git(&world.worktree(), ["rev-parse", "HEAD"]), world.upstream());
    last
}

#[test]
fn what_git_always_calls_modified_is_nobodys_edit_and_is_told_once() {
    let world = with_other_ends();
    let last = ends(&world, Updated);
    let told = "a.txt and 1 more are as committed, and git calls them modified: the attributes do not fit";
    assert!(last.reason.contains(told), "{}", last.reason);
    save_again(&world, "a.txt");
    assert!(status(&world).contains("M a.txt"), "git calls it modified: {}", status(&world));
    let oracle = Oracle::of(&world);
    ends(&world, Noop);
    world.home.git(&world.home.at("author"), ["reset", "--quiet", "--hard"]);
    push_as_it_is(&world, "b.txt", "three\r\nfour\r\nfive\r\n");
    let last = ends(&world, Updated);
    assert!(!last.reason.contains("modified"), "once: {}", last.reason);
    assert_eq!(fs::read(world.worktree().join("b.txt")).expect("it"), b"three\r\nfour\r\nfive\r\n");
    assert!(status(&world).contains("b.txt"), "{}", status(&world));
    ends(&world, Noop);
    push_as_it_is(&world, "index.html", "two\n");
    let last = ends(&world, Updated);
    assert!(!last.reason.contains("modified"), "{}", last.reason);
    ends(&world, Noop);
    assert!(world.rescued().is_empty(), "nobody's work is kept: {:?}", world.rescued());
    oracle.holds(&world);
}

#[test]
fn an_edit_of_what_git_always_calls_modified_is_kept_and_nothing_beside_it() {
    let world = with_other_ends();
    ends(&world, Updated);
    save_again(&world, "a.txt");
    let oracle = Oracle::of(&world);
    world.edit("b.txt", "three\r\nmine\r\n");
    let last = ends(&world, Updated);
    assert!(last.reason.contains("1 file set aside"), "{}", last.reason);
    assert_eq!(world.rescued_file("b.txt"), "three\nmine");
    let whole = fs::read_dir(world.config.state.join("rescued")).expect("it").filter_map(Result::ok);
    let whole = whole.map(|it| it.path().join("as-it-was/b.txt")).find(|it| it.exists());
    assert_eq!(fs::read(whole.expect("byte for byte")).expect("it"), b"three\r\nmine\r\n");
    let changed = ["diff", "--name-only", "HEAD", &world.rescued()[0]];
    assert_eq!(world.home.git(&world.worktree(), changed), "b.txt", "the other one is nobody's work");
    assert_eq!(fs::read(world.worktree().join("b.txt")).expect("it"), b"three\r\nfour\r\n");
    ends(&world, Noop);
    fs::remove_file(world.worktree().join("a.txt")).expect("deleted");
    ends(&world, Updated);
    assert_eq!(fs::read(world.worktree().join("a.txt")).expect("it"), b"one\r\ntwo\r\n");
    oracle.holds(&world);
}

#[test]
fn what_a_filter_writes_and_cannot_read_back_is_nobodys_edit() {
    let world = World::synced();
    let filter = ["config", "filter.stamp.smudge", "sed s/VERSION/1.2/"];
    world.home.git(&world.repository(), filter);
    push_as_it_is(&world, ".gitattributes", "*.html filter=stamp\n");
    push_as_it_is(&world, "about.html", "VERSION\n");
    ends(&world, Updated);
    assert_eq!(fs::read(world.worktree().join("about.html")).expect("it"), b"1.2\n");
    save_again(&world, "about.html");
    assert!(status(&world).contains("M about.html"), "{}", status(&world));
    ends(&world, Noop);
    push_as_it_is(&world, "other.txt", "two\n");
    ends(&world, Updated);
    assert!(world.rescued().is_empty(), "{:?}", world.rescued());
    world.edit("about.html", "1.3\n");
    ends(&world, Updated);
    assert_eq!(world.rescued_file("about.html"), "1.3");
    ends(&world, Noop);
}

#[test]
fn a_filter_that_is_configured_later_is_applied_to_what_is_there() {
    let world = World::synced();
    push_as_it_is(&world, ".gitattributes", "*.sec filter=turned\n");
    push_as_it_is(&world, "k.sec", "frperg\n");
    ends(&world, Updated);
    assert_eq!(fs::read(world.worktree().join("k.sec")).expect("it"), b"frperg\n");
    for side in ["filter.turned.smudge", "filter.turned.clean"] {
        world.home.git(&world.repository(), ["config", side, "tr a-z n-za-m"]);
    }
    save_again(&world, "k.sec");
    assert!(status(&world).contains("M k.sec"), "{}", status(&world));
    ends(&world, Updated);
    assert_eq!(fs::read(world.worktree().join("k.sec")).expect("it"), b"secret\n");
    ends(&world, Noop);
}

#[test]
fn however_many_files_the_attributes_do_not_fit_a_sync_comes_to_its_end() {
    let world = World::synced();
    for number in 0..1500 {
        world.home.write(format!("author/{number}.txt"), "a\r\nb\n");
    }
    world.home.git(&world.home.at("author"), ["add", "."]);
    push_as_it_is(&world, ".gitattributes", "*.txt text eol=crlf\n");
    let last = ends(&world, Updated);
    assert!(last.reason.contains("and 1499 more are as committed"), "{}", last.reason);
    ends(&world, Noop);
    assert!(world.rescued().is_empty(), "{:?}", world.rescued());
}
