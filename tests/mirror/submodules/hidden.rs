//! What a person made in a submodule and git does not show: marks that hide edits, commits on branches, operations.

use std::fs;
use std::path::Path;

use super::kept::{Moment, files, is_kept, meanwhile_in, settle};
use super::parts::{Version, furnished, module, publish};
use crate::world::World;

const NEW: Version<'static> =
    Version { project: &[], library: &[("page.html", Some("new\n"))], deep: &[("page.html", Some("new\n"))] };

#[test]
fn edits_that_a_mark_hides_are_kept() {
    for mark in ["--skip-worktree", "--assume-unchanged"] {
        for part in ["lib", "lib/deep"] {
            let hidden = |world: &World| {
                let top = world.worktree().join(part);
                world.home.git(&top, ["update-index", mark, "page.html", "gone.html"]);
                world.edit(&format!("{part}/page.html"), "mine\n");
                world.edit(&format!("{part}/gone.html"), "mine too\n");
            };
            let world = meanwhile_in(hidden, NEW, Moment::Written("main"), "true");
            let page = world.worktree().join(part).join("page.html");
            assert!(is_kept(&world, "mine\n") && is_kept(&world, "mine too\n"), "{mark} in {part}");
            assert_eq!(fs::read_to_string(page).expect("upstream's"), "new\n", "{mark} in {part}");
        }
    }
}

#[test]
fn a_save_that_a_mark_hides_is_kept_though_it_comes_meanwhile() {
    for mark in ["--skip-worktree", "--assume-unchanged"] {
        for moment in super::kept::WHILE_WRITTEN {
            let hidden = |world: &World| {
                world.home.git(&world.worktree().join("lib"), ["update-index", mark, "page.html"]);
            };
            let world = meanwhile_in(hidden, NEW, moment, "echo mine > lib/page.html");
            assert!(is_kept(&world, "mine"), "{mark}, {moment:?}");
        }
    }
}

#[test]
fn a_branch_of_a_persons_stays_on_its_commit() {
    for save in ["true", "cd lib; echo late > late.txt; git add late.txt; git commit -q -m late"] {
        let mut tip = String::new();
        let on_branch = |world: &World| {
            let top = world.worktree().join("lib");
            world.home.git(&top, ["switch", "--quiet", "--create", "mine"]);
            world.edit("lib/mine.txt", "mine\n");
            tip = world.home.commit(&top, "mine");
            world.edit("lib/edited.txt", "edited\n");
        };
        let world = meanwhile_in(on_branch, NEW, Moment::Written("library"), save);
        let modules = module(&world, "lib");
        let is_on =
            world.home.git(&modules, ["--git-dir=.", "--work-tree=.", "rev-parse", "refs/heads/mine"]);
        if save == "true" {
            assert_eq!(is_on, tip);
        } else {
            world
                .home
                .git(&modules, ["--git-dir=.", "--work-tree=.", "merge-base", "--is-ancestor", &tip, &is_on]);
            let late = world
                .home
                .git(&modules, ["--git-dir=.", "--work-tree=.", "show", "refs/heads/mine:late.txt"]);
            assert_eq!(late, "late", "it was committed on the branch");
        }
        assert!(is_kept(&world, "edited"));
    }
}

#[test]
fn a_commit_on_a_detached_head_and_a_merge_under_way_are_kept() {
    let world = furnished();
    let top = world.worktree().join("lib");
    for side in ["one", "two"] {
        world.home.git(&top, ["checkout", "--quiet", "--detach", "HEAD"]);
        world.home.git(&top, ["branch", "--quiet", side]);
        world.home.git(&top, ["switch", "--quiet", side]);
        world.edit("lib/page.html", &format!("side {side}\n"));
        world.home.commit(&top, side);
        world.home.git(&top, ["checkout", "--quiet", "--detach", "HEAD~"]);
    }
    world.home.git(&top, ["checkout", "--quiet", "--detach", "one"]);
    let mut merge = world.home.command("git");
    let merged = merge.args(["merge", "--quiet", "two"]).current_dir(&top).output().expect("git starts");
    assert!(!merged.status.success(), "it conflicts");
    world.edit("lib/page.html", "half resolved\n");
    world.home.git(&top, ["branch", "--quiet", "-D", "one"]);
    publish(&world, NEW);
    settle(&world);
    assert!(is_kept(&world, "half resolved") && is_kept(&world, "side one"));
    assert!(!module(&world, "lib").join("MERGE_HEAD").exists(), "it is ended");
}

/// A text in a file of that part that is staged, and written over in the worktree: only an index knows it.
fn stage(world: &World, part: &str, text: &str) {
    world.edit(&format!("{part}/staged.html"), &format!("{text}\n"));
    world.home.git(&world.worktree().join(part), ["add", "staged.html"]);
    world.edit(&format!("{part}/staged.html"), "mine since\n");
}

/// Where an index is cut off.
#[derive(Debug, Clone, Copy)]
enum Cut {
    /// After so many bytes.
    After(usize),
    /// Before the name of the submodule, whose entry then has none: git reads that without a complaint.
    BeforeName,
}

fn tear(index: &Path, cut: Cut, submodule: &str) {
    let content = fs::read(index).expect("an index");
    let name = format!("{submodule}\0");
    let length = match cut {
        Cut::After(length) => length,
        Cut::BeforeName => {
            content.windows(name.len()).position(|it| it == name.as_bytes()).expect("its entry")
        }
    };
    fs::write(index, &content[..length]).expect("an index that is torn");
}

#[test]
fn what_is_staged_in_a_submodule_is_kept_where_the_index_above_is_torn() {
    for cut in [Cut::After(0), Cut::After(100), Cut::BeforeName] {
        for is_library_torn in [false, true] {
            let world = furnished();
            for (part, text) in [("lib", "mine staged"), ("lib/deep", "mine deeper")] {
                stage(&world, part, text);
            }
            tear(&world.administration().join("index"), cut, "lib");
            if is_library_torn {
                tear(&module(&world, "lib").join("index"), cut, "deep");
            }
            settle(&world);
            // Only the index of the library knew what was staged there.
            let kept = if is_library_torn { &["mine deeper"][..] } else { &["mine staged", "mine deeper"] };
            for text in kept.iter().chain(&["mine since"]) {
                assert!(is_kept(&world, text), "{cut:?}, the library's too: {is_library_torn}: {text}");
            }
        }
    }
}

#[test]
fn what_is_staged_in_a_submodule_is_kept_where_its_files_are_gone() {
    for part in ["lib", "lib/deep"] {
        for is_all_gone in [true, false] {
            let world = furnished();
            stage(&world, part, "mine staged");
            let place = world.worktree().join(part);
            let gone =
                if is_all_gone { fs::remove_dir_all(&place) } else { fs::remove_file(place.join(".git")) };
            gone.expect("files are deleted");
            settle(&world);
            assert!(is_kept(&world, "mine staged"), "{part}, all of it gone: {is_all_gone}");
        }
    }
}

#[test]
fn what_is_staged_alone_has_a_patch() {
    let world = furnished();
    stage(&world, "lib", "mine staged");
    fs::remove_file(world.worktree().join("lib/staged.html")).expect("only the index has it");
    settle(&world);
    let patches = files(&world.home.at("ops"));
    let patches = patches.iter().filter(|it| it.extension().is_some_and(|it| it == "patch"));
    let holds = |it: &std::path::PathBuf| fs::read_to_string(it).is_ok_and(|it| it.contains("+mine staged"));
    assert!(patches.clone().any(holds), "{:?}", patches.collect::<Vec<_>>());
}
