//! Refs of the mirror that are symbolic, and remotes whose transport runs a program: both are refused, by their names.

use std::fs;

use housecall::exit::Exit;
use housecall::probes::state::SyncStatus::Failed;

use crate::world::World;

#[test]
fn a_symbolic_ref_of_the_mirror_is_refused_before_another_ref_moves() {
    for name in ["refs/remotes/origin/main", "refs/heads/localhost-sync"] {
        for target in ["refs/heads/mine", "refs/heads/unborn"] {
            let world = World::synced();
            let repository = world.repository();
            let git = |arguments: &[&str]| world.home.git(&repository, arguments);
            git(&["branch", "mine", "localhost-sync"]);
            git(&["symbolic-ref", name, target]);
            let before = git(&["for-each-ref", "refs/heads/mine", "refs/heads/unborn"]);
            world.push("index.html", "two\n");
            let last = world.sync();
            assert_eq!(last.status, Failed, "{name} to {target}: {}", last.reason);
            assert!(last.reason.contains(name) && last.reason.contains(target), "{}", last.reason);
            assert_eq!(git(&["for-each-ref", "refs/heads/mine", "refs/heads/unborn"]), before);
            git(&["symbolic-ref", "--delete", name]);
            world.heals();
        }
    }
}

#[test]
fn a_transport_that_runs_a_program_is_refused_though_the_repository_allows_it() {
    let world = World::synced();
    let mark = world.home.at("ran");
    let repository = world.repository();
    let address = format!("ext::touch {}", mark.display());
    world.home.git(&repository, ["config", "protocol.ext.allow", "always"]);
    world.home.git(&repository, ["config", "protocol.allow", "always"]);
    world.home.git(&repository, ["remote", "set-url", "origin", &address]);
    assert_eq!(world.run().exit(), Exit::Unhealthy);
    assert!(!fs::exists(&mark).expect("looked"), "the remote's program ran");
}

#[test]
fn a_ref_that_is_a_link_to_a_persons_branch_is_refused() {
    let world = World::synced();
    let repository = world.repository();
    let git = |arguments: &[&str]| world.home.git(&repository, arguments);
    git(&["branch", "mine", "localhost-sync"]);
    let before = git(&["rev-parse", "refs/heads/mine"]);
    let file = repository.join(".git/refs/remotes/origin/main");
    let _ = fs::remove_file(&file);
    fs::create_dir_all(file.parent().expect("a parent")).expect("its directory");
    std::os::unix::fs::symlink("refs/heads/mine", &file).expect("a link");
    world.push("index.html", "two\n");
    let last = world.sync();
    assert_eq!(last.status, Failed, "{}", last.reason);
    assert_eq!(git(&["rev-parse", "refs/heads/mine"]), before);
}
