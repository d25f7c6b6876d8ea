//! The service managers: what each says of its jobs.

pub mod launchd;
