//! The network interfaces of this machine, also those without an address.
#![expect(clippy::disallowed_methods, reason = "probes are where the machine is read")]

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use nix::sys::socket::SockaddrStorage;

use crate::error::ProbeError;
use crate::probes::program::{self, Program};

/// An interface.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interface {
    /// Whether it is switched on and has a link.
    pub is_up: bool,
    /// Its addresses, each with the length of its network's prefix.
    pub addresses: Vec<(IpAddr, u32)>,
}

/// All interfaces, by their names.
///
/// # Errors
/// The kernel does not tell.
pub fn all() -> Result<BTreeMap<String, Interface>, ProbeError> {
    let failed = |error| ProbeError::failed("list the network interfaces", &std::io::Error::from(error));
    let mut all: BTreeMap<String, Interface> = BTreeMap::new();
    for it in getifaddrs().map_err(failed)? {
        // `eth0:1` is a second address of eth0 under a label of its own.
        let name = it.interface_name.split(':').next().unwrap_or_default().to_owned();
        let found = all.entry(name).or_default();
        found.is_up |= it.flags.contains(InterfaceFlags::IFF_UP | InterfaceFlags::IFF_RUNNING);
        if let Some(address) = it.address.as_ref().and_then(ip) {
            found.addresses.push((address, it.netmask.as_ref().and_then(ip).map_or(0, prefix)));
        }
    }
    Ok(all)
}

/// The largest packet that an interface carries whole, in bytes.
///
/// # Errors
/// The kernel does not tell.
pub fn mtu(name: &str, deadline: Duration) -> Result<u32, ProbeError> {
    let what = || format!("tell the MTU of {name}");
    let text = if cfg!(target_os = "macos") {
        let program = Program {
            argv: ["/sbin/ifconfig", name].map(Into::into).to_vec(),
            directory: None,
            environment: [("LC_ALL".into(), "C".into())].into(),
            deadline,
            limit: 1 << 16,
        };
        let output = program::run(&program)?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.split_once(" mtu ").map(|(_, rest)| rest.to_owned()).unwrap_or_default()
    } else {
        let place = format!("/sys/class/net/{name}/mtu");
        std::fs::read_to_string(place).map_err(|error| ProbeError::failed(what(), &error))?
    };
    let number = text.split_whitespace().next().and_then(|it| it.parse().ok());
    number.ok_or_else(|| ProbeError::unreadable(format!("the MTU of {name}"), &"there is no number"))
}

fn ip(address: &SockaddrStorage) -> Option<IpAddr> {
    let four = address.as_sockaddr_in().map(|it| IpAddr::V4(it.ip()));
    four.or_else(|| address.as_sockaddr_in6().map(|it| IpAddr::V6(it.ip())))
}

fn prefix(mask: IpAddr) -> u32 {
    match mask {
        IpAddr::V4(mask) => mask.to_bits().count_ones(),
        IpAddr::V6(mask) => mask.to_bits().count_ones(),
    }
}
