//! macOS: the descriptors of every process that may be looked into, and `netstat` for the others.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use libproc::libproc::bsd_info::BSDInfo;
use libproc::libproc::file_info::{ListFDs, ProcFDType, pidfdinfo};
use libproc::libproc::net_info::{SocketFDInfo, SocketInfoKind, TcpSIState, TcpSockInfo};
use libproc::libproc::proc_pid::{listpidinfo, pidinfo};
use libproc::processes::{ProcFilter, pids_by_type};

use super::table::Table;
use super::{Listener, Protocol, Waiting, netstat};
use crate::error::ProbeError;
use crate::probes::processes;
use crate::probes::program::{Program, run};

pub(super) fn listening() -> Result<Vec<Listener>, ProbeError> {
    let pids =
        pids_by_type(ProcFilter::All).map_err(|error| ProbeError::failed("list the processes", &error))?;
    let mut listeners: Vec<Listener> = Vec::new();
    let mut hidden = false;
    for pid in pids {
        let Some((addresses, uid)) = held_by(pid) else {
            hidden = true;
            continue;
        };
        for address in addresses {
            match listeners.iter_mut().find(|it| it.address == address) {
                Some(known) if known.pids.contains(&pid) => (),
                Some(known) => known.pids.push(pid),
                None => listeners.push(Listener { address, pids: vec![pid], uid: Some(uid) }),
            }
        }
    }
    for listener in listeners.iter_mut().filter(|it| it.pids.len() > 1) {
        listener.pids.sort_by_key(|pid| (processes::start(*pid), *pid));
    }
    if hidden {
        for address in all_addresses()? {
            if !listeners.iter().any(|it| it.address == address) {
                listeners.push(Listener { address, pids: Vec::new(), uid: None });
            }
        }
    }
    Ok(listeners)
}

/// Where this process listens, and its user; `None` where it may not be looked into.
fn held_by(pid: u32) -> Option<(Vec<SocketAddr>, u32)> {
    let pid = i32::try_from(pid).ok()?;
    let info: BSDInfo = pidinfo(pid, 0).ok()?;
    let room = usize::try_from(info.pbi_nfiles).ok()? + 16;
    let descriptors = listpidinfo::<ListFDs>(pid, room).ok()?;
    let sockets =
        descriptors.iter().filter(|it| matches!(ProcFDType::from(it.proc_fdtype), ProcFDType::Socket));
    let addresses = sockets.filter_map(|it| address(&pidfdinfo::<SocketFDInfo>(pid, it.proc_fd).ok()?));
    Some((addresses.collect(), info.pbi_uid))
}

/// The address of a TCP socket that listens.
fn address(socket: &SocketFDInfo) -> Option<SocketAddr> {
    let tcp = tcp(socket)?;
    if !matches!(TcpSIState::from(tcp.tcpsi_state), TcpSIState::Listen) {
        return None;
    }
    // The port is in network order, in the low half of an int.
    let low = u16::try_from(tcp.tcpsi_ini.insi_lport & 0xffff).ok()?;
    let port = u16::from_be(low);
    Some(SocketAddr::new(host(&tcp), port))
}

#[expect(unsafe_code, reason = "the kernel's own union: its tag says which arm it is")]
fn tcp(socket: &SocketFDInfo) -> Option<TcpSockInfo> {
    if !matches!(SocketInfoKind::from(socket.psi.soi_kind), SocketInfoKind::Tcp) {
        return None;
    }
    // SAFETY: the kind says that the kernel filled this arm.
    Some(unsafe { socket.psi.soi_proto.pri_tcp })
}

#[expect(unsafe_code, reason = "the kernel's own union: its tag says which arm it is")]
fn host(tcp: &TcpSockInfo) -> IpAddr {
    const IPV4: u8 = 1;
    let (flags, address) = (tcp.tcpsi_ini.insi_vflag, tcp.tcpsi_ini.insi_laddr);
    if flags == IPV4 {
        // SAFETY: the flag says that it is an IPv4 address; every bit pattern is one.
        let address = unsafe { address.ina_46 }.i46a_addr4.s_addr;
        return IpAddr::V4(Ipv4Addr::from(address.to_ne_bytes()));
    }
    // SAFETY: sixteen bytes that the kernel filled; every bit pattern is an address.
    IpAddr::V6(Ipv6Addr::from(unsafe { address.ina_6 }.s6_addr))
}

/// Every socket that waits. Who holds one of datagrams, or one with a path, is not asked.
pub(super) fn table() -> Result<Table, ProbeError> {
    let mut table = Table::default();
    let mut inode = 0;
    let mut add = |protocol, address, uid| {
        inode += 1;
        table.add(protocol, &Waiting { address, uid, inode, is_v6_only: false });
        inode
    };
    let mut holders = super::table::Holders::new();
    for it in listening()? {
        holders.insert(add(Protocol::Tcp, it.address, it.uid), it.pids);
    }
    for address in netstat::parse_udp(&netstat(&["-anl", "-p", "udp"])?) {
        add(Protocol::Udp, address, None);
    }
    table.holders = holders;
    for path in netstat::parse_unix(&netstat(&["-an", "-f", "unix"])?) {
        table.add_path(path, 0);
    }
    Ok(table)
}

fn all_addresses() -> Result<Vec<SocketAddr>, ProbeError> {
    Ok(netstat::parse(&netstat(&["-anl", "-p", "tcp"])?))
}

fn netstat(arguments: &[&str]) -> Result<String, ProbeError> {
    let program = Program {
        argv: ["/usr/sbin/netstat"].iter().chain(arguments).map(Into::into).collect(),
        directory: None,
        environment: [("LC_ALL".into(), "C".into())].into(),
        deadline: Duration::from_secs(5),
        limit: 4 << 20,
    };
    let output = run(&program)?;
    if !output.succeeded() || output.truncated {
        return Err(ProbeError::failed(
            "ask netstat who listens",
            &String::from_utf8_lossy(&output.stderr).trim(),
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
