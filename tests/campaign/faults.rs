//! What goes wrong during a cycle: disks, rights, limits, programs, the line, the clock, the machine's sleep.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use support::processes::{Kept, signal};

use crate::chance::Chance;
use crate::places::{Closed, ReadOnly, Small};
use crate::programs;
use crate::world::World;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The disk of this place is full.
    Full(Place),
    /// This place is read-only.
    ReadOnly(Place),
    /// The user may not write in this directory, or not even look into it.
    Right(&'static str, u32),
    /// A git at work is killed.
    GitKilled,
    /// The remote ends in the middle of what it sends.
    Cut,
    /// No file may grow beyond this.
    FileSize(u64),
    /// No more files than this may be open.
    Descriptors(u64),
    /// The machine sleeps, and wakes that many seconds later.
    Asleep(i64),
    /// All stands still while another cycle comes.
    Overtaken,
    /// The clock jumps by that many seconds.
    Clock(i64),
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

/// Directories that a sync reads and writes.
const DIRECTORIES: [&str; 14] = [
    "dev/site",
    "dev/site/.git",
    "dev/site/.git/logs",
    "dev/site/.git/objects",
    "dev/site/.git/refs",
    "dev/site/.git/refs/heads",
    "dev/site/.git/refs/remotes/origin",
    "dev/site/.git/worktrees",
    "dev/site/.git/worktrees/worktree",
    "ops",
    "ops/state",
    "ops/state/rescued",
    "ops/worktree",
    "ops/worktree/many",
];

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

impl Place {
    pub(crate) fn path(self, world: &World) -> PathBuf {
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
        if chance.one_in(3) { Self::ReadOnly(place) } else { Self::Full(place) }
    }

    pub(crate) fn of_process(chance: &mut Chance) -> Self {
        match chance.below(6) {
            0 => Self::GitKilled,
            1 => Self::Cut,
            2 => Self::FileSize(512 << chance.below(10)),
            3 => Self::Descriptors(4 + chance.below(12)),
            4 => Self::Overtaken,
            _ => Self::Asleep(chance.of(&[0, HOUR, 3 * DAY])),
        }
    }

    pub(crate) fn of_right_or_clock(chance: &mut Chance) -> Self {
        match chance.below(3) {
            0 => Self::Clock(chance.of(&[-20 * 365 * DAY, -DAY, -90, 90, DAY, 70 * 365 * DAY])),
            _ => Self::Right(chance.of(&DIRECTORIES), chance.of(&[0o500, 0o000])),
        }
    }

    /// What a cycle that fails of it must say, in one of these words; of some it must not fail.
    pub(crate) const fn words(self) -> &'static [&'static str] {
        match self {
            Self::Full(_) => &["space", "MiB are free"],
            Self::ReadOnly(_) => &["ead-only"],
            Self::Right(..) => &["ermission denied", "insufficient permission", "may not"],
            Self::Clock(_) => &[".lock"],
            Self::Asleep(_) | Self::Overtaken => &[],
            _ => &["error:", "stale:"],
        }
    }

    pub(crate) fn name(self) -> String {
        match self {
            Self::Full(place) => format!("{place:?} full"),
            Self::ReadOnly(place) => format!("{place:?} read-only"),
            Self::Right(..) => "a right missing".to_owned(),
            Self::GitKilled => "git killed".to_owned(),
            Self::Cut => "the line cut".to_owned(),
            Self::FileSize(_) => "file size limited".to_owned(),
            Self::Descriptors(_) => "descriptors limited".to_owned(),
            Self::Asleep(_) => "the machine asleep".to_owned(),
            Self::Overtaken => "stopped while another comes".to_owned(),
            Self::Clock(_) => "the clock jumps".to_owned(),
        }
    }

    /// Whether it is there from the start, and not brought about at a moment.
    pub(crate) const fn is_there_from_the_start(self) -> bool {
        matches!(self, Self::Cut | Self::FileSize(_) | Self::Descriptors(_))
    }

    /// What the cycle is run by, so that it, and all that it starts, can suffer this.
    pub(crate) fn wrapper(self) -> Vec<String> {
        let words: &[&str] = match self {
            Self::FileSize(bytes) => &["prlimit", &format!("--fsize={bytes}")],
            Self::Descriptors(count) => &["prlimit", &format!("--nofile={count}")],
            // Without the power to override rights, root is to the kernel what any user is.
            Self::Right(..) => &["setpriv", "--bounding-set=-dac_override,-dac_read_search"],
            _ => &[],
        };
        words.iter().map(|it| (*it).to_owned()).collect()
    }
}

/// What is wrong for as long as this lives.
pub(crate) enum Injected {
    /// Nothing could be.
    Nothing,
    /// It was done, and nothing has to be undone.
    Done,
    /// A place is read-only.
    ReadOnly(#[expect(dead_code, reason = "it is undone when it is dropped")] ReadOnly),
    /// A right is missing.
    Closed(#[expect(dead_code, reason = "it is undone when it is dropped")] Closed),
    /// Another cycle was started.
    Other(Kept),
}

/// Brings it about.
pub(crate) fn inject(world: &World, fault: Fault, small: Option<&Small>, cycle: Option<u32>) -> Injected {
    let home = &world.mirror.home;
    match fault {
        Fault::Full(_) => small.expect("a small disk").fill(),
        Fault::ReadOnly(place) => {
            let place = place.path(world);
            return if place.exists() {
                Injected::ReadOnly(ReadOnly::make(&place))
            } else {
                Injected::Nothing
            };
        }
        Fault::Right(directory, mode) => {
            return Closed::make(&home.at(directory), mode).map_or(Injected::Nothing, Injected::Closed);
        }
        Fault::GitKilled => {
            let gits: Vec<_> =
                home.processes().into_iter().filter(|it| it.command.contains("/bin/git")).collect();
            for git in &gits {
                signal(git.pid, "KILL");
            }
            if gits.is_empty() {
                return Injected::Nothing;
            }
        }
        Fault::Clock(seconds) => programs::set_clock(home, seconds),
        Fault::Asleep(seconds) => {
            let all = home.processes();
            for it in &all {
                signal(it.pid, "STOP");
            }
            programs::set_clock(home, seconds);
            // It is the sleep itself.
            std::thread::sleep(Duration::from_millis(200));
            for it in &all {
                signal(it.pid, "CONT");
            }
        }
        Fault::Overtaken => {
            let Some(cycle) = cycle else { return Injected::Nothing };
            signal(cycle, "STOP");
            let mut other = world.command();
            other.stdout(world.output("other.stdout")).stderr(world.output("other.stderr"));
            let other = Kept::start(&mut other);
            std::thread::sleep(Duration::from_millis(200));
            signal(cycle, "CONT");
            return Injected::Other(other);
        }
        Fault::Cut | Fault::FileSize(_) | Fault::Descriptors(_) => {}
    }
    Injected::Done
}

/// The cycle as it is run to suffer this.
pub(crate) fn command(world: &World, fault: Fault) -> Command {
    let plain = world.command();
    let mut command = match fault.wrapper().split_first() {
        None => plain,
        Some((wrapper, arguments)) => {
            let mut command = world.mirror.home.command(wrapper);
            command.args(arguments).arg(plain.get_program()).args(plain.get_args());
            command
        }
    };
    if matches!(fault, Fault::Clock(_) | Fault::Asleep(_)) {
        programs::take_clock_from_file(&world.mirror.home, &mut command);
    }
    world.lead_output(&mut command);
    command
}
