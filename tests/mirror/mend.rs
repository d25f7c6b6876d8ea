//! Mending as such: consent, the lock, the journal, guards, and an honest ending.
#![expect(clippy::disallowed_methods, reason = "tests make the world that the product looks at")]

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use housecall::config::{Config, Trust};
use housecall::fixes::events::{self, Decision};
use housecall::fixes::hands::{Hands, process};
use housecall::fixes::journal::Entry;
use housecall::fixes::lock::{Lock, NotTaken};
use housecall::fixes::mend::{Company, Request, mend};
use housecall::fixes::{
    Action, Consent, Guard, Mended, OnFailure, RepairResult, Safety, Step, StepResult, sync,
};
use housecall::probes::{processes, state};
use housecall::selection::{Selection, Wanted};
use support::processes::{HANG, Kept, eventually};

use crate::world::{self, World, child};

const GROUPS: [&str; 4] = ["repository", "worktree", "sync", "state-file"];

fn mended_of(
    world: &World,
    config: &Arc<Config>,
    consent: Consent,
    ask: &mut dyn FnMut() -> bool,
) -> Result<Mended, NotTaken> {
    let only = GROUPS.map(str::to_owned).to_vec();
    let selection = Selection::new(config, &Wanted { only, skip: Vec::new() }).expect("units");
    let wait = Duration::ZERO;
    let request =
        Request { config, machine: &world.machine, selection: &selection, consent, doing: "fix", wait };
    mend(request, &mut Company { ask: &mut |_, _| ask(), on_event: &mut |_| () })
}

#[track_caller]
fn mended(world: &World, consent: Consent) -> Mended {
    mended_of(world, &world.config, consent, &mut || false).expect("nobody else is at work")
}

fn results(mended: &Mended) -> Vec<(&str, RepairResult)> {
    mended.repairs.iter().map(|repair| (repair.fix.id(), repair.result)).collect()
}

fn failing(mended: &Mended) -> Vec<String> {
    mended.after.iter().filter(|it| it.outcome.saw_failure()).map(|it| it.unit.id.to_string()).collect()
}

fn journal(config: &Config) -> Vec<Entry> {
    let text = fs::read_to_string(config.journal_file()).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("an entry")).collect()
}

#[test]
fn a_dry_run_shows_what_is_known_names_what_depends_on_it_and_changes_nothing() {
    let world = World::new();
    let before = world.canonical();
    let shown = mended(&world, Consent::DryRun);
    assert_eq!(results(&shown), [("sync", RepairResult::Proposed)]);
    let steps: Vec<&str> = shown.repairs[0].steps.iter().map(|step| step.action.name()).collect();
    assert_eq!(steps, ["add-worktree"]);
    assert_eq!(shown.repairs[0].later, None, "nothing is carried, installed or served here");
    assert_eq!(before, world.canonical());
    assert!(!world.config.state.exists(), "not even the state directory is made");

    let world = World::synced();
    world.push("index.html", "two\n");
    world.edit("index.html", "an edit\n");
    let shown = mended(&world, Consent::DryRun);
    assert_eq!(shown.repairs[0].steps[0].action, Action::Fetch);
    assert!(shown.repairs[0].later.as_ref().expect("more").starts_with("after the fetch: set aside, align"));
    assert_eq!(fs::read_to_string(world.worktree().join("index.html")).expect("a page"), "an edit\n");
}

#[test]
fn a_mend_ends_verified_and_its_journal_tells_each_step_before_and_after() {
    let world = World::synced();
    world.push("index.html", "two\n");
    world.edit("index.html", "an edit\n");
    let mended = mended(&world, Consent::Safe);
    assert_eq!(results(&mended), [("sync", RepairResult::Verified)]);
    assert!(failing(&mended).is_empty(), "{:?}", failing(&mended));
    let aligned = state::read(&world.config).expect("its state").last_sync.expect("it was synced").at;
    assert!(mended.at > aligned, "{} is told against {}", aligned, mended.at);
    assert!(mended.before.iter().any(|it| it.outcome.saw_failure()));
    world.assert_aligned();
    let told: Vec<(String, String)> =
        journal(&world.config).into_iter().map(|entry| (entry.action, entry.result)).collect();
    let told: Vec<String> = told.iter().map(|(action, result)| format!("{action} {result}")).collect();
    let of_mend = told.rsplit(|it| it == "record done").nth(1).expect("what came after the first sync");
    assert_eq!(
        of_mend,
        [
            "fetch begins",
            "fetch done",
            "set-aside begins",
            "set-aside done",
            "align begins",
            "align done",
            "record begins"
        ]
    );
}

#[test]
fn a_risky_round_is_only_proposed_until_it_is_allowed_and_the_lock_is_free_meanwhile() {
    let world = World::new();
    world.home.git(world.home.path(), ["clone", "--quiet", "remote.git", "ops/worktree"]);
    world.edit("work.txt", "a person's\n");
    let shown = mended(&world, Consent::Safe);
    assert_eq!(results(&shown), [("sync", RepairResult::Proposed)]);
    assert_eq!(shown.repairs[0].safety, Safety::Risky);
    assert!(world.worktree().join("work.txt").exists());

    let refused = mended(&world, Consent::Risky);
    assert_eq!(results(&refused), [("sync", RepairResult::Proposed)]);
    assert!(world.worktree().join("work.txt").exists());

    let mut asked = 0;
    let done = mended_of(&world, &world.config, Consent::Risky, &mut || {
        asked += 1;
        let free = Lock::take(&world.config, "fix", Duration::ZERO, &mut |_| ());
        assert!(free.is_ok(), "nobody holds the lock while a question waits");
        true
    });
    let done = done.expect("nobody else is at work");
    assert_eq!(asked, 1);
    assert_eq!(results(&done), [("sync", RepairResult::Verified)], "{:?}", done.repairs[0].reason);
    world.assert_aligned();
    let kept = world::walk(&world.config.state).into_iter().any(|it| {
        it.ends_with("work.txt")
            && it.components().any(|part| part.as_os_str().to_string_lossy().contains("aside"))
    });
    assert!(kept, "what was there is kept beside");
}

#[test]
fn an_answer_holds_only_for_the_plan_that_was_shown() {
    let world = World::new();
    world.home.git(world.home.path(), ["clone", "--quiet", "remote.git", "ops/worktree"]);
    let worktree = world.worktree();
    let done = mended_of(&world, &world.config, Consent::Risky, &mut || {
        // While the question waits the person takes it away: nothing risky is left to do.
        fs::rename(&worktree, worktree.with_file_name("elsewhere")).expect("moved");
        true
    });
    let done = done.expect("nobody else is at work");
    assert!(done.repairs[0].steps.iter().all(|step| !matches!(step.action, Action::MoveAside(_))));
    world.assert_aligned();
}

#[test]
fn without_a_journal_nothing_is_done() {
    let world = World::synced();
    world.edit("index.html", "an edit\n");
    fs::remove_file(world.config.journal_file()).expect("removed");
    fs::create_dir(world.config.journal_file()).expect("in its place");
    let mended = mended(&world, Consent::Safe);
    let sync = mended.repairs.iter().find(|repair| repair.fix.id() == "sync").expect("a repair");
    assert_eq!(sync.result, RepairResult::Refused);
    assert!(sync.reason.as_ref().expect("why").contains("journal"));
    assert_eq!(fs::read_to_string(world.worktree().join("index.html")).expect("a page"), "an edit\n");
}

#[test]
fn a_torn_state_file_is_moved_aside_and_then_written_anew() {
    let world = World::synced();
    fs::write(world.config.sync_file(), "{\"schema\": 1, \"at\"").expect("torn");
    let mended = mended(&world, Consent::Safe);
    assert!(failing(&mended).is_empty(), "{:?} {:?}", failing(&mended), results(&mended));
    let aside = world::walk(&world.config.state)
        .into_iter()
        .find(|it| it.file_name().is_some_and(|name| name.to_string_lossy().starts_with("sync.json.aside-")));
    assert!(aside.is_some(), "it is kept");
    assert!(state::read(&world.config).expect("the state").last_sync.is_some());
}

#[test]
fn foreign_and_newer_state_files_are_told_and_left_to_the_person() {
    let world = World::synced();
    for content in ["{\"schema\": 99}", "{\"something\": \"else\"}"] {
        fs::write(world.config.sync_file(), content).expect("written");
        let found = state::read(&world.config).expect("the state");
        assert_eq!(found.bad.len(), 1, "{content}");
        assert!(found.last_sync.is_none());
        let mended = mended(&world, Consent::Safe);
        assert!(
            mended.repairs.iter().any(|it| it.fix.id() == "state" && it.result == RepairResult::Proposed)
        );
        assert_eq!(fs::read_to_string(world.config.sync_file()).expect("still there"), content);
    }
    fs::remove_file(world.config.sync_file()).expect("removed");
    std::os::unix::fs::symlink("elsewhere", world.config.sync_file()).expect("a link");
    assert!(state::read(&world.config).expect("the state").bad[0].1.why.contains("link"));
}

#[test]
fn a_second_mend_is_busy_and_is_told_by_whom_and_a_dead_holder_holds_nothing() {
    let world = World::synced();
    let held = Lock::take(&world.config, "sync", Duration::ZERO, &mut |_| ()).expect("free");
    let holder = state::read(&world.config).expect("the state").holder.expect("a holder");
    assert_eq!((holder.pid, holder.doing.as_str()), (std::process::id(), "sync"));
    match mended_of(&world, &world.config, Consent::Safe, &mut || false) {
        Err(NotTaken::Busy(Some(holder))) => assert_eq!(holder.pid, std::process::id()),
        other => panic!("busy is expected: {other:?}"),
    }
    drop(held);
    assert_eq!(state::read(&world.config).expect("the state").holder, None);

    let mut dead = Kept::start(&mut child(world.home.path(), "mend::hold_the_lock_in_a_child"));
    let is_held = || state::read(&world.config).expect("the state").holder.is_some();
    assert!(eventually(HANG, is_held), "the child takes the lock");
    dead.0.kill().expect("killed");
    dead.0.wait().expect("ended");
    assert_eq!(
        state::read(&world.config).expect("the state").holder,
        None,
        "its words are left, its lock is not"
    );
    assert!(Lock::take(&world.config, "fix", Duration::ZERO, &mut |_| ()).is_ok());
}

#[test]
fn a_lock_whose_file_was_taken_away_is_not_mistaken_for_the_mirrors() {
    let world = World::synced();
    let held = Lock::take(&world.config, "sync", Duration::ZERO, &mut |_| ()).expect("free");
    let config = Arc::clone(&world.config);
    let waiting = std::thread::spawn(move || {
        let lock = Lock::take(&config, "fix", Duration::from_secs(10), &mut |_| ()).expect("taken");
        let second = Lock::take(&config, "fix", Duration::ZERO, &mut |_| ());
        assert!(matches!(second, Err(NotTaken::Busy(_))), "one holds it: {second:?}");
        drop(lock);
    });
    std::thread::sleep(Duration::from_millis(200));
    fs::remove_file(world.config.lock_file()).expect("removed");
    drop(held);
    waiting.join().expect("the second one gets the lock that is there");
}

/// Not a test of its own: what [`child`] runs.
#[test]
fn hold_the_lock_in_a_child() {
    let Some(home) = std::env::var_os("HOUSECALL_TEST_HOME") else { return };
    let _lock = Lock::take(&world::config(home.as_ref()), "sync", Duration::ZERO, &mut |_| ());
    std::thread::sleep(Duration::from_mins(1));
}

#[test]
fn looking_at_the_lock_never_keeps_a_mend_from_it() {
    let world = World::synced();
    drop(Lock::take(&world.config, "fix", Duration::ZERO, &mut |_| ()).expect("free"));
    fs::write(world.config.lock_file(), "{\"pid\":1,\"doing\":\"sync\",\"since\":\"2026-01-01T00:00:00Z\"}")
        .expect("a dead one's words");
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let look = || {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                state::read(&world.config).expect("the state");
            }
        };
        scope.spawn(look);
        for _ in 0..20 {
            let taken = Lock::take(&world.config, "fix", Duration::ZERO, &mut |_| ());
            assert!(taken.is_ok(), "{taken:?}");
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn a_stopped_or_untrusted_mirror_is_not_mended_and_the_reason_is_told() {
    let world = World::synced();
    world.edit("index.html", "an edit\n");
    fs::write(world.config.stop_file(), "").expect("the mark");
    let stopped = mended(&world, Consent::Risky);
    assert!(stopped.repairs.iter().all(|repair| repair.result == RepairResult::Refused));
    assert!(stopped.repairs[0].reason.as_ref().expect("why").contains("stopped"));
    fs::remove_file(world.config.stop_file()).expect("removed");
    let mut config = (*world.config).clone();
    config.trust = Trust::Untrusted;
    let untrusted = mended_of(&world, &Arc::new(config), Consent::Risky, &mut || true).expect("nobody else");
    assert!(untrusted.repairs.iter().all(|repair| repair.result == RepairResult::Refused));
    assert_eq!(fs::read_to_string(world.worktree().join("index.html")).expect("a page"), "an edit\n");
}

#[test]
fn a_step_is_refused_when_the_world_is_no_longer_what_it_was_planned_for() {
    let world = World::synced();
    let file = world.home.write("ops/file.json", "{}");
    let step =
        |action, guard| Step { action, safety: Safety::Safe, guard, on_failure: OnFailure::Keep, undo: None };
    let lock = Lock::take(&world.config, "fix", Duration::ZERO, &mut |_| ()).expect("free");
    let mut hands = Hands::new(&world.config, &world.machine, &lock).expect("hands");
    let mut refused = |step: &Step| {
        let report = hands.apply(sync::FIX.id, step, &mut |_| ());
        assert!(matches!(report.result, StepResult::Refused(_)), "{:?}", report.result);
    };
    let same = Guard::same_file(&file);
    fs::write(&file, "{\"a\": 1}").expect("changed");
    refused(&step(Action::MoveAside(file.clone()), same));
    refused(&step(Action::AddWorktree, Guard::Vacant(world.worktree())));
    refused(&step(
        Action::StopProcess { pid: 1, identity: 7 },
        Guard::SameProcess { pid: std::process::id(), identity: 7 },
    ));
    fs::remove_file(world.worktree().join(".git")).expect("removed");
    world.home.git(world.home.path(), ["init", "--quiet"]);
    refused(&step(Action::Align(world.upstream()), Guard::OwnWorktree));
    assert!(file.exists() && world.worktree().join("index.html").exists());
}

#[test]
fn a_process_is_stopped_only_if_it_is_the_one_that_was_looked_at_and_never_an_ancestor() {
    let mut sleep = std::process::Command::new("sh");
    // Deaf to SIGTERM, so that only a SIGKILL ends it.
    let mut process = Kept::start(sleep.args(["-c", "trap '' TERM; while :; do sleep 0.1; done"]));
    let pid = process.pid();
    let identity = processes::read(pid).expect("readable").expect("alive").identity;
    assert!(process::stop(pid, identity + 1).is_err(), "another process of that id is not hit");
    assert!(process.alive());
    process::stop(pid, identity).expect("stopped");
    assert!(!process.alive());
    let own = std::process::id();
    let identity = processes::read(own).expect("readable").expect("alive").identity;
    assert!(process::stop(own, identity).is_err(), "never ourselves");
}

#[test]
fn events_are_logfmt_with_the_time_first_and_nothing_absent() {
    let decision = Decision {
        ev: "mend",
        subject: Some("sync"),
        outcome: Some("failed"),
        reason: Some("cannot reach \"x\"\nat all"),
        ..Decision::default()
    };
    assert_eq!(
        events::line("2026-03-16T20:29:43.123Z", &decision),
        "ts=2026-03-16T20:29:43.123Z ev=mend subject=sync outcome=failed reason=\"cannot reach \\\"x\\\"\\nat all\"\n"
    );
}
