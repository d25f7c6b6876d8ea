//! What is kept outside of git lies beside what is kept there already, however close in time.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use housecall::probes::clock;
use housecall::probes::state::SyncStatus::{Failed, Updated};

use super::oracle::Oracle;
use crate::world::{World, walk};

/// Names of the seconds to come are taken: whatever is kept then is kept in the same second as another.
#[test]
fn what_is_kept_in_the_same_second_as_another_is_kept_beside_it() {
    let world = World::new().with(|mirror| {
        mirror.carry = vec![".env.local".into()];
        mirror.install = vec!["installer".into(), "ci".into()];
    });
    world.home.program("bin/node", "#!/bin/sh\necho v22.1.0\n");
    world.home.program("bin/installer", "#!/bin/sh\nmkdir -p node_modules/x\n");
    world.home.write("dev/site/.env.local", "KEY=1\n");
    world.push("package-lock.json", "{\"lockfileVersion\": 3, \"packages\": {}}\n");
    assert_eq!(world.sync().status, Updated);

    let mut earlier = Vec::new();
    for second in 0..60 {
        let time = clock::now() + Duration::from_secs(second);
        let place = world.config.state.join("rescued").join(time.strftime("%Y-%m-%dT%H-%M-%S").to_string());
        fs::create_dir_all(place.join("inner")).expect("a folder");
        // The last one has a file where a folder is to be.
        for name in [".env.local", "node_modules", "inner/page.html", "nested"] {
            fs::write(place.join(name), "earlier\n").expect("what is kept already");
            earlier.push(place.join(name));
        }
    }
    world.edit(".env.local", "KEY=mine\n");
    for inner in ["inner", "nested/deep"] {
        fs::create_dir_all(world.worktree().join(inner)).expect("a folder");
        world.home.git(&world.worktree().join(inner), ["init", "--quiet"]);
        world.edit(&format!("{inner}/page.html"), "mine\n");
    }
    fs::remove_dir_all(world.worktree().join("node_modules")).expect("what was installed");
    std::os::unix::fs::symlink("/nowhere", world.worktree().join("node_modules")).expect("a link");
    world.heals();

    for file in earlier {
        assert_eq!(fs::read_to_string(&file).unwrap_or_default(), "earlier\n", "{}", file.display());
    }
    let kept = walk(&world.config.state.join("rescued"));
    for (name, content) in
        [(".env.local", "KEY=mine\n"), ("inner/page.html", "mine\n"), ("nested/deep/page.html", "mine\n")]
    {
        let is_it = |it: &PathBuf| it.ends_with(name) && fs::read_to_string(it).is_ok_and(|it| it == content);
        assert!(kept.iter().any(is_it), "{name} is in none of {kept:?}");
    }
    let is_link = |it: &std::path::PathBuf| it.ends_with("node_modules") && fs::read_link(it).is_ok();
    assert!(kept.iter().any(is_link), "the link is in none of {kept:?}");
}

#[test]
fn what_was_staged_is_kept_once_where_an_alignment_ended_before_the_index_was_replaced() {
    let world = World::synced();
    world.edit("index.html", "staged\n");
    world.home.git(&world.worktree(), ["add", "index.html"]);
    world.edit("index.html", "edited\n");
    let index = fs::read(world.administration().join("index")).expect("the index");
    world.heals();
    assert_eq!(world.rescued_file("index.html"), "edited");
    let kept = world.rescued();
    fs::write(world.administration().join("index"), index).expect("as if it had not been replaced");
    world.heals();
    assert_eq!(world.rescued(), kept);
}

#[test]
fn a_link_in_the_place_of_a_carried_file_is_kept_as_a_link() {
    let world = World::new().with(|mirror| mirror.carry = vec![".env.local".into()]);
    world.home.write("dev/site/.env.local", "KEY=1\n");
    world.heals();
    let copy = world.worktree().join(".env.local");
    fs::remove_file(&copy).expect("the copy");
    world.home.write("elsewhere", "KEY=mine\n");
    std::os::unix::fs::symlink(world.home.at("elsewhere"), &copy).expect("a link");
    let last = world.heals();
    assert!(last.reason.contains("the copy that was there is kept as ~/ops/rescued/"), "{}", last.reason);
    assert_eq!(fs::read_to_string(world.home.at("elsewhere")).expect("where it led"), "KEY=mine\n");
    assert!(copy.symlink_metadata().is_ok_and(|it| it.is_file()), "it is a copy again");
    let kept = walk(&world.config.state.join("rescued"));
    assert!(kept.iter().any(|it| fs::read_link(it).is_ok_and(|it| it.ends_with("elsewhere"))), "{kept:?}");
}

#[test]
fn a_directory_in_the_place_of_a_carried_file_is_kept_whole() {
    let world = World::new().with(|mirror| mirror.carry = vec![".env.local".into()]);
    world.home.write("dev/site/.env.local", "KEY=1\n");
    world.heals();
    fs::remove_file(world.worktree().join(".env.local")).expect("the copy");
    world.edit(".env.local/mine", "KEY=mine\n");
    let last = world.heals();
    assert!(last.reason.contains("the copy that was there is kept as ~/ops/rescued/"), "{}", last.reason);
    let copy = fs::read_to_string(world.worktree().join(".env.local")).expect("a file again");
    assert_eq!(copy, "KEY=1\n");
    let kept = walk(&world.config.state.join("rescued"));
    let is_it = |it: &PathBuf| {
        it.ends_with(".env.local/mine") && fs::read_to_string(it).is_ok_and(|it| it == "KEY=mine\n")
    };
    assert!(kept.iter().any(is_it), "{kept:?}");
}

#[test]
fn a_directory_of_the_projects_in_the_place_of_a_carried_file_stays() {
    let world = World::new().with(|mirror| mirror.carry = vec!["settings".into()]);
    world.home.write("dev/site/settings", "mine\n");
    world.push("settings/all", "published\n");
    world.heals();
    assert_eq!(fs::read_to_string(world.worktree().join("settings/all")).expect("it"), "published\n");
}

/// Nothing can be kept: what is in the way stays, no sync goes on for ever, and the next one makes it good.
#[test]
fn where_nothing_can_be_kept_it_is_said_and_nothing_is_lost() {
    let world = World::new().with(|mirror| mirror.carry = vec![".env.local".into()]);
    world.home.write("dev/site/.env.local", "KEY=1\n");
    world.heals();
    let oracle = Oracle::of(&world);
    let rescued = world.config.state.join("rescued");
    fs::write(&rescued, "in the way\n").expect("a file");
    world.edit(".env.local", "KEY=mine\n");
    oracle.ends(&world, Failed, "Not a directory");
    let copy = world.worktree().join(".env.local");
    assert_eq!(fs::read_to_string(&copy).expect("the copy"), "KEY=mine\n");
    fs::remove_file(copy).expect("the copy");
    fs::create_dir(world.worktree().join("inner")).expect("a folder");
    world.home.git(&world.worktree().join("inner"), ["init", "--quiet"]);
    world.edit("inner/page.html", "mine\n");
    oracle.ends(&world, Failed, "Not a directory");
    assert_eq!(fs::read_to_string(world.worktree().join("inner/page.html")).expect("it"), "mine\n");
    fs::remove_file(&rescued).expect("what was in the way");
    oracle.heals(&world);
}
