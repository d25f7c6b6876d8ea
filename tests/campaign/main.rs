//! Kills and faults by injection, and an oracle that knows every byte a person wrote.
//!
//! A test belongs here if it draws what it does by chance, for as many rounds as are asked for.
//!
//! Few rounds by default; `HOUSECALL_CAMPAIGN=full` (or `dev/campaign`) runs hundreds. `HOUSECALL_SEED` draws others;
//! `HOUSECALL_LIFE` leads one life again, told round by round. Every second world has submodules, in which a person writes while
//! the cycle runs.
#![expect(clippy::disallowed_methods, reason = "tests make the world that the product looks at")]
#![expect(
    clippy::print_stdout,
    reason = "a campaign ends with its table, and its seed gives the same draws again"
)]

mod chance;
mod programs;
mod world;
mod submodules;
mod person;
mod found;
mod states;
mod oracle;
mod tally;
mod kills;
mod places;
mod faults;
mod suffering;

use chance::Chance;
use faults::Fault;
use kills::{Aim, life};
use support::{Part, parts};
use tally::Tally;

/// How many rounds a life has.
const LIFE: u64 = 12;

/// How many rounds: a few in a test run, many in a campaign.
fn rounds(few: u64, many: u64) -> u64 {
    match std::env::var("HOUSECALL_CAMPAIGN") {
        Ok(all) if all == "full" => many,
        Ok(count) => count.parse().expect("`full` or a number of rounds"),
        Err(_) => few,
    }
}

fn seed(of: u64) -> u64 {
    let seed = std::env::var("HOUSECALL_SEED").ok().and_then(|it| it.parse().ok()).unwrap_or(1);
    let seed = Chance::new(seed ^ (of << 32)).next();
    println!("seed {seed:#x}");
    seed
}

/// A life of which one that went wrong printed the seed, to be led again: then it is the only one.
fn again() -> Option<u64> {
    let seed = std::env::var("HOUSECALL_LIFE").ok()?;
    Some(u64::from_str_radix(seed.trim_start_matches("0x"), 16).expect("a seed in hexadecimal digits"))
}

/// The seed of a life: every second one is odd, and has a world with submodules.
fn with_submodules(seed: u64, life: u64) -> u64 {
    seed & !1 | life & 1
}

/// Tells of a round of it.
fn tell(what: &str) {
    if again().is_some() {
        println!("{what}");
    }
}

/// Lives of a dozen rounds, until there were that many.
fn kills(name: &'static str, of: u64, few: u64, aim: fn(&mut Chance) -> Aim) {
    let mut tally = Tally::new(name);
    if let Some(seed) = again() {
        life(seed, LIFE, aim, &mut tally);
        return tally.end();
    }
    let mut chance = Chance::new(seed(of));
    let wanted = rounds(few, 150);
    let mut lives = 0;
    while tally.count() < wanted {
        let seed = with_submodules(chance.next(), lives);
        lives += 1;
        life(seed, (wanted - tally.count()).min(LIFE).min(wanted.div_ceil(2)), aim, &mut tally);
    }
    tally.end();
}

#[test]
fn a_cycle_killed_at_a_call_of_git_is_put_right() {
    kills("at a call of git", 1, 4, Aim::at_git);
}

#[test]
fn a_cycle_killed_in_the_middle_of_a_program_is_put_right() {
    kills("in the middle of a program", 2, 4, Aim::within);
}

#[test]
fn a_cycle_killed_as_a_step_begins_is_put_right() {
    kills("as a step begins", 3, 4, Aim::begun);
}

#[test]
fn a_cycle_killed_at_any_moment_is_put_right() {
    kills("at any moment", 4, 4, Aim::any);
}

/// The same of faults, where this machine lets a test mount and limit.
fn faults(name: &'static str, of: u64, few: u64, fault: fn(&mut Chance) -> Fault) {
    if parts::lacks(Part::Fuse) || parts::lacks(Part::Faketime) {
        return;
    }
    let mut tally = Tally::new(name);
    if let Some(seed) = again() {
        suffering::life(seed, LIFE, fault, &mut tally);
        return tally.end();
    }
    let mut chance = Chance::new(seed(of));
    let wanted = rounds(few, 84);
    let mut lives = 0;
    while tally.count() < wanted {
        let seed = with_submodules(chance.next(), lives);
        lives += 1;
        suffering::life(seed, (wanted - tally.count()).min(LIFE).min(wanted.div_ceil(2)), fault, &mut tally);
    }
    tally.end();
}

#[test]
fn a_disk_that_is_full_or_read_only_is_told_and_loses_nothing() {
    faults("disks", 5, 4, Fault::of_disk);
}

#[test]
fn a_git_a_remote_a_limit_or_a_sleep_is_told_or_harms_nothing() {
    faults("processes", 6, 4, Fault::of_process);
}

#[test]
fn a_right_that_is_missing_is_told_and_a_clock_that_jumps_harms_nothing() {
    faults("rights and clocks", 7, 4, Fault::of_right_or_clock);
}
