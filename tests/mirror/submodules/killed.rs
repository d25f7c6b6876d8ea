//! A sync that is killed while it works in a submodule, and what a person did there before and after.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use housecall::commands::sync::run_once;
use support::processes::Kept;

use super::kept::{Moment, at, is_kept, settle};
use super::parts::{Version, furnished, module, publish};
use crate::world::{self, World, age, child};

/// How many files upstream changes in the library, so that there is a middle.
const MANY: usize = 300;

/// Not a test of its own: what [`child`] runs.
#[test]
fn one_sync_in_a_child() {
    let Some(home) = std::env::var_os("HOUSECALL_TEST_HOME") else { return };
    let _ = run_once(&Arc::new(world::config(home.as_ref())), &Arc::default(), &mut |_| ());
}

fn sync_in_a_child(world: &World) -> Kept {
    Kept::start(&mut child(world.home.path(), "submodules::killed::one_sync_in_a_child"))
}

/// What a person has there before the sync.
fn work(world: &World, part: &str) {
    world.edit(&format!("{part}/page.html"), "mine before\n");
    world.edit(&format!("{part}/fresh.html"), "mine fresh\n");
    world.edit(&format!("{part}/cfg.local"), "mine ignored\n");
}

const NEW: &[(&str, Option<&str>)] =
    &[("page.html", Some("new\n")), ("cfg.local", Some("upstream's\n")), ("gone.html", None)];

#[track_caller]
fn assert_all_kept(world: &World, what: &str) {
    for line in ["mine before", "mine fresh", "mine ignored", "mine meanwhile", "mine after"] {
        assert!(is_kept(world, line), "{what}: {line}");
    }
}

#[test]
fn a_sync_killed_while_a_submodule_is_written_is_resumed_and_all_is_kept() {
    for (part, moment) in [("lib", "library"), ("lib/deep", "deep"), ("lib", "main")] {
        for is_git_killed in [false, true] {
            let world = furnished();
            publish(&world, Version { library: NEW, deep: NEW, ..Version::default() });
            work(&world, part);
            let pid = world.home.at("pid");
            let git = if is_git_killed {
                "; case $(ps -o comm= -p $PPID) in *git) kill -9 $PPID ;; esac"
            } else {
                ""
            };
            let kill =
                format!("echo mine meanwhile > {part}/gone.html; kill -9 $(cat {}){git}", pid.display());
            // The pid is written before the filter can run, which needs a whole fetch.
            let done = at(&world, Moment::Written(moment), &kill);
            let mut sync = sync_in_a_child(&world);
            fs::write(&pid, sync.pid().to_string()).expect("its pid");
            let status = sync.0.wait().expect("it ends");
            assert!(done.exists() && !status.success(), "{part}: it is killed");
            std::thread::sleep(Duration::from_millis(200));
            world.edit(&format!("{part}/after.html"), "mine after\n");
            let_a_minute_pass(&world);
            settle(&world);
            assert_all_kept(&world, &format!("{part} at {moment}, git {is_git_killed}"));
        }
    }
}

/// Makes the locks of what was killed as old as the next cycle wants them.
fn let_a_minute_pass(world: &World) {
    let all = super::kept::files(&world.repository().join(".git"));
    all.iter().filter(|it| it.extension().is_some_and(|it| it == "lock")).for_each(|it| age(it));
}

fn many(content: &str) -> Vec<(String, String)> {
    (0..MANY).map(|it| (format!("many/{it:03}.html"), format!("{content} {it}\n"))).collect()
}

#[test]
fn a_sync_killed_in_the_middle_of_exchanging_a_submodules_files_is_resumed() {
    let publish_many = |world: &World, content: &str| {
        let files = many(content);
        let mut all: Vec<(&str, Option<&str>)> =
            files.iter().map(|(name, content)| (name.as_str(), Some(content.as_str()))).collect();
        if content == "new" {
            all.extend(NEW);
        }
        publish(world, Version { library: &all, ..Version::default() });
    };
    for watched in ["lib/many/000.html", "lib/many/020.html", "lib/many/150.html"] {
        let world = furnished();
        publish_many(&world, "old");
        settle(&world);
        publish_many(&world, "new");
        work(&world, "lib");
        world.edit("lib/many/010.html", "mine meanwhile\n");
        let file = world.worktree().join(watched);
        let is_old = |file: &Path| fs::read_to_string(file).is_ok_and(|it| it.starts_with("old"));
        let mut sync = sync_in_a_child(&world);
        let start = Instant::now();
        while is_old(&file) && sync.alive() && start.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_micros(50));
        }
        sync.0.kill().expect("killed");
        sync.0.wait().expect("ended");
        std::thread::sleep(Duration::from_millis(300));
        world.edit("lib/many/299.html", "mine after\n");
        let_a_minute_pass(&world);
        settle(&world);
        assert_all_kept(&world, watched);
        for (name, content) in many("new") {
            let path = world.worktree().join("lib").join(&name);
            assert_eq!(fs::read_to_string(path).unwrap_or_default(), content, "{name}");
        }
    }
}

#[test]
fn a_lock_that_a_killed_git_left_in_a_submodule_is_taken_away() {
    for part in ["lib", "lib/deep"] {
        for name in ["index.lock", "HEAD.lock"] {
            let world = furnished();
            let version = &[("page.html", Some("new\n"))];
            publish(&world, Version { library: version, deep: version, ..Version::default() });
            world.edit(&format!("{part}/page.html"), "mine\n");
            let lock = module(&world, part).join(name);
            fs::write(&lock, "").expect("a lock");
            age(&lock);
            settle(&world);
            assert!(is_kept(&world, "mine"), "{part}: {name}");
        }
    }
}

#[test]
fn a_repository_that_git_cannot_read_is_set_aside_and_cloned_again() {
    let world = furnished();
    world.edit("lib/page.html", "mine before\n");
    fs::remove_file(module(&world, "lib").join("HEAD")).expect("it is torn");
    publish(&world, Version::default());
    settle(&world);
    assert!(is_kept(&world, "mine before"));
    let page = fs::read_to_string(world.worktree().join("lib/page.html")).unwrap_or_default();
    assert_eq!(page, "old\n");
}

#[test]
fn what_is_staged_outlives_a_sync_that_is_killed_once_git_has_linked_the_files_again() {
    let world = furnished();
    world.edit("lib/staged.html", "mine staged\n");
    world.home.git(&world.worktree().join("lib"), ["add", "staged.html"]);
    fs::remove_dir_all(world.worktree().join("lib")).expect("its files are deleted");
    publish(&world, Version { library: NEW, ..Version::default() });
    let pid = world.home.at("pid");
    // git links the files first, deletes the index, and then fetches what is recorded.
    let done = at(&world, Moment::Sent("library"), &format!("kill -9 $(cat {})", pid.display()));
    let mut sync = sync_in_a_child(&world);
    fs::write(&pid, sync.pid().to_string()).expect("its pid");
    let status = sync.0.wait().expect("it ends");
    assert!(done.exists() && !status.success(), "it is killed");
    assert!(!module(&world, "lib").join("index").exists(), "git deleted the index");
    std::thread::sleep(Duration::from_millis(200));
    let_a_minute_pass(&world);
    settle(&world);
    assert!(is_kept(&world, "mine staged"));
}
