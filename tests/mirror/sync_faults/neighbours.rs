//! Others at work in the canonical repository meanwhile: gits of a person's, another cycle, hooks of theirs.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use housecall::probes::state::SyncStatus::{Failed, Stale, Updated};
use support::processes::{Kept, eventually, signal};

use super::oracle::{Oracle, assert_tidy};
use crate::world::{World, child, walk};

/// A git of a person's, again and again, until it is dropped.
fn again_and_again(world: &World, script: &str) -> Kept {
    let mut command = world.home.command("sh");
    command.args(["-c", &format!("while :; do {script}; done")]).current_dir(world.repository());
    Kept::start(command.env("HOME", "/nonexistent").stdout(Stdio::null()).stderr(Stdio::null()))
}

#[test]
fn a_gc_a_fetch_and_a_commit_in_the_repository_meanwhile_lose_nothing_on_either_side() {
    let world = World::synced();
    let scripts = [
        "git gc --quiet",
        "git fetch --quiet origin",
        "echo x >> theirs.txt; git add theirs.txt; git -c user.name=P -c user.email=p@x commit --quiet -m theirs",
        "git pack-refs --all; git repack -q -a -d",
    ];
    for (round, script) in scripts.into_iter().enumerate() {
        let neighbour = again_and_again(&world, script);
        for push in 0..3 {
            world.edit("note.txt", &format!("{round}.{push}\n"));
            world.push("index.html", &format!("{round}.{push}\n"));
            let mut last = world.sync();
            // Their git took away what ours was about to use: the cycle says so, and a later one does it.
            for _ in 0..3 {
                if last.status == Failed {
                    last = world.sync();
                }
            }
            assert_ne!(last.status, Failed, "{script}: {}", last.reason);
        }
        let group = started_by(&neighbour);
        drop(neighbour);
        eventually(Duration::from_secs(5), || {
            !group.iter().any(|pid| support::processes::read(*pid).is_some())
        });
    }
    world.sync();
    world.assert_aligned();
    let mine: Vec<String> = (0..12).map(|it| format!("{}.{}", it / 3, it % 3)).collect();
    let kept: Vec<String> = world
        .rescued()
        .iter()
        .map(|name| world.home.git(&world.repository(), ["show", &format!("{name}:note.txt")]))
        .collect();
    assert!(mine.iter().all(|note| kept.contains(note)), "{kept:?}");
    world.home.git(&world.repository(), ["fsck", "--connectivity-only", "--no-dangling"]);
    let theirs = fs::read_to_string(world.repository().join("theirs.txt")).expect("their file");
    let commits = world.home.git(&world.repository(), ["log", "--format=%s", "main"]);
    let committed = commits.lines().filter(|it| *it == "theirs").count();
    assert!(theirs.lines().count() - committed <= 1, "each line of theirs but the last is committed");
}

/// The gits that a neighbour started and that may outlive it for a moment.
fn started_by(neighbour: &Kept) -> Vec<u32> {
    let path = format!("/proc/{0}/task/{0}/children", neighbour.pid());
    fs::read_to_string(path).unwrap_or_default().split_whitespace().filter_map(|it| it.parse().ok()).collect()
}

#[test]
fn of_five_cycles_at_once_each_ends_and_nothing_is_in_anothers_way() {
    let world = World::synced();
    let oracle = Oracle::of(&world);
    world.push("index.html", "two\n");
    let others: Vec<Kept> = (0..4)
        .map(|_| Kept::start(&mut child(world.home.path(), "sync_faults::neighbours::one_sync_in_a_child")))
        .collect();
    let here = world.sync();
    assert_ne!(here.status, Failed, "{}", here.reason);
    for mut other in others {
        assert!(other.0.wait().expect("it ends").success());
    }
    world.assert_aligned();
    oracle.holds(&world);
}

/// Not a test of its own: what [`child`] runs.
#[test]
fn one_sync_in_a_child() {
    let Some(home) = std::env::var_os("HOUSECALL_TEST_HOME") else { return };
    let config = std::sync::Arc::new(crate::world::config(home.as_ref()));
    match housecall::commands::sync::run_once(&config, &std::sync::Arc::default(), &mut |_| ()) {
        housecall::commands::sync::Synced::Ended(last, _) => {
            assert_ne!(last.status, Failed, "{}", last.reason);
        }
        other => panic!("{other:?}"),
    }
}

/// Hooks that leave a mark, or worse.
const HOOKS: [&str; 8] = [
    "post-checkout",
    "pre-commit",
    "post-merge",
    "reference-transaction",
    "post-index-change",
    "pre-auto-gc",
    "post-rewrite",
    "prepare-commit-msg",
];

#[test]
fn hooks_of_the_repository_are_not_run_wherever_they_are() {
    for place in [".git/hooks", ".husky", "global"] {
        let world = World::synced();
        world.push("index.html", "two\n");
        let mark = world.home.at("marked");
        let directory =
            if place == "global" { world.home.at("hooks") } else { world.repository().join(place) };
        fs::create_dir_all(&directory).expect("a folder");
        let relative = directory.strip_prefix(world.home.path()).expect("in the home").to_owned();
        for hook in HOOKS {
            let script = format!("#!/bin/sh\necho {hook} >> {}\nexit 1\n", mark.display());
            world.home.program(relative.join(hook), &script);
        }
        let monitor =
            world.home.program("bin/monitor", &format!("#!/bin/sh\necho fs >> {}\n", mark.display()));
        let set = |file: &str, key: &str, value: &str| {
            world.home.git(&world.repository(), ["config", file, key, value]);
        };
        match place {
            ".husky" => set("--local", "core.hooksPath", ".husky"),
            "global" => set("--global", "core.hooksPath", &directory.display().to_string()),
            _ => {}
        }
        set("--local", "core.fsmonitor", &monitor.display().to_string());
        let oracle = Oracle::of(&world);
        world.edit("note.txt", "a person's\n");
        let aligned = world.sync();
        fs::remove_dir_all(world.worktree()).expect("deleted");
        let made = world.sync();
        // Before any git of the test's own is run, which does run them.
        let ran = fs::read_to_string(&mark).unwrap_or_default();
        assert_eq!(ran, "", "{place}");
        assert_eq!((aligned.status, made.status), (Updated, Updated), "{} {}", aligned.reason, made.reason);
        oracle.holds(&world);
    }
}

#[test]
fn a_sync_that_a_hook_of_a_persons_starts_minds_its_own_repository() {
    let mut world = World::synced();
    let oracle = Oracle::of(&world);
    let git = world.repository().join(".git");
    let config = std::sync::Arc::make_mut(&mut world.config);
    for (name, value) in [
        ("GIT_DIR", git.display().to_string()),
        ("GIT_INDEX_FILE", git.join("index").display().to_string()),
        ("GIT_WORK_TREE", git.parent().expect("its top").display().to_string()),
        ("GIT_OBJECT_DIRECTORY", "/nonexistent".to_owned()),
        ("GIT_COMMON_DIR", "/nonexistent".to_owned()),
        ("GIT_NAMESPACE", "other".to_owned()),
        ("GIT_CEILING_DIRECTORIES", "/".to_owned()),
        ("GIT_QUARANTINE_PATH", "/nonexistent".to_owned()),
        ("GIT_CONFIG_COUNT", "1".to_owned()),
        ("GIT_CONFIG_KEY_0", "core.bare".to_owned()),
        ("GIT_CONFIG_VALUE_0", "true".to_owned()),
        ("GIT_CONFIG_PARAMETERS", "'core.bare'='true'".to_owned()),
        ("GIT_TRACE", "1".to_owned()),
        ("GIT_LITERAL_PATHSPECS", "0".to_owned()),
        ("GIT_PREFIX", "deep/".to_owned()),
        ("LC_ALL", "fr_FR.UTF-8".to_owned()),
    ] {
        config.environment.insert(name.to_owned(), value);
    }
    world.edit("note.txt", "a person's\n");
    world.push("index.html", "two\n");
    oracle.heals(&world);
    assert_eq!(world.rescued_file("note.txt"), "a person's");
}

#[test]
fn an_editor_that_writes_all_the_time_delays_the_mirror_and_loses_nothing() {
    let world = World::synced();
    let (log, count) = (world.worktree().join("log.txt"), world.home.at("count"));
    // What was counted was written before.
    let script = format!(
        "n=$((n+1)); echo line-$n. >> {}; echo $n > {1}.new; mv {1}.new {1}; sleep 0.01",
        log.display(),
        count.display()
    );
    let mut writer = world.home.command("sh");
    writer.args(["-c", &format!("while :; do {script}; done")]).env("HOME", "/nonexistent");
    let writer = Kept::start(&mut writer);
    world.push("index.html", "two\n");
    let last = world.sync();
    assert!(!last.reason.is_empty());
    drop(writer);
    let last = world.sync();
    assert_ne!(last.status, Failed, "{}", last.reason);
    world.assert_aligned();
    let written: u32 = fs::read_to_string(&count).expect("a count").trim().parse().expect("a number");
    let mut kept = String::new();
    for name in world.rescued() {
        kept.push_str(&world.home.git(&world.repository(), ["show", &format!("{name}:log.txt")]));
    }
    for path in walk(&world.config.state.join("rescued")) {
        kept.push_str(&String::from_utf8_lossy(&fs::read(path).unwrap_or_default()));
    }
    let nowhere: Vec<u32> = (1..=written).filter(|line| !kept.contains(&format!("line-{line}."))).collect();
    assert!(nowhere.is_empty(), "of {written} lines these are nowhere: {nowhere:?}");
    assert_tidy(&world);
}

/// A git of a person's that is at work in that repository and has nothing of it open, as one that packs has none open
/// between a pack and its index.
fn at_work(world: &World, place: &str) -> Kept {
    let git = world.repository().join(".git");
    let mut command = world.home.command("sh");
    command.args(["-c", "sleep 600 | git cat-file --batch & wait"]).env("HOME", "/nonexistent");
    match place {
        "here" => command.current_dir(world.repository()),
        "beside" => {
            world.home.git(&world.repository(), ["worktree", "add", "--quiet", "--detach", "../beside"]);
            command.current_dir(world.home.at("dev/beside"))
        }
        _ => command.current_dir("/").env("GIT_DIR", git),
    };
    Kept::start(command.stdout(Stdio::null()).stderr(Stdio::null()))
}

#[test]
fn unfinished_files_of_a_git_at_work_are_left_alone_and_removed_when_it_is_gone() {
    for place in ["here", "beside", "elsewhere"] {
        let world = World::synced();
        let neighbour = at_work(&world, place);
        let is_git =
            |pid: &u32| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|it| it == "git\n");
        let began = eventually(support::processes::HANG, || started_by(&neighbour).iter().any(is_git));
        assert!(began, "it is at work");
        let oracle = Oracle::of(&world);
        let pack = world.repository().join(".git/objects/pack/tmp_pack_theirs");
        fs::create_dir_all(pack.parent().expect("a folder")).expect("the folder");
        fs::write(&pack, "theirs").expect("a pack");
        let later = std::time::SystemTime::now() + Duration::from_mins(1);
        fs::File::options().write(true).open(&pack).expect("it").set_modified(later).expect("its time");
        super::oracle::set_url(&world, "http://127.0.0.1:9/x.git");
        assert_eq!(world.sync().status, Stale);
        assert!(pack.exists(), "{place}: their pack is gone");
        let group = started_by(&neighbour);
        drop(neighbour);
        for pid in &group {
            signal(*pid, "KILL");
        }
        let ended = || !group.iter().any(|pid| support::processes::read(*pid).is_some());
        assert!(eventually(support::processes::HANG, ended), "it ended");
        super::oracle::set_url(&world, &world.home.at("remote.git").display().to_string());
        oracle.goes_on(&world);
    }
}
