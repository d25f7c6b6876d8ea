//! How far the worktree follows its upstream.

pub mod sha_parity;
pub mod sync_recent;
pub mod lockfile;
pub mod dependencies;
pub mod carry_list;
pub mod carried_files;
pub mod build_fresh;
pub mod rescues;
