//! What is read of a real machine, by the library alone: git, the network, processes, mounts, programs, service managers.
//!
//! A test belongs here if it asks one probe, one declared check or one manager, and needs real parts for it.

mod probes_git;
mod probes_http;
mod probes_machine;
mod declared;
mod launchd;
mod leftovers;
