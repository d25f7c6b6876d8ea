//! Who listens: every TCP socket of this machine that accepts, with its owner where that may be known.

use std::net::SocketAddr;

use crate::error::ProbeError;

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
    Err(ProbeError::failed("ask who listens", &"not built"))
}
