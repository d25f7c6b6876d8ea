//! One round of a kill: a state, a cycle that is killed in act, the next one, and what the oracle says.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::processes::{Kept, signal};

use crate::chance::Chance;
use crate::oracle::{self, Canonical};
use crate::programs;
use crate::states::{self, State};
use crate::tally::Tally;
use crate::world::World;

/// When a cycle is killed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Aim {
    /// At a call of git's in that step, before or after it is made.
    Call(&'static str),
    /// In the middle of git: in a filter of `add` or of a checkout, in that step.
    Filter(&'static str),
    /// In the middle of what the remote sends.
    Pack,
    /// In the middle of an installer or a builder.
    Program(&'static str),
    /// As soon as the journal says that this step begins, or a little later.
    Begun(&'static str),
    /// At any moment.
    Any,
}

/// What befalls a cycle here.
const KILLED: &str = "killed";
/// Where it is while it only looks.
const BETWEEN: &str = "between steps";
/// The steps at which git is called.
const CALLING: [&str; 5] = ["fetch", "set-aside", "align", "add-worktree", "relink"];
/// Those in which files go through filters.
const FILTERING: [&str; 3] = ["set-aside", "align", "add-worktree"];
/// Those that a cycle of the embedded manager has.
pub(crate) const STEPS: [&str; 11] = [
    "fetch",
    "set-aside",
    "align",
    "add-worktree",
    "relink",
    "carry",
    "record",
    "remove-lock",
    "move-aside",
    "install",
    "build",
];

impl Aim {
    pub(crate) fn at_git(chance: &mut Chance) -> Self {
        Self::Call(chance.of(&CALLING))
    }

    pub(crate) fn within(chance: &mut Chance) -> Self {
        match chance.below(8) {
            0 | 1 => Self::Pack,
            2 => Self::Program("install"),
            3 => Self::Program("build"),
            _ => Self::Filter(chance.of(&FILTERING)),
        }
    }

    pub(crate) fn begun(chance: &mut Chance) -> Self {
        Self::Begun(chance.of(&STEPS))
    }

    pub(crate) const fn any(_: &mut Chance) -> Self {
        Self::Any
    }

    const fn step(self) -> &'static str {
        match self {
            Self::Call(step) | Self::Filter(step) | Self::Program(step) | Self::Begun(step) => step,
            Self::Pack => "fetch",
            Self::Any => "",
        }
    }
}

/// The journal of the mirror, from a moment on.
pub(crate) struct Journal {
    path: PathBuf,
    from: usize,
}

impl Journal {
    pub(crate) fn now(world: &World) -> Self {
        let path = world.mirror.state().join("journal.jsonl");
        let from = fs::read(&path).map_or(0, |it| it.len());
        Self { path, from }
    }

    /// The step that begins last and has not ended.
    pub(crate) fn in_act(&self) -> Option<String> {
        let bytes = fs::read(&self.path).unwrap_or_default();
        let text = String::from_utf8_lossy(bytes.get(self.from..)?).into_owned();
        let last: Value = serde_json::from_str(text.lines().last()?).ok()?;
        (last["result"] == "begins").then(|| last["action"].as_str().unwrap_or_default().to_owned())
    }
}

/// A life of one world: that many kills, each followed by a cycle that must put it right.
pub(crate) fn life(seed: u64, rounds: u64, aim: fn(&mut Chance) -> Aim, tally: &mut Tally) {
    let mut world = World::new(Chance::new(seed));
    let mut is_new = true;
    for round in 0..rounds {
        let aim = aim(&mut world.chance);
        let told = one(&mut world, aim, is_new, tally);
        is_new = false;
        if let Err((what, complaints)) = told {
            tally.failed(&format!("seed {seed:#x} round {round}, {what}"), &complaints);
            // What one round broke must not be laid at the next one's door.
            world = World::new(Chance::new(seed ^ (round + 1).rotate_left(32)));
            is_new = true;
        }
    }
}

fn one(world: &mut World, aim: Aim, is_new: bool, tally: &mut Tally) -> Result<(), (String, Vec<String>)> {
    let states = if is_new { Vec::new() } else { begin(world, aim) };
    let before = world.canonical();
    let journal = Journal::now(world);
    let whole = world.chance.one_in(2);
    let (hit, ended) = strike(world, aim, &journal, whole);
    let mut what = format!("{aim:?} from {states:?}, {} hit", hit.as_deref().unwrap_or("nothing"));
    what.push_str(if whole { " with all its children" } else { " alone" });
    if !ended && world.chance.one_in(4) {
        let again = Journal::now(world);
        let (hit, ended) = strike(world, Aim::Any, &again, whole);
        let _ = write!(what, ", then {} hit too", hit.as_deref().unwrap_or("nothing"));
        if !ended {
            tally.hit(KILLED, hit.as_deref().unwrap_or(BETWEEN));
        }
    }
    if !ended {
        tally.hit(KILLED, hit.as_deref().unwrap_or(BETWEEN));
    }
    if world.parts.is_some() {
        tally.in_parts();
        what.push_str(", in submodules too");
    }
    crate::tell(&what);
    let complaints = recovery(world, &before);
    if complaints.is_empty() { Ok(()) } else { Err((what, complaints)) }
}

/// The next cycle must put all right, and one after it find nothing to do; what is otherwise.
pub(crate) fn recovery(world: &mut World, before: &Canonical) -> Vec<String> {
    let mut next = world.sync();
    if world.write_late() {
        next = world.sync();
    }
    programs::release(&world.mirror.home);
    let mut complaints = oracle::losses(world, before);
    if next.code != 0 || !(next.stdout.starts_with("noop") || next.stdout.starts_with("updated")) {
        complaints.push(format!("the next cycle: {next}"));
        return complaints;
    }
    complaints.extend(oracle::not_aligned(world));
    // In the state directory, what is young may be somebody's who is at work.
    let is_young = |it: &String| it.contains("ops/state/.housecall-tmp-");
    complaints.extend(oracle::left_behind(world).into_iter().filter(|it| !is_young(it)));
    if complaints.is_empty() {
        world.a_minute_passes();
        let again = world.sync();
        if !again.stdout.starts_with("noop") {
            complaints.push(format!("a second cycle has something to do: {again}"));
        }
        complaints.extend(oracle::left_behind(world));
        complaints.extend(world.lost_in_parts());
    }
    complaints
}

/// What the cycle finds: something that leads to the step, and often something else besides.
pub(crate) fn begin(world: &mut World, aim: Aim) -> Vec<State> {
    world.known = world.written.len();
    let mut states = vec![world.chance.of(states::leading_to(aim.step()))];
    if matches!(aim, Aim::Any) {
        states = vec![world.chance.of(&states::ALL)];
    }
    if world.chance.one_in(2) {
        let ends = [
            State::Detached,
            State::Deleted,
            State::NoLink,
            State::Orphaned,
            State::TornIndex,
            State::Locked,
            State::Merging,
            State::Rebasing,
            State::Picking,
        ];
        let more = world.chance.of(&states::ALL);
        // Nobody works in a mirror that is not there any more: what breaks it comes last.
        if !ends.contains(&more) {
            states.insert(0, more);
        }
    }
    states.dedup();
    let states_made = states.clone();
    world.work_in_parts();
    for state in states {
        world.be(state);
    }
    if matches!(aim, Aim::Call("fetch") | Aim::Pack | Aim::Filter("align")) {
        world.push();
    }
    if !world.chance.one_in(5) {
        let moves = world.move_parts();
        crate::tell(&moves);
    }
    world.forget_in_parts(states_made.contains(&State::Deleted));
    states_made
}

/// Starts a cycle and kills it; the step that it was in, and whether it had ended by itself before.
fn strike(world: &mut World, aim: Aim, journal: &Journal, whole: bool) -> (Option<String>, bool) {
    let home = &world.mirror.home;
    match aim {
        Aim::Pack => {
            let number = world.chance.below(30_000);
            programs::hold(home, "upload", usize::try_from(number).expect("a number"), "");
        }
        Aim::Program("install") => programs::hold(home, "installer", 0, ""),
        Aim::Program(_) => programs::hold(home, "builder", 0, ""),
        _ => {}
    }
    let mut work = world.start_work();
    let home = &world.mirror.home;
    let mut cycle = world.start();
    let start = Instant::now();
    let wait = |cycle: &mut Kept, holds: &mut dyn FnMut() -> bool| {
        while cycle.alive() && start.elapsed() < Duration::from_secs(40) {
            if holds() {
                return;
            }
            thread::sleep(Duration::from_micros(150));
        }
    };
    let step = aim.step();
    let chance = &mut world.chance;
    let mut begun = || journal.in_act().as_deref() == Some(step);
    match aim {
        Aim::Any => {
            let moment = Duration::from_micros(chance.below(900_000));
            wait(&mut cycle, &mut || start.elapsed() >= moment);
        }
        Aim::Begun(_) => {
            let longer = Duration::from_micros(if chance.one_in(2) { 0 } else { chance.below(30_000) });
            wait(&mut cycle, &mut begun);
            thread::sleep(longer);
        }
        Aim::Call(_) => {
            let (further, when) = (chance.below(24), chance.of(&["before", "after"]));
            wait(&mut cycle, &mut begun);
            let number = programs::calls(home, "git") + usize::try_from(further).expect("a number");
            programs::hold(home, "git", number, when);
            wait(&mut cycle, &mut || programs::held(home));
        }
        Aim::Filter(_) => {
            let further = usize::try_from(chance.below(5)).expect("a number");
            wait(&mut cycle, &mut begun);
            programs::hold(home, "filter", programs::calls(home, "filter") + further, "");
            wait(&mut cycle, &mut || programs::held(home));
        }
        Aim::Pack | Aim::Program(_) => wait(&mut cycle, &mut || programs::held(home)),
    }
    let ended = !cycle.alive();
    signal(cycle.pid(), "KILL");
    let _ = cycle.0.wait();
    let hit = journal.in_act();
    // Whoever stops the machine stops the person's programs too.
    if let Some(work) = &work {
        work.stop();
    }
    if whole {
        programs::kill_all(&world.mirror.home);
    }
    if let Some(work) = work.take() {
        work.end();
    }
    if whole {
        world.a_minute_passes();
    }
    programs::release(&world.mirror.home);
    (hit, ended)
}
