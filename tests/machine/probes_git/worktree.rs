//! The mirror's worktree, in every state that it can be found in.

use std::fs;

use housecall::probes::git::{self, Checkout, Worktree};

use super::world::World;

#[test]
fn a_worktree_is_described() {
    let world = World::new();
    let log = fs::metadata(world.admin().join("logs/HEAD")).expect("git keeps a log of it");
    let expected = Checkout {
        top: world.mirror.worktree.clone(),
        git_dir: world.admin(),
        common_dir: world.mirror.repository.join(".git"),
        branch: Some("localhost-sync".to_owned()),
        head: Some(world.sha.clone()),
        moved: Some(log.modified().expect("its time").try_into().expect("a time")),
        operation: None,
        locks: Vec::new(),
        kept: None,
    };
    assert_eq!(world.checkout(), expected);
}

#[test]
fn nothing_and_an_empty_directory_are_absent() {
    let world = World::without_worktree(&[]);
    assert_eq!(world.worktree(), Worktree::Absent);
    fs::create_dir_all(&world.mirror.worktree).unwrap();
    assert_eq!(world.worktree(), Worktree::Absent);
}

#[test]
fn files_without_a_repository_are_no_worktree() {
    let world = World::without_worktree(&[]);
    world.home.write("ops/worktree/page.md", "one\n");
    assert_eq!(world.worktree(), Worktree::NotGit("there are files in it, and no `.git`".to_owned()));
    fs::remove_dir_all(&world.mirror.worktree).unwrap();
    world.home.write("ops/worktree", "a file");
    assert_eq!(world.worktree(), Worktree::NotGit("it is a file".to_owned()));
}

#[test]
fn a_lost_git_file_under_a_parent_repository_is_foreign() {
    for format in [&[][..], &["--object-format=sha256"]] {
        let world = World::new();
        world.home.git(world.home.path(), ["init", "--quiet"].iter().chain(format));
        assert_eq!(
            world.checkout().top,
            world.mirror.worktree,
            "a linked worktree under a parent is its own"
        );
        fs::remove_file(world.mirror.worktree.join(".git")).unwrap();
        let common_dir = world.home.at(".git");
        assert_eq!(world.worktree(), Worktree::Foreign { top: world.home.path().to_owned(), common_dir });
    }
}

#[test]
fn a_clone_in_its_place_is_foreign() {
    let world = World::without_worktree(&[]);
    fs::create_dir_all(world.home.at("ops")).unwrap();
    let remote = world.home.at("remote.git");
    world.home.git(&world.home.at("ops"), ["clone", "--quiet", remote.to_str().unwrap(), "worktree"]);
    let (top, common_dir) = (world.mirror.worktree.clone(), world.mirror.worktree.join(".git"));
    assert_eq!(world.worktree(), Worktree::Foreign { top, common_dir });
}

#[test]
fn a_broken_link_to_the_repository_is_named() {
    let world = World::new();
    let link = world.mirror.worktree.join(".git");
    let told = |world: &World| match world.worktree() {
        Worktree::NotGit(why) => why,
        other => panic!("{other:?}"),
    };
    fs::write(world.admin().join("HEAD"), "").unwrap();
    assert_eq!(told(&world), "its HEAD is missing or empty");
    fs::remove_dir_all(world.admin()).unwrap();
    let missing = format!("its `.git` file names {}, which is not there", world.admin().display());
    assert_eq!(told(&world), missing);
    fs::write(link, "\0\0\0").unwrap();
    assert_eq!(told(&world), "its `.git` file is torn");
}

#[test]
fn a_link_to_the_worktree_counts_as_the_worktree() {
    let mut world = World::new();
    std::os::unix::fs::symlink(&world.mirror.worktree, world.home.at("link")).unwrap();
    world.mirror.worktree = world.home.at("link");
    assert_eq!(world.checkout().top, world.home.at("ops/worktree"));
}

#[test]
fn a_detached_an_unborn_and_a_bad_head_are_told_apart() {
    let world = World::new();
    let tree = &world.mirror.worktree;
    world.home.git(tree, ["checkout", "--quiet", "--detach"]);
    assert_eq!((world.checkout().branch, world.checkout().head), (None, Some(world.sha.clone())));
    world.home.git(tree, ["checkout", "--quiet", "--orphan", "feature"]);
    assert_eq!((world.checkout().branch, world.checkout().head), (Some("feature".to_owned()), None));
    world.home.git(tree, ["checkout", "--quiet", "--force", "localhost-sync"]);
    let branch = world.mirror.repository.join(".git/refs/heads/localhost-sync");
    fs::write(branch, "1111111111111111111111111111111111111111\n").unwrap();
    assert_eq!((world.checkout().branch, world.checkout().head), (Some("localhost-sync".to_owned()), None));
}

#[test]
fn the_place_where_the_branch_is_checked_out_is_known() {
    let world = World::new();
    world.home.git(&world.mirror.worktree, ["checkout", "--quiet", "-b", "feature"]);
    assert_eq!(world.repository().branch_worktree, None);
    world.home.git(&world.mirror.repository, ["checkout", "--quiet", "localhost-sync"]);
    assert_eq!(world.repository().branch_worktree.as_ref(), Some(&world.mirror.repository));
}

#[test]
fn every_lock_in_the_way_is_found() {
    let world = World::new();
    let common = world.mirror.repository.join(".git");
    let locks = [
        world.admin().join("index.lock"),
        world.admin().join("HEAD.lock"),
        common.join("refs/heads/localhost-sync.lock"),
        common.join("refs/remotes/origin/main.lock"),
        common.join("packed-refs.lock"),
    ];
    // The canonical repository's own index is a person's business.
    fs::write(common.join("index.lock"), "").unwrap();
    for lock in &locks {
        fs::write(lock, "").unwrap();
    }
    let found: Vec<_> = world.checkout().locks.into_iter().map(|it| it.path).collect();
    assert_eq!(found, locks);
}

#[test]
fn real_operations_in_progress_are_named() {
    let world = World::new();
    let tree = &world.mirror.worktree;
    world.home.write("ops/worktree/page.md", "here\n");
    let here = world.home.commit(tree, "here");
    world.home.git(tree, ["checkout", "--quiet", "-b", "other", "origin/main"]);
    world.home.write("ops/worktree/page.md", "there\n");
    world.home.commit(tree, "there");
    let conflicts = |arguments: &[&str]| {
        let status = world.home.command("git").args(arguments).current_dir(tree).output().unwrap().status;
        assert!(!status.success(), "{arguments:?} goes through");
    };
    let named = |world: &World| world.checkout().operation;
    conflicts(&["merge", &here]);
    assert_eq!(named(&world).as_deref(), Some("merge"));
    world.home.git(tree, ["merge", "--abort"]);
    conflicts(&["cherry-pick", &here]);
    assert_eq!(named(&world).as_deref(), Some("cherry-pick"));
    world.home.git(tree, ["cherry-pick", "--abort"]);
    conflicts(&["rebase", &here]);
    assert_eq!(named(&world).as_deref(), Some("rebase"));
    world.home.git(tree, ["rebase", "--abort"]);
    conflicts(&["revert", "--no-edit", &here]);
    assert_eq!(named(&world).as_deref(), Some("revert"));
    world.home.git(tree, ["revert", "--abort"]);
    world.home.git(tree, ["bisect", "start"]);
    assert_eq!(named(&world).as_deref(), Some("bisect"));
    world.home.git(tree, ["bisect", "reset"]);
    assert_eq!(named(&world), None);
}

#[test]
fn how_far_it_is_behind_is_counted() {
    let world = World::new();
    world.home.commit(&world.mirror.repository, "two");
    world.home.commit(&world.mirror.repository, "three");
    world.home.git(&world.mirror.repository, ["push", "--quiet", "origin", "main"]);
    world.home.commit(&world.mirror.worktree, "astray");
    let distance =
        git::distance(&world.machine, &world.config, &world.repository(), &world.checkout()).unwrap();
    assert_eq!((distance.ahead, distance.behind), (1, 2));
}
