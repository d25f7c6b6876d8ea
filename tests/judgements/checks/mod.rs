//! Every check in every world that matters to it, the worlds given as values.

mod jobs;
mod job_states;
mod logs;
mod repository;
mod runtime;
mod sync;
mod built;
mod carried;
mod clean;
mod worktree;
mod page;
mod server;
mod serving;
mod worlds;
