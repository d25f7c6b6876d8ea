//! The mirror's own worktree.

pub mod worktree_place;
pub mod worktree_exists;
pub mod worktree_branch;
pub mod worktree_clean;
pub mod git_locks;
pub mod worktree_locked;
