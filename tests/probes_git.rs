//! What git, the project's files and the carried files are read to be, on real repositories.
#![expect(clippy::disallowed_methods, reason = "tests make the world that probes read")]

#[path = "probes_git/away.rs"]
mod away;
#[path = "probes_git/canonical.rs"]
mod canonical;
#[path = "probes_git/changes.rs"]
mod changes;
#[path = "probes_git/marked.rs"]
mod marked;
#[path = "probes_git/project.rs"]
mod project;
#[path = "probes_git/remote.rs"]
mod remote;
#[path = "probes_git/repeated.rs"]
mod repeated;
#[path = "probes_git/world.rs"]
mod world;
#[path = "probes_git/worktree.rs"]
mod worktree;
