//! What the jobs wrote down.

pub mod log_signatures;
pub mod log_size;
pub mod state_file;

mod known;
pub(crate) mod last;
