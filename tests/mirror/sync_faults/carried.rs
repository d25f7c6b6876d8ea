//! Carried files that the project tracks, and files that a program writes into the mirror again and again.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use housecall::check::{Check, Look};
use housecall::checks::sync::{carry_list, rescues};
use housecall::cx::Cx;
use housecall::probes::state::SyncStatus::{Noop, Updated};
use housecall::verdict::Verdict;

use super::oracle::Oracle;
use crate::world::{World, walk};

/// What that check says of the mirror: nothing where it passes.
fn finding(world: &World, check: &Check) -> Option<String> {
    let cx = Cx::new(Arc::clone(&world.config), Arc::clone(&world.machine));
    let Look::Mirror(look) = check.look else { panic!("it is about the mirror") };
    match look(&cx, world.mirror()).expect("it can be looked at") {
        Verdict::Fail(finding) => Some(finding.message),
        _ => None,
    }
}

#[test]
fn a_carried_file_that_upstream_tracks_is_told_and_not_carried() {
    let world = World::new().with(|mirror| mirror.carry = vec![".env".into(), "own.local".into()]);
    world.push(".env", "KEY=published\n");
    world.home.write("dev/site/.env", "KEY=mine\n");
    world.home.write("dev/site/own.local", "mine\n");
    let oracle = Oracle::of(&world);
    oracle.heals(&world);
    let read = |file: &str| fs::read_to_string(world.worktree().join(file)).expect("it");
    assert_eq!((read(".env"), read("own.local")), ("KEY=published\n".into(), "mine\n".into()));
    assert_eq!(
        finding(&world, &carry_list::CHECK).as_deref(),
        Some("`.env` is carried, and the project tracks it")
    );
    world.push(".env", "KEY=another\n");
    oracle.heals(&world);
    assert_eq!(read(".env"), "KEY=another\n");
    assert!(world.rescued().is_empty(), "{:?}", world.rescued());
    world.home.git(&world.home.at("author"), ["rm", "--quiet", "--cached", ".env"]);
    world.push(".gitignore", ".env\n*.local\n");
    oracle.heals(&world);
    assert_eq!(finding(&world, &carry_list::CHECK), None);
    assert_eq!(read(".env"), "KEY=mine\n", "now it is carried");
}

#[test]
fn a_file_that_a_program_writes_again_and_again_is_told_and_the_same_is_kept_once() {
    let world = World::synced();
    for round in 0..4 {
        world.edit("debug.log", &format!("{round}\n"));
        assert_eq!(world.sync().status, Updated);
    }
    assert_eq!(finding(&world, &rescues::CHECK), None, "a few may be a person's");
    world.edit("debug.log", "3\n");
    assert_eq!(world.sync().status, Updated);
    assert_eq!(world.rescued().len(), 4, "what is kept already is not kept again: {:?}", world.rescued());
    world.edit("debug.log", "4\n");
    world.edit("note.txt", "a person's\n");
    assert_eq!(world.sync().status, Updated);
    assert_eq!(world.sync().status, Noop);
    let told = finding(&world, &rescues::CHECK);
    assert_eq!(told.as_deref(), Some("`debug.log` is set aside again and again"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_copy_that_a_program_has_open_for_writing_is_kept() {
    let world = World::new().with(|mirror| mirror.carry = vec!["own.local".into()]);
    world.home.write("dev/site/own.local", "mine\n");
    world.heals();
    let copy = world.worktree().join("own.local");
    let mut open = fs::File::options().append(true).open(&copy).expect("a program opens it");
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o644)).expect("readable for all");
    world.heals();
    open.write_all(b"late words\n").expect("it writes");
    let kept = walk(&world.config.state.join("rescued"));
    let holds = |path: &PathBuf| fs::read_to_string(path).is_ok_and(|it| it.contains("late words"));
    assert!(kept.iter().any(holds), "{kept:?}");
    assert_eq!(fs::read_to_string(copy).expect("the copy"), "mine\n");
}

#[test]
fn a_carried_file_that_a_program_rewrites_is_told() {
    let world = World::new().with(|mirror| mirror.carry = vec!["own.local".into()]);
    world.home.write("dev/site/own.local", "mine\n");
    world.heals();
    for round in 0..5 {
        world.edit("own.local", &format!("{round}\n"));
        assert_eq!(world.sync().status, Updated);
    }
    let told = finding(&world, &rescues::CHECK);
    assert_eq!(told.as_deref(), Some("`own.local` is set aside again and again"));
}
