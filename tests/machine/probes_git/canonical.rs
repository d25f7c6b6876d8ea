//! The canonical repository.

use std::fs;

use housecall::config::Trust;
use housecall::error::ProbeError;
use housecall::probes::clock;
use housecall::probes::git::{self, Canonical};

use super::world::World;

#[test]
fn a_repository_is_described() {
    let world = World::new();
    let found = world.repository();
    assert_eq!(found.top, world.mirror.repository);
    assert_eq!(found.common_dir, world.mirror.repository.join(".git"));
    assert_eq!(found.remote_url.as_deref(), world.home.at("remote.git").to_str());
    assert_eq!(found.tracking.as_deref(), Some(world.sha.as_str()));
    assert_eq!(found.branch_worktree.as_ref(), Some(&world.mirror.worktree));
    let fetched = clock::now().duration_since(found.fetched.unwrap());
    assert!(fetched.as_secs() < 60, "{fetched}");
}

#[test]
fn an_untrusted_configuration_never_has_git_run() {
    let mut world = World::of(&["--object-format=sha256"]);
    world.config.trust = Trust::Untrusted;
    let refused = git::canonical(&world.machine, &world.config, &world.mirror);
    assert_eq!(refused, Err(ProbeError::NotTrusted { what: "git".to_owned() }));
    let mut plain = World::new();
    plain.config.trust = Trust::Untrusted;
    assert_eq!(plain.repository().top, plain.mirror.repository);
    assert_eq!(plain.remote(), Err(ProbeError::NotTrusted { what: "git".to_owned() }));
    let changes = git::changes(&plain.machine, &plain.config, &plain.checkout());
    assert_eq!(changes, Err(ProbeError::NotTrusted { what: "git".to_owned() }));
}

#[test]
fn a_bare_repository_will_do() {
    let mut world = World::without_worktree(&[]);
    world.mirror.repository = world.home.at("remote.git");
    let found = world.repository();
    assert_eq!(found.top, world.mirror.repository);
    assert_eq!((found.remote_url, found.tracking, found.branch_worktree), (None, None, None));
}

#[test]
fn nothing_a_file_an_empty_directory_and_a_folder_within_are_no_repositories() {
    let mut world = World::without_worktree(&[]);
    let mut at = |path: &str| {
        world.mirror.repository = world.home.at(path);
        world.canonical()
    };
    assert_eq!(at("dev/nothing"), Canonical::Absent);
    assert_eq!(at("dev/site/page.md/deeper"), Canonical::Absent);
    assert_eq!(at("dev/site/page.md"), Canonical::NotGit("it is a file".to_owned()));
    fs::create_dir_all(world.home.at("empty")).unwrap();
    world.mirror.repository = world.home.at("empty");
    assert_eq!(world.canonical(), Canonical::NotGit("it is an empty directory".to_owned()));
    world.home.write("dev/site/docs/a.md", "a");
    world.mirror.repository = world.home.at("dev/site/docs");
    let top = world.home.at("dev/site");
    let within = format!("it lies inside the repository {} and is none itself", top.display());
    assert_eq!(world.canonical(), Canonical::NotGit(within));
}

#[test]
fn a_volume_that_is_not_mounted_is_told_apart() {
    let mut world = World::without_worktree(&[]);
    world.mirror.repository = "/media/housecall-no-such-volume/dev/site".into();
    if fs::metadata("/media").is_ok() {
        assert_eq!(world.canonical(), Canonical::Unmounted("/media/housecall-no-such-volume".into()));
    }
}

#[test]
fn credentials_in_the_remotes_address_are_not_kept() {
    let world = World::new();
    world.set_remote("https://ada:secret@example.org/site.git");
    assert_eq!(world.repository().remote_url.as_deref(), Some("https://example.org/site.git"));
    world.set_remote("https://example.org/site.git?private_token=secret");
    assert_eq!(world.repository().remote_url.as_deref(), Some("https://example.org/site.git?…"));
}

#[test]
fn a_repository_of_another_user_is_said_to_be_so_in_gits_words() {
    if fs::metadata("/proc/self").is_ok_and(|it| std::os::unix::fs::MetadataExt::uid(&it) != 0) {
        return;
    }
    let world = World::new();
    std::os::unix::fs::chown(&world.mirror.repository, Some(1234), Some(1234)).unwrap();
    std::os::unix::fs::chown(world.mirror.repository.join(".git"), Some(1234), Some(1234)).unwrap();
    let Canonical::NotGit(why) = world.canonical() else { panic!("it was taken for a repository") };
    assert!(why.contains("dubious ownership"), "{why}");
}

#[test]
fn a_fetch_head_of_another_branch_says_nothing() {
    let world = World::new();
    let old = jiff::Timestamp::from_second(1_000_000_000).unwrap();
    let git = world.mirror.repository.join(".git");
    for file in ["refs/remotes/origin/main", "logs/refs/remotes/origin/main", "FETCH_HEAD"] {
        let file = fs::File::options().append(true).open(git.join(file)).unwrap();
        file.set_modified(old.into()).unwrap();
    }
    assert_eq!(world.repository().fetched, Some(old));
    let url = world.home.at("remote.git");
    fs::write(git.join("FETCH_HEAD"), format!("{}\t\tbranch 'other' of {}\n", world.sha, url.display()))
        .unwrap();
    assert_eq!(world.repository().fetched, Some(old));
    world.home.git(
        &world.mirror.worktree,
        ["fetch", "--quiet", "origin", "+refs/heads/main:refs/remotes/origin/main"],
    );
    assert_ne!(world.repository().fetched, Some(old));
}
