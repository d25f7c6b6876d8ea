//! launchd: its own words, read and explained.

pub mod exit_codes;
pub mod print;
