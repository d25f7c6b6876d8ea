//! What a person saves, stages or commits in a submodule between the look at it and the end of the sync.

use std::fs;
use std::io::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use super::kept::{
    Moment, Saves, WHILE_WRITTEN, assert_kept, is_kept, meanwhile, meanwhile_in, script, settle,
};
use super::parts::{Files, Version, furnished, publish};
use crate::world::World;

const PAGE: Files<'static> = &[("page.html", Some("new\n"))];

/// A new version of the library alone.
fn of_library(library: Files<'_>) -> Version<'_> {
    Version { library, ..Version::default() }
}

#[test]
fn a_file_that_is_saved_while_upstreams_is_written_is_kept() {
    const SAVES: Saves<'static> = &[
        ("echo mine 1 > lib/page.html", "mine 1"),
        ("echo mine 2 > lib/.swp; mv lib/.swp lib/page2.html", "mine 2"),
        ("rm lib/page3.html; mkdir lib/page3.html; echo mine 3 > lib/page3.html/mine.txt", "mine 3"),
        ("rm lib/page4.html; ln -s mine.txt lib/page4.html; echo mine 4 > lib/mine.txt", "mine 4"),
    ];
    let pages = ["page.html", "page2.html", "page3.html", "page4.html"];
    let upstream = pages.map(|name| (name, Some("new\n")));
    for moment in WHILE_WRITTEN {
        let world = meanwhile(of_library(&upstream), moment, &script(SAVES));
        assert_kept(&world, SAVES, &format!("{moment:?}"));
        for page in pages {
            let path = world.worktree().join("lib").join(page);
            assert_eq!(fs::read_to_string(path).expect("upstream's"), "new\n");
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
    const SAVES: Saves<'static> = &[
        ("echo mine 1 > lib/fresh1.html", "mine 1"),
        ("echo mine 2 > lib/fresh2.html", "mine 2"),
        ("echo mine 3 > lib/fresh3", "mine 3"),
        ("echo mine 4 > lib/folder/mine.html", "mine 4"),
        ("echo mine 5 > lib/shape/mine.html", "mine 5"),
        ("mkdir -p lib/one/two; echo mine 6 > lib/one/two/fresh.html", "mine 6"),
        ("git init -q lib/fresh7; echo mine 7 > lib/fresh7/page.html", "mine 7"),
    ];
    let upstream = [
        ("page.html", Some("new\n")),
        ("fresh2.html", Some("new\n")),
        ("fresh3/page.html", Some("new\n")),
        ("folder/page.html", None),
        ("shape", Some("a file now\n")),
    ];
    for moment in WHILE_WRITTEN {
        let world = meanwhile(of_library(&upstream), moment, &script(SAVES));
        assert_kept(&world, SAVES, &format!("{moment:?}"));
    }
}

#[test]
fn an_ignored_file_in_the_way_of_upstreams_is_kept() {
    // Before the sync, which is no race at all; then in its midst.
    let upstream = of_library(&[("cfg.local", Some("upstream's\n"))]);
    let before = |world: &World| world.edit("lib/cfg.local", "mine\n");
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
        let before = |world: &World| world.edit("lib/cfg.local", "mine\n");
        let world = meanwhile_in(before, version, Moment::Written("library"), "true");
        assert!(is_kept(&world, "mine"), "{version:?}");
    }
}

#[test]
fn what_is_saved_in_a_submodule_of_a_submodule_is_kept() {
    const SAVES: Saves<'static> = &[
        ("echo mine 1 > lib/deep/page.html", "mine 1"),
        ("echo mine 2 > lib/deep/.swp; mv lib/deep/.swp lib/deep/page2.html", "mine 2"),
        ("echo mine 3 > lib/deep/fresh.html", "mine 3"),
        ("echo mine 4 > lib/deep/cfg.local", "mine 4"),
        ("echo mine 5 > lib/deep/gone.html", "mine 5"),
    ];
    let deep = [
        ("page.html", Some("new\n")),
        ("page2.html", Some("new\n")),
        ("cfg.local", Some("new\n")),
        ("gone.html", None),
    ];
    let version = Version { deep: &deep, ..Version::default() };
    for moment in [Moment::Written("main"), Moment::Written("library"), Moment::Written("deep")] {
        let world = meanwhile(version, moment, &script(SAVES));
        assert_kept(&world, SAVES, &format!("{moment:?}"));
    }
}

#[test]
fn what_is_saved_while_the_submodule_is_fetched_is_kept() {
    const SAVES: Saves<'static> = &[
        ("echo mine 1 > lib/page.html", "mine 1"),
        ("echo mine 2 > lib/fresh.html", "mine 2"),
        ("echo mine 3 > lib/deep/page.html", "mine 3"),
    ];
    let world = meanwhile(of_library(PAGE), Moment::Sent("library"), &script(SAVES));
    assert_kept(&world, SAVES, "while it is fetched");
}

#[test]
fn a_save_that_git_cannot_tell_by_its_time_and_size_is_kept() {
    const TIME: Duration = Duration::from_secs(1_700_000_000);
    let edited = |world: &World| {
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
    let commit = "git -c user.name=P -c user.email=p@x commit -q -m mine";
    let staged = "cd lib; echo mine 1 > one.html; echo mine 2 > two.html; git add one.html two.html";
    let committed = format!("cd lib; echo mine 1 > one.html; git add one.html; {commit}");
    let deep = format!("cd lib/deep; echo mine 3 > three.html; git add three.html; {commit}");
    for moment in WHILE_WRITTEN {
        for saves in [
            [(staged, "mine 1"), ("echo other > lib/two.html", "mine 2"), (deep.as_str(), "mine 3")],
            [(committed.as_str(), "mine 1"), ("echo mine 2 > lib/one.html", "mine 2"), (":", "")],
        ] {
            let saves: Vec<_> = saves.into_iter().filter(|(_, line)| !line.is_empty()).collect();
            let world = meanwhile(of_library(PAGE), moment, &script(&saves));
            assert_kept(&world, &saves, &format!("{moment:?}"));
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
