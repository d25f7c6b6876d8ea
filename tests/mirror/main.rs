//! What the library does to a mirror: syncs, mends and what they set aside, and that nothing is lost by them.
//!
//! A test belongs here if it makes real repositories, runs cycles or mends on them, and checks every byte that a person wrote.

mod world;
mod sync;
mod sync_cycle;
mod sync_obstacles;
mod sync_faults;
mod submodules;
mod dependencies;
mod built;
mod mend;
mod rescued;
