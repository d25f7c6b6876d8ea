//! Linux: the kernel's `sock_diag`, asked for sockets that wait for anybody and nothing else.
//!
//! It walks only those, where `/proc/net/tcp` walks the table of every connection there could be: 0.1 ms against
//! 5 ms on a machine at rest.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with, sockopt,
};

use super::{Listener, Protocol, Waiting};

const DONE: u16 = 3;
const ERROR: u16 = 2;
const BY_FAMILY: u16 = 20;
/// A request for a whole dump.
const REQUEST_DUMP: u16 = 0x301;
/// The bit of the state in which a TCP socket accepts, and of that of a UDP socket with no peer.
const LISTEN: u32 = 1 << 10;
const UNCONNECTED: u32 = 1 << 7;
/// The attribute that says whether an IPv6 socket takes no IPv4.
const V6_ONLY: u16 = 11;
/// Of a message's own header, and of what tells of one socket.
const HEADER: usize = 16;
const SOCKET: usize = 72;

/// The TCP listeners of a family, with the inodes of their sockets.
///
/// # Errors
/// As for [`waiting`].
pub(super) fn listening(family: AddressFamily) -> Result<Vec<(Listener, u64)>, Errno> {
    let found = waiting(family, Protocol::Tcp)?;
    let plain = |it: Waiting| (Listener { address: it.address, pids: Vec::new(), uid: it.uid }, it.inode);
    Ok(found.into_iter().map(plain).collect())
}

/// The sockets of a family that wait for anybody.
///
/// # Errors
/// Where the kernel does not answer such questions here; then its tables do.
pub(super) fn waiting(family: AddressFamily, protocol: Protocol) -> Result<Vec<Waiting>, Errno> {
    let kind = SocketType::DGRAM;
    let socket = socket_with(AddressFamily::NETLINK, kind, SocketFlags::CLOEXEC, Some(netlink::SOCK_DIAG))?;
    let wait = std::time::Duration::from_secs(1);
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(wait))?;
    send(&socket, &request(family, protocol), SendFlags::empty())?;
    let mut found = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let (filled, whole) = recv(&socket, buffer.as_mut_slice(), RecvFlags::TRUNC)?;
        if whole > filled {
            return Err(Errno::MSGSIZE);
        }
        if read(&buffer[..filled], &mut found)? {
            return Ok(found);
        }
    }
}

fn request(family: AddressFamily, protocol: Protocol) -> Vec<u8> {
    let (number, states) = match protocol {
        Protocol::Tcp => (6, LISTEN),
        Protocol::Udp => (17, UNCONNECTED),
    };
    let mut message = Vec::with_capacity(HEADER + 56);
    message.extend(72_u32.to_ne_bytes());
    message.extend(BY_FAMILY.to_ne_bytes());
    message.extend(REQUEST_DUMP.to_ne_bytes());
    message.extend([0; 8]);
    message.extend([family.as_raw().to_le_bytes()[0], number, 0, 0]);
    message.extend(states.to_ne_bytes());
    message.extend([0; 48]);
    message
}

/// Reads the messages of one answer; true where the last was among them.
fn read(mut messages: &[u8], found: &mut Vec<Waiting>) -> Result<bool, Errno> {
    while !messages.is_empty() {
        let length = u32_at(messages, 0).and_then(|it| usize::try_from(it).ok()).ok_or(Errno::BADMSG)?;
        let message = messages.get(..length).filter(|_| length >= HEADER).ok_or(Errno::BADMSG)?;
        let kind = u16::from_ne_bytes([message[4], message[5]]);
        let body = &message[HEADER..];
        match kind {
            DONE => return Ok(true),
            ERROR => {
                let code = u32_at(body, 0).ok_or(Errno::BADMSG)?.cast_signed();
                return Err(Errno::from_raw_os_error(code.saturating_neg()));
            }
            BY_FAMILY => found.push(socket(body).ok_or(Errno::BADMSG)?),
            _ => (),
        }
        messages = &messages[length.next_multiple_of(4).min(messages.len())..];
    }
    Ok(false)
}

/// After four bytes of state stand the port, the address, and at the end the user and the inode; then attributes.
fn socket(message: &[u8]) -> Option<Waiting> {
    let body = message.get(..SOCKET)?;
    let port = u16::from_be_bytes([body[4], body[5]]);
    let host: [u8; 16] = body[8..24].try_into().ok()?;
    let ip = if AddressFamily::from_raw(body[0].into()) == AddressFamily::INET {
        IpAddr::V4(Ipv4Addr::new(host[0], host[1], host[2], host[3]))
    } else {
        IpAddr::V6(Ipv6Addr::from(host))
    };
    let (uid, inode) = (u32_at(body, 64)?, u32_at(body, 68)?);
    let is_v6_only = attribute(&message[SOCKET..], V6_ONLY) == Some(1);
    Some(Waiting { address: SocketAddr::new(ip, port), uid: Some(uid), inode: inode.into(), is_v6_only })
}

/// The first byte of an attribute: each is a length, a kind and its value, padded to four bytes.
fn attribute(mut attributes: &[u8], wanted: u16) -> Option<u8> {
    while let [low, high, kind_low, kind_high, rest @ ..] = attributes {
        let length = usize::from(u16::from_ne_bytes([*low, *high])).max(4);
        if u16::from_ne_bytes([*kind_low, *kind_high]) == wanted {
            return rest.first().copied().filter(|_| length > 4);
        }
        attributes = attributes.get(length.next_multiple_of(4)..)?;
    }
    None
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
