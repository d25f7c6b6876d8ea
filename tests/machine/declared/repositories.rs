//! `git`: real repositories, and one that is hostile.

use std::fs;

use housecall::config::Trust;

use super::world::World;

/// A clone of a remote, on `main`, clean; and the commit it is on.
fn world() -> (World, String) {
    let world = World::new();
    let remote = world.home.bare("remote.git");
    world.home.write("site/page.md", "one\n");
    let site = world.home.at("site");
    world.home.git(&site, ["init", "--quiet", "--initial-branch=main"]);
    world.home.git(&site, ["remote", "add", "origin", remote.to_str().expect("UTF-8")]);
    let sha = world.home.commit(&site, "one");
    world.home.git(&site, ["push", "--quiet", "origin", "main"]);
    world.home.git(&site, ["fetch", "--quiet", "origin"]);
    (world, sha)
}

fn ask(world: &World, more: &str) -> String {
    world.look(&format!("git = {{ repository = 'site'{more} }}"))
}

#[test]
fn what_a_repository_is_on() {
    let (world, sha) = world();
    let short = &sha[..8];
    for good in [
        "",
        ", branch = 'main'",
        ", clean = true",
        ", operation = 'none'",
        ", parity = 'origin/main'",
        ", parity = 'origin/main', remote = true",
        &format!(", head = '{short}'"),
    ] {
        assert_eq!(ask(&world, good), "pass", "{good}");
    }
    assert_eq!(
        ask(&world, ", branch = 'next'"),
        "fail: ~/site is on another branch; expected next; actual main"
    );
    assert_eq!(
        ask(&world, ", head = '00000000'"),
        format!("fail: ~/site is on another commit; expected 00000000; actual {sha}")
    );
    assert_eq!(ask(&world, ", parity = 'origin/next'"), "fail: there is no origin/next");
    assert_eq!(ask(&world, ", parity = 'origin/next', remote = true"), "fail: there is no origin/next");
    let site = world.home.at("site");
    fs::write(site.join("page.md"), "two\n").unwrap();
    let new = world.home.commit(&site, "two");
    assert_eq!(
        ask(&world, ", parity = 'origin/main'"),
        format!("fail: ~/site is not origin/main; expected {sha}; actual {new}")
    );
    fs::write(site.join(".git/MERGE_HEAD"), format!("{sha}\n")).unwrap();
    assert_eq!(
        ask(&world, ", operation = 'none'"),
        "fail: ~/site is in the middle of something; expected no operation; actual merge"
    );
    assert_eq!(world.nowhere("git = { repository = 'site' }"), "unknown: the test gave no `git`");
}

#[test]
fn clean_counts_what_git_does_not_track_unless_told() {
    let (world, _) = world();
    let site = world.home.at("site");
    fs::write(site.join("note.txt"), "mine\n").unwrap();
    assert_eq!(ask(&world, ", clean = true, untracked = false"), "pass");
    let told = ask(&world, ", clean = true");
    assert_eq!(told, "fail: ~/site is not clean; expected no changes; actual note.txt");
    fs::write(site.join("page.md"), "edited\n").unwrap();
    let told = ask(&world, ", clean = true, untracked = false");
    assert_eq!(told, "fail: ~/site is not clean; expected no changes; actual page.md");
    fs::write(site.join(".git/index"), "torn").unwrap();
    let told = ask(&world, ", clean = true");
    assert!(told.starts_with("unknown: cannot compare the files of ~/site"), "{told}");
}

#[test]
fn what_the_remote_says_is_asked_or_not_known() {
    let (mut world, _) = world();
    let site = world.home.at("site");
    let behind = world.home.at("other");
    world.home.git(world.home.path(), ["clone", "--quiet", "remote.git", "other"]);
    fs::write(behind.join("page.md"), "two\n").unwrap();
    world.home.commit(&behind, "two");
    world.home.git(&behind, ["push", "--quiet", "origin", "main"]);
    assert_eq!(ask(&world, ", parity = 'origin/main'"), "pass", "what was fetched last");
    let told = ask(&world, ", parity = 'origin/main', remote = true");
    assert!(told.starts_with("fail: ~/site is not origin/main; expected "), "{told}");
    world.home.git(&site, ["remote", "set-url", "origin", "http://127.0.0.1:9/none.git"]);
    let told = ask(&world, ", parity = 'origin/main', remote = true");
    assert!(told.starts_with("unknown: cannot ask origin: "), "{told}");
    world.limits.offline = true;
    let told = ask(&world, ", parity = 'origin/main', remote = true");
    assert_eq!(told, "skip: the remote is not asked with --offline");
    assert!(ask(&world, ", branch = 'x', parity = 'origin/main', remote = true").starts_with("fail"));
}

#[test]
fn what_is_no_repository_is_no_pass() {
    let (world, _) = world();
    world.home.write("plain/file", "");
    let told = |path: &str| world.look(&format!("git = {{ repository = '{path}' }}"));
    assert_eq!(told("absent"), "fail: ~/absent is not there");
    assert!(told("plain").starts_with("fail: ~/plain is no worktree of git; actual"), "{}", told("plain"));
    assert!(
        told("remote.git").starts_with("fail: ~/remote.git is no worktree of git"),
        "{}",
        told("remote.git")
    );
    fs::write(world.home.at("site/.git/HEAD"), "").unwrap();
    assert!(!told("site").starts_with("pass"), "{}", told("site"));
}

#[test]
fn a_hostile_repository_runs_nothing() {
    let (mut world, sha) = world();
    let site = world.home.at("site");
    let trap = world.home.program("trap", "#!/bin/sh\ntouch \"$(dirname \"$0\")/ran\"\ncat\n");
    let trap = trap.to_str().unwrap();
    for (key, value) in [
        ("core.fsmonitor", trap),
        ("core.hooksPath", world.home.path().to_str().unwrap()),
        ("filter.trap.clean", trap),
        ("filter.trap.smudge", trap),
        ("core.sshCommand", trap),
        ("core.pager", trap),
    ] {
        world.home.git(&site, ["config", key, value]);
    }
    fs::write(site.join(".git/info/attributes"), "*.md filter=trap\n").unwrap();
    fs::write(site.join("page.md"), "eno\n").unwrap();
    let _ = fs::remove_file(world.home.at("ran"));
    world.trust = Trust::Untrusted;
    assert_eq!(ask(&world, &format!(", branch = 'main', head = '{sha}', parity = 'origin/main'")), "pass");
    for more in [", clean = true", ", parity = 'origin/main', remote = true"] {
        let told = ask(&world, more);
        assert_eq!(told, "unknown: not trusted: git is not run before `housecall trust`", "{more}");
    }
    assert!(!world.home.at("ran").exists(), "nothing of the repository was run");
}

#[test]
fn what_makes_no_sense_is_told() {
    let world = World::new();
    for (more, told) in [
        (", remote = true", "`remote` is about `parity`"),
        (", untracked = false", "`untracked` is about `clean`"),
        (", head = 'main'", "`main` is no commit"),
        (", parity = 'main'", "`main` is no branch of a remote"),
        (", operation = 'merge'", "unknown variant `merge`"),
    ] {
        let mistakes = world.mistakes(&format!("git = {{ repository = 'site'{more} }}"));
        assert!(mistakes.contains(told), "{mistakes}");
    }
}
