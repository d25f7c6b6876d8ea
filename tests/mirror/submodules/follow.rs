//! Submodules follow upstream as the repository has them active, and what a person left inside one is kept.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use housecall::fixes::hands::aside::restore;
use housecall::fixes::lock::Lock;
use housecall::probes::git::rescued;
use housecall::probes::state::SyncStatus;
use support::proxy::{Line, Proxy};
use support::remotes::Remote;

use super::parts::{bump, library, with_nested, with_submodule, with_submodule_at};
use crate::world::{World, walk};

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
fn a_submodule_at_a_relative_address_and_a_shallow_one_follow() {
    let relative = with_submodule_at(World::new(), |_| "../library.git".to_owned());
    let shallow = with_submodule_at(World::new(), |library| format!("file://{library}"));
    let author = shallow.home.at("author");
    shallow.home.git(&author, ["config", "--file", ".gitmodules", "submodule.lib.shallow", "true"]);
    for world in [relative, shallow] {
        bump(&world, "two\n");
        bump(&world, "three\n");
        world.heals();
        assert_eq!(library(&world), "three\n");
        bump(&world, "four\n");
        world.heals();
        assert_eq!(library(&world), "four\n");
        let modules = fs::read_to_string(world.worktree().join(".gitmodules")).expect("its submodules");
        let inner = world.worktree().join("lib");
        let is_shallow = world.home.git(&inner, ["rev-parse", "--is-shallow-repository"]);
        assert_eq!(is_shallow, modules.contains("shallow").to_string(), "{modules}");
    }
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
fn a_submodule_of_a_submodule_is_there_and_follows_where_its_owner_has_it() {
    let world = with_nested();
    let deep = || fs::read_to_string(world.worktree().join("lib/deep/deep.txt")).unwrap_or_default();
    world.heals();
    assert_eq!(deep(), "", "nobody wants it yet");
    let repository = world.repository();
    world.home.git(&repository, ["pull", "--quiet"]);
    world.home.git(&repository, ["submodule", "--quiet", "update", "--init", "--recursive"]);
    let before = world.canonical();
    world.heals();
    assert_eq!(deep(), "one\n");
    world.home.write("inner/deep.txt", "two\n");
    world.home.commit(&world.home.at("inner"), "two");
    world.home.git(&world.home.at("inner"), ["push", "--quiet", "origin", "main"]);
    world.home.git(&world.home.at("part/deep"), ["pull", "--quiet", "origin", "main"]);
    world.edit("lib/deep/note.txt", "a person's\n");
    bump(&world, "with a newer part\n");
    let last = world.heals();
    assert!(last.reason.contains("what was left in lib/deep set aside"), "{}", last.reason);
    assert_eq!(deep(), "two\n");
    fs::remove_dir_all(world.worktree()).expect("the worktree goes");
    world.heals();
    assert_eq!(deep(), "two\n");
    assert_eq!(world.canonical(), before, "the repository is as it was, and so are its submodules");
}

#[test]
fn a_submodule_that_nobody_initialised_stays_empty() {
    let world = with_submodule();
    let repository = world.repository();
    world.home.git(&repository, ["submodule", "--quiet", "deinit", "-f", "lib"]);
    world.heals();
    assert_eq!(library(&world), "");
}

/// The same, whose remote is reached through this line.
fn behind_a_line() -> (World, Remote, Proxy) {
    let mut world = World::new();
    let mut config = (*world.config).clone();
    config.limits.timeout = Duration::from_millis(500);
    world.config = Arc::new(config);
    let remote = Remote::daemon(world.home.path());
    let proxy = Proxy::before(remote.port());
    let address = format!("git://127.0.0.1:{}/library.git", proxy.port());
    let world = with_submodule_at(world, |_| address.clone());
    (world, remote, proxy)
}

#[test]
fn a_submodule_whose_remote_is_away_makes_the_cycle_stale_and_the_mirror_stays_as_it_was() {
    let (world, _remote, proxy) = behind_a_line();
    world.heals();
    let before = world.home.git(&world.worktree(), ["rev-parse", "HEAD"]);
    bump(&world, "two\n");
    for line in [Line::Reset(0), Line::Stall(0), Line::Cut(600)] {
        proxy.becomes(line);
        let last = world.sync();
        assert_eq!(last.status, SyncStatus::Stale, "{}", last.reason);
        assert!(last.reason.contains("cannot fetch the submodule lib: "), "{}", last.reason);
        assert_eq!(world.home.git(&world.worktree(), ["rev-parse", "HEAD"]), before, "nothing is mixed");
        assert_eq!(world.home.git(&world.worktree(), ["status", "--porcelain"]), "");
        assert_eq!(library(&world), "one\n");
    }
    proxy.becomes(Line::Good);
    world.heals();
    assert_eq!(library(&world), "two\n");
}

#[test]
fn a_mirror_without_its_submodule_is_stale_until_it_is_there() {
    let (world, _remote, proxy) = behind_a_line();
    for line in [Line::Reset(0), Line::Stall(0)] {
        proxy.becomes(line);
        let last = world.sync();
        assert_eq!(last.status, SyncStatus::Stale, "{}", last.reason);
        let why = "cannot reach the remote of the submodule lib: ";
        assert!(last.reason.contains(why), "{line:?}: {}", last.reason);
    }
    proxy.becomes(Line::Good);
    world.heals();
    assert_eq!(library(&world), "one\n");
}

#[test]
fn the_address_of_a_submodule_is_no_option_of_gits() {
    let world = with_submodule();
    let mark = world.home.at("run-by-git");
    let address = format!("--upload-pack=touch {}", mark.display());
    world.home.git(&world.repository(), ["config", "submodule.lib.url", &address]);
    let last = world.sync();
    assert!(last.reason.contains("strange pathname"), "{}", last.reason);
    assert!(!mark.exists(), "git runs what an address says");
}

#[test]
fn a_submodule_that_is_gone_comes_back_and_its_absence_is_no_alignment() {
    let world = with_submodule();
    world.heals();
    let lib = world.worktree().join("lib");
    fs::remove_dir_all(&lib).expect("it goes");
    fs::create_dir(&lib).expect("git takes that for clean");
    assert_eq!(world.home.git(&world.worktree(), ["status", "--porcelain"]), "");
    world.heals();
    assert_eq!(library(&world), "one\n");
}

/// What was given back, by name.
fn given_back(world: &World, to: &str) -> PathBuf {
    let (all, _) = rescued(&world.config, world.mirror()).expect("they are listed");
    let of_it: Vec<_> = all.iter().filter(|it| it.inside.as_deref() == Some("lib".as_ref())).collect();
    assert_eq!(of_it.len(), 1, "{all:?}");
    let to = world.home.at(to);
    restore::restore(&world.config, world.mirror(), of_it[0], &to).expect("it is given back");
    to
}

#[test]
fn what_was_left_inside_lasts_and_is_given_back() {
    let world = with_submodule();
    world.heals();
    let inner = world.worktree().join("lib");
    world.edit("lib/own.txt", "committed\n");
    world.home.commit(&inner, "My own");
    world.edit("lib/lib.txt", "staged\n");
    world.home.git(&inner, ["add", "lib.txt"]);
    world.edit("lib/lib.txt", "edited\n");
    bump(&world, "two\n");
    world.heals();
    let modules = world.administration().join("modules/lib");
    let refs = ["for-each-ref", "--format=%(refname)", "refs/housecall/rescued"];
    let name = world.home.git(&modules, refs);
    let complete = |to: PathBuf| {
        let text = |file: &str| fs::read_to_string(to.join(file)).unwrap_or_default();
        assert_eq!(text("files/lib.txt"), "edited\n");
        assert_eq!(text("staged/lib.txt"), "staged\n");
        assert!(text("commits/0001-My-own.patch").contains("+committed"), "{:?}", walk(&to));
        assert!(text("changes.patch").contains("+edited"));
    };
    complete(given_back(&world, "at-first"));

    fs::remove_dir_all(world.worktree()).expect("the worktree goes");
    world.heals();
    assert_eq!(world.home.git(&modules, refs), name, "the same repository goes on");
    world.home.git(&world.worktree(), ["submodule", "--quiet", "deinit", "-f", "lib"]);
    world.home.git(&modules, ["--work-tree=.", "gc", "--quiet", "--prune=now"]);
    assert_eq!(world.home.git(&modules, refs), name);
    assert_eq!(world.home.git(&modules, ["show", &format!("{name}:lib.txt")]), "edited");
    let _ = world.sync();
    complete(given_back(&world, "after-deinit"));

    fs::remove_dir_all(world.administration()).expect("the administration goes");
    let _ = world.sync();
    complete(given_back(&world, "after-all"));
}

#[test]
fn what_was_dropped_and_is_left_inside_again_is_kept_again() {
    let world = with_submodule();
    world.heals();
    for round in ["one", "two"] {
        world.edit("lib/lib.txt", "edited\n");
        world.heals();
        let to = given_back(&world, round);
        assert_eq!(fs::read_to_string(to.join("files/lib.txt")).unwrap_or_default(), "edited\n");
        let (all, _) = rescued(&world.config, world.mirror()).expect("they are listed");
        let lock =
            Lock::take(&world.config, "rescued", Duration::from_secs(1), &mut |_| ()).expect("the lock");
        restore::forget(&world.config, world.mirror(), &all[0], &lock).expect("it is dropped");
        let inner = world.worktree().join("lib");
        assert_eq!(world.home.git(&inner, ["for-each-ref", "refs/housecall/rescued"]), "");
    }
}

#[test]
fn a_submodule_that_its_owner_gave_up_is_emptied_and_its_ignored_files_stay() {
    let world = with_submodule();
    world.home.write("part/.gitignore", "*.local\n");
    bump(&world, "one\n");
    world.heals();
    world.edit("lib/mine.local", "mine\n");
    world.home.git(&world.repository(), ["submodule", "--quiet", "deinit", "-f", "lib"]);
    bump(&world, "two\n");
    let last = world.heals();
    assert_eq!(library(&world), "", "{}", last.reason);
    let kept = walk(&world.config.state.join("rescued"));
    assert!(kept.iter().any(|it| it.ends_with("lib/mine.local")), "{kept:?}: {}", last.reason);
}

#[test]
fn edits_in_a_submodule_are_kept_where_gitmodules_is_gone() {
    let world = with_submodule();
    world.heals();
    fs::remove_file(world.worktree().join(".gitmodules")).expect("it goes");
    world.edit("lib/lib.txt", "edited\n");
    world.edit("lib/new.txt", "new\n");
    world.heals();
    assert_eq!(library(&world), "one\n");
    let kept = given_back(&world, "back");
    let text = |file: &str| fs::read_to_string(kept.join("files").join(file)).unwrap_or_default();
    assert_eq!((text("lib.txt").as_str(), text("new.txt").as_str()), ("edited\n", "new\n"));
}

#[test]
fn a_repository_inside_a_submodule_is_moved_out_with_its_history() {
    let world = with_submodule();
    world.heals();
    let nested = world.worktree().join("lib/nested");
    world.edit("lib/nested/work.txt", "precious\n");
    world.home.git(&nested, ["init", "--quiet"]);
    let tip = world.home.commit(&nested, "precious");
    let last = world.heals();
    assert!(last.reason.contains("a repository in lib set aside"), "{}", last.reason);
    assert!(!nested.exists());
    let kept = walk(&world.config.state.join("rescued"));
    let head = kept.iter().find(|it| it.ends_with("lib/nested/.git/HEAD")).expect("it is kept");
    let top = head.ancestors().nth(2).expect("its top");
    assert_eq!(world.home.git(top, ["rev-parse", "HEAD"]), tip);
}
