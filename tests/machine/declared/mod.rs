//! The checks that a configuration declares, on the real machine: what holds, what does not, what cannot be seen.
#![expect(clippy::disallowed_methods, reason = "tests make the world that probes read")]

mod accounts;
mod disk;
mod false_greens;
mod doubts;
mod files;
mod packages;
mod processes;
mod repositories;
mod system;
mod tools;
mod trusted;
mod unchecked;
mod connect;
mod http;
mod https;
mod interfaces;
mod json;
mod listener;
mod names;
mod secrets;
mod services;
mod vain;
mod world;
