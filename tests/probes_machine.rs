//! The probes of the machine, on real programs, sockets, processes and mounts.
#![expect(clippy::disallowed_methods, reason = "tests make the world that probes read")]

#[cfg(target_os = "linux")]
#[path = "probes_machine/alone.rs"]
mod alone;
#[path = "probes_machine/mounts.rs"]
mod mounts;
#[path = "probes_machine/processes.rs"]
mod processes;
#[path = "probes_machine/program.rs"]
mod program;
#[path = "probes_machine/sockets.rs"]
mod sockets;
#[path = "probes_machine/logs.rs"]
mod logs;
#[path = "probes_machine/tools.rs"]
mod tools;
#[path = "probes_machine/who.rs"]
mod who;
#[path = "judgements/checks/worlds.rs"]
mod worlds;
