//! `sync` on real repositories: every fault heals, and nothing that a person left is lost.
#![expect(clippy::disallowed_methods, reason = "tests make the world that the product looks at")]

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};

use housecall::probes::state::SyncStatus;
use support::processes::Kept;

use crate::world::{World, age, walk};

#[test]
fn the_first_sync_makes_the_worktree_and_leaves_the_canonical_repository_as_it_was() {
    let world = World::new();
    world.home.write("dev/site/index.html", "a person is at work here\n");
    let before = world.canonical();
    world.heals();
    let mut after = world.canonical();
    after.retain(|path, _| path.as_os_str() != ".git/housecall");
    assert_eq!(before, after);
    let list = world.home.git(&world.repository(), ["worktree", "list", "--porcelain"]);
    assert!(list.contains("locked kept by housecall"), "{list}");
}

#[test]
fn a_merge_on_main_is_followed_and_the_state_has_three_lines() {
    let world = World::synced();
    let before = world.canonical();
    let sha = world.push("index.html", "two\n");
    world.heals();
    assert_eq!(before, world.canonical());
    assert_eq!(fs::read_to_string(world.worktree().join("index.html")).expect("the page"), "two\n");
    assert!(world.rescued().is_empty(), "nobody left anything");
    let text = fs::read_to_string(world.config.last_sync_file()).expect("the state");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with("LAST_SYNC_AT=\"20") && lines[0].len() == 34, "{text}");
    assert_eq!(lines[1], format!("LAST_SYNC_SHA=\"{sha}\""));
    assert_eq!(lines[2], "LAST_SYNC_STATUS=\"noop\"");
    let mode = |path: &std::path::Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    assert_eq!(mode(&world.config.sync_file()), 0o600);
    assert_eq!(mode(&world.config.journal_file()), 0o600);
}

#[test]
fn edits_new_files_staged_ones_and_commits_are_kept_whole() {
    let world = World::synced();
    let worktree = world.worktree();
    world.edit("committed.html", "committed here\n");
    let local = world.home.commit(&worktree, "a commit of a person's");
    world.edit("deep/page.html", "staged version\n");
    world.home.git(&worktree, ["add", "deep/page.html"]);
    world.edit("deep/page.html", "edited after staging\n");
    world.edit("new/file.txt", "new\n");
    world.edit("run.sh", "#!/bin/sh\n");
    fs::set_permissions(worktree.join("run.sh"), Permissions::from_mode(0o755)).expect("a mode");
    symlink("run.sh", worktree.join("link")).expect("a link");
    let strange = worktree.join(OsStr::from_bytes(b"caf\xe9.txt"));
    fs::write(&strange, "not UTF-8\n").expect("a file");
    world.push("index.html", "two\n");
    let before = world.canonical();

    world.heals();

    assert_eq!(before, world.canonical());
    assert!(!strange.exists() && !worktree.join("new").exists());
    assert_eq!(world.rescued_file("deep/page.html"), "edited after staging");
    assert_eq!(world.rescued_file("new/file.txt"), "new");
    let kept = world.rescued().remove(0);
    let tree = world.home.git(&world.repository(), ["ls-tree", "-r", "-z", &kept]);
    assert!(tree.contains("100755") && tree.contains("120000"), "{tree}");
    let parents = world.home.git(&world.repository(), ["rev-list", "--parents", "-1", &kept]);
    assert!(parents.contains(&local), "the commit is a parent");
    let staged = parents.split_whitespace().last().expect("a parent");
    assert_eq!(
        world.home.git(&world.repository(), ["show", &format!("{staged}:deep/page.html")]),
        "staged version"
    );
    // The patch brings all of it back, the strange name included.
    let stamp = kept.rsplit('/').next().expect("a time");
    let patch = world.config.state.join("rescued").join(format!("{stamp}.patch"));
    let base = world.home.git(&world.repository(), ["merge-base", &kept, "origin/main"]);
    world.home.git(&world.repository(), ["worktree", "add", "--quiet", "--detach", "../again", &base]);
    let again = world.home.at("dev/again");
    world.home.git(&again, [OsStr::new("apply"), patch.as_os_str()]);
    assert_eq!(fs::read(again.join(OsStr::from_bytes(b"caf\xe9.txt"))).expect("kept"), b"not UTF-8\n");
    assert!(fs::metadata(again.join("run.sh")).expect("kept").permissions().mode() & 0o111 != 0);
}

#[test]
fn files_that_git_was_told_to_ignore_or_not_to_look_at_are_kept_before_they_are_overwritten() {
    let world = World::synced();
    world.edit("notes.local", "a person's\n");
    world.home.git(&world.worktree(), ["update-index", "--assume-unchanged", "index.html"]);
    world.edit("index.html", "hidden edit\n");
    world.home.write("author/notes.local", "upstream's\n");
    world.home.git(&world.home.at("author"), ["add", "-f", "notes.local"]);
    world.push("index.html", "two\n");
    world.heals();
    assert_eq!(world.rescued_file("notes.local"), "a person's");
    assert_eq!(world.rescued_file("index.html"), "hidden edit");
}

#[test]
fn an_ignored_file_in_the_way_of_an_upstream_directory_is_kept_first() {
    let world = World::synced();
    world.edit("drafts.local", "a person's\n");
    world.home.write("author/drafts.local/one.md", "upstream's\n");
    world.home.git(&world.home.at("author"), ["add", "-f", "drafts.local/one.md"]);
    world.push("index.html", "two\n");
    world.heals();
    assert_eq!(world.rescued_file("drafts.local"), "a person's");
}

#[test]
fn ignored_files_stay_where_they_are() {
    let world = World::synced();
    world.edit("node_modules/astro/index.js", "installed\n");
    world.edit("index.html", "an edit\n");
    world.heals();
    assert!(world.worktree().join("node_modules/astro/index.js").exists());
    assert_eq!(world.rescued_file("index.html"), "an edit");
}

#[test]
fn a_repository_inside_the_mirror_is_moved_out_of_it_whole() {
    let world = World::synced();
    let inner = world.worktree().join("inner");
    fs::create_dir(&inner).expect("a folder");
    world.home.git(&inner, ["init", "--quiet"]);
    world.edit("inner/work.txt", "precious\n");
    world.home.commit(&inner, "precious");
    world.heals();
    let kept = walk(&world.config.state.join("rescued"));
    assert!(kept.iter().any(|it| it.ends_with("inner/work.txt")), "{kept:?}");
    assert!(kept.iter().any(|it| it.ends_with("inner/.git/HEAD")), "{kept:?}");
}

#[test]
fn a_merge_or_a_rebase_under_way_is_ended_and_what_it_had_is_kept() {
    for operation in ["merge", "rebase", "cherry-pick"] {
        let world = World::synced();
        let worktree = world.worktree();
        let start = world.home.git(&worktree, ["rev-parse", "HEAD"]);
        world.home.git(&worktree, ["checkout", "--quiet", "-b", "theirs"]);
        world.edit("index.html", "theirs\n");
        let theirs = world.home.commit(&worktree, "theirs");
        world.home.git(&worktree, ["checkout", "--quiet", "localhost-sync"]);
        world.home.git(&worktree, ["reset", "--quiet", "--hard", &start]);
        world.edit("index.html", "ours\n");
        let ours = world.home.commit(&worktree, "ours");
        let mut command = world.home.command("git");
        let command = command.args([operation, "theirs"]).current_dir(&worktree);
        assert!(!command.output().expect("git starts").status.success(), "{operation} meets a conflict");
        world.heals();
        let kept = world.rescued();
        let contains = |sha: &str| {
            kept.iter().any(|name| {
                let mut git = world.home.command("git");
                git.args(["merge-base", "--is-ancestor", sha, name]).current_dir(world.repository());
                git.status().expect("git starts").success()
            })
        };
        assert!(contains(&ours), "{operation}: our commit is kept");
        assert!(contains(&theirs), "{operation}: their commit is kept");
        let status = world.home.git(&worktree, ["status"]);
        assert!(!status.contains("rebas") && !status.contains("merging"), "{status}");
    }
}

#[test]
fn a_bisect_under_way_is_ended_where_the_branch_is() {
    let world = World::synced();
    let worktree = world.worktree();
    world.push("index.html", "newer\n");
    world.sync();
    world.home.git(&worktree, ["bisect", "start", "HEAD", "HEAD~1"]);
    assert!(world.administration().join("BISECT_LOG").exists(), "a bisect is under way");
    world.heals();
    assert!(!world.administration().join("BISECT_LOG").exists(), "it is over");
}

#[test]
fn a_detached_head_and_another_branch_go_back_without_losing_commits() {
    let world = World::synced();
    let worktree = world.worktree();
    world.home.git(&worktree, ["checkout", "--quiet", "-b", "feature"]);
    world.edit("feature.html", "feature\n");
    let feature = world.home.commit(&worktree, "feature");
    world.heals();
    assert_eq!(world.home.git(&worktree, ["rev-parse", "feature"]), feature);
    world.home.git(&worktree, ["checkout", "--quiet", "--detach"]);
    world.edit("lost.html", "lost\n");
    world.home.commit(&worktree, "nowhere but here");
    world.heals();
    let all = world.rescued().iter().any(|name| {
        let tree = world.home.git(&world.repository(), ["ls-tree", "-r", "--name-only", name]);
        tree.contains("lost.html")
    });
    assert!(all, "the commit is kept");
}

#[test]
fn upstream_may_be_rewritten_and_that_is_nobodys_work() {
    let world = World::synced();
    world.push("index.html", "two\n");
    world.heals();
    world.home.git(&world.home.at("author"), ["reset", "--quiet", "--hard", "HEAD~1"]);
    world.push("index.html", "another two\n");
    world.heals();
    assert!(world.rescued().is_empty(), "{:?}", world.rescued());
}

#[test]
fn a_worktree_that_is_gone_is_made_again() {
    let world = World::synced();
    fs::remove_dir_all(world.worktree()).expect("removed");
    world.heals();
}

#[test]
fn a_worktree_whose_administration_is_gone_is_made_again_and_the_old_files_stay_beside() {
    let world = World::synced();
    world.edit("note.txt", "a person's\n");
    fs::remove_dir_all(world.administration()).expect("removed");
    world.heals();
    let aside = fs::read_dir(&world.config.state).expect("the state").filter_map(Result::ok);
    let aside: Vec<_> =
        aside.filter(|it| it.file_name().to_string_lossy().starts_with("worktree.aside-")).collect();
    assert_eq!(aside.len(), 1);
    assert!(aside[0].path().join("note.txt").exists());
}

#[test]
fn a_missing_git_file_never_lets_git_loose_on_a_repository_above() {
    let world = World::synced();
    world.home.git(world.home.path(), ["init", "--quiet"]);
    world.home.write("dotfile", "precious\n");
    world.home.git(world.home.path(), ["add", "dotfile"]);
    fs::remove_file(world.worktree().join(".git")).expect("removed");
    world.edit("note.txt", "a person's\n");
    world.heals();
    assert_eq!(fs::read_to_string(world.home.at("dotfile")).expect("still there"), "precious\n");
    assert_eq!(world.rescued_file("note.txt"), "a person's");
}

#[test]
fn a_repository_that_moved_finds_its_worktree_again() {
    let world = World::synced();
    fs::rename(world.repository(), world.home.at("dev/moved")).expect("moved");
    let to = world.home.at("dev/moved");
    let world = world.with(|mirror| mirror.repository = to);
    let last = world.sync();
    assert!(matches!(last.status, SyncStatus::Updated | SyncStatus::Noop), "{}", last.reason);
    world.assert_aligned();
}

#[test]
fn a_broken_index_head_or_branch_heals_and_edits_survive_it() {
    let world = World::synced();
    world.edit("index.html", "an edit\n");
    fs::write(world.administration().join("index"), "garbage").expect("broken");
    world.heals();
    assert_eq!(world.rescued_file("index.html"), "an edit");

    fs::write(world.administration().join("HEAD"), "").expect("broken");
    world.heals();

    let branch = world.repository().join(".git/refs/heads/localhost-sync");
    fs::write(branch, "0123456789012345678901234567890123456789\n").expect("broken");
    let last = world.sync();
    assert_ne!(last.status, SyncStatus::Failed, "{}", last.reason);
    world.assert_aligned();
}

#[test]
fn stale_locks_are_removed_and_live_ones_are_not() {
    let world = World::synced();
    world.push("index.html", "two\n");
    let index = world.administration().join("index.lock");
    let tracking = world.repository().join(".git/refs/remotes/origin/main.lock");
    for lock in [&index, &tracking] {
        fs::write(lock, "").expect("a lock");
        age(lock);
    }
    world.heals();
    assert!(!index.exists() && !tracking.exists());

    world.push("index.html", "three\n");
    fs::write(&index, "").expect("a lock");
    age(&index);
    let mut holder = std::process::Command::new("sleep");
    let _holder = Kept::start(holder.arg("60").stdin(fs::File::open(&index).expect("the lock")));
    let last = world.sync();
    assert_eq!(last.status, SyncStatus::Failed);
    assert!(last.reason.contains("in use by pid"), "{}", last.reason);
    assert!(index.exists(), "a live lock is never removed");
}

#[test]
fn a_reset_that_was_killed_half_way_is_finished_and_is_no_persons_work() {
    let world = World::synced();
    world.push("index.html", "two\n");
    world.home.git(&world.repository(), ["fetch", "--quiet", "origin"]);
    world.edit("index.html", "two\n");
    let lock = world.administration().join("index.lock");
    fs::write(&lock, "").expect("a lock");
    age(&lock);
    world.heals();
    assert!(world.rescued().is_empty(), "{:?}", world.rescued());
}

#[test]
fn a_branch_that_is_checked_out_elsewhere_is_not_forced_and_the_place_is_told() {
    let world = World::new();
    world.home.git(&world.repository(), ["worktree", "add", "--quiet", "-b", "localhost-sync", "../other"]);
    let last = world.sync();
    assert_eq!(last.status, SyncStatus::Failed);
    assert!(last.reason.contains("dev/other"), "{}", last.reason);
    assert!(!world.worktree().exists());
}

#[test]
fn a_clone_at_the_worktrees_place_is_left_alone() {
    let world = World::new();
    world.home.git(world.home.path(), ["clone", "--quiet", "remote.git", "ops/worktree"]);
    world.edit("work.txt", "a person's\n");
    let last = world.sync();
    assert_eq!(last.status, SyncStatus::Failed, "{}", last.reason);
    assert!(world.worktree().join("work.txt").exists());
    assert!(world.worktree().join(".git/HEAD").exists());
}

#[test]
fn a_worktree_that_nobody_locked_is_locked() {
    let world = World::synced();
    assert!(world.administration().join("locked").exists(), "one that is made is locked");
    world.home.git(&world.repository(), ["worktree", "unlock", &world.worktree().to_string_lossy()]);
    let last = world.heals();
    assert!(last.reason.contains("locked the worktree"), "{}", last.reason);
    let reason = fs::read_to_string(world.administration().join("locked")).expect("it is locked");
    assert_eq!(reason.trim(), "kept by housecall");
}
