//! Repositories of every shape that git has: sparse, shallow, partial, bare, large, with filters.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use housecall::probes::state::SyncStatus::{Noop, Updated};
use support::Home;
use support::parts::{Part, lacks};

use super::oracle::{Oracle, give};
use crate::world::World;

/// It is made, follows, keeps an edit, and is made again; the repository is as it was.
#[track_caller]
fn goes_through_all_of_it(world: &World) {
    let oracle = Oracle::of(world);
    oracle.heals(world);
    world.push("index.html", "two\n");
    world.edit("note.txt", "a person's\n");
    oracle.heals(world);
    assert_eq!(world.rescued_file("note.txt"), "a person's");
    world.home.git(&world.home.at("author"), ["commit", "--quiet", "--amend", "-m", "rewritten"]);
    world.push("index.html", "three\n");
    oracle.heals(world);
    fs::remove_dir_all(world.worktree()).expect("deleted");
    oracle.heals(world);
}

#[test]
fn a_shallow_repository_stays_shallow() {
    let world = World::made_of(&[], &["--depth=1"]);
    let oracle = Oracle::of(&world);
    for round in 0..3 {
        world.push("index.html", &format!("{round}\n"));
        oracle.heals(&world);
    }
    assert_eq!(world.home.git(&world.repository(), ["rev-parse", "--is-shallow-repository"]), "true");
}

#[test]
fn another_branch_is_followed_once_the_configuration_names_it_and_shallow_stays_shallow() {
    let world = World::made_of(&[], &["--depth=1"]);
    Oracle::of(&world).heals(&world);
    let (author, repository) = (world.home.at("author"), world.repository());
    world.home.git(&author, ["checkout", "--quiet", "-b", "release"]);
    world.home.write("author/index.html", "released\n");
    world.home.commit(&author, "released");
    world.home.git(&author, ["push", "--quiet", "origin", "release"]);
    world.edit("note.txt", "a person's\n");
    let main = world.home.git(&repository, ["rev-parse", "refs/remotes/origin/main"]);
    let world = world.with(|mirror| mirror.upstream = "release".to_owned());
    for status in [Updated, Noop] {
        let last = world.sync();
        assert_eq!(last.status, status, "{}", last.reason);
        assert_eq!(last.sha, Some(world.home.git(&author, ["rev-parse", "release"])));
    }
    assert_eq!(fs::read_to_string(world.worktree().join("index.html")).expect("it"), "released\n");
    assert_eq!(world.rescued_file("note.txt"), "a person's");
    assert_eq!(world.home.git(&repository, ["rev-parse", "refs/remotes/origin/main"]), main);
    assert_eq!(world.home.git(&repository, ["rev-parse", "--is-shallow-repository"]), "true");
    let world = world.with(|mirror| mirror.upstream = "main".to_owned());
    Oracle::of(&world).heals(&world);
}

#[test]
fn a_partial_clone_fetches_what_it_needs() {
    let world = World::made_of(&[], &["--filter=blob:none"]);
    goes_through_all_of_it(&world);
}

#[test]
fn a_partial_clone_that_is_sparse_too() {
    let world = World::made_of(&[], &["--filter=blob:none", "--sparse"]);
    goes_through_all_of_it(&world);
}

#[test]
fn a_bare_repository_is_as_good_as_any() {
    let world = World::made_of(&[], &["--bare"]);
    let remote = world.home.at("remote.git").display().to_string();
    world.home.git(&world.repository(), ["remote", "set-url", "origin", &remote]);
    let last = world.sync();
    assert_eq!(last.status, Updated, "{}", last.reason);
    world.push("index.html", "two\n");
    assert_eq!(world.sync().status, Updated);
    world.assert_aligned();
}

#[test]
fn a_sparse_worktree_stays_sparse() {
    let world = World::made_of(&[], &[]);
    world.sync();
    world.home.git(&world.worktree(), ["sparse-checkout", "set", "deep"]);
    let oracle = Oracle::of(&world);
    world.home.write("author/other/new.html", "new\n");
    world.push("deep/page.html", "deeper\n");
    oracle.heals(&world);
    assert!(!world.worktree().join("other").exists(), "what is not wanted is not there");
    assert_eq!(fs::read_to_string(world.worktree().join("deep/page.html")).expect("it"), "deeper\n");
    world.edit("deep/page.html", "an edit\n");
    world.push("index.html", "two\n");
    oracle.heals(&world);
    assert_eq!(world.rescued_file("deep/page.html"), "an edit");
    assert!(!world.worktree().join("other").exists());
}

#[test]
fn a_filter_of_the_repositorys_is_run_and_one_that_fails_is_told() {
    let world = World::synced();
    let set = |key: &str, value: &str| world.home.git(&world.repository(), ["config", key, value]);
    set("filter.shout.smudge", "tr a-z A-Z");
    set("filter.shout.clean", "tr A-Z a-z");
    set("filter.shout.required", "true");
    world.home.write("author/.gitattributes", "*.html filter=shout\n");
    world.push("index.html", "two\n");
    let oracle = Oracle::of(&world);
    oracle.heals(&world);
    assert_eq!(fs::read_to_string(world.worktree().join("index.html")).expect("it"), "TWO\n");
    set("filter.shout.smudge", "false");
    let oracle = Oracle::of(&world);
    world.push("index.html", "three\n");
    let last = world.sync();
    assert!(last.reason.contains("filter") || last.reason.contains("smudge"), "{}", last.reason);
    oracle.holds(&world);
    set("filter.shout.smudge", "tr a-z A-Z");
    Oracle::of(&world).heals(&world);
}

#[test]
fn large_files_come_with_git_lfs_and_their_absence_is_told() {
    if lacks(Part::Lfs) {
        return;
    }
    let world = World::synced();
    let author = world.home.at("author");
    world.home.git(&author, ["lfs", "install", "--skip-repo"]);
    let url = format!("file://{}", world.home.at("remote.git").display());
    world.home.git(&author, ["remote", "set-url", "origin", &url]);
    world.home.git(&author, ["lfs", "track", "*.bin"]);
    world.home.write("author/large.bin", vec![7_u8; 100_000]);
    world.home.git(&world.repository(), ["remote", "set-url", "origin", &url]);
    world.push("index.html", "two\n");
    world.home.git(&author, ["lfs", "push", "--all", "origin"]);
    let last = world.sync();
    assert_eq!(last.status, Updated, "{}", last.reason);
    assert_eq!(fs::read(world.worktree().join("large.bin")).expect("it").len(), 100_000);
    let files = own_files(&world);
    assert!(files.iter().all(|it| !it.ends_with("large.bin")), "{files:?}");
}

/// What is new at the top of the canonical repository's working tree.
fn own_files(world: &World) -> Vec<std::path::PathBuf> {
    world.canonical().into_keys().filter(|it| !it.starts_with(".git")).collect()
}

/// Writes a history into the remote in one go: so many files, and so many refs.
fn import(world: &World, files: usize, refs: usize) {
    let mut command = world.home.command("git");
    command.args(["fast-import", "--quiet", "--force"]).current_dir(world.home.at("remote.git"));
    let mut child = command.stdin(Stdio::piped()).spawn().expect("git starts");
    let mut input = std::io::BufWriter::new(child.stdin.take().expect("its input"));
    let mut say = |text: &str| input.write_all(text.as_bytes()).expect("it reads");
    say(
        "blob\nmark :1\ndata 2\nx\n\ncommit refs/heads/main\nmark :2\ncommitter T <t@x> 1700000000 +0000\ndata 4\nmany\n",
    );
    for file in 0..files {
        say(&format!("M 100644 :1 d{}/f{file}.txt\n", file / 250));
    }
    say("done\n");
    drop(input);
    assert!(child.wait().expect("it ends").success());
    // As git packs them: a file for each takes longer than all else.
    let sha = world.upstream();
    let packed: Vec<String> = (0..refs).map(|it| format!("{sha} refs/heads/topic/{it:05}\n")).collect();
    let packed = "# pack-refs with: peeled fully-peeled sorted \n".to_owned() + &packed.concat();
    world.home.write("remote.git/packed-refs", packed);
    let said = world.home.git(&world.repository(), ["ls-remote", "origin", "refs/heads/topic/*"]);
    assert_eq!(said.lines().count(), refs);
}

#[test]
fn a_hundred_thousand_files_and_twenty_thousand_refs() {
    let mut world = World::of(Home::in_memory(2 << 30));
    assert_eq!(world.sync().status, Updated);
    give(&mut world, Duration::from_mins(1));
    import(&world, 100_000, 20_000);
    let oracle = Oracle::of(&world);
    world.edit("d7/f1750.txt", "a person's\n");
    let last = world.sync();
    assert_eq!(last.status, Updated, "{}", last.reason);
    world.assert_aligned();
    oracle.holds(&world);
    assert_eq!(world.rescued_file("d7/f1750.txt"), "a person's");
    assert_eq!(world.sync().status, Noop);
    let refs =
        world.home.git(&world.repository(), ["for-each-ref", "--count=3", "refs/remotes/origin/topic"]);
    assert_eq!(refs, "", "of twenty thousand refs one is fetched");
}
