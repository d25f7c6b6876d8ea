//! The registry of checks, in chain order: a root cause stands before what it breaks.

pub mod runtime;
pub mod repository;
pub mod worktree;
pub mod sync;
pub mod jobs;
pub mod server;
pub mod page;
pub mod logs;

use crate::check::Check;

/// Every check, in the order in which they are reported.
pub static ALL: &[&Check] = &[
    &runtime::tools_present::CHECK,
    &runtime::runtime_version::CHECK,
    &repository::canonical_repo::CHECK,
    &repository::remote_reachable::CHECK,
    &worktree::worktree_place::CHECK,
    &worktree::worktree_exists::CHECK,
    &worktree::worktree_branch::CHECK,
    &worktree::worktree_clean::CHECK,
    &worktree::git_locks::CHECK,
    &worktree::worktree_locked::CHECK,
    &sync::sha_parity::CHECK,
    &sync::sync_recent::CHECK,
    &sync::lockfile::CHECK,
    &sync::dependencies::CHECK,
    &sync::carry_list::CHECK,
    &sync::carried_files::CHECK,
    &sync::build_fresh::CHECK,
    &sync::rescues::CHECK,
    &jobs::job_lint::CHECK,
    &jobs::job_paths::CHECK,
    &jobs::job_drift::CHECK,
    &jobs::job_loaded::CHECK,
    &jobs::job_state::CHECK,
    &server::listener::CHECK,
    &server::listener_process::CHECK,
    &server::listener_cwd::CHECK,
    &server::listener_fresh::CHECK,
    &server::server_duplicates::CHECK,
    &page::http_status::CHECK,
    &page::page_content::CHECK,
    &page::page_sha::CHECK,
    &logs::log_signatures::CHECK,
    &logs::log_size::CHECK,
    &logs::state_file::CHECK,
];

/// The check of that id.
#[must_use]
pub fn by_id(id: &str) -> Option<&'static Check> {
    ALL.iter().copied().find(|check| check.id.0 == id)
}
