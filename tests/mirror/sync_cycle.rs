//! The cycle itself: what it costs when nothing is to do, a remote that is away, many mirrors at once.
#![expect(clippy::disallowed_methods, reason = "tests make the world that the product looks at")]

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use housecall::commands::sync::{Synced, run_once, run_scheduled};
use housecall::fixes::hands::turns;
use housecall::probes::clock;
use housecall::probes::machine::Machine;
use housecall::probes::state::{LastSync, SyncStatus};
use jiff::tz::TimeZone;
use support::{Mirror, processes};

use crate::world::{World, age};

/// A git in front of the real one that writes down each call.
fn recording(world: &World) {
    let log = world.home.at("calls");
    let script = format!("#!/bin/sh\necho \"$*\" >>{}\nexec /usr/bin/git \"$@\"\n", log.display());
    let _ = world.home.program("bin/git", &script);
}

fn calls(world: &World) -> Vec<String> {
    let text = fs::read_to_string(world.home.at("calls")).unwrap_or_default();
    let verbs = ["fetch", "status", "rev-parse", "config", "rev-list", "for-each-ref"];
    let verb = |line: &str| line.split(' ').find(|word| verbs.contains(word)).unwrap_or(line).to_owned();
    let mut found: Vec<String> = text.lines().map(verb).collect();
    found.sort();
    found
}

fn events(world: &World) -> Vec<String> {
    let text = fs::read_to_string(world.config.state.join("events.log")).unwrap_or_default();
    let of_sync = text.lines().filter(|line| line.contains(" ev=sync "));
    of_sync.map(|line| line.split_once(' ').expect("a time").1.to_owned()).collect()
}

/// The remote goes away, where it cannot be reached.
fn unplug(world: &World) {
    let nowhere = format!("http://127.0.0.1:{}/site.git", support::servers::free_port());
    world.home.git(&world.repository(), ["remote", "set-url", "origin", &nowhere]);
}

fn plug_in(world: &World) {
    let remote = world.home.at("remote.git").display().to_string();
    world.home.git(&world.repository(), ["remote", "set-url", "origin", &remote]);
}

fn scheduled(world: &World) -> Synced {
    run_scheduled(&world.config, &world.machine, &mut |_| ())
}

fn written(world: &World) -> LastSync {
    serde_json::from_slice(&fs::read(world.config.sync_file()).expect("the state")).expect("its shape")
}

#[test]
fn with_nothing_to_do_it_fetches_once_looks_once_and_leaves_no_trace_in_the_journal() {
    let world = World::synced();
    assert_eq!(world.sync().status, SyncStatus::Noop);
    recording(&world);
    let journal = fs::read(world.config.journal_file()).expect("the journal");
    assert_eq!(world.sync().status, SyncStatus::Noop);
    assert_eq!(calls(&world), ["fetch", "status"]);
    assert_eq!(fs::read(world.config.journal_file()).expect("the journal"), journal);
    assert_eq!(events(&world).len(), 1, "of the first sync alone");
}

#[test]
fn that_nothing_has_changed_since_nothing_had_is_written_over_what_said_so() {
    let world = World::synced();
    let files = [world.config.sync_file(), world.config.last_sync_file()];
    let inodes = || files.each_ref().map(|file| fs::metadata(file).expect("the state").ino());
    let texts = || files.each_ref().map(|file| fs::read_to_string(file).expect("the state"));
    let updated = inodes();
    assert_eq!(world.sync().status, SyncStatus::Noop);
    let first = inodes();
    assert!(first.iter().zip(updated).all(|(now, before)| *now != before), "news is written beside it first");
    let before = texts();
    let last = world.sync();
    assert_eq!((last.status, inodes()), (SyncStatus::Noop, first));
    assert_eq!(texts().map(|text| text.len()), before.map(|text| text.len()));
    let said = written(&world);
    assert_eq!((said.at, said.contact, said.status), (last.at, last.contact, last.status));

    // What is also somewhere else is that one's own.
    let kept = world.home.at("kept");
    fs::hard_link(&files[0], &kept).expect("a second name");
    let text = fs::read(&kept).expect("the state");
    assert_eq!(world.sync().status, SyncStatus::Noop);
    assert_eq!(fs::read(&kept).expect("the old state"), text);
    assert_ne!(fs::read(&files[0]).expect("the state"), text);
}

#[test]
fn a_log_that_no_keeper_rotates_stays_bounded() {
    let world = World::synced();
    let log = world.config.log_file("sync");
    fs::write(&log, vec![b'-'; 6 << 20]).expect("a long log");
    assert_eq!(world.sync().status, SyncStatus::Noop);
    assert!(fs::read_to_string(&log).expect("the log").ends_with(" ms)\n"));
    assert!(fs::metadata(&log).expect("the log").len() < 1000);
    assert_eq!(fs::metadata(log.with_extension("log.1")).expect("the one before").len(), 6 << 20);
}

#[test]
fn the_time_for_scripts_is_that_of_this_machines_zone() {
    let now = clock::now();
    assert_eq!(clock::zone().to_offset(now), TimeZone::system().to_offset(now));
}

#[test]
fn files_as_new_as_the_index_are_not_read_again_and_again() {
    let world = World::synced();
    let (worktree, index) = (world.worktree(), world.repository().join(".git/worktrees/worktree/index"));
    // A checkout of a while ago, all in one second.
    let then = SystemTime::now() - Duration::from_hours(1);
    let set = |path: &Path| File::options().append(true).open(path).and_then(|it| it.set_modified(then));
    for file in ["index.html", "deep/page.html", ".gitignore"] {
        set(&worktree.join(file)).expect("a time");
    }
    world.home.git(&worktree, ["update-index", "--refresh"]);
    set(&index).expect("a time");

    assert_eq!(world.sync().status, SyncStatus::Noop);
    let settled = fs::metadata(&index).expect("the index").modified().expect("a time");
    assert!(settled > then, "git knows them now");
    assert_eq!(world.sync().status, SyncStatus::Noop);
    assert_eq!(fs::metadata(&index).expect("the index").modified().expect("a time"), settled);
}

#[test]
fn a_commit_that_comes_while_all_else_is_well_is_not_taken_for_nothing() {
    let world = World::synced();
    let journal = fs::read_to_string(world.config.journal_file()).expect("the journal");
    let _ = world.push("index.html", "two\n");
    assert_eq!(world.sync().status, SyncStatus::Updated);
    world.assert_aligned();
    let now = fs::read_to_string(world.config.journal_file()).expect("the journal");
    assert!(now.strip_prefix(&journal).expect("it only grows").contains("\"fetch\""), "{now}");
}

#[test]
fn a_remote_that_is_away_is_left_alone_longer_each_time_by_the_job_but_not_by_a_person() {
    let world = World::synced();
    unplug(&world);
    let mut pauses = Vec::new();
    for misses in 1..=8 {
        let last = world.sync();
        assert_eq!((last.status, last.misses), (SyncStatus::Stale, Some(misses)), "{}", last.reason);
        let pause = Duration::from_millis(last.pause_ms.expect("a pause"));
        let most = Duration::from_mins(1 << misses).min(Duration::from_mins(15));
        assert!(pause >= Duration::from_mins(1) && pause <= most, "{misses}: {pause:?}");
        pauses.push(pause);
    }
    pauses.dedup();
    assert!(pauses.len() > 4, "no two mirrors wait alike: {pauses:?}");
    recording(&world);
    let state = fs::read(world.config.sync_file()).expect("the state");
    let Synced::Away(why) = scheduled(&world) else { panic!("the job does not wait") };
    assert!(
        why.starts_with("origin was last reached ") && why.contains(" ago, and is asked again in "),
        "{why}"
    );
    assert!(calls(&world).is_empty(), "{:?}", calls(&world));
    assert_eq!(fs::read(world.config.sync_file()).expect("the state"), state, "nothing is written meanwhile");
    plug_in(&world);
    let last = world.sync();
    assert_eq!((last.status, last.misses, last.pause_ms), (SyncStatus::Noop, None, None));
    let told = events(&world);
    assert_eq!(told.len(), 3, "the first sync, the way there, and the way back: {told:?}");
    assert!(told[1].starts_with("ev=sync subject=origin/main outcome=stale "), "{told:?}");
    assert!(told[2].contains("outcome=noop reason=\"origin answers again\" age="), "{told:?}");
}

#[test]
fn after_a_sleep_a_change_of_the_clock_or_a_new_start_the_remote_is_asked_at_once() {
    let world = World::synced();
    unplug(&world);
    let stale = world.sync();
    let minute = Duration::from_mins(1);
    let slept = LastSync { at: stale.at - minute, pause_ms: Some(900_000), ..stale.clone() };
    let set_back = LastSync { at: stale.at + minute, pause_ms: Some(900_000), ..stale.clone() };
    let started = LastSync { boot: "another".to_owned(), pause_ms: Some(900_000), ..stale.clone() };
    for last in [slept, set_back, started] {
        let text = serde_json::to_vec(&last).expect("JSON");
        fs::write(world.config.sync_file(), text).expect("the state");
        let Synced::Ended(now, _) = scheduled(&world) else { panic!("it waits: {last:?}") };
        assert_eq!(now.status, SyncStatus::Stale);
    }
    assert!(matches!(scheduled(&world), Synced::Away(_)));
}

#[test]
fn a_state_of_the_version_before_is_read() {
    let world = World::synced();
    unplug(&world);
    let _ = world.sync();
    let mut value: serde_json::Value =
        serde_json::from_slice(&fs::read(world.config.sync_file()).expect("the state")).expect("JSON");
    let object = value.as_object_mut().expect("an object");
    let _ = (object.remove("misses"), object.remove("pause_ms"));
    fs::write(world.config.sync_file(), value.to_string()).expect("the state");
    assert!(matches!(scheduled(&world), Synced::Ended(_, _)), "it says nothing of a pause");
    assert_eq!(written(&world).misses, Some(1));
}

#[test]
fn many_mirrors_that_sync_at_once_take_turns_and_all_are_aligned() {
    let world = World::new();
    let spans = world.home.at("spans");
    let script = format!(
        "#!/bin/sh\ncase \" $* \" in *' fetch '*) ;; *) exec /usr/bin/git \"$@\" ;; esac\n\
         from=$(date +%s%N)\n/usr/bin/git \"$@\"\ncode=$?\necho \"$from $(date +%s%N)\" >>{}\nexit $code\n",
        spans.display()
    );
    let _ = world.home.program("bin/git", &script);
    let remote = world.home.at("remote.git").display().to_string();
    let mirrors: Vec<_> = (0..8)
        .map(|number| {
            let name = format!("site-{number}");
            world.home.git(&world.home.at("dev"), ["clone", "--quiet", &remote, &name]);
            let mut config = (*world.config).clone();
            let mut mirror = world.mirror().clone();
            mirror.repository = world.home.at("dev").join(&name);
            mirror.worktree = world.home.at(format!("ops-{number}/worktree"));
            config.state = world.home.at(format!("ops-{number}"));
            config.mirror = Some(Arc::new(mirror));
            Arc::new(config)
        })
        .collect();
    let parts: std::collections::BTreeSet<Duration> =
        mirrors.iter().map(|it| it.share_of(Duration::from_secs(2))).collect();
    assert_eq!(parts.len(), 8, "each has a time of its own: {parts:?}");
    assert_eq!(mirrors[3].share_of(Duration::from_mins(1)), mirrors[3].share_of(Duration::from_mins(1)));
    thread::scope(|scope| {
        let cycles: Vec<_> = mirrors
            .iter()
            .map(|config| scope.spawn(|| run_once(config, &Arc::new(Machine::default()), &mut |_| ())))
            .collect();
        for cycle in cycles {
            let came = cycle.join().expect("it ends");
            let Synced::Ended(last, _) = &came else { panic!("{came:?}") };
            assert_eq!(last.status, SyncStatus::Updated, "{}", last.reason);
        }
    });
    let text = fs::read_to_string(spans).expect("the fetches");
    let spans: Vec<(u64, u64)> = text
        .lines()
        .map(|line| line.split_once(' ').expect("two times"))
        .map(|(from, to)| (from.parse().expect("a time"), to.parse().expect("a time")))
        .collect();
    assert!(spans.len() >= 8, "{spans:?}");
    let at_once = |&(at, _): &(u64, u64)| spans.iter().filter(|&&(from, to)| from <= at && at < to).count();
    let most = spans.iter().map(at_once).max().expect("a fetch");
    assert!(most <= turns::AT_ONCE, "{most} at once: {spans:?}");
}

#[test]
fn a_stale_lock_of_the_tracking_ref_is_no_reason_to_say_that_nothing_was_needed() {
    let world = World::synced();
    let lock = world.repository().join(".git/refs/remotes/origin/main.lock");
    fs::write(&lock, "").expect("the lock");
    age(&lock);
    let _ = world.push("index.html", "two\n");
    assert_eq!(world.sync().status, SyncStatus::Updated);
    world.assert_aligned();
}

#[test]
fn nothing_was_needed_only_where_the_server_that_is_kept_answers() {
    let mirror = Mirror::fixed();
    mirror.configure("within = \"30s\"", "within = \"1s\"");
    let _ = mirror.run(&["up", "--detach"]).exits(0);
    let said = |code: i32| {
        let ran = mirror.run(&["--timeout", "1s", "sync"]).exits(code);
        format!("{}{}", ran.stdout, ran.stderr)
    };
    assert!(said(0).contains("noop"));
    let server = mirror.listener().expect("a server");
    processes::signal(server, "STOP");
    let first = said(1);
    assert!(first.contains("aligned, and not served (it accepts and does not answer)"), "{first}");
    assert_eq!(mirror.examine().status("sync-recent"), "pass");
    let second = said(0);
    assert!(
        second.contains("updated: ") && second.contains("the server was restarted, and answers again"),
        "{second}"
    );
    assert_ne!(mirror.listener(), Some(server));
    assert!(said(0).contains("noop"));
    let _ = mirror.run(&["down"]).exits(0);
    // Where nobody keeps a server, none is missed.
    assert!(said(0).contains("noop"));
}
