//! Submodules that come and go while a person writes in them: upstream's, the owner's doing, a first clone.

use std::fs;

use super::kept::{Moment, Saves, assert_kept, at, is_kept, script, settle};
use super::parts::{Version, another, furnished, module, publish, with_another};
use crate::world::World;

const SAVES: Saves<'static> = &[
    ("echo mine 1 > lib/page.html", "mine 1"),
    ("echo mine 2 > lib/.swp; mv lib/.swp lib/fresh.html", "mine 2"),
    ("echo mine 3 > lib/deep/page.html", "mine 3"),
    ("mkdir -p lib/one; echo mine 4 > lib/one/fresh.html", "mine 4"),
];

/// While another submodule is fetched, and while the project's own files are written.
const MOMENTS: [Moment; 2] = [Moment::Sent("other"), Moment::Written("main")];

/// Where the directory may be gone by that moment, only the last can be saved for sure.
const fn could_be_saved(moment: Moment) -> Saves<'static> {
    match moment {
        Moment::Sent(_) => SAVES,
        Moment::Written(_) => SAVES.split_at(3).1,
    }
}

/// The library and another; upstream's next version has more of the other one.
fn with_both() -> World {
    let world = furnished();
    with_another(&world);
    world
}

#[test]
fn what_is_saved_while_upstream_removes_the_submodule_is_kept() {
    for moment in MOMENTS {
        let world = with_both();
        another(&world, "two\n", true);
        world.home.git(&world.home.at("author"), ["rm", "--quiet", "-f", "lib"]);
        publish(&world, Version::default());
        let done = at(&world, moment, &script(SAVES));
        settle(&world);
        assert!(done.exists(), "{moment:?}");
        assert_kept(&world, could_be_saved(moment), &format!("{moment:?}"));
        assert!(!world.worktree().join("lib/page.html").exists(), "{moment:?}");
    }
}

#[test]
fn what_is_saved_while_the_owner_gives_the_submodule_up_is_kept() {
    for moment in MOMENTS {
        let world = with_both();
        another(&world, "two\n", true);
        world.home.git(&world.repository(), ["submodule", "--quiet", "deinit", "-f", "lib"]);
        publish(&world, Version::default());
        let done = at(&world, moment, &script(SAVES));
        settle(&world);
        assert!(done.exists(), "{moment:?}");
        assert_kept(&world, could_be_saved(moment), &format!("{moment:?}"));
    }
}

#[test]
fn what_is_saved_as_the_owner_gives_the_submodule_up_in_the_middle_is_kept() {
    let world = with_both();
    another(&world, "two\n", true);
    publish(&world, Version { library: &[("page.html", Some("new\n"))], ..Version::default() });
    let repository = world.repository().display().to_string();
    let deinit = format!("{}; git -C {repository} submodule --quiet deinit -f lib", script(SAVES));
    let done = at(&world, Moment::Sent("other"), &deinit);
    settle(&world);
    assert!(done.exists());
    assert_kept(&world, SAVES, "before the deinit");
}

#[test]
fn a_person_writes_where_a_submodule_is_cloned_for_the_first_time() {
    for (moment, save) in [
        (Moment::Sent("library"), "mkdir -p lib; echo mine > lib/page.html; echo mine too > lib/fresh.html"),
        (Moment::Sent("library"), "mkdir -p lib; echo mine > lib/cfg.local; echo mine too > lib/.gitignore"),
        (Moment::Written("library"), "echo mine > lib/page.html; echo mine too > lib/fresh.html"),
        (Moment::Sent("depth"), "echo mine > lib/page.html; echo mine too > lib/deep/page.html"),
        (Moment::Written("deep"), "echo mine > lib/page.html; echo mine too > lib/deep/page.html"),
    ] {
        let world = furnished();
        // Over a transport that packs, as every remote elsewhere is.
        for (name, remote) in [("lib", "library.git"), ("lib/deep", "depth.git")] {
            let key = format!("submodule.{}.url", name.rsplit('/').next().expect("a name"));
            let owner = match name {
                "lib" => world.repository(),
                _ => world.repository().join("lib"),
            };
            let url = format!("file://{}", world.home.at(remote).display());
            world.home.git(&owner, ["config", &key, &url]);
        }
        fs::remove_dir_all(world.administration()).expect("the administration goes");
        fs::remove_dir_all(world.worktree()).expect("the worktree goes");
        let done = at(&world, moment, save);
        settle(&world);
        assert!(done.exists(), "{moment:?}");
        assert!(is_kept(&world, "mine\n"), "{moment:?}: {save}");
        assert!(is_kept(&world, "mine too\n"), "{moment:?}: {save}");
        assert_eq!(fs::read_to_string(world.worktree().join("lib/page.html")).unwrap_or_default(), "old\n");
    }
}

#[test]
fn files_where_a_submodule_is_not_checked_out_yet_are_kept() {
    for part in ["lib", "lib/deep"] {
        let world = furnished();
        let place = world.worktree().join(part);
        fs::remove_dir_all(&place).expect("it goes");
        world.edit(&format!("{part}/page.html"), "mine\n");
        world.edit(&format!("{part}/fresh.html"), "mine too\n");
        publish(&world, Version::default());
        settle(&world);
        assert!(is_kept(&world, "mine\n") && is_kept(&world, "mine too\n"), "{part}");
        assert_eq!(fs::read_to_string(place.join("page.html")).unwrap_or_default(), "old\n", "{part}");
    }
}

#[test]
fn a_submodule_that_moves_while_its_files_are_gone_keeps_its_repository() {
    let world = furnished();
    let author = world.home.at("author");
    world.edit("lib/own.html", "mine committed\n");
    world.home.commit(&world.worktree().join("lib"), "mine");
    fs::remove_dir_all(world.worktree().join("lib")).expect("it goes");
    fs::create_dir_all(author.join("vendor")).expect("a directory");
    world.home.git(&author, ["mv", "lib", "vendor/lib"]);
    world.push("index.html", "the library moves\n");
    settle(&world);
    assert!(world.worktree().join("vendor/lib/page.html").exists(), "it is checked out at its new place");
    assert!(is_kept(&world, "mine committed\n"));
    let beside = module(&world, "lib").with_file_name("").read_dir().expect("the repositories");
    assert_eq!(beside.count(), 1, "the repository is not set aside");
}
