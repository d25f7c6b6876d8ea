//! `sync` when things stand in the way: no network, nobody's trust, installers, another sync, a sudden end.
#![expect(clippy::disallowed_methods, reason = "tests make the world that the product looks at")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use housecall::commands::sync::{Synced, run_once};
use housecall::config::Trust;
use housecall::exit::Exit;
use housecall::probes::state::SyncStatus;
use support::processes::Kept;

use crate::world::{self, World, child, walk};

#[test]
fn offline_is_stale_with_nothing_made_or_taken_away() {
    let world = World::synced();
    let before = world.sync();
    world.edit("index.html", "an edit\n");
    world.home.git(&world.repository(), ["remote", "set-url", "origin", "http://127.0.0.1:9/site.git"]);
    let last = world.sync();
    assert_eq!(last.status, SyncStatus::Stale, "{}", last.reason);
    assert_eq!(last.contact, before.contact, "the last contact counts on");
    assert_eq!(fs::read_to_string(world.worktree().join("index.html")).expect("a page"), "an edit\n");
    assert_eq!(world.run().exit(), Exit::Healthy);
}

#[test]
fn a_missing_repository_is_a_failure_and_nothing_is_made_in_its_place() {
    let world = World::synced();
    fs::rename(world.repository(), world.home.at("dev/away")).expect("moved");
    let last = world.sync();
    assert_eq!(last.status, SyncStatus::Failed);
    assert!(!world.repository().exists());
    assert!(world.worktree().join("index.html").exists());
}

#[test]
fn a_stopped_or_untrusted_mirror_is_left_as_it_is() {
    let world = World::synced();
    world.push("index.html", "two\n");
    fs::write(world.config.stop_file(), "").expect("the mark");
    assert!(matches!(world.run(), Synced::Stopped));
    fs::remove_file(world.config.stop_file()).expect("removed");
    let mut config = (*world.config).clone();
    config.trust = Trust::Untrusted;
    assert!(matches!(run_once(&Arc::new(config), &world.machine, &mut |_| ()), Synced::NotTrusted));
    assert_eq!(fs::read_to_string(world.worktree().join("index.html")).expect("a page"), "one\n");
}

#[test]
fn carried_files_are_copied_private_and_an_own_version_is_kept() {
    let world = World::new().with(|mirror| mirror.carry = vec![".env.local".into()]);
    world.home.write("dev/site/.env.local", "SECRET=1\n");
    world.heals();
    let copy = world.worktree().join(".env.local");
    assert_eq!(fs::read_to_string(&copy).expect("the copy"), "SECRET=1\n");
    assert_eq!(fs::metadata(&copy).expect("the copy").permissions().mode() & 0o777, 0o600);
    fs::write(&copy, "SECRET=mine\n").expect("an edit");
    world.heals();
    let kept = walk(&world.config.state.join("rescued"));
    assert!(kept.iter().any(|it| fs::read_to_string(it).is_ok_and(|it| it == "SECRET=mine\n")), "{kept:?}");
}

#[test]
fn a_link_that_leads_out_of_the_worktree_carries_nothing_there() {
    let world = World::new().with(|mirror| mirror.carry = vec!["private/keys/site.local".into()]);
    let elsewhere = world.home.at("elsewhere");
    fs::create_dir(&elsewhere).expect("a folder");
    std::os::unix::fs::symlink(&elsewhere, world.home.at("author/private")).expect("a link");
    world.push("index.html", "two\n");
    world.home.write("dev/site/private/keys/site.local", "KEY=1\n");
    let last = world.sync();
    assert_eq!(last.status, SyncStatus::Failed, "{}", last.reason);
    assert!(last.reason.contains("leads out of"), "{}", last.reason);
    assert_eq!(fs::read_dir(&elsewhere).expect("a folder").count(), 0, "not even a directory is made");
}

#[test]
fn a_carried_file_that_git_does_not_ignore_is_no_persons_work() {
    let world = World::new().with(|mirror| mirror.carry = vec!["secret [1].txt".into()]);
    world.home.write("dev/site/secret [1].txt", "SECRET=1\n");
    assert_eq!(world.sync().status, SyncStatus::Updated);
    world.push("index.html", "two\n");
    let last = world.sync();
    assert_eq!(last.status, SyncStatus::Updated, "{}", last.reason);
    assert!(!last.reason.contains("copied"), "it stays where it is: {}", last.reason);
    assert!(world.worktree().join("secret [1].txt").exists());
    world.edit("index.html", "an edit\n");
    assert_eq!(world.sync().status, SyncStatus::Updated);
    let kept = world.rescued().remove(0);
    let files = world.home.git(&world.repository(), ["ls-tree", "-r", "--name-only", &kept]);
    assert!(!files.contains("secret"), "a secret is kept in no commit: {files}");
    assert_eq!(world.sync().status, SyncStatus::Noop);
}

#[test]
fn an_install_leaves_its_stamp_and_cannot_change_the_repositorys_hooks() {
    let world = World::new().with(|mirror| mirror.install = vec!["installer".into(), "ci".into()]);
    world.home.program("bin/node", "#!/bin/sh\necho v22.1.0\n");
    world.home.program(
        "bin/installer",
        "#!/bin/sh\nmkdir -p node_modules/x\ngit config core.hooksPath .evil\n\
         echo hook > \"$(git rev-parse --git-common-dir)/hooks/pre-commit\"\n",
    );
    world.push("package-lock.json", "{\"lockfileVersion\": 3, \"packages\": {}}\n");
    let before = world.canonical();
    let last = world.heals();
    assert_eq!(before, world.canonical());
    assert!(last.reason.contains("put back") && last.reason.contains("hooks/pre-commit"), "{}", last.reason);
    let kept = walk(&world.config.state.join("rescued"));
    let holds = |name: &str, text: &str| {
        let text_of = |it: &std::path::PathBuf| fs::read_to_string(it).unwrap_or_default();
        kept.iter().any(|it| it.ends_with(name) && text_of(it).contains(text))
    };
    assert!(holds("repository/config", ".evil") && holds("repository/hooks/pre-commit", "hook"), "{kept:?}");
    let stamp = fs::read_to_string(world.worktree().join("node_modules/.housecall.json")).expect("a stamp");
    assert!(stamp.contains("\"runtime\":\"22\""), "{stamp}");

    world.home.program("bin/installer", "#!/bin/sh\necho broken; echo 'ERR no network' >&2; exit 7\n");
    world.push("package-lock.json", "{\"lockfileVersion\": 3, \"packages\": {\"a\": {}}}\n");
    let last = world.sync();
    assert_eq!(last.status, SyncStatus::Failed);
    assert!(
        last.reason.contains("ended with exit status 7") && last.reason.contains("ERR no network"),
        "{}",
        last.reason
    );
    assert!(!world.worktree().join("node_modules/.housecall.json").exists(), "no stamp of a failed install");
}

#[test]
fn a_build_that_fails_says_so() {
    let world = World::new().with(|mirror| mirror.build = vec!["builder".into()]);
    world.home.program("bin/builder", "#!/bin/sh\necho 'error: no page' >&2; exit 1\n");
    let last = world.sync();
    assert_eq!(last.status, SyncStatus::Failed);
    assert!(last.reason.contains("no page"), "{}", last.reason);
}

#[test]
fn of_two_syncs_at_once_one_waits_and_both_end_well() {
    let world = World::synced();
    world.push("index.html", "two\n");
    let mut other = Kept::start(&mut child(world.home.path(), "sync_obstacles::one_sync_in_a_child"));
    let here = world.sync();
    assert_ne!(here.status, SyncStatus::Failed, "{}", here.reason);
    let end = other.0.wait().expect("the child ends");
    assert!(end.success());
    world.assert_aligned();
}

/// Not a test of its own: what [`child`] runs.
#[test]
fn one_sync_in_a_child() {
    let Some(home) = std::env::var_os("HOUSECALL_TEST_HOME") else { return };
    let config = Arc::new(world::config(home.as_ref()));
    match run_once(&config, &Arc::default(), &mut |_| ()) {
        Synced::Ended(last, _) => assert_ne!(last.status, SyncStatus::Failed, "{}", last.reason),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_sync_that_is_killed_at_any_moment_is_resumed_by_the_next() {
    let world = World::synced();
    for round in 0..12_u64 {
        for file in 0..200 {
            world.home.write(format!("author/many/{file}.html"), format!("{round}\n"));
        }
        world.push("index.html", &format!("round {round}\n"));
        world.edit("index.html", &format!("edit {round}\n"));
        let mut sync = Kept::start(&mut child(world.home.path(), "sync_obstacles::one_sync_in_a_child"));
        std::thread::sleep(Duration::from_millis(15 + round * 12));
        sync.0.kill().expect("killed");
        sync.0.wait().expect("ended");
        let start = Instant::now();
        let last = world.sync();
        assert_ne!(last.status, SyncStatus::Failed, "round {round}: {}", last.reason);
        assert!(start.elapsed() < Duration::from_secs(40));
        world.assert_aligned();
        let edit = format!("edit {round}");
        let kept = world
            .rescued()
            .iter()
            .any(|name| world.home.git(&world.repository(), ["show", &format!("{name}:index.html")]) == edit);
        assert!(kept, "round {round}: the edit is kept");
    }
}
