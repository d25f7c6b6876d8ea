//! What a person saves, stages or commits in the mirror between the look at it and the end of the sync.
//!
//! A filter of the repository's does it in their stead: git runs it while it writes the new files.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use housecall::probes::state::SyncStatus::Failed;
use support::Folder;

use super::oracle::assert_tidy;
use crate::world::{World, walk};

/// A mirror whose upstream changes while that script runs in the worktree, as git writes `filtered.txt`, the first time.
fn meanwhile(upstream: &[(&str, Option<&str>)], script: &str) -> World {
    meanwhile_in(|_| (), upstream, script)
}

/// The same in a mirror to which that is done before.
fn meanwhile_in(before: impl FnOnce(&mut World), upstream: &[(&str, Option<&str>)], script: &str) -> World {
    let mut world = World::synced();
    let author = world.home.at("author");
    let commit = |content: &str, files: &[(&str, Option<&str>)]| {
        for (name, content) in files {
            let path = author.join(name);
            match content {
                Some(content) => {
                    fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
                    if path.is_dir() {
                        fs::remove_dir_all(&path).expect("out of the way");
                    }
                    fs::write(path, content).expect("a file");
                }
                None => fs::remove_file(path).expect("one less"),
            }
        }
        world.home.git(&author, ["add", "-A"]);
        world.push("filtered.txt", content);
    };
    commit(
        "one\n",
        &[
            (".gitattributes", Some("filtered.txt filter=slow\n")),
            ("page.html", Some("old\n")),
            ("gone.html", Some("old\n")),
            ("deep/page.html", Some("old\n")),
        ],
    );
    world.sync();
    world.assert_aligned();
    let file = world.home.at("meanwhile.sh");
    let top = world.worktree();
    let done = world.home.at("done");
    let unset = "unset $(git rev-parse --local-env-vars)";
    let text = format!(
        "cat\n[ -e {0} ] && exit 0\n: > {0}\n{unset}\ncd {1} || exit 1\n{{ {script}; }} >/dev/null 2>&1\n",
        done.display(),
        top.display()
    );
    fs::write(&file, text).expect("a script");
    let slow = format!("sh {}", file.display());
    world.home.git(&world.repository(), ["config", "filter.slow.smudge", &slow]);
    world.home.git(&world.repository(), ["config", "filter.slow.clean", "cat"]);
    commit("two\n", upstream);
    before(&mut world);
    let last = world.sync();
    assert!(done.exists(), "the filter ran: {}", last.reason);
    assert_ne!(last.status, Failed, "{}", last.reason);
    let last = world.sync();
    assert_ne!(last.status, Failed, "{}", last.reason);
    world.assert_aligned();
    assert_tidy(&world);
    world
}

/// Whether some file that is kept holds that line: in the mirror, in the state directory, under a ref.
fn is_kept(world: &World, line: &str) -> bool {
    let holds = |path: &Path| fs::read(path).is_ok_and(|it| String::from_utf8_lossy(&it).contains(line));
    let places: [PathBuf; 2] = [world.worktree(), world.config.state.join("rescued")];
    let on_disk = places.iter().flat_map(|place| walk(place)).any(|path| holds(&path));
    let in_ref = |name: &String| {
        let found = std::process::Command::new("git")
            .args(["grep", "-q", "-F", line, name])
            .current_dir(world.repository())
            .status();
        found.is_ok_and(|it| it.success())
    };
    on_disk || world.rescued().iter().any(in_ref)
}

#[test]
fn a_file_that_is_saved_while_upstreams_is_written_is_kept() {
    for save in [
        "echo mine > page.html",
        "echo mine > .swp; mv .swp page.html",
        "rm page.html; mkdir page.html; echo mine > page.html/mine.txt",
        "rm page.html; ln -s mine page.html; cp page.html mine.txt; echo mine > mine.txt",
    ] {
        let world = meanwhile(&[("page.html", Some("new\n"))], save);
        assert!(is_kept(&world, "mine"), "{save}");
        assert_eq!(fs::read_to_string(world.worktree().join("page.html")).expect("upstream's"), "new\n");
    }
}

#[test]
fn a_file_that_is_saved_while_upstream_deletes_it_is_kept() {
    let world = meanwhile(&[("gone.html", None)], "echo mine > gone.html");
    assert!(is_kept(&world, "mine"));
}

#[test]
fn a_save_that_git_cannot_tell_by_its_time_and_size_is_kept() {
    let edited = |world: &mut World| {
        // As for backups and indexers, which change a file's other time; git looks at whole seconds.
        world.home.git(&world.repository(), ["config", "core.trustctime", "false"]);
        world.edit("page.html", "mine 1\n");
        let page = fs::File::options().write(true).open(world.worktree().join("page.html"));
        page.and_then(|it| it.set_modified(UNIX_EPOCH + Duration::from_secs(1_700_000_000)))
            .expect("its time");
    };
    let save = "echo 'mine 2' > page.html; TZ=UTC0 touch -t 202311142213.20 page.html";
    let world = meanwhile_in(edited, &[("page.html", Some("new\n"))], save);
    assert!(is_kept(&world, "mine 1"), "what was there before");
    assert!(is_kept(&world, "mine 2"), "what was saved meanwhile");
}

/// A directory on another disk: memory is one where there is such a place.
fn another_disk() -> Folder {
    Folder::in_memory().unwrap_or_default()
}

#[test]
fn what_is_saved_meanwhile_is_kept_on_another_disk() {
    let other = another_disk();
    let elsewhere = |world: &mut World| {
        let mut config = (*world.config).clone();
        config.state = other.path().to_owned();
        world.config = Arc::new(config);
    };
    let save = "echo mine > page.html; git init -q fresh; echo mine too > fresh/page.html";
    let world = meanwhile_in(elsewhere, &[("page.html", Some("new\n"))], save);
    assert!(is_kept(&world, "mine") && is_kept(&world, "mine too"));
}

#[test]
#[cfg(target_os = "linux")]
fn what_is_written_after_the_cycle_through_a_file_that_was_open_before_is_kept() {
    for (upstream, save) in [(Some("new\n"), "as it was"), (None, "as it was"), (Some("new\n"), "saved")] {
        let world = World::synced();
        world.push("page.html", "old\n");
        world.heals();
        let page = world.worktree().join("page.html");
        let mut open = fs::File::options().append(true).open(&page).expect("a program opens it");
        if let Some(content) = upstream {
            world.push("page.html", content);
        } else {
            fs::remove_file(world.home.at("author/page.html")).expect("one less");
            world.push("index.html", "another\n");
        }
        if save == "saved" {
            open.write_all(b"before\n").expect("it writes");
        }
        let last = world.heals();
        assert!(last.reason.contains("open for writing is set aside"), "{}", last.reason);
        open.write_all(b"late words\n").expect("it writes");
        drop(open);
        assert!(is_kept(&world, "late words"), "{upstream:?}, {save}");
        assert_tidy(&world);
        // What nobody has open is not kept.
        world.push("page.html", "newer\n");
        let last = world.heals();
        assert!(!last.reason.contains("set aside"), "{}", last.reason);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn what_is_written_after_the_cycle_is_kept_where_the_state_is_on_another_disk() {
    let other = another_disk();
    let mut world = World::new().with(|mirror| mirror.carry = vec!["own.local".into()]);
    let mut config = (*world.config).clone();
    config.state = other.path().to_owned();
    world.config = Arc::new(config);
    world.home.write("dev/site/own.local", "mine\n");
    world.push("page.html", "old\n");
    world.heals();
    let files = ["page.html", "own.local"].map(|name| world.worktree().join(name));
    let mut open =
        files.each_ref().map(|file| fs::File::options().append(true).open(file).expect("a program opens it"));
    world.push("page.html", "new\n");
    world.home.write("dev/site/own.local", "mine too\n");
    let last = world.heals();
    for (number, file) in open.iter_mut().enumerate() {
        file.write_all(format!("late words {number}\n").as_bytes()).expect("it writes");
    }
    let mirror = world.config.mirror.as_deref().expect("a mirror");
    let (rescued, _) = housecall::probes::git::rescued(&world.config, mirror).expect("a list");
    let places = rescued.iter().filter_map(|it| it.place.as_ref()).flat_map(|it| walk(it));
    let kept: String = places.filter_map(|file| fs::read_to_string(file).ok()).collect();
    for words in ["late words 0", "late words 1"] {
        assert!(kept.contains(words), "`rescued` lists it: {kept}, {rescued:?}");
    }
    assert!(
        last.reason.contains("stays on its volume") && last.reason.contains(".aside-"),
        "{}",
        last.reason
    );
    assert_tidy(&world);
}

#[test]
fn a_new_file_is_kept_wherever_it_is_saved_meanwhile() {
    for (upstream, save) in [
        (("page.html", Some("new\n")), "echo mine > fresh.html"),
        (("fresh.html", Some("new\n")), "echo mine > fresh.html"),
        (("fresh/page.html", Some("new\n")), "echo mine > fresh"),
        (("deep/page.html", None), "echo mine > deep/mine.html"),
        (("deep", Some("a file now\n")), "echo mine > deep/mine.html"),
    ] {
        let world = meanwhile(&[upstream], save);
        assert!(is_kept(&world, "mine"), "{save} beside {upstream:?}");
    }
}

#[test]
fn nothing_is_written_through_a_link_that_comes_meanwhile() {
    let other = Folder::new();
    let save = format!("ln -s {} fresh", other.path().display());
    let world = meanwhile(&[("fresh/page.html", Some("new\n"))], &save);
    assert_eq!(fs::read_dir(other.path()).expect("still there").count(), 0);
    assert!(world.worktree().join("fresh/page.html").exists());
}

#[test]
fn what_is_staged_or_committed_meanwhile_is_kept() {
    for save in [
        "echo mine > mine.html; git add mine.html",
        "echo mine > mine.html; git add mine.html; git -c user.name=P -c user.email=p@x commit -q -m mine",
        "git switch -q -c mine; echo mine > mine.html; git add -A; git -c user.name=P -c user.email=p@x commit -q -m mine",
    ] {
        let world = meanwhile(&[("page.html", Some("new\n"))], save);
        let on_branch = world.home.git(&world.repository(), ["log", "--all", "--format=%s"]);
        assert!(is_kept(&world, "mine") || on_branch.lines().any(|it| it == "mine"), "{save}");
    }
}
