//! What is judged, read and written from values and texts alone: configuration, checks, reports, linters, the project itself.
//!
//! A test belongs here if it needs no repository, no server and no other program than ours: these run within a minute, by
//! `cargo quick`.

mod config;
mod config_services;
mod engine;
mod checks;
mod watching;
mod reports;
mod redaction;
mod lint;
mod launchctl_print;
mod import;
mod cli;
mod shipped;
mod tidy;
