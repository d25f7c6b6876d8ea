//! Linux: `sock_diag`, or else `/proc/net/tcp` and `tcp6`; then the descriptor links of every process that may be read.
#![expect(clippy::disallowed_methods, reason = "probes are where the machine is read")]

use std::collections::HashMap;
use std::io::ErrorKind;
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{CWD, Mode, OFlags, RawDir, openat, readlinkat_raw};
use rustix::net::AddressFamily;

use super::{Listener, Protocol, Waiting, diag};
use crate::error::ProbeError;
use crate::probes::processes;

/// The state of a socket that accepts, as the kernel writes it, and of a UDP socket with no peer.
const LISTEN: &[u8] = b"0A";
const UNCONNECTED: &[u8] = b"07";
const TCP4: &str = "/proc/net/tcp";
const TCP6: &str = "/proc/net/tcp6";

pub(super) fn listening() -> Result<Vec<Listener>, ProbeError> {
    let mut found = Vec::new();
    for (family, table) in [(AddressFamily::INET, TCP4), (AddressFamily::INET6, TCP6)] {
        match diag::listening(family) {
            Ok(of_family) => found.extend(of_family),
            // Not every kernel and not every container answers; the tables are everywhere.
            Err(_) => found.extend(read_table(table)?),
        }
    }
    let (mut listeners, inodes): (Vec<Listener>, Vec<u64>) = found.into_iter().unzip();
    let mut holders = holders(&inodes);
    for (listener, inode) in listeners.iter_mut().zip(&inodes) {
        listener.pids = holders.remove(inode).unwrap_or_default();
        if listener.pids.len() > 1 {
            listener.pids.sort_by_key(|pid| (processes::start(*pid), *pid));
        }
    }
    Ok(listeners)
}

/// Every socket of that protocol that waits for anybody, without its holders.
pub(super) fn waiting(protocol: Protocol) -> Result<Vec<Waiting>, ProbeError> {
    let tables = match protocol {
        Protocol::Tcp => [TCP4, TCP6],
        Protocol::Udp => ["/proc/net/udp", "/proc/net/udp6"],
    };
    let mut found = Vec::new();
    for (family, table) in [AddressFamily::INET, AddressFamily::INET6].into_iter().zip(tables) {
        match diag::waiting(family, protocol) {
            Ok(of_family) => found.extend(of_family),
            Err(_) => found.extend(read_table(table)?.into_iter().map(|(it, inode)| Waiting {
                address: it.address,
                uid: it.uid,
                inode,
                is_v6_only: false,
            })),
        }
    }
    Ok(found)
}

fn read_table(table: &str) -> Result<Vec<(Listener, u64)>, ProbeError> {
    match std::fs::read(table) {
        Ok(text) if table.contains("udp") => parse_udp(&text).ok_or_else(|| {
            ProbeError::unreadable(table, &"a line of it is not what the kernel is known to write")
        }),
        Ok(text) => parse(&text).ok_or_else(|| {
            ProbeError::unreadable(table, &"a line of it is not what the kernel is known to write")
        }),
        // A kernel without IPv6 has no such table, and nobody listens there.
        Err(error) if error.kind() == ErrorKind::NotFound && table.ends_with('6') => Ok(Vec::new()),
        Err(error) => Err(ProbeError::failed(format!("read {table}"), &error)),
    }
}

/// The listeners in one of the kernel's tables, with the inodes of their sockets; `None` where it makes no sense.
///
/// The kernel writes those that listen first, so the first that does not is the end of them.
fn parse(table: &[u8]) -> Option<Vec<(Listener, u64)>> {
    let lines = table.split(|byte| *byte == b'\n').skip(1).filter(|line| !line.is_empty());
    let mut found = Vec::new();
    for line in lines {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let local = std::str::from_utf8(words.nth(1)?).ok()?;
        if words.nth(1)? != LISTEN {
            break;
        }
        let uid = number(words.nth(3)?)?;
        let inode = number(words.nth(1)?)?;
        let uid = u32::try_from(uid).ok();
        found.push((Listener { address: address(local)?, pids: Vec::new(), uid }, inode));
    }
    Some(found)
}

/// The same for datagrams, which stand in any order.
fn parse_udp(table: &[u8]) -> Option<Vec<(Listener, u64)>> {
    let lines = table.split(|byte| *byte == b'\n').skip(1).filter(|line| !line.is_empty());
    let mut found = Vec::new();
    for line in lines {
        let words: Vec<&[u8]> =
            line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).take(10).collect();
        if *words.get(3)? == UNCONNECTED {
            let address = address(std::str::from_utf8(words.get(1)?).ok()?)?;
            let uid = u32::try_from(number(words.get(7)?)?).ok();
            found.push((Listener { address, pids: Vec::new(), uid }, number(words.get(9)?)?));
        }
    }
    Some(found)
}

fn number(word: &[u8]) -> Option<u64> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// An address is written as 32-bit words in the machine's own byte order, and a port.
fn address(word: &str) -> Option<SocketAddr> {
    let (host, port) = word.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| Some(u32::from_str_radix(host.get(at * 8..at * 8 + 8)?, 16).ok()?.to_ne_bytes());
    let ip = match host.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let mut bytes = [0; 16];
            for (at, chunk) in bytes.chunks_exact_mut(4).enumerate() {
                chunk.copy_from_slice(&word(at)?);
            }
            IpAddr::V6(Ipv6Addr::from(bytes))
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// For each of these sockets, the processes that hold it. Those that may not be looked into are passed over.
pub(super) fn holders(inodes: &[u64]) -> HashMap<u64, Vec<u32>> {
    let mut found: HashMap<u64, Vec<u32>> = inodes.iter().map(|inode| (*inode, Vec::new())).collect();
    let Some(processes) = open_directory(CWD, "/proc") else { return found };
    let mut buffer = [MaybeUninit::uninit(); 16 << 10];
    let mut pids = Vec::new();
    let mut entries = RawDir::new(&processes, &mut buffer);
    while let Some(Ok(entry)) = entries.next() {
        pids.extend(entry.file_name().to_str().ok().and_then(|name| name.parse::<u32>().ok()));
    }
    for pid in pids {
        let Some(descriptors) = open_directory(processes.as_fd(), &format!("{pid}/fd")) else { continue };
        let mut entries = RawDir::new(&descriptors, &mut buffer);
        while let Some(Ok(entry)) = entries.next() {
            let mut link = [MaybeUninit::uninit(); 64];
            let Ok((target, _)) = readlinkat_raw(&descriptors, entry.file_name(), &mut link) else {
                continue;
            };
            let target: &[u8] = target;
            let inode = target.strip_prefix(b"socket:[").and_then(|rest| rest.strip_suffix(b"]"));
            let holding = inode.and_then(number).and_then(|inode| found.get_mut(&inode));
            if let Some(holding) = holding
                && holding.last() != Some(&pid)
            {
                holding.push(pid);
            }
        }
    }
    found
}

fn open_directory(root: BorrowedFd<'_>, path: &str) -> Option<OwnedFd> {
    openat(root, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:10E1 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 27001 1 0000000000000000 100 0 0 10 0
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 27002 1 0000000000000000 100 0 0 10 0
   2: 0100007F:9C40 0100007F:10E1 01 00000000:00000000 00:00000000 00000000  1000        0 27003 1 0000000000000000 20 4 30 10 -1
";
    const TABLE6: &str = "  sl  local_address                         remote_address                        st
   0: 00000000000000000000000001000000:10E1 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 27004 1 0 100 0 0 10 0
";

    #[test]
    #[cfg(target_endian = "little")]
    fn only_those_that_listen_are_read_in_both_families() {
        let read = |table: &str| {
            let found = parse(table.as_bytes()).unwrap();
            found.iter().map(|(it, inode)| format!("{} {:?} {inode}", it.address, it.uid)).collect::<Vec<_>>()
        };
        assert_eq!(read(TABLE), ["127.0.0.1:4321 Some(1000) 27001", "0.0.0.0:22 Some(0) 27002"]);
        assert_eq!(read(TABLE6), ["[::1]:4321 Some(1000) 27004"]);
        assert_eq!(read("header only\n"), [""; 0]);
    }

    #[test]
    fn both_ways_to_ask_know_a_listener() {
        let listener = std::net::TcpListener::bind("[::1]:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut ways = [diag::listening(AddressFamily::INET6).unwrap(), read_table(TCP6).unwrap()];
        for way in &mut ways {
            way.retain(|(it, _)| it.address == address);
        }
        assert_eq!(ways[0].len(), 1);
        assert_eq!(ways[0], ways[1]);
    }

    #[test]
    fn a_table_that_makes_no_sense_is_not_an_empty_one() {
        for table in ["x\n what is this", "x\n 0: 01:10E1 0:0 0A 0 0 0 0 0 1", "x\n 0: 0100007F:10E1 0:0 0A"]
        {
            assert!(parse(table.as_bytes()).is_none(), "{table}");
        }
    }
}
