//! What an install leaves behind, however it ends, and what going back to a known lockfile takes.
#![expect(clippy::disallowed_methods, reason = "these tests read and write files of their own")]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use housecall::checks::sync::lockfile;
use housecall::config::Tool;
use housecall::cx::Cx;
use housecall::probes::state::SyncStatus;
use housecall::verdict::{Fact, Verdict};
use support::processes::eventually;

use crate::world::{World, child, config};

/// An installer that makes a tree with the lockfile's content in it, and says so in a file.
const NPM: &str = "#!/bin/sh\n\
    echo run >> \"$HOME/installs\"\n\
    rm -rf node_modules; mkdir -p node_modules/x\n\
    [ -e \"$HOME/slow\" ] && { touch \"$HOME/begun\"; sleep 600; }\n\
    [ -e \"$HOME/broken\" ] && { echo 'ERR no network' >&2; exit 1; }\n\
    cp package-lock.json node_modules/x/index.js\n";

/// A mirror whose project has that lockfile.
fn installed(lockfile: &str) -> World {
    let world = World::new().with(|mirror| mirror.install = vec!["npm".into(), "ci".into()]);
    world.home.program("bin/node", "#!/bin/sh\necho v22.1.0\n");
    world.home.program("bin/npm", NPM);
    lock(&world, lockfile);
    world.heals();
    world
}

/// Somebody pushes another lockfile.
fn lock(world: &World, lockfile: &str) {
    world.push("package-lock.json", &format!("{{\"packages\": {{\"{lockfile}\": {{}}}}}}\n"));
}

fn installs(world: &World) -> usize {
    fs::read_to_string(world.home.at("installs")).unwrap_or_default().lines().count()
}

fn tree(world: &World) -> String {
    fs::read_to_string(world.worktree().join("node_modules/x/index.js")).unwrap_or_default()
}

/// What lies in the store, and what is being deleted there.
fn store(world: &World) -> Vec<PathBuf> {
    let entries = fs::read_dir(world.config.state.join("trees")).into_iter().flatten();
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

#[test]
fn going_back_to_a_known_lockfile_needs_no_install() {
    let world = installed("a");
    lock(&world, "b");
    world.heals();
    assert_eq!((installs(&world), store(&world).len()), (2, 1));
    lock(&world, "a");
    let last = world.heals();
    assert!(last.reason.contains("without an install"), "{}", last.reason);
    assert!(tree(&world).contains("\"a\""), "{}", tree(&world));
    assert_eq!((installs(&world), store(&world).len()), (2, 1), "the other one is kept now");
    let journal = fs::read_to_string(world.config.state.join("events.log")).expect("the events");
    assert!(journal.contains("action=install") && journal.contains("without an install"), "{journal}");
}

#[test]
fn three_trees_are_kept_and_the_oldest_go() {
    let world = installed("a");
    for lockfile in ["b", "c", "d", "e"] {
        lock(&world, lockfile);
        world.heals();
    }
    assert_eq!(store(&world).len(), 3, "{:?}", store(&world));
    lock(&world, "a");
    world.heals();
    assert_eq!(installs(&world), 6, "the oldest was not kept");
    lock(&world, "e");
    world.heals();
    assert_eq!(installs(&world), 6, "the newest was");
}

#[test]
fn another_runtime_or_another_command_is_another_tree() {
    let world = installed("a");
    world.home.program("bin/node", "#!/bin/sh\necho v24.0.0\n");
    let world = World { machine: std::sync::Arc::default(), ..world };
    world.heals();
    assert_eq!(installs(&world), 2, "no tree of another runtime is taken");
    let world = world.with(|mirror| mirror.install = vec!["npm".into(), "ci".into(), "--omit=dev".into()]);
    lock(&world, "b");
    world.heals();
    lock(&world, "a");
    world.heals();
    assert_eq!(installs(&world), 4, "no tree of another command is taken");
}

#[test]
fn a_failed_install_leaves_the_old_tree_and_says_that_it_is_old() {
    let world = installed("a");
    world.home.write("broken", "");
    lock(&world, "b");
    for _ in 0..2 {
        let last = world.sync();
        assert_eq!(last.status, SyncStatus::Failed);
        assert!(last.reason.contains("ERR no network"), "{}", last.reason);
        assert!(tree(&world).contains("\"a\""), "the server goes on with what it had");
    }
    fs::remove_file(world.home.at("broken")).expect("the network is back");
    world.heals();
    assert!(tree(&world).contains("\"b\""));
    assert_eq!(store(&world).len(), 1, "nothing piles up: {:?}", store(&world));
}

#[test]
fn one_sync_in_a_child() {
    let Some(home) = std::env::var_os("HOUSECALL_TEST_HOME").map(PathBuf::from) else { return };
    let mut config = config(&home);
    let mut mirror = (**config.mirror.as_ref().expect("a mirror")).clone();
    mirror.install = vec!["npm".into(), "ci".into()];
    config.mirror = Some(std::sync::Arc::new(mirror));
    let _ = housecall::commands::sync::run_once(&config.into(), &std::sync::Arc::default(), &mut |_| ());
}

#[test]
fn an_install_that_was_killed_is_not_taken_for_one() {
    let world = installed("a");
    world.home.write("slow", "");
    lock(&world, "b");
    let mut sync = child(world.home.path(), "dependencies::one_sync_in_a_child").spawn().expect("a sync");
    let soon = std::time::Duration::from_secs(20);
    assert!(eventually(soon, || world.home.at("begun").exists()), "the install begins");
    sync.kill().expect("it is killed");
    sync.wait().expect("it ended");
    assert!(tree(&world).is_empty(), "half a tree");
    assert!(!world.worktree().join("node_modules/.housecall.json").exists());
    fs::remove_file(world.home.at("slow")).expect("the file");
    world.home.write("broken", "");
    let last = world.sync();
    assert_eq!(last.status, SyncStatus::Failed);
    assert!(tree(&world).contains("\"a\""), "half a tree is of no use: the one before is back");
    fs::remove_file(world.home.at("broken")).expect("the network is back");
    world.heals();
    assert!(tree(&world).contains("\"b\""));
}

#[test]
fn several_trees_are_never_brought_back_in_part() {
    let world = installed("a");
    world.push("package.json", "{\"workspaces\": [\"site\"]}\n");
    for lockfile in ["b", "a"] {
        lock(&world, lockfile);
        world.heals();
    }
    assert_eq!(installs(&world), 3);
    assert!(store(&world).is_empty());
}

#[test]
fn yarn_without_a_tree_is_installed_once() {
    let world = World::new().with(|mirror| mirror.install = vec!["yarn".into(), "install".into()]);
    world.home.program("bin/node", "#!/bin/sh\necho v22.1.0\n");
    world.home.program(
        "bin/yarn",
        "#!/bin/sh\necho run >> \"$HOME/installs\"\nmkdir -p .yarn/cache\n\
         echo pnp > .pnp.cjs; echo zip > .yarn/cache/a.zip; echo state > .yarn/install-state.gz\n",
    );
    world.push(".yarnrc.yml", "nodeLinker: pnp\n");
    world.push("yarn.lock", "a\n");
    assert_eq!(world.sync().status, SyncStatus::Updated);
    assert_eq!(world.sync().status, SyncStatus::Noop);
    world.push("yarn.lock", "b\n");
    assert_eq!(world.sync().status, SyncStatus::Updated);
    assert_eq!(world.sync().status, SyncStatus::Noop);
    assert_eq!(installs(&world), 2);
    assert!(world.worktree().join(".pnp.cjs").exists(), "what it installed is not cleaned away");
    assert!(world.rescued().is_empty(), "and is no person's work: {:?}", world.rescued());
}

#[test]
fn with_a_node_that_does_not_start_nothing_is_installed_and_it_is_named_first() {
    let header =
        "#define NODE_MAJOR_VERSION 22\n#define NODE_MINOR_VERSION 1\n#define NODE_PATCH_VERSION 0\n";
    for tools in [vec![], vec!["node"]] {
        let mut world = installed("a");
        let mut config = (*world.config).clone();
        config.tools =
            tools.iter().map(|it| Arc::new(Tool { name: (*it).to_owned(), range: None })).collect();
        world.config = Arc::new(config);
        world.home.write("include/node/node_version.h", header);
        let gone = "node: error while loading shared libraries: libicui18n.so.74";
        world.home.program(
            "bin/node",
            &format!("#!/bin/sh\necho run >> \"$HOME/starts\"\necho '{gone}' >&2; exit 127\n"),
        );
        let last = world.sync();
        assert_eq!(last.status, SyncStatus::Noop, "what is aligned needs no node: {}", last.reason);
        assert!(!world.home.at("starts").exists(), "nothing is started where nothing is to do");

        lock(&world, "b");
        let last = world.sync();
        assert_eq!(last.status, SyncStatus::Failed, "{}", last.reason);
        let said = if tools.is_empty() { "cannot start node: " } else { "runtime-version:node: " };
        assert!(last.reason.starts_with(said) && last.reason.contains("start"), "{}", last.reason);
        assert_eq!(installs(&world), 1, "nothing is installed");
        assert!(tree(&world).contains("\"a\""), "the old tree is as it was: {}", tree(&world));

        world.home.program("bin/node", "#!/bin/sh\necho v22.1.0\n");
        world.heals();
        assert_eq!(installs(&world), 2);
    }
}

/// What is said of the mirror's lockfiles.
fn lockfiles(world: &World) -> String {
    let (config, machine) = (Arc::clone(&world.config), Arc::clone(&world.machine));
    let cx = Cx::new(config, machine);
    let housecall::check::Look::Mirror(look) = lockfile::CHECK.look else { panic!("it is about the mirror") };
    match look(&cx, world.mirror()).expect("it can be looked at") {
        Verdict::Pass(facts) => facts.note.unwrap_or_default(),
        Verdict::Fail(finding) => {
            let told = finding.evidence.iter().map(|it| match &it.fact {
                Fact::Text(text) | Fact::Command(text) => format!("{}: {text}", it.label),
                other => panic!("{other:?}"),
            });
            std::iter::once(finding.message).chain(told).collect::<Vec<_>>().join("; ")
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn several_lockfiles_are_named_and_the_one_that_package_json_names_settles_it() {
    let world = installed("a");
    assert_eq!(lockfiles(&world), "`package-lock.json` is the only lockfile");
    world.push("pnpm-lock.yaml", "lockfileVersion: '9.0'\n");
    world.heals();
    assert_eq!(
        lockfiles(&world),
        "the project has 2 lockfiles, and nothing in it says which counts; installed from: package-lock.json; \
         beside it: pnpm-lock.yaml; remedy: git -C ~/dev/site rm pnpm-lock.yaml"
    );
    world.push("package.json", "{\"packageManager\": \"npm@10.9.0\"}\n");
    world.heals();
    assert_eq!(
        lockfiles(&world),
        "`package-lock.json` counts, since `packageManager` in package.json names npm"
    );
    world.push("package.json", "{\"packageManager\": \"pnpm@9.1.0\"}\n");
    world.heals();
    assert_eq!(
        lockfiles(&world),
        "`install` runs npm, and `packageManager` in package.json names pnpm; installed from: package-lock.json; \
         beside it: pnpm-lock.yaml; remedy: git -C ~/dev/site rm package-lock.json; \
         then: `install` in housecall.toml is to run pnpm"
    );
    let by_pnpm = vec!["corepack".into(), "pnpm@9".into(), "install".into()];
    let world = world.with(|mirror| mirror.install = by_pnpm);
    assert_eq!(
        lockfiles(&world),
        "`pnpm-lock.yaml` counts, since `packageManager` in package.json names pnpm"
    );
}
