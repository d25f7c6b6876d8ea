//! Who listens: every TCP socket of this machine that accepts, with its owner where that may be known.
//!
//! On Linux the kernel's tables name each socket, and the descriptor links of the processes say who holds it; on
//! macOS the descriptors are asked through libproc, and `netstat` names the sockets of other users.

use std::net::{IpAddr, SocketAddr};

use crate::error::ProbeError;

#[cfg(target_os = "linux")]
mod diag;
#[cfg(not(target_os = "macos"))]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(any(test, target_os = "macos"))]
mod netstat;
pub mod table;
#[cfg(not(target_os = "macos"))]
mod unix;

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

/// How a socket talks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Connections.
    Tcp,
    /// Datagrams.
    Udp,
}

/// A socket that waits for anybody, as the kernel names it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Waiting {
    address: SocketAddr,
    uid: Option<u32>,
    /// What its holders are found by.
    inode: u64,
    /// Whether `[::]` does not take IPv4 here.
    is_v6_only: bool,
}

/// How well a listener's address answers for another: the same one best, all of them last; `None`: not at all.
///
/// `0.0.0.0` takes what no other IPv4 listener of the port takes, and `[::]` mostly both families.
#[must_use]
pub fn rank(listener: SocketAddr, wanted: SocketAddr) -> Option<u8> {
    if listener.port() != wanted.port() {
        return None;
    }
    // An IPv6 socket bound to `::ffff:0.0.0.0` is one of IPv4.
    match (listener.ip().to_canonical(), wanted.ip().to_canonical()) {
        (ip, wanted) if ip == wanted => Some(0),
        (IpAddr::V4(ip), IpAddr::V4(_)) if ip.is_unspecified() => Some(1),
        (IpAddr::V6(ip), IpAddr::V6(_)) if ip.is_unspecified() => Some(1),
        (IpAddr::V6(ip), IpAddr::V4(_)) if ip.is_unspecified() => Some(2),
        _ => None,
    }
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
