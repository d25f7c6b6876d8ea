//! The tools that the jobs will find.

pub mod tools_present;
pub mod runtime_version;
