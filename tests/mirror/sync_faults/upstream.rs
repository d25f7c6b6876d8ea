//! What may happen at the remote and to its address: rewritten, deleted, renamed, away, behind a password.

use std::fs;

use housecall::probes::state::SyncStatus::{Failed, Noop, Stale};
use support::servers::Server;

use super::oracle::{Oracle, assert_kept, hasty, set_url};
use crate::world::World;

#[test]
fn main_that_is_deleted_and_made_again_with_another_history() {
    let world = World::synced();
    let oracle = Oracle::of(&world);
    let remote = world.home.at("remote.git");
    world.edit("index.html", "an edit\n");
    world.home.git(&remote, ["update-ref", "-d", "refs/heads/main"]);
    oracle.ends(&world, Failed, "origin has no branch `main`");
    let author = world.home.at("author");
    world.home.git(&author, ["checkout", "--quiet", "--orphan", "fresh"]);
    world.push("index.html", "from nothing\n");
    oracle.heals(&world);
    assert_kept(&world, "index.html", "an edit\n");
}

#[test]
fn a_default_branch_that_is_renamed_is_told_and_the_mirror_stays_as_it_is() {
    let world = World::synced();
    let oracle = Oracle::of(&world);
    let remote = world.home.at("remote.git");
    world.home.git(&remote, ["branch", "-m", "main", "trunk"]);
    let before = world.home.git(&world.worktree(), ["rev-parse", "HEAD"]);
    oracle.ends(&world, Failed, "origin has no branch `main`");
    assert_eq!(world.home.git(&world.worktree(), ["rev-parse", "HEAD"]), before);
    world.home.git(&remote, ["branch", "-m", "trunk", "main"]);
    oracle.goes_on(&world);
}

#[test]
fn what_a_person_commits_while_the_remote_is_away_is_kept() {
    let world = World::synced();
    let oracle = Oracle::of(&world);
    let (remote, elsewhere) = (world.home.at("remote.git"), world.home.at("elsewhere.git"));
    world.edit("own.txt", "a person's\n");
    world.home.commit(&world.worktree(), "A person's");
    fs::rename(&remote, &elsewhere).expect("away");
    for _ in 0..2 {
        assert_ne!(world.sync().status, Noop);
    }
    fs::rename(&elsewhere, &remote).expect("back");
    oracle.heals(&world);
    assert_kept(&world, "own.txt", "a person's\n");
}

#[test]
fn a_branch_beneath_the_name_of_main_is_no_main() {
    let world = World::synced();
    let oracle = Oracle::of(&world);
    let remote = world.home.at("remote.git");
    let sha = world.upstream();
    world.home.git(&remote, ["update-ref", "-d", "refs/heads/main"]);
    world.home.git(&remote, ["update-ref", "refs/heads/main/next", &sha]);
    oracle.ends(&world, Failed, "origin has no branch `main`");
    world.home.git(&remote, ["update-ref", "-d", "refs/heads/main/next"]);
    world.home.git(&remote, ["update-ref", "refs/heads/main", &sha]);
    oracle.goes_on(&world);
}

#[test]
fn history_that_is_rewritten_again_and_again_piles_nothing_up() {
    let world = World::synced();
    let oracle = Oracle::of(&world);
    for round in 0..4 {
        let author = world.home.at("author");
        world.home.git(&author, ["commit", "--quiet", "--amend", "--allow-empty", "-m", "again"]);
        world.push("index.html", &format!("{round}\n"));
        world.home.git(&author, ["reset", "--quiet", "--soft", "HEAD~1"]);
        oracle.heals(&world);
    }
    assert!(world.rescued().is_empty(), "{:?}", world.rescued());
}

#[test]
fn another_remote_of_the_same_name_is_followed() {
    let world = World::synced();
    let other = world.home.bare("other.git");
    let author = world.home.at("author");
    world.home.git(&author, ["checkout", "--quiet", "--orphan", "other"]);
    world.home.write("author/index.html", "another project\n");
    world.home.commit(&author, "another");
    world.home.git(&author, ["push", "--quiet", &other.display().to_string(), "HEAD:main"]);
    let sha = world.home.git(&other, ["rev-parse", "main"]);
    set_url(&world, &other.display().to_string());
    let oracle = Oracle::of(&world);
    assert_eq!(world.sync().sha, Some(sha));
    oracle.holds(&world);
}

/// Whatever git is configured to ask a person with leaves a mark when it is asked.
fn with_askers(world: &World) -> std::path::PathBuf {
    let mark = world.home.at("asked");
    let script = format!("#!/bin/sh\necho \"$@\" >> {}\nsleep 300\n", mark.display());
    let asker = world.home.program("bin/asker", &script).display().to_string();
    let repository = world.repository();
    world.home.git(&repository, ["config", "core.askPass", &asker]);
    mark
}

fn password_wanted() -> Server {
    Server::answering("127.0.0.1:0", |_, stream| {
        let answer = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\
                      Connection: close\r\n\r\n";
        let _ = std::io::Write::write_all(stream, answer.as_bytes());
    })
}

#[test]
fn a_password_is_never_asked_for() {
    let mut world = hasty();
    let server = password_wanted();
    set_url(&world, &format!("http://127.0.0.1:{}/site.git", server.port()));
    let mark = with_askers(&world);
    let asker = world.home.at("bin/asker").display().to_string();
    let config = std::sync::Arc::make_mut(&mut world.config);
    for name in ["GIT_ASKPASS", "SSH_ASKPASS"] {
        config.environment.insert(name.to_owned(), asker.clone());
    }
    Oracle::of(&world).ends(&world, Failed, "could not read Username");
    assert!(!mark.exists(), "{}", fs::read_to_string(&mark).unwrap_or_default());
}

#[test]
fn a_credential_helper_that_waits_for_a_person_is_ended() {
    let world = hasty();
    let server = password_wanted();
    set_url(&world, &format!("http://127.0.0.1:{}/site.git", server.port()));
    let helper = world.home.program("bin/waits", "#!/bin/sh\nsleep 300\n");
    world.home.git(&world.repository(), ["config", "credential.helper", &helper.display().to_string()]);
    Oracle::of(&world).ends(&world, Stale, "did not answer");
}

#[test]
fn a_wrong_password_is_told_and_is_in_no_message() {
    let world = hasty();
    let server = password_wanted();
    set_url(&world, &format!("http://ada:hunter2@127.0.0.1:{}/site.git", server.port()));
    let last = world.sync();
    assert_eq!(last.status, Failed, "{}", last.reason);
    assert!(last.reason.contains("Authentication failed") && !last.reason.contains("hunter2"));
    let written = fs::read_to_string(world.config.journal_file()).expect("the journal");
    assert!(!written.contains("hunter2"), "{written}");
}
