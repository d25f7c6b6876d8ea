//! What a person does in a submodule in the middle of a sync, and where it is found afterwards.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use housecall::probes::state::SyncStatus::{Failed, Noop};
use support::processes::eventually;

use super::parts::{Version, furnished, publish};
use crate::world::World;

/// A moment in the middle of a sync, at which a program of the person's runs, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// git writes the file with this filter: `main`, `library` or `deep`.
    Written(&'static str),
    /// The remote of that name sends what it has.
    Sent(&'static str),
}

/// While the project's own files are written, and while the submodule's are.
pub(crate) const WHILE_WRITTEN: [Moment; 2] = [Moment::Written("main"), Moment::Written("library")];

/// Has that script run in the worktree at that moment; the file that is there once it has run.
pub(crate) fn at(world: &World, moment: Moment, script: &str) -> PathBuf {
    let done = world.home.at("done");
    let file = world.home.at("meanwhile.sh");
    let (before, after, is_there) = match moment {
        Moment::Written(_) => ("cat", "exit 0".to_owned(), "true".to_owned()),
        // git gives the program that packs, and its arguments.
        Moment::Sent(remote) => {
            ("", "exec \"$@\"".to_owned(), format!("case $PWD in */{remote}.git) ;; *) false ;; esac"))
        }
    };
    let text = format!(
        "{before}\nif [ ! -e {done} ] && {{ {is_there}; }}; then\n: > {done}\n\
         ( unset $(git rev-parse --local-env-vars); cd {top} && {{ {script}; }} ) >/dev/null 2>&1 </dev/null\nfi\n{after}\n",
        done = done.display(),
        top = world.worktree().display(),
    );
    fs::write(&file, text).expect("a script");
    let run = format!("sh {}", file.display());
    let key = match moment {
        Moment::Written(filter) => format!("filter.{filter}.smudge"),
        Moment::Sent(_) => "uploadpack.packObjectsHook".to_owned(),
    };
    world.home.git(world.home.path(), ["config", "--global", &key, &run]);
    done
}

/// What a person saves, and what it says: each line is another.
pub(crate) type Saves<'a> = &'a [(&'a str, &'a str)];

/// All of them, one after the other.
pub(crate) fn script(saves: Saves<'_>) -> String {
    saves.iter().map(|(save, _)| format!("( {save} ); ")).chain([":".to_owned()]).collect()
}

/// Each of them is kept.
#[track_caller]
pub(crate) fn assert_kept(world: &World, saves: Saves<'_>, when: &str) {
    let lost: Vec<_> = saves.iter().filter(|(_, line)| !is_kept(world, line)).collect();
    assert!(lost.is_empty(), "{when}, nowhere is what was saved by {lost:?}");
}

/// A mirror whose upstream changes, and in which a person does that at that moment; all is well at the end.
pub(crate) fn meanwhile(version: Version<'_>, moment: Moment, script: &str) -> World {
    meanwhile_in(|_| (), version, moment, script)
}

/// The same in a mirror to which that is done before.
pub(crate) fn meanwhile_in(
    before: impl FnOnce(&World),
    version: Version<'_>,
    moment: Moment,
    script: &str,
) -> World {
    let world = furnished();
    publish(&world, version);
    before(&world);
    let canonical = world.canonical();
    let done = at(&world, moment, script);
    settle(&world);
    assert!(done.exists(), "{moment:?} came");
    assert_eq!(world.canonical(), canonical, "the canonical repository is as it was");
    world
}

/// Syncs until nothing is left to do; no cycle may fail, and the submodules are what upstream records.
#[track_caller]
pub(crate) fn settle(world: &World) {
    for _ in 0..4 {
        let last = world.sync();
        assert_ne!(last.status, Failed, "{}", last.reason);
        if last.status == Noop {
            world.assert_aligned();
            assert_whole(world, &world.worktree());
            assert_tidy(world);
            return;
        }
    }
    panic!("there is always something to do");
}

/// Every submodule that is checked out is on the commit that is recorded, with no difference.
#[track_caller]
fn assert_whole(world: &World, top: &Path) {
    let listed = world.home.git(top, ["ls-files", "--stage"]);
    let links = listed.lines().filter(|it| it.starts_with("160000 "));
    for (facts, path) in links.filter_map(|it| it.split_once('\t')) {
        let inner = top.join(path);
        if inner.join(".git").exists() {
            let head = world.home.git(&inner, ["rev-parse", "HEAD"]);
            assert!(facts.contains(&head), "{path} is on {head}, and {facts} is recorded");
            assert_eq!(world.home.git(&inner, ["status", "--porcelain"]), "", "{path}");
            assert_whole(world, &inner);
        }
    }
}

/// Nothing that was begun is left: no lock, no temporary file, no process.
#[track_caller]
pub(crate) fn assert_tidy(world: &World) {
    let of_its_own = ["sync.lock", "keeper.lock", "mirror.lock"];
    let is_left = |path: &PathBuf| {
        let text = path.to_string_lossy();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_temporary = ["tmp_", ".tmp", ".housecall-"].iter().any(|it| name.starts_with(it));
        let is_lock = name.ends_with(".lock") && !of_its_own.contains(&&*name);
        is_temporary || is_lock || text.contains("/.housecall-swap-") || text.contains("/.housecall-index-")
    };
    let all = [world.repository().join(".git"), world.home.at("ops")];
    let left: Vec<PathBuf> = all.iter().flat_map(|it| files(it)).filter(is_left).collect();
    assert!(left.is_empty(), "left behind: {left:?}");
    let gone = eventually(support::processes::HANG, || world.home.processes().is_empty());
    assert!(gone, "left running: {:?}", world.home.processes());
}

/// Whether that is kept whole: in a file of the mirror or of what was set aside, or under a ref of a rescue.
///
/// An object that no such ref reaches is not kept: git throws it away one day.
pub(crate) fn is_kept(world: &World, line: &str) -> bool {
    let holds = |path: &PathBuf| fs::read(path).is_ok_and(|it| contains(&it, line));
    let kept = |path: &PathBuf| {
        let path = path.to_string_lossy();
        path.contains("/ops/worktree/") || path.contains("/rescued/") || path.contains(".aside-")
    };
    files(&world.home.at("ops")).iter().filter(|it| kept(it)).any(holds)
        || repositories(world).iter().any(|it| is_reached(world, it, line))
}

fn contains(bytes: &[u8], line: &str) -> bool {
    bytes.windows(line.len()).any(|it| it == line.as_bytes())
}

/// The mirror's repository, and those of its submodules.
pub(crate) fn repositories(world: &World) -> Vec<PathBuf> {
    let top = world.repository().join(".git");
    let heads = files(&top).into_iter().filter(|it| it.ends_with("HEAD"));
    let found: BTreeSet<PathBuf> = heads.filter_map(|it| it.parent().map(Path::to_owned)).collect();
    found.into_iter().filter(|it| it.join("objects").is_dir()).collect()
}

/// Whether an object that a ref of a rescue reaches holds that.
fn is_reached(world: &World, repository: &Path, line: &str) -> bool {
    let git = format!("--git-dir={}", repository.display());
    // Its own worktree may be gone by now.
    let start = [git.as_str(), "--work-tree=."];
    let list = [&start[..], &["rev-list", "--objects", "--glob=refs/housecall/rescued"]].concat();
    let listed = world.home.git(world.home.path(), list);
    listed.lines().filter_map(|it| it.split(' ').next()).any(|object| {
        let mut show = world.home.command("git");
        show.args(start).args(["cat-file", "blob", object]).current_dir(world.home.path());
        let shown = show.output().expect("git starts");
        shown.status.success() && contains(&shown.stdout, line)
    })
}

/// Every file beneath a folder; a link is one.
pub(crate) fn files(top: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(top).into_iter().flatten().filter_map(Result::ok) {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files(&entry.path())),
            _ => found.push(entry.path()),
        }
    }
    found
}
