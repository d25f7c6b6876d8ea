//! The probes of the machine, on real programs, sockets, processes and mounts.
#![expect(clippy::disallowed_methods, reason = "tests make the world that probes read")]

#[cfg(target_os = "linux")]
mod alone;
mod mounts;
mod processes;
mod program;
mod sockets;
mod logs;
mod tools;
mod who;
#[path = "../../judgements/checks/worlds.rs"]
#[expect(dead_code, reason = "the judgements use the rest of it")]
mod worlds;
