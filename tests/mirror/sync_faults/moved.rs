//! Places that move: the repository, its volume, the worktree, the mirror's home in another repository.

use std::fs;
use std::process::Command;

use housecall::probes::state::SyncStatus::{Failed, Stale};
use support::Mirror;

use super::oracle::Oracle;
use crate::world::{World, age};

#[test]
fn a_repository_that_moves_and_moves_back_finds_its_worktree_both_times() {
    let world = World::synced();
    let (here, there) = (world.repository(), world.home.at("dev/moved"));
    world.push("index.html", "two\n");
    world.edit("note.txt", "a person's\n");
    fs::rename(&here, &there).expect("moved");
    let world = world.with(|mirror| mirror.repository = there.clone());
    let oracle = Oracle::of(&world);
    oracle.heals(&world);
    assert_eq!(world.rescued_file("note.txt"), "a person's");
    fs::rename(&there, &here).expect("moved back");
    let world = world.with(|mirror| mirror.repository = here);
    world.push("index.html", "three\n");
    oracle.heals(&world);
}

#[test]
fn a_worktree_that_moves_is_found_at_its_new_place() {
    let world = World::synced();
    world.edit("note.txt", "a person's\n");
    let to = world.home.at("ops/elsewhere");
    fs::rename(world.worktree(), &to).expect("moved");
    let world = world.with(|mirror| mirror.worktree = to);
    let last = world.sync();
    let aside = fs::read_dir(&world.config.state).expect("the state").filter_map(Result::ok);
    let beside = aside.map(|it| it.path().join("note.txt")).any(|it| it.exists());
    assert!(beside || !world.rescued().is_empty(), "{}", last.reason);
}

#[test]
fn a_path_with_dots_and_doubled_slashes_is_the_place_that_it_means() {
    let mirror = Mirror::fixed();
    mirror.configure("\"~/ops/worktree\"", "\"~/ops//./state/..//worktree/\"");
    let repository = mirror.repository.display().to_string();
    let weird = repository.replace("/dev/", "//dev/./../dev//");
    mirror.configure(&format!("\"{repository}\""), &format!("\"{weird}\""));
    mirror.configure("\"~/ops/state\"", "\"~//ops/../ops/state/\"");
    assert!(mirror.run(&["sync"]).exits(0).stdout.starts_with("updated"));
    assert!(mirror.run(&["sync"]).exits(0).stdout.starts_with("noop"));
    let sha = mirror.publish("public/index.html", "first", "second");
    fs::write(mirror.worktree().join("note.txt"), "a person's\n").expect("the edit");
    assert!(mirror.run(&["sync"]).exits(0).stdout.starts_with("updated"));
    assert!(mirror.run(&["sync"]).exits(0).stdout.starts_with("noop"));
    assert_eq!(mirror.home.git(&mirror.worktree(), ["rev-parse", "HEAD"]), sha);
    let listed = mirror.home.git(&mirror.repository, ["worktree", "list", "--porcelain"]);
    assert_eq!(listed.lines().filter(|line| line.starts_with("worktree ")).count(), 2, "{listed}");
    let report = mirror.examine();
    for check in ["worktree-place", "worktree-exists", "worktree-clean", "canonical-repo", "state-file"] {
        assert_eq!(report.status(check), "pass", "{check}: {}", report.troubles());
    }
}

#[test]
fn a_volume_that_is_not_mounted_is_stale_and_nothing_is_made_in_its_place() {
    let world = World::synced();
    world.edit("note.txt", "a person's\n");
    let world = world.with(|mirror| mirror.repository = "/media/housecall-no-such-volume/dev/site".into());
    let last = world.sync();
    assert!(last.status == Stale && last.reason.contains("no volume is mounted"), "{}", last.reason);
    assert!(!fs::exists("/media/housecall-no-such-volume").expect("looked at"));
    assert!(world.worktree().join("note.txt").exists(), "and so does whoever is at work there");
    assert!(world.worktree().join("index.html").exists(), "the server goes on with what is there");
}

#[test]
fn an_empty_directory_in_the_place_of_the_repository_is_left_empty() {
    let world = World::synced();
    let (here, away) = (world.repository(), world.home.at("dev/away"));
    fs::rename(&here, &away).expect("away");
    fs::create_dir(&here).expect("a mountpoint");
    let last = world.sync();
    assert!(last.status == Failed && last.reason.contains("empty directory"), "{}", last.reason);
    assert_eq!(fs::read_dir(&here).expect("the mountpoint").count(), 0);
    fs::remove_dir(&here).expect("mounted again");
    fs::rename(&away, &here).expect("mounted again");
    world.push("index.html", "two\n");
    world.heals();
}

#[test]
fn a_worktree_that_is_deleted_while_a_prune_runs_is_made_again() {
    let world = World::synced();
    let oracle = Oracle::of(&world);
    fs::remove_dir_all(world.worktree()).expect("deleted");
    world.home.git(&world.repository(), ["worktree", "prune", "--expire=now"]);
    assert!(world.administration().exists(), "it is locked against that");
    oracle.heals(&world);
    fs::remove_dir_all(world.worktree()).expect("deleted");
    world.home.git(&world.repository(), ["worktree", "unlock", &world.worktree().display().to_string()]);
    world.home.git(&world.repository(), ["worktree", "prune", "--expire=now"]);
    oracle.heals(&world);
}

#[test]
fn a_worktree_that_is_deleted_with_a_stale_lock_is_made_again() {
    let world = World::synced();
    let oracle = Oracle::of(&world);
    for name in ["index.lock", "HEAD.lock"] {
        let lock = world.administration().join(name);
        fs::write(&lock, "").expect("a lock");
        age(&lock);
    }
    fs::remove_dir_all(world.worktree()).expect("deleted");
    oracle.heals(&world);
}

#[test]
fn an_empty_directory_or_a_link_in_the_place_of_the_worktree() {
    let world = World::synced();
    let oracle = Oracle::of(&world);
    fs::remove_dir_all(world.worktree()).expect("deleted");
    fs::create_dir(world.worktree()).expect("an empty directory");
    oracle.heals(&world);
    fs::remove_dir_all(world.worktree()).expect("deleted");
    let elsewhere = world.home.at("elsewhere");
    fs::create_dir(&elsewhere).expect("a folder");
    fs::write(elsewhere.join("note.txt"), "a person's\n").expect("a file");
    std::os::unix::fs::symlink(&elsewhere, world.worktree()).expect("a link");
    let last = world.sync();
    assert_eq!(last.status, Failed, "{}", last.reason);
    assert_eq!(fs::read_to_string(elsewhere.join("note.txt")).expect("kept"), "a person's\n");
}

#[test]
fn a_git_file_that_is_gone_in_a_home_kept_in_git_never_touches_that_home() {
    let world = World::synced();
    let home = world.home.path().to_owned();
    world.home.git(&home, ["init", "--quiet"]);
    world.home.write("dotfile", "precious\n");
    world.home.git(&home, ["add", "dotfile"]);
    let index = fs::read(home.join(".git/index")).expect("its index");
    world.home.write("dotfile", "precious and edited\n");
    fs::remove_file(world.worktree().join(".git")).expect("gone");
    fs::remove_dir_all(world.administration()).expect("gone too");
    let last = world.sync();
    assert_eq!(last.status, Failed, "{}", last.reason);
    assert_eq!(fs::read(home.join(".git/index")).expect("its index"), index);
    assert_eq!(fs::read_to_string(home.join("dotfile")).expect("it"), "precious and edited\n");
    let mut log = Command::new("git");
    assert!(
        !log.args(["rev-parse", "--verify", "--quiet", "HEAD"])
            .current_dir(&home)
            .status()
            .expect("git")
            .success()
    );
}
