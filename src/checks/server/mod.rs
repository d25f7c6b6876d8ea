//! Who answers on the port: somebody, the right program, from the right directory, started late enough, alone.

mod found;
pub mod listener;
pub mod listener_cwd;
pub mod listener_fresh;
pub mod listener_process;
pub mod server_duplicates;
pub mod watching;

pub use found::{Found, is_kept, kind_of, on_port, owner_of, place_of, runs_this_command, starting};
pub use server_duplicates::second_server;
