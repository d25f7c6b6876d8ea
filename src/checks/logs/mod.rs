//! What it wrote down.

pub mod state_file;
