//! One round of a fault: a state, a cycle during which something real goes wrong, and the one after it.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use support::processes::{Kept, signal};

use crate::chance::Chance;
use crate::faults::{self, Fault, Injected, inject};
use crate::kills::{Aim, Journal, STEPS, begin, recovery};
use crate::oracle;
use crate::places::Small;
use crate::programs;
use crate::tally::Tally;
use crate::world::World;

/// How a cycle that suffered ended.
struct Suffered {
    /// What it said.
    told: String,
    /// Its exit code; -1: a signal ended it.
    code: i32,
    /// The step in which it went wrong; `None`: in none at all.
    hit: Option<String>,
    /// What went wrong with the other one, if there was one.
    other: Option<String>,
}

/// A life of one world, with that many faults.
pub(crate) fn life(seed: u64, rounds: u64, of: fn(&mut Chance) -> Fault, tally: &mut Tally) {
    let mut world = World::new(Chance::new(seed));
    let mut is_new = true;
    for round in 0..rounds {
        let fault = of(&mut world.chance);
        let came = one(&mut world, fault, is_new, tally);
        is_new = false;
        if let Err((what, complaints)) = came {
            tally.failed(&format!("seed {seed:#x} round {round}, {what}"), &complaints);
            world = World::new(Chance::new(seed ^ (round + 1).rotate_left(32)));
            is_new = true;
        }
    }
}

fn one(
    world: &mut World,
    fault: Fault,
    is_new: bool,
    tally: &mut Tally,
) -> Result<(), (String, Vec<String>)> {
    let step = if fault == Fault::Cut { "fetch" } else { world.chance.of(&STEPS) };
    let aim = if step == "fetch" { Aim::Pack } else { Aim::Begun(step) };
    let states = if is_new { Vec::new() } else { begin(world, aim) };
    let small = match fault {
        Fault::Full(place) => {
            let small = Small::over(&place.path(world), 160);
            world.open_late_again();
            Some(small)
        }
        _ => None,
    };
    let before = world.canonical();
    let suffered = suffer(world, fault, step, small.as_ref());
    if let Some(small) = &small {
        small.free();
    }
    let hit = suffered.hit.as_deref();
    let what = format!("{fault:?} at {step} from {states:?}, {} hit", hit.unwrap_or("nothing"));
    if world.parts.is_some() {
        tally.in_parts();
    }
    crate::tell(&what);
    if let Some(hit) = hit {
        tally.hit(&fault.name(), hit);
    }
    let mut complaints = oracle::changes(world, &before);
    complaints.extend(suffered.other);
    let told = suffered.told;
    // Where somebody writes all the time, nothing is well before they rest, and that may be the reason too.
    let is_busy = world.parts.is_some();
    let of_the_person = ["again and again", "all the time", ".lock", "worktree-clean"];
    if told.starts_with("noop") || told.starts_with("updated") {
        // It came too late, or was no hindrance: then all must really be well.
        if !is_busy {
            complaints.extend(oracle::not_aligned(world));
        }
    } else if is_busy && of_the_person.iter().any(|it| told.contains(it)) {
        crate::tell(&told);
    } else if !fault.words().iter().any(|it| told.contains(it)) {
        complaints.push(format!("it does not say precisely why, with exit code {}: {told}", suffered.code));
    }
    world.a_minute_passes();
    complaints.extend(recovery(world, &before));
    if let Some(small) = small {
        keep(world, fault, small);
    }
    if complaints.is_empty() { Ok(()) } else { Err((what, complaints)) }
}

/// A cycle that suffers it.
fn suffer(world: &mut World, fault: Fault, step: &str, small: Option<&Small>) -> Suffered {
    let at_once = !fault.is_there_from_the_start() && world.chance.one_in(8);
    let further = usize::try_from(world.chance.below(16)).expect("a number");
    let when = world.chance.of(&["before", "after"]);
    let bytes = usize::try_from(world.chance.below(30_000)).expect("a number");
    let home = &world.mirror.home;
    let journal = Journal::now(world);
    let mut command = faults::command(world, fault);
    let program = match step {
        "install" => Some("installer"),
        "build" => Some("builder"),
        _ => None,
    };
    match (fault, program) {
        (Fault::Cut, _) => programs::hold(home, "upload", bytes, "cut"),
        (_, Some(program)) if !fault.is_there_from_the_start() && !at_once => {
            programs::hold(home, program, 0, "");
        }
        _ => {}
    }
    let from_the_start = || Some("from the start".to_owned());
    let mut hit = if fault.is_there_from_the_start() { from_the_start() } else { None };
    let mut injected = Injected::Nothing;
    if at_once {
        injected = inject(world, fault, small, None);
        hit = if matches!(injected, Injected::Nothing) { None } else { from_the_start() };
    }
    let work = world.start_work();
    let home = &world.mirror.home;
    let mut cycle = Kept::start(&mut command);
    let start = Instant::now();
    let mut wait = |holds: &dyn Fn() -> bool| {
        while cycle.alive() && !holds() && start.elapsed() < Duration::from_mins(1) {
            std::thread::sleep(Duration::from_micros(200));
        }
        cycle.alive()
    };
    let is_begun = || journal.in_act().as_deref() == Some(step);
    if hit.is_none() {
        let is_there = if program.is_some() {
            wait(&|| programs::held(home))
        } else if wait(&is_begun) {
            // Where git has a part in it, the moment is one of its calls; else the step's beginning.
            let calls = ["fetch", "set-aside", "align", "add-worktree", "relink"].contains(&step);
            if calls || fault == Fault::GitKilled {
                programs::hold(home, "git", programs::calls(home, "git") + further, when);
                wait(&|| programs::held(home))
            } else {
                true
            }
        } else {
            false
        };
        if is_there {
            let pid = cycle.pid();
            signal(pid, "STOP");
            let moment = journal.in_act();
            injected = inject(world, fault, small, Some(pid));
            signal(pid, "CONT");
            let is_hit = !matches!(injected, Injected::Nothing);
            hit = is_hit.then(|| moment.unwrap_or_else(|| "between steps".to_owned()));
        }
    }
    programs::release(home);
    let status = cycle.0.wait().expect("the cycle ends");
    if let Some(work) = work {
        work.end();
    }
    let text = |name: &str| fs::read_to_string(home.at(name)).unwrap_or_default();
    let mut other = None;
    if let Injected::Other(mut it) = injected {
        it.0.wait().expect("the other one ends");
        let told = text("other.stdout") + &text("other.stderr");
        let is_well = ["noop", "updated"].iter().any(|it| told.starts_with(it)) || told.contains("at work");
        other = (!is_well).then(|| format!("the other one says {told}"));
    }
    programs::set_clock(home, 0);
    Suffered { told: text("stdout") + &text("stderr"), code: status.code().unwrap_or(-1), hit, other }
}

/// Puts what is on the small disk back onto the large one.
fn keep(world: &World, fault: Fault, small: Small) {
    let Fault::Full(place) = fault else { return };
    let path = place.path(world);
    let beside = path.with_extension("after");
    let copied = Command::new("cp").arg("-a").arg(&path).arg(&beside).status();
    assert!(copied.is_ok_and(|it| it.success()), "what is on it is copied");
    drop(small);
    fs::remove_dir_all(&path).expect("the mount point");
    fs::rename(&beside, &path).expect("its place");
}
