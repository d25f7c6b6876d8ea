//! The repository people develop in, and its remote.

pub mod canonical_repo;
pub mod remote_reachable;
