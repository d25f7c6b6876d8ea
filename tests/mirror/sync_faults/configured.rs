//! git's configuration, of the repository or of the user, when it gets in the way of a mirror.

use std::fs;

use housecall::probes::state::SyncStatus::Failed;

use super::oracle::Oracle;
use crate::world::World;

/// A file, a commit, a history: with that configuration all goes as without.
fn goes_well_with(place: &str, settings: &[(&str, &str)]) {
    let world = World::synced();
    world.push("index.html", "two\n");
    for (key, value) in settings {
        world.home.git(&world.repository(), ["config", place, "--add", key, value]);
    }
    let oracle = Oracle::of(&world);
    world.edit("note.txt", "a person's\n");
    let last = world.sync();
    assert_ne!(last.status, Failed, "{settings:?}: {}", last.reason);
    world.assert_aligned();
    oracle.holds(&world);
    assert_eq!(world.rescued_file("note.txt"), "a person's", "{settings:?}");
    fs::remove_dir_all(world.worktree()).expect("deleted");
    oracle.heals(&world);
    assert_eq!(fs::read(world.worktree().join("index.html")).expect("it").len(), 4, "{settings:?}");
}

#[test]
fn what_a_user_may_set_for_fetches() {
    for settings in [
        &[("fetch.prune", "true"), ("fetch.pruneTags", "true"), ("remote.origin.prune", "true")][..],
        &[("remote.origin.fetch", "+refs/heads/release:refs/remotes/origin/release")],
        &[("remote.origin.fetch", "+refs/tags/*:refs/tags/*"), ("remote.origin.tagOpt", "--tags")],
        &[("remote.origin.mirror", "true")],
        &[("fetch.recurseSubmodules", "true"), ("submodule.recurse", "true")],
        &[("protocol.version", "0"), ("fetch.parallel", "0"), ("fetch.writeCommitGraph", "true")],
        &[
            ("fetch.fsckObjects", "true"),
            ("transfer.hideRefs", "refs/heads/hidden"),
            ("fetch.output", "compact"),
        ],
        &[("http.proxy", "http://127.0.0.1:9"), ("pull.rebase", "true"), ("fetch.unpackLimit", "1")],
        &[("remote.origin.skipDefaultUpdate", "true"), ("remote.origin.skipFetchAll", "true")],
        &[("maintenance.auto", "true"), ("gc.auto", "1"), ("gc.autoDetach", "true")],
    ] {
        goes_well_with("--local", settings);
    }
}

#[test]
fn what_a_user_may_set_for_the_working_tree() {
    for settings in [
        &[("clean.requireForce", "true"), ("status.showUntrackedFiles", "no")][..],
        &[("core.fileMode", "false"), ("core.symlinks", "true"), ("core.quotePath", "true")],
        &[("core.autocrlf", "input"), ("core.safecrlf", "true")],
        &[("core.untrackedCache", "true"), ("index.version", "4"), ("feature.manyFiles", "true")],
        &[("core.splitIndex", "true"), ("core.preloadIndex", "true"), ("index.threads", "true")],
        &[
            ("status.relativePaths", "false"),
            ("status.renames", "copies"),
            ("status.submoduleSummary", "true"),
        ],
        &[("checkout.defaultRemote", "other"), ("checkout.guess", "false"), ("checkout.workers", "4")],
        &[("core.logAllRefUpdates", "always"), ("core.sharedRepository", "group")],
        &[("extensions.worktreeConfig", "true")],
        &[
            ("worktree.guessRemote", "true"),
            ("branch.autoSetupRebase", "always"),
            ("branch.autoSetupMerge", "always"),
        ],
    ] {
        goes_well_with("--local", settings);
    }
}

#[test]
fn what_a_user_may_set_for_everything() {
    for settings in [
        &[("commit.gpgSign", "true"), ("tag.gpgSign", "true"), ("gpg.program", "/nonexistent")][..],
        &[("rebase.autoStash", "true"), ("merge.ff", "no"), ("user.useConfigOnly", "true")],
        &[("init.templateDir", "/nonexistent"), ("init.defaultRefFormat", "reftable")],
        &[("core.pager", "false"), ("pager.diff", "true"), ("color.ui", "always"), ("column.ui", "always")],
        &[
            ("diff.external", "false"),
            ("diff.noprefix", "true"),
            ("diff.renames", "copies"),
            ("core.editor", "false"),
        ],
        &[("core.excludesFile", "/nonexistent"), ("core.attributesFile", "/nonexistent")],
        &[("alias.fetch", "!false"), ("alias.status", "!false"), ("help.autoCorrect", "immediate")],
        &[("advice.detachedHead", "true"), ("log.showSignature", "true"), ("core.abbrev", "4")],
        &[("trace2.eventTarget", "/nonexistent/x"), ("core.warnAmbiguousRefs", "true")],
        &[("core.bigFileThreshold", "1"), ("core.compression", "0"), ("core.fsync", "all")],
    ] {
        goes_well_with("--global", settings);
    }
}

#[test]
fn lines_that_end_as_on_another_system_are_no_edits() {
    let world = World::synced();
    world.home.git(&world.repository(), ["config", "core.autocrlf", "true"]);
    let oracle = Oracle::of(&world);
    world.push("index.html", "two\nlines\n");
    oracle.heals(&world);
    assert_eq!(fs::read(world.worktree().join("index.html")).expect("it"), b"two\r\nlines\r\n");
    assert!(world.rescued().is_empty(), "{:?}", world.rescued());
}

#[test]
fn an_address_that_is_written_otherwise_is_followed_as_git_does() {
    let world = World::synced();
    let remote = world.home.at("remote.git").display().to_string();
    world.home.git(&world.repository(), ["remote", "set-url", "origin", "https://example.org/site.git"]);
    let key = format!("url.{remote}.insteadOf");
    world.home.git(&world.repository(), ["config", "--global", &key, "https://example.org/site.git"]);
    let oracle = Oracle::of(&world);
    world.push("index.html", "two\n");
    oracle.heals(&world);
}

#[test]
fn a_work_tree_that_the_configuration_puts_elsewhere_is_never_written_to() {
    let world = World::synced();
    world.home.write("precious/index.html", "a person's\n");
    let place = world.home.at("precious");
    world.home.git(&world.repository(), ["config", "core.worktree", &place.display().to_string()]);
    world.push("index.html", "two\n");
    let before = world.canonical();
    let last = world.sync();
    assert_eq!(fs::read_to_string(place.join("index.html")).expect("it"), "a person's\n", "{}", last.reason);
    assert_eq!(fs::read_dir(&place).expect("it").count(), 1);
    assert_eq!(before, world.canonical());
    assert!(last.status != Failed || !last.reason.is_empty());
}

#[test]
fn a_configuration_that_git_cannot_read_is_told_with_its_line() {
    let world = World::synced();
    world.push("index.html", "two\n");
    let config = world.repository().join(".git/config");
    let whole = fs::read(&config).expect("it");
    fs::write(&config, [&whole[..], b"[torn\n"].concat()).expect("torn");
    let oracle = world.canonical();
    let last = world.sync();
    assert!(last.status == Failed && last.reason.contains("config"), "{}", last.reason);
    assert_eq!(oracle, world.canonical());
    fs::write(&config, whole).expect("mended by its owner");
    world.heals();
}

#[test]
fn a_commit_graph_that_the_user_wants_of_each_fetch_is_not_written_by_ours() {
    let world = World::synced();
    let repository = world.repository();
    world.home.git(&repository, ["config", "fetch.writeCommitGraph", "true"]);
    let oracle = Oracle::of(&world);
    for content in ["two\n", "three\n"] {
        world.push("index.html", content);
        oracle.heals(&world);
    }
    let information = fs::read_dir(repository.join(".git/objects/info")).expect("a folder");
    let names: Vec<_> = information.map(|it| it.expect("an entry").file_name()).collect();
    assert!(names.is_empty(), "{names:?}");
}
