//! Looks at volumes that may hang, and the ground that a worktree stands on.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use housecall::error::ProbeError;
use housecall::probes::mounts::Kind;
use housecall::probes::{away, git, ground};
use support::mounts::HungMount;
use support::parts::{Part, lacks};

use super::world::World;

#[test]
fn a_child_sees_what_its_parent_would() {
    let world = World::new();
    let mirror = &world.mirror;
    let place = serde_json::json!({
        "repository": mirror.repository, "remote": "origin", "upstream": "main",
        "worktree": mirror.worktree, "branch": mirror.branch, "carry": [".env.local"],
    });
    let look = |what: &str| away::look_in_child(&[what.to_owned(), place.to_string()]).unwrap();
    let seen: serde_json::Value = serde_json::from_str(&look("canonical")).unwrap();
    assert_eq!(seen["Read"]["Present"]["tracking"], serde_json::json!(world.sha));
    let seen: serde_json::Value = serde_json::from_str(&look("worktree")).unwrap();
    assert_eq!(seen["Read"]["Present"]["head"], serde_json::json!(world.sha));
    assert!(look("carried").contains(".env.local"));
    assert!(away::look_in_child(&["canonical".to_owned()]).is_err());
    assert!(away::look_in_child(&["passwords".to_owned(), place.to_string()]).is_err());
}

#[test]
fn a_hanging_repository_costs_one_deadline_and_later_nothing() {
    if lacks(Part::Fuse) {
        return;
    }
    let mut world = World::new();
    let mount = HungMount::over(&world.home.at("volume"));
    symlink(world.home.at("volume/site"), world.home.at("dev/away")).unwrap();
    world.mirror.repository = world.home.at("dev/away");
    world.config.limits.timeout = Duration::from_secs(1);
    // The child of a test is another program that touches the volume; what counts here is that it is one.
    let (looks, volume) = (world.home.at("looks"), world.home.at("volume"));
    let script = format!("#!/bin/sh\necho >>{}\nexec stat {}/x\n", looks.display(), volume.display());
    let child = world.home.program("bin/look", &script);
    world.machine = housecall::probes::machine::Machine::with_program(child);
    let start = Instant::now();
    let first = git::canonical(&world.machine, &world.config, &world.mirror).unwrap_err();
    assert!(matches!(first, ProbeError::TimedOut { .. }), "{first}");
    assert!(start.elapsed() < support::processes::HANG, "{:?}", start.elapsed());
    let second = git::canonical(&world.machine, &world.config, &world.mirror).unwrap_err();
    assert!(matches!(second, ProbeError::Stuck { .. }), "{second}");
    assert_eq!(fs::read_to_string(looks).unwrap(), "\n", "it is not looked at again");
    drop(mount);
}

#[test]
fn the_ground_is_read_by_real_paths() {
    let world = World::without_worktree(&[]);
    let read = |world: &World| ground::read(&world.machine, &world.config, &world.mirror).unwrap();
    let found = read(&world);
    assert_eq!(
        (found.real, found.mount.kind, found.around),
        (world.home.at("ops/worktree"), Kind::Local, None)
    );
    let mut world = world;
    symlink(world.home.at("dev/site"), world.home.at("innocent")).unwrap();
    world.mirror.worktree = world.home.at("innocent/mirror");
    let found = read(&world);
    assert_eq!(found.real, world.home.at("dev/site/mirror"));
    assert_eq!(found.around, Some(world.home.at("dev/site")));
    fs::create_dir_all(world.home.at("ops")).unwrap();
    world.mirror.worktree = world.home.at("ops/worktree");
    world.home.git(world.home.path(), ["init", "--quiet"]);
    assert_eq!(read(&world).around.as_deref(), Some(world.home.path()));
}
