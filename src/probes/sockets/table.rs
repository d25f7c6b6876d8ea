//! Every socket that waits for anybody, read once and found by its port or path: ten thousand questions are linear.
//!
//! Who holds a socket is another, dearer question: a walk through all processes, made once and only where it is asked.

use std::collections::HashMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::{Protocol, Waiting, rank};
#[cfg(not(target_os = "macos"))]
use super::{linux, unix};
use crate::error::ProbeError;

/// The sockets of this machine, by what they are asked for.
#[derive(Debug, Clone, Default)]
pub struct Table {
    ports: HashMap<(Protocol, u16), Vec<Open>>,
    paths: HashMap<PathBuf, Vec<Open>>,
    /// The names beneath which sockets with a path are found, as they were bound: a path may lead through links.
    names: HashMap<OsString, Vec<PathBuf>>,
    /// Where reading the sockets told who holds them.
    #[cfg(target_os = "macos")]
    pub(super) holders: Holders,
}

/// For each socket, the processes that hold it.
pub type Holders = HashMap<u64, Vec<u32>>;

/// A socket that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Its address; `None`: it has a path.
    pub address: Option<SocketAddr>,
    /// The user who opened it, where the kernel says so.
    pub uid: Option<u32>,
    /// What [`Holders`] know it by.
    pub inode: u64,
    is_v6_only: bool,
}

/// Reads the sockets.
///
/// # Errors
/// Where the kernel cannot be asked: then nobody may say "the port is free".
pub fn read() -> Result<Table, ProbeError> {
    #[cfg(target_os = "macos")]
    return super::macos::table();
    #[cfg(not(target_os = "macos"))]
    {
        let mut table = Table::default();
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            linux::waiting(protocol)?.into_iter().for_each(|it| table.add(protocol, &it));
        }
        unix::waiting()?.into_iter().for_each(|(path, inode)| table.add_path(path, inode));
        Ok(table)
    }
}

impl Table {
    pub(super) fn add(&mut self, protocol: Protocol, it: &Waiting) {
        let Waiting { address, uid, inode, is_v6_only } = *it;
        let open = Open { address: Some(address), uid, inode, is_v6_only };
        self.ports.entry((protocol, address.port())).or_default().push(open);
    }

    pub(super) fn add_path(&mut self, path: PathBuf, inode: u64) {
        let open = Open { address: None, uid: None, inode, is_v6_only: false };
        let of_path = self.paths.entry(path.clone()).or_default();
        if of_path.is_empty() {
            self.names.entry(path.file_name().unwrap_or_default().to_owned()).or_default().push(path);
        }
        of_path.push(open);
    }

    /// Everything that waits on a port, whatever its address.
    #[must_use]
    pub fn on_port(&self, protocol: Protocol, port: u16) -> &[Open] {
        self.ports.get(&(protocol, port)).map_or(&[], Vec::as_slice)
    }

    /// What takes a connection to this address: those that name it most exactly; several may share it.
    #[must_use]
    pub fn at(&self, protocol: Protocol, wanted: SocketAddr) -> Vec<&Open> {
        let takes = |it: &&Open| !(it.is_v6_only && wanted.is_ipv4());
        let ranked = self.on_port(protocol, wanted.port()).iter().filter(takes);
        let mut ranked: Vec<(u8, &Open)> =
            ranked.filter_map(|it| Some((rank(it.address?, wanted)?, it))).collect();
        let best = ranked.iter().map(|(rank, _)| *rank).min();
        ranked.retain(|(rank, _)| Some(*rank) == best);
        ranked.into_iter().map(|(_, it)| it).collect()
    }

    /// What was bound to this very path.
    #[must_use]
    pub fn at_path(&self, path: &Path) -> &[Open] {
        self.paths.get(path).map_or(&[], Vec::as_slice)
    }

    /// The other paths of sockets whose last part is this one's, as they were bound: absolute or not.
    pub fn namesakes<'a>(&'a self, path: &'a Path) -> impl Iterator<Item = &'a Path> {
        let names = path.file_name().and_then(|name| self.names.get(name)).into_iter().flatten();
        names.map(PathBuf::as_path).filter(move |it| *it != path)
    }

    /// Who holds the sockets: one walk through all processes. Those that may not be looked into are passed over.
    #[must_use]
    pub fn holders(&self) -> Holders {
        #[cfg(target_os = "macos")]
        return self.holders.clone();
        #[cfg(not(target_os = "macos"))]
        {
            let ports = self.ports.values().flatten();
            let inodes: Vec<u64> = ports.chain(self.paths.values().flatten()).map(|it| it.inode).collect();
            linux::holders(&inodes)
        }
    }
}
