//! What a person saves, stages or commits in a submodule between the look at it and the end of the sync.

use std::fs;
use std::io::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use crate::kept::{Moment, WHILE_WRITTEN, is_kept, meanwhile, meanwhile_in, settle};
use crate::parts::{Files, Version, furnished, publish};

const PAGE: Files<'static> = &[("page.html", Some("new\n"))];

/// A new version of the library alone.
fn of_library(library: Files<'_>) -> Version<'_> {
    Version { library, ..Version::default() }
}

#[test]
fn a_file_that_is_saved_while_upstreams_is_written_is_kept() {
    for moment in WHILE_WRITTEN {
        for save in [
            "echo mine > lib/page.html",
            "echo mine > lib/.swp; mv lib/.swp lib/page.html",
            "rm lib/page.html; mkdir lib/page.html; echo mine > lib/page.html/mine.txt",
            "rm lib/page.html; ln -s mine.txt lib/page.html; echo mine > lib/mine.txt",
        ] {
            let world = meanwhile(of_library(PAGE), moment, save);
            assert!(is_kept(&world, "mine"), "{moment:?}: {save}");
            assert_eq!(
                fs::read_to_string(world.worktree().join("lib/page.html")).expect("upstream's"),
                "new\n"
            );
        }
    }
}

#[test]
fn a_file_that_is_saved_while_upstream_deletes_it_is_kept() {
    for moment in WHILE_WRITTEN {
        let world = meanwhile(of_library(&[("gone.html", None)]), moment, "echo mine > lib/gone.html");
        assert!(is_kept(&world, "mine"), "{moment:?}");
    }
}

#[test]
fn a_file_that_upstream_does_not_change_is_kept() {
    for moment in WHILE_WRITTEN {
        let world = meanwhile(of_library(&[]), moment, "echo mine > lib/page.html");
        assert!(is_kept(&world, "mine"), "{moment:?}");
    }
}

#[test]
fn a_new_file_is_kept_wherever_it_is_saved_meanwhile() {
    for moment in WHILE_WRITTEN {
        for (upstream, save) in [
            (("page.html", Some("new\n")), "echo mine > lib/fresh.html"),
            (("fresh.html", Some("new\n")), "echo mine > lib/fresh.html"),
            (("fresh/page.html", Some("new\n")), "echo mine > lib/fresh"),
            (("folder/page.html", None), "echo mine > lib/folder/mine.html"),
            (("folder", Some("a file now\n")), "echo mine > lib/folder/mine.html"),
            (("page.html", Some("new\n")), "mkdir -p lib/one/two; echo mine > lib/one/two/fresh.html"),
            (("page.html", Some("new\n")), "git init -q lib/fresh; echo mine > lib/fresh/page.html"),
        ] {
            let world = meanwhile(of_library(&[upstream]), moment, save);
            assert!(is_kept(&world, "mine"), "{moment:?}: {save} beside {upstream:?}");
        }
    }
}

#[test]
fn an_ignored_file_in_the_way_of_upstreams_is_kept() {
    // Before the sync, which is no race at all; then in its midst.
    let upstream = of_library(&[("cfg.local", Some("upstream's\n"))]);
    let before = |world: &crate::world::World| world.edit("lib/cfg.local", "mine\n");
    let world = meanwhile_in(before, upstream, Moment::Written("main"), "true");
    assert!(is_kept(&world, "mine"), "before");
    for moment in WHILE_WRITTEN {
        let world = meanwhile(upstream, moment, "echo mine > lib/cfg.local");
        assert!(is_kept(&world, "mine"), "{moment:?}");
    }
}

#[test]
fn an_ignored_file_stays_where_upstream_does_not_need_its_place() {
    for version in [of_library(PAGE), of_library(&[(".gitignore", Some("other\n"))])] {
        let before = |world: &crate::world::World| world.edit("lib/cfg.local", "mine\n");
        let world = meanwhile_in(before, version, Moment::Written("library"), "true");
        assert!(is_kept(&world, "mine"), "{version:?}");
    }
}

#[test]
fn what_is_saved_in_a_submodule_of_a_submodule_is_kept() {
    let version =
        Version { deep: &[("page.html", Some("new\n")), ("cfg.local", Some("new\n"))], ..Version::default() };
    for moment in [Moment::Written("main"), Moment::Written("library"), Moment::Written("deep")] {
        for save in [
            "echo mine > lib/deep/page.html",
            "echo mine > lib/deep/.swp; mv lib/deep/.swp lib/deep/page.html",
            "echo mine > lib/deep/fresh.html",
            "echo mine > lib/deep/cfg.local",
        ] {
            let world = meanwhile(version, moment, save);
            assert!(is_kept(&world, "mine"), "{moment:?}: {save}");
        }
    }
}

#[test]
fn what_is_saved_while_the_submodule_is_fetched_is_kept() {
    for save in ["echo mine > lib/page.html", "echo mine > lib/fresh.html", "echo mine > lib/deep/page.html"]
    {
        let world = meanwhile(of_library(PAGE), Moment::Sent("library"), save);
        assert!(is_kept(&world, "mine"), "{save}");
    }
}

#[test]
fn a_save_that_git_cannot_tell_by_its_time_and_size_is_kept() {
    const TIME: Duration = Duration::from_secs(1_700_000_000);
    let edited = |world: &crate::world::World| {
        // As for backups and indexers, which change a file's other time.
        world.home.git(world.home.path(), ["config", "--global", "core.trustctime", "false"]);
        world.edit("lib/page.html", "mine 1\n");
        let page = fs::File::options().write(true).open(world.worktree().join("lib/page.html"));
        page.and_then(|it| it.set_modified(UNIX_EPOCH + TIME)).expect("its time");
    };
    let save = "echo 'mine 2' > lib/page.html; TZ=UTC0 touch -t 202311142213.20 lib/page.html";
    for moment in WHILE_WRITTEN {
        let world = meanwhile_in(edited, of_library(PAGE), moment, save);
        assert!(is_kept(&world, "mine 1"), "{moment:?}: what was there before");
        assert!(is_kept(&world, "mine 2"), "{moment:?}: what was saved meanwhile");
    }
}

#[test]
fn what_is_staged_or_committed_meanwhile_is_kept() {
    let who = "-c user.name=P -c user.email=p@x";
    for moment in WHILE_WRITTEN {
        for save in [
            "cd lib; echo mine > mine.html; git add mine.html",
            "cd lib; echo mine > mine.html; git add mine.html; echo other > mine.html",
            &format!("cd lib; echo mine > mine.html; git add mine.html; git {who} commit -q -m mine"),
            &format!("cd lib/deep; echo mine > mine.html; git add mine.html; git {who} commit -q -m mine"),
        ] {
            let world = meanwhile(of_library(PAGE), moment, save);
            assert!(is_kept(&world, "mine"), "{moment:?}: {save}");
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn what_is_written_after_the_cycle_through_a_file_that_was_open_before_is_kept() {
    let gone = [("page.html", None)];
    for part in ["lib", "lib/deep"] {
        for (upstream, is_saved) in [(PAGE, false), (PAGE, true), (&gone[..], false)] {
            let world = furnished();
            let page = world.worktree().join(part).join("page.html");
            let mut open = fs::File::options().append(true).open(&page).expect("a program opens it");
            let version = match part {
                "lib" => of_library(upstream),
                _ => Version { deep: upstream, ..Version::default() },
            };
            publish(&world, version);
            if is_saved {
                open.write_all(b"before\n").expect("it writes");
            }
            world.heals();
            open.write_all(b"late words\n").expect("it writes");
            drop(open);
            assert!(is_kept(&world, "late words"), "{part}: {upstream:?}, {is_saved}");
            settle(&world);
            assert!(is_kept(&world, "late words"), "{part}: {upstream:?}, {is_saved}, afterwards");
        }
    }
}
