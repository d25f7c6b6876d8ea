//! Installers that change the person's repository: what they did there is put back, however they end.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use housecall::commands::sync::run_once;
use housecall::probes::state::SyncStatus::Failed;
use support::processes::{eventually, signal};

use super::oracle::Oracle;
use crate::world::{World, child, config, walk};

/// A mirror that installs with that script, once its project has a lockfile.
fn installing(script: &str) -> World {
    let world = World::new().with(|mirror| mirror.install = vec!["npm".into(), "ci".into()]);
    world.home.program("bin/node", "#!/bin/sh\necho v22.1.0\n");
    world.home.program("bin/npm", &format!("#!/bin/sh\nmkdir -p node_modules/x\n{script}\n"));
    let hooks = world.repository().join(".git/hooks");
    fs::create_dir_all(hooks.join("_")).expect("a folder");
    fs::write(hooks.join("_/theirs"), "theirs\n").expect("a hook");
    fs::write(hooks.join("pre-push"), "theirs\n").expect("a hook");
    world.push("index.html", "two\n");
    world
}

/// What hook installers do, and some more.
const MEDDLES: &str = "git config core.hooksPath .evil\n\
    git=$(git rev-parse --path-format=absolute --git-common-dir)\n\
    echo evil > \"$git/hooks/pre-commit\"; echo evil > \"$git/hooks/_/theirs\"; rm \"$git/hooks/pre-push\"\n\
    mkdir -p \"$git/hooks/_/more\" \"$git/info\"; echo evil > \"$git/hooks/_/more/evil\"\n\
    echo '* filter=evil' > \"$git/info/attributes\"; ln -s /nonexistent \"$git/hooks/post-merge\"\n";

fn lock(world: &World) {
    world.push("package-lock.json", "{\"packages\": {}}\n");
}

/// Whether that was kept of what was put back.
fn keeps(world: &World, file: &str) -> bool {
    walk_if_there(&world.config.state.join("rescued"))
        .iter()
        .any(|it| it.ends_with(Path::new("repository").join(file)))
}

fn walk_if_there(top: &Path) -> Vec<PathBuf> {
    if top.exists() { walk(top) } else { Vec::new() }
}

#[test]
fn hooks_in_folders_and_attributes_that_an_installer_changed_are_put_back() {
    let world = installing(MEDDLES);
    let oracle = Oracle::of(&world);
    lock(&world);
    let last = world.heals();
    for name in ["config", "hooks/pre-commit", "hooks/_/theirs", "hooks/_/more/evil", "hooks/pre-push"] {
        assert!(last.reason.contains(name), "{name}: {}", last.reason);
    }
    oracle.holds(&world);
    assert!(keeps(&world, "hooks/_/theirs") && keeps(&world, "info/attributes"));
}

#[test]
fn what_an_installer_did_whose_sync_was_killed_is_put_back_by_the_next_one() {
    let world = installing(&format!(
        "{MEDDLES}[ -e \"$HOME/slow\" ] && {{ touch \"$HOME/begun\"; sleep 600; }}; true"
    ));
    let oracle = Oracle::of(&world);
    world.home.write("slow", "");
    lock(&world);
    let mut sync =
        child(world.home.path(), "sync_faults::installers::one_sync_in_a_child").spawn().expect("a sync");
    let begins = eventually(Duration::from_secs(20), || world.home.at("begun").exists());
    sync.kill().expect("it is killed");
    sync.wait().expect("it ended");
    assert!(begins, "the install begins");
    assert!(!world.home.processes().is_empty(), "the installer goes on");
    // It installs no more: what is there now is of the one that was killed.
    world.home.program("bin/npm", "#!/bin/sh\necho ERR no network >&2; exit 1\n");
    let last = world.sync();
    assert_eq!(last.status, Failed, "{}", last.reason);
    assert!(world.home.processes().is_empty(), "left running: {:?}", world.home.processes());
    oracle.holds(&world);
    assert!(keeps(&world, "hooks/pre-commit") && keeps(&world, "config"));
    let events = fs::read_to_string(world.config.state.join("events.log")).expect("the events");
    assert!(events.contains("put back in the repository: config"), "{events}");
    world.home.program("bin/npm", "#!/bin/sh\nmkdir -p node_modules/x\n");
    oracle.heals(&world);
}

#[test]
fn what_a_person_changed_long_after_a_killed_install_is_theirs() {
    let world = installing("[ -e \"$HOME/slow\" ] && { touch \"$HOME/begun\"; sleep 600; }; true");
    world.home.write("slow", "");
    lock(&world);
    let mut sync =
        child(world.home.path(), "sync_faults::installers::one_sync_in_a_child").spawn().expect("a sync");
    assert!(eventually(Duration::from_secs(20), || world.home.at("begun").exists()), "the install begins");
    sync.kill().expect("it is killed");
    sync.wait().expect("it ended");
    end_all(&world);
    fs::remove_file(world.home.at("slow")).expect("the file");
    world.home.git(&world.repository(), ["config", "alias.mine", "status"]);
    let file = world.repository().join(".git/config");
    let later = std::time::SystemTime::now() + Duration::from_hours(2);
    fs::File::options().write(true).open(&file).expect("it").set_modified(later).expect("its time");
    let oracle = Oracle::of(&world);
    oracle.heals(&world);
}

#[test]
fn dependencies_that_are_a_link_to_the_repositorys_are_not_installed_through() {
    let world = installing("rm -rf node_modules/*; echo new > node_modules/new");
    world.heals();
    world.home.write("dev/site/node_modules/theirs/index.js", "theirs\n");
    let tree = world.worktree().join("node_modules");
    let _ = fs::remove_dir_all(&tree);
    std::os::unix::fs::symlink(world.repository().join("node_modules"), &tree).expect("a link");
    let oracle = Oracle::of(&world);
    lock(&world);
    let last = world.sync();
    oracle.holds(&world);
    world.assert_aligned();
    assert!(last.reason.contains("node_modules was a link"), "{}", last.reason);
    assert!(tree.join("new").exists() && !tree.is_symlink(), "it is installed");
}

#[test]
fn an_install_of_nothing_that_makes_no_tree_is_done_once() {
    let world = installing("rmdir -p node_modules/x; echo run >> \"$HOME/installs\"");
    lock(&world);
    world.heals();
    assert_eq!(fs::read_to_string(world.home.at("installs")).expect("it ran"), "run\n");
}

/// Ends what outlives a sync that was killed, as a machine does that is switched off.
fn end_all(world: &World) {
    let gone = || {
        let left = world.home.processes();
        for it in &left {
            signal(it.pid, "KILL");
        }
        left.is_empty()
    };
    assert!(eventually(Duration::from_secs(10), gone), "left running: {:?}", world.home.processes());
}

/// Not a test of its own: what is killed.
#[test]
fn one_sync_in_a_child() {
    let Some(home) = std::env::var_os("HOUSECALL_TEST_HOME").map(PathBuf::from) else { return };
    let mut config = config(&home);
    let mut mirror = (**config.mirror.as_ref().expect("a mirror")).clone();
    mirror.install = vec!["npm".into(), "ci".into()];
    config.mirror = Some(Arc::new(mirror));
    let _ = run_once(&Arc::new(config), &Arc::default(), &mut |_| ());
}
