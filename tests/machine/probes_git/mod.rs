//! What git, the project's files and the carried files are read to be, on real repositories.
#![expect(clippy::disallowed_methods, reason = "tests make the world that probes read")]

mod away;
mod canonical;
mod changes;
mod marked;
mod project;
mod remote;
mod repeated;
mod world;
mod worktree;
