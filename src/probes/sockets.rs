//! Who listens: every TCP socket of this machine that accepts, with its owner where that may be known.
//!
//! On Linux the kernel's tables name each socket, and the descriptor links of the processes say who holds it; on
//! macOS the descriptors are asked through libproc, and `netstat` names the sockets of other users.

use std::net::SocketAddr;

use crate::error::ProbeError;

#[cfg(target_os = "linux")]
mod diag;
#[cfg(not(target_os = "macos"))]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(any(test, target_os = "macos"))]
mod netstat;

/// A socket that accepts connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Its address, `0.0.0.0` and `[::]` included.
    pub address: SocketAddr,
    /// The processes that hold it, parents before children; empty where that may not be known.
    pub pids: Vec<u32>,
    /// The user who opened it.
    pub uid: Option<u32>,
}

/// Every listening TCP socket, in both address families.
///
/// # Errors
/// Where the kernel cannot be asked: then nobody may say "the port is free".
pub fn listening() -> Result<Vec<Listener>, ProbeError> {
    #[cfg(target_os = "macos")]
    return macos::listening();
    #[cfg(not(target_os = "macos"))]
    linux::listening()
}
