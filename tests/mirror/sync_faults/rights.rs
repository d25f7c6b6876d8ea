//! Rights and clocks: what may not be written or read, another owner, another user, a state from the future.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use housecall::commands::sync::{Synced, run_once};
use housecall::fixes::hands::aside::restore;
use housecall::probes::git;
use housecall::probes::state::SyncStatus::{self, Failed};
use support::parts::{Part, lacks};

use super::oracle::Oracle;
use crate::world::{World, child, walk};

/// A user who is nobody.
const NOBODY: u32 = 65534;

/// A file system of its own over a directory, for as long as it lives.
struct Mounted(PathBuf);

impl Mounted {
    fn tmpfs(path: &Path) -> Self {
        mount(&["-t", "tmpfs", "-o", "size=64m,mode=700", "tmpfs"], path);
        Self(path.to_owned())
    }

    fn over_itself(path: &Path) -> Self {
        mount(&["--bind", &path.display().to_string()], path);
        Self(path.to_owned())
    }

    fn becomes(&self, mode: &str) {
        mount(&["-o", &format!("remount,bind,{mode}")], &self.0);
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn mount(options: &[&str], path: &Path) {
    let done = Command::new("mount").args(options).arg(path).status().expect("mount starts");
    assert!(done.success(), "mount {options:?} {}", path.display());
}

#[test]
fn an_open_file_stays_in_a_mirror_that_is_a_volume_of_its_own_and_git_sees_nothing_of_it() {
    if lacks(Part::Fuse) {
        return;
    }
    let world = World::new();
    fs::create_dir_all(world.worktree()).expect("a mount point");
    let _mounted = Mounted::over_itself(&world.worktree());
    let names = [".gitignore", "page.html"];
    for name in names {
        world.push(name, "old\n");
    }
    world.heals();
    let mut open = names.map(|name| {
        let file = fs::File::options().append(true).open(world.worktree().join(name));
        file.expect("a program opens it")
    });
    for name in names {
        world.push(name, "new\n");
    }
    // A second sync has nothing to do.
    let last = world.heals();
    for file in &mut open {
        file.write_all(b"late words\n").expect("it writes");
    }
    let kept: String =
        walk(&world.worktree()).iter().filter_map(|file| fs::read_to_string(file).ok()).collect();
    assert!(kept.contains("late words"), "{}", last.reason);
    assert!(last.reason.contains("/.housecall.aside-"), "{}", last.reason);
    let (rescued, _) = git::rescued(&world.config, world.mirror()).expect("a list");
    let [rescue] = rescued.as_slice() else { panic!("one: {rescued:?}") };
    assert_eq!(rescue.kept, names, "{rescue:?}");
    let back = world.home.at("back");
    restore::restore(&world.config, world.mirror(), rescue, &back).expect("it is given back");
    for name in names {
        let file = fs::read_to_string(back.join("kept").join(name)).expect("the file");
        assert_eq!(file, "old\nlate words\n", "{name}");
    }
    // As the version before left it: what hides it from git lies beside what is kept, or a person's file in its place.
    let place = rescue.place.as_ref().expect("a place");
    let before = place.with_file_name(".housecall.aside-2026-01-01T00-00-00");
    fs::create_dir(&before).expect("a folder");
    for (hides, kept) in [("*\n", &names[1..]), ("*.log\n", &names[..])] {
        fs::write(before.join("page.html"), "late words\n").expect("a file");
        fs::write(before.join(".gitignore"), hides).expect("a file");
        let (rescued, _) = git::rescued(&world.config, world.mirror()).expect("a list");
        let [old, _] = rescued.as_slice() else { panic!("two: {rescued:?}") };
        assert_eq!(old.kept, kept, "{old:?}");
        let back = world.home.at(format!("back-{}", kept.len()));
        restore::restore(&world.config, world.mirror(), old, &back).expect("it is given back");
        assert_eq!(fs::read_dir(back.join("kept")).expect("a folder").count(), kept.len());
    }
}

#[test]
fn a_file_system_that_becomes_read_only_is_told_and_heals_when_it_is_not() {
    if lacks(Part::Fuse) {
        return;
    }
    let places = [
        ("dev/site", "Read-only file system"),
        ("ops/worktree", "~/ops/worktree is on a read-only file system"),
        ("ops", "Read-only file system"),
    ];
    for (place, words) in places {
        let world = World::synced();
        let mounted = Mounted::over_itself(&world.home.at(place));
        world.edit("note.txt", "a person's\n");
        world.push("index.html", "two\n");
        let oracle = Oracle::of(&world);
        mounted.becomes("ro");
        match world.run() {
            Synced::Ended(last, _) => {
                assert_eq!(last.status, Failed, "{place}: {}", last.reason);
                assert!(last.reason.contains(words), "{place}: {}", last.reason);
            }
            Synced::Broken(error) => assert!(error.to_string().contains(words), "{place}: {error}"),
            other => panic!("{place}: {other:?}"),
        }
        mounted.becomes("rw");
        oracle.heals(&world);
        assert_eq!(world.rescued_file("note.txt"), "a person's", "{place}");
    }
}

#[test]
fn a_repository_inside_the_mirror_is_moved_out_of_it_to_another_disk() {
    if lacks(Part::Fuse) {
        return;
    }
    let mut world = World::new();
    Arc::make_mut(&mut world.config).state = world.home.at("state");
    fs::create_dir_all(&world.config.state).expect("the state directory");
    let _mounted = Mounted::tmpfs(&world.config.state);
    world.heals();
    let inner = world.worktree().join("inner");
    world.edit("inner/work.txt", "precious\n");
    world.home.git(&inner, ["init", "--quiet"]);
    world.home.commit(&inner, "precious");
    world.heals();
    assert!(!inner.exists());
    let kept = walk(&world.config.state.join("rescued"));
    assert!(kept.iter().any(|it| it.ends_with("inner/work.txt")), "{kept:?}");
    assert!(kept.iter().any(|it| it.ends_with("inner/.git/HEAD")), "{kept:?}");
}

#[test]
fn an_empty_file_system_over_the_repository_is_told_and_left_empty() {
    if lacks(Part::Fuse) {
        return;
    }
    let world = World::synced();
    let oracle = Oracle::of(&world);
    let mounted = Mounted::tmpfs(&world.repository());
    let last = world.sync();
    assert_ne!(last.status, SyncStatus::Updated, "{}", last.reason);
    assert_eq!(fs::read_dir(world.repository()).expect("it").count(), 0);
    drop(mounted);
    world.push("index.html", "two\n");
    oracle.heals(&world);
}

/// Gives all beneath a place to that user.
fn give_to(top: &Path, user: u32) {
    let mut places = walk_all(top);
    places.push(top.to_owned());
    for place in places {
        std::os::unix::fs::lchown(&place, Some(user), Some(user)).expect("given");
    }
}

fn walk_all(top: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(top).expect("a folder").map(|it| it.expect("an entry")) {
        found.push(entry.path());
        if entry.file_type().expect("its type").is_dir() {
            found.extend(walk_all(&entry.path()));
        }
    }
    found
}

/// One sync by a normal user: what it printed.
fn as_nobody(world: &World) -> String {
    let mut sync = child(world.home.path(), "sync_faults::rights::one_sync_in_a_child");
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(sync.get_program());
    command.args(sync.get_args()).env("HOUSECALL_TEST_HOME", world.home.path());
    let _ = sync.stdin(Stdio::null());
    let output = command.output().expect("setpriv starts");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Not a test of its own: what [`as_nobody`] runs.
#[test]
fn one_sync_in_a_child() {
    let Some(home) = std::env::var_os("HOUSECALL_TEST_HOME") else { return };
    let config = Arc::new(crate::world::config(home.as_ref()));
    let told = match run_once(&config, &Arc::default(), &mut |_| ()) {
        Synced::Ended(last, _) => format!("{:?}: {}", last.status, last.reason),
        other => other.sentence(),
    };
    writeln!(std::io::stdout(), "told: {told}").expect("its output");
}

/// A mirror of a normal user's, whose tests are run by root.
fn of_nobody() -> World {
    let world = World::synced();
    give_to(world.home.path(), NOBODY);
    world
}

#[test]
fn what_a_normal_user_may_not_touch_is_named_and_heals_with_the_right() {
    if lacks(Part::Sshd) {
        return;
    }
    let world = of_nobody();
    let author = world.home.at("author");
    let push = |content: &str| {
        give_to(&author, 0);
        give_to(&world.home.at("remote.git"), 0);
        world.push("deep/page.html", content);
        give_to(&author, NOBODY);
        give_to(&world.home.at("remote.git"), NOBODY);
    };
    push("two\n");
    assert!(as_nobody(&world).contains("told: Updated"), "{}", as_nobody(&world));
    let places = [
        (world.worktree().join("deep"), 0o500),
        (world.repository().join(".git/objects"), 0o500),
        (world.repository().join(".git/refs/remotes/origin"), 0o500),
        (world.administration(), 0o500),
        (world.administration(), 0o000),
        (world.administration().join("HEAD"), 0o000),
        (world.administration().join("commondir"), 0o000),
        (world.worktree().join(".git"), 0o000),
        (world.repository().join(".git/worktrees"), 0o000),
        (world.repository(), 0o000),
        (world.repository().join(".git/objects"), 0o000),
        (world.repository().join(".git/refs"), 0o000),
        (world.worktree(), 0o000),
        (world.config.state.clone(), 0o500),
    ];
    for (round, (place, mode)) in places.iter().enumerate() {
        push(&format!("round {round}\n"));
        let before = fs::metadata(place).expect("it").permissions();
        fs::set_permissions(place, Permissions::from_mode(*mode)).expect("its mode");
        let told = as_nobody(&world);
        fs::set_permissions(place, before).expect("its mode");
        let said = told.contains("ermission denied") || told.contains("insufficient permission");
        assert!(said, "{}: {told}", place.display());
        let told = as_nobody(&world);
        assert!(told.contains("told: Updated"), "{}: {told}", place.display());
        let is_aside = |it: &PathBuf| it.to_string_lossy().contains("worktree.aside-");
        let is_moved = walk(&world.home.at("ops")).iter().any(is_aside);
        assert!(!is_moved, "{}: the mirror was moved aside", place.display());
    }
    // Nothing is new, and what was edited cannot be seen.
    world.edit("deep/page.html", "an edit\n");
    let deep = world.worktree().join("deep");
    fs::set_permissions(&deep, Permissions::from_mode(0o000)).expect("its mode");
    let told = as_nobody(&world);
    fs::set_permissions(&deep, Permissions::from_mode(0o755)).expect("its mode");
    assert!(told.contains("told: Failed") && told.contains("ermission denied"), "{told}");
    give_to(world.home.path(), 0);
}

#[test]
fn where_git_only_says_that_it_made_no_directory_the_right_that_lacks_is_named() {
    if lacks(Part::Sshd) {
        return;
    }
    let world = World::synced();
    world.edit("note.txt", "a person's\n");
    world.home.commit(&world.worktree(), "theirs");
    fs::remove_dir_all(world.worktree()).expect("the worktree is deleted");
    give_to(world.home.path(), NOBODY);
    let refs = world.repository().join(".git/refs");
    fs::set_permissions(&refs, Permissions::from_mode(0o500)).expect("its mode");
    let told = as_nobody(&world);
    fs::set_permissions(&refs, Permissions::from_mode(0o755)).expect("its mode");
    assert!(told.contains("cannot write in ~/dev/site/.git/refs: Permission denied"), "{told}");
    let told = as_nobody(&world);
    assert!(told.contains("told: Updated"), "{told}");
    give_to(world.home.path(), 0);
    assert_eq!(world.rescued_file("note.txt"), "a person's");
}

#[test]
fn where_git_ends_with_what_it_could_not_do_for_it_the_right_that_lacks_is_named() {
    if lacks(Part::Sshd) {
        return;
    }
    // A tracked file and a new one: git ends with another line for each.
    for path in ["deep/page.html", "new.html"] {
        let world = World::synced();
        world.push("deep/page.html", "two\n");
        world.heals();
        world.edit(path, "an edit that no object holds\n");
        give_to(world.home.path(), NOBODY);
        let objects = world.repository().join(".git/objects");
        fs::set_permissions(&objects, Permissions::from_mode(0o500)).expect("its mode");
        let told = as_nobody(&world);
        fs::set_permissions(&objects, Permissions::from_mode(0o755)).expect("its mode");
        assert!(told.contains("told: Failed") && told.contains("insufficient permission"), "{path}: {told}");
        let told = as_nobody(&world);
        assert!(told.contains("told: Updated"), "{path}: {told}");
        give_to(world.home.path(), 0);
        assert_eq!(world.rescued_file(path), "an edit that no object holds");
    }
}

#[test]
fn a_commit_that_cannot_be_read_for_a_while_is_not_taken_for_lost() {
    if lacks(Part::Sshd) {
        return;
    }
    for is_packed in [false, true] {
        let world = of_nobody();
        give_to(world.home.path(), 0);
        world.edit("note.txt", "a person's\n");
        let tip = world.home.commit(&world.worktree(), "theirs");
        let objects = world.repository().join(".git/objects");
        if is_packed {
            world.home.git(&world.repository(), ["gc", "--quiet"]);
        }
        give_to(world.home.path(), NOBODY);
        let place = if is_packed { objects.join("pack") } else { objects.join(&tip[..2]) };
        let before = fs::metadata(&place).expect("it").permissions();
        fs::set_permissions(&place, Permissions::from_mode(0o000)).expect("its mode");
        let told = as_nobody(&world);
        fs::set_permissions(&place, before).expect("its mode");
        assert!(told.contains("told: Failed") && told.contains("ermission denied"), "{told}");
        let told = as_nobody(&world);
        assert!(told.contains("told: Updated"), "{told}");
        give_to(world.home.path(), 0);
        let containing = ["for-each-ref", "--format=%(refname)", "--contains", &tip, "refs/housecall"];
        assert_ne!(world.home.git(&world.repository(), containing), "", "the commit is lost");
        world.assert_aligned();
    }
}

#[test]
fn a_repository_of_another_owner_is_told_and_nobodys_configuration_is_changed() {
    if lacks(Part::Sshd) {
        return;
    }
    let world = World::synced();
    give_to(&world.config.state, NOBODY);
    let own = world.home.write(".gitconfig", "[user]\n\tname = N\n\temail = n@x\n");
    chown(&own, Some(NOBODY), Some(NOBODY)).expect("given");
    fs::set_permissions(world.home.path(), Permissions::from_mode(0o755)).expect("its mode");
    let told = as_nobody(&world);
    assert!(told.contains("dubious ownership"), "{told}");
    assert!(!fs::read_to_string(&own).expect("it").contains("safe"));
    give_to(&world.config.state, 0);
    assert_ne!(world.sync().status, Failed);
}

#[test]
fn a_clock_that_jumps_back_or_ahead_keeps_nothing_from_being_aligned() {
    let world = World::synced();
    let oracle = Oracle::of(&world);
    let text = fs::read_to_string(world.config.sync_file()).expect("the state");
    let year = &text[text.find("\"20").expect("a time") + 1..][..4];
    for other in ["2100", "1971"] {
        let jumped = text.replace(&format!("\"{year}-"), &format!("\"{other}-"));
        assert_ne!(jumped, text);
        fs::write(world.config.sync_file(), jumped).expect("the state");
        world.push("index.html", &format!("{other}\n"));
        oracle.heals(&world);
    }
    // A lock and files of the future.
    world.push("index.html", "three\n");
    let lock = world.administration().join("index.lock");
    let file = fs::File::create(&lock).expect("a lock");
    file.set_modified(SystemTime::now() + Duration::from_hours(24)).expect("its time");
    drop(file);
    for path in walk(&world.worktree()) {
        let file = fs::File::open(&path).expect("a file");
        file.set_modified(SystemTime::now() + Duration::from_hours(24)).expect("its time");
    }
    oracle.heals(&world);
    assert!(!lock.exists(), "seen for ten seconds, it is nobody's");
}
