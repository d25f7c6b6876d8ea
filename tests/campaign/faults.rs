//! One round of a fault: a state, a cycle during which something real goes wrong, and the one after it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use support::processes::{self, Kept};

use crate::chance::Chance;
use crate::kills::{Aim, Journal, begin, recovery};
use crate::oracle;
use crate::places::{ReadOnly, Small};
use crate::programs;
use crate::tally::Tally;
use crate::world::World;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The disk of this place is full.
    Full(Place),
    /// This place is read-only.
    ReadOnly(Place),
    /// A git at work is killed.
    GitKilled,
    /// The remote ends in the middle of what it sends.
    Cut,
    /// No file may grow beyond this.
    FileSize(u64),
    /// No more files than this may be open.
    Descriptors(u64),
}

/// A part of the world with a disk of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The state directory.
    State,
    /// The mirror with its state.
    Mirror,
    /// The person's repository.
    Repository,
}

const PLACES: [Place; 3] = [Place::State, Place::Mirror, Place::Repository];
const STEPS: [&str; 5] = ["fetch", "set-aside", "align", "add-worktree", "relink"];

impl Place {
    fn path(self, world: &World) -> PathBuf {
        match self {
            Self::State => world.mirror.state(),
            Self::Mirror => world.mirror.home.at("ops"),
            Self::Repository => world.mirror.home.at("dev"),
        }
    }
}

impl Fault {
    pub(crate) fn of_disk(chance: &mut Chance) -> Self {
        let place = chance.of(&PLACES);
        if chance.one_in(2) { Self::Full(place) } else { Self::ReadOnly(place) }
    }

    pub(crate) fn of_process(chance: &mut Chance) -> Self {
        match chance.below(4) {
            0 => Self::GitKilled,
            1 => Self::Cut,
            2 => Self::FileSize(512 << chance.below(10)),
            _ => Self::Descriptors(4 + chance.below(12)),
        }
    }

    /// What a cycle that fails of it must say, in one of these words.
    const fn words(self) -> &'static [&'static str] {
        match self {
            Self::Full(_) => &["space", "MiB are free"],
            Self::ReadOnly(_) => &["ead-only"],
            _ => &["error:", "stale:"],
        }
    }

    fn name(self) -> String {
        match self {
            Self::Full(place) => format!("{place:?} full"),
            Self::ReadOnly(place) => format!("{place:?} read-only"),
            Self::FileSize(_) => "file size limited".to_owned(),
            Self::Descriptors(_) => "descriptors limited".to_owned(),
            other => format!("{other:?}"),
        }
    }
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
    let step = world.chance.of(&STEPS);
    let states = if is_new { Vec::new() } else { begin(world, Aim::Call(step)) };
    let small = match fault {
        Fault::Full(place) => Some(Small::over(&place.path(world), 160)),
        _ => None,
    };
    let before = world.canonical();
    let (told, code, hit) = suffer(world, fault, step, small.as_ref());
    if let Some(small) = &small {
        small.free();
    }
    let what = format!("{fault:?} at {step} from {states:?}, {} hit", hit.as_deref().unwrap_or("nothing"));
    tally.hit(Some(&fault.name()));
    let mut complaints = oracle::changes(world, &before);
    let is_well = told.starts_with("noop") || told.starts_with("updated");
    if is_well {
        // It came too late, or was no hindrance: then all must really be well.
        complaints.extend(oracle::not_aligned(world));
    } else if !fault.words().iter().any(|it| told.contains(it)) {
        complaints.push(format!("it does not say precisely why, with exit code {code}: {told}"));
    }
    world.a_minute_passes();
    complaints.extend(recovery(world, &before));
    if let Some(small) = small {
        keep(world, fault, small);
    }
    if complaints.is_empty() { Ok(()) } else { Err((what, complaints)) }
}

/// A cycle that suffers it; what it says, its exit code (-1: a signal ended it), and the step in which it was hit.
fn suffer(
    world: &mut World,
    fault: Fault,
    step: &str,
    small: Option<&Small>,
) -> (String, i32, Option<String>) {
    let home = &world.mirror.home;
    let journal = Journal::now(world);
    let at_once = world.chance.one_in(4);
    let further = usize::try_from(world.chance.below(16)).expect("a number");
    let when = world.chance.of(&["before", "after"]);
    let mut command = world.command();
    let limit = match fault {
        Fault::FileSize(bytes) => Some(format!("--fsize={bytes}")),
        Fault::Descriptors(count) => Some(format!("--nofile={count}")),
        _ => None,
    };
    if fault == Fault::Cut {
        let number = usize::try_from(world.chance.below(30_000)).expect("a number");
        programs::hold(home, "upload", number, "cut");
    }
    if let Some(limit) = &limit {
        // The limit falls on the cycle and all that it starts.
        let mut limited = home.command("prlimit");
        limited.arg(limit).arg(command.get_program()).args(command.get_args());
        world.lead_output(&mut limited);
        command = limited;
    }
    let by_hand = limit.is_none() && fault != Fault::Cut;
    let mut read_only = None;
    let mut inject = || match fault {
        Fault::Full(_) => small.expect("a small disk").fill(),
        Fault::ReadOnly(place) => read_only = Some(ReadOnly::make(&place.path(world))),
        Fault::GitKilled => {
            for git in home.processes().iter().filter(|it| it.command.contains("/bin/git")) {
                processes::signal(git.pid, "KILL");
            }
        }
        _ => {}
    };
    let mut hit = None;
    if by_hand && at_once {
        let is_there = !matches!(fault, Fault::ReadOnly(place) if !place.path(world).exists());
        if is_there && fault != Fault::GitKilled {
            inject();
        }
    }
    let mut cycle = Kept::start(&mut command);
    let start = Instant::now();
    let mut wait = |holds: &dyn Fn() -> bool| {
        while cycle.alive() && !holds() && start.elapsed() < Duration::from_mins(1) {
            std::thread::sleep(Duration::from_micros(200));
        }
        cycle.alive()
    };
    if by_hand
        && !(at_once && fault != Fault::GitKilled)
        && wait(&|| journal.in_act().as_deref() == Some(step))
    {
        programs::hold(home, "git", programs::calls(home, "git") + further, when);
        if wait(&|| programs::held(home)) {
            hit = journal.in_act();
            inject();
        }
    }
    programs::release_held(home);
    let status = cycle.0.wait().expect("the cycle ends");
    drop(read_only);
    let text = |name: &str| fs::read_to_string(home.at(name)).unwrap_or_default();
    let told = text("stdout") + &text("stderr");
    (told, status.code().unwrap_or(-1), hit)
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
