//! `housecall who PORT`: who answers on a port, in both address families. It needs no configuration.

mod render;

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::error::ProbeError;
use crate::exit::Exit;
use crate::probes::machine::Machine;
use crate::probes::processes::{self, Process};
use crate::probes::sockets::{self, Listener};
use crate::probes::whereabouts::{self, Worktree};
use crate::probes::{accounts, http};

pub use render::{Reader, render};

/// Who answers on a port.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Who {
    /// The name and version of this shape.
    pub schema: &'static str,
    /// The port.
    pub port: u16,
    /// Those who listen on it.
    pub listeners: Vec<Answering>,
    /// Others that may be meant: on a port close by, or from the same directory.
    pub near: Vec<Near>,
}

/// One who listens, with all addresses that its processes hold on that port.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answering {
    /// Where, and what it answers there.
    pub addresses: Vec<Address>,
    /// The user who opened it.
    pub user: Option<String>,
    /// The processes that hold it, parents before children; none where that may not be known.
    pub processes: Vec<Seen>,
    /// What started the first of them, nearest first: package managers, shells that run one command, keepers.
    pub started_by: Vec<Seen>,
    /// Its working directory.
    #[serde(serialize_with = "whereabouts::as_text")]
    pub directory: Option<PathBuf>,
    /// The worktree that this directory is in.
    pub worktree: Option<Worktree>,
    /// What could not be looked at, in the words of the probes.
    pub unknown: Vec<String>,
}

/// An address and what it answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Address {
    /// The address it listens at.
    pub address: SocketAddr,
    /// What `GET /` came to.
    pub http: Http,
}

/// What `GET /` came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "came_to", rename_all = "kebab-case")]
pub enum Http {
    /// It answered.
    Answered {
        /// Its status.
        status: u16,
        /// In how many milliseconds.
        took_ms: u64,
    },
    /// It accepted and said nothing.
    Silent {
        /// For how many milliseconds.
        after_ms: u64,
    },
    /// It did not accept after all.
    Refused,
    /// It does not speak HTTP, or broke off.
    Broken {
        /// Why.
        why: String,
    },
}

/// A process, as far as it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Its id.
    pub pid: u32,
    /// Its command line, for people.
    pub command: String,
    /// When it started.
    pub since: Timestamp,
}

/// A listener on another port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Near {
    /// Its address.
    pub address: SocketAddr,
    /// Its process.
    pub process: Seen,
    /// Its working directory.
    #[serde(serialize_with = "whereabouts::as_text")]
    pub directory: PathBuf,
}

/// Programs that start others: an ancestor that is none of them did not come along with the server.
const WRAPPERS: [&str; 15] = [
    "npm",
    "npx",
    "pnpm",
    "yarn",
    "bun",
    "bunx",
    "corepack",
    "sh",
    "bash",
    "zsh",
    "dash",
    "env",
    "node",
    "make",
    "housecall",
];
/// How long one address may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How far a dev server moves when its port is taken.
const NEAR: u16 = 10;
/// More ancestors than this are a circle of reused ids.
const GENERATIONS: usize = 12;

/// Looks at a port; `here` is the directory of whoever asks.
///
/// # Errors
/// Where the kernel cannot be asked who listens.
pub fn look(machine: &Machine, here: &Path, port: u16) -> Result<Who, ProbeError> {
    let (on_port, others): (Vec<Listener>, Vec<Listener>) =
        sockets::listening()?.into_iter().partition(|it| it.address.port() == port);
    let mut groups: Vec<Vec<Listener>> = Vec::new();
    for listener in on_port {
        match groups.iter_mut().find(|group| !listener.pids.is_empty() && group[0].pids == listener.pids) {
            Some(group) => group.push(listener),
            None => groups.push(vec![listener]),
        }
    }
    let listeners: Vec<Answering> = thread::scope(|scope| {
        let looks: Vec<_> = groups.iter().map(|group| scope.spawn(|| answering(machine, group))).collect();
        looks.into_iter().filter_map(|look| look.join().ok()).collect()
    });
    let near = near(&others, &listeners, here, port);
    Ok(Who { schema: "housecall.who/1", port, listeners, near })
}

impl Who {
    /// 0 where somebody listens, 1 where nobody does.
    #[must_use]
    pub fn exit(&self) -> Exit {
        if self.listeners.is_empty() { Exit::Unhealthy } else { Exit::Healthy }
    }
}

fn answering(machine: &Machine, group: &[Listener]) -> Answering {
    let mut unknown = Vec::new();
    let addresses = thread::scope(|scope| {
        let gets: Vec<_> = group.iter().map(|it| (it.address, scope.spawn(|| get(it.address)))).collect();
        let answers = gets.into_iter().map(|(address, get)| {
            let http =
                get.join().unwrap_or_else(|_| Http::Broken { why: "the look itself broke".to_owned() });
            Address { address, http }
        });
        answers.collect()
    });
    let mut known: Vec<Process> = Vec::new();
    for pid in &group[0].pids {
        match processes::read(*pid) {
            Ok(process) => known.extend(process),
            Err(error) => unknown.push(error.to_string()),
        }
    }
    if group[0].pids.is_empty() {
        unknown.push("the process is not this user's to look at".to_owned());
    }
    let first = known.first();
    let directory = first.and_then(|it| it.directory.clone());
    let worktree = directory.as_deref().map_or(Ok(None), |it| whereabouts::read(machine, it));
    let worktree = worktree.unwrap_or_else(|error| {
        unknown.push(error.to_string());
        None
    });
    Answering {
        addresses,
        user: group[0].uid.map(accounts::user_name),
        started_by: first.map(ancestors).unwrap_or_default(),
        processes: known.iter().map(Seen::from).collect(),
        directory,
        worktree,
        unknown,
    }
}

fn get(address: SocketAddr) -> Http {
    let host = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let url = format!("http://{}/", SocketAddr::new(host, address.port()));
    let millis = |took: Duration| u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    match http::get(&url, PATIENCE) {
        Ok(http::Answer::Response(it)) => Http::Answered { status: it.status, took_ms: millis(it.took) },
        Ok(http::Answer::Silent { after }) => Http::Silent { after_ms: millis(after) },
        Ok(http::Answer::Refused) => Http::Refused,
        Ok(http::Answer::Broken(why) | http::Answer::Distrusted(why)) => Http::Broken { why },
        Err(error) => Http::Broken { why: error.to_string() },
    }
}

/// The processes that came along with this one, nearest first: up to the first that did not.
fn ancestors(process: &Process) -> Vec<Seen> {
    let mut found = Vec::new();
    let mut parent = process.parent;
    while let Some(pid) = parent.filter(|pid| *pid > 1 && found.len() < GENERATIONS) {
        let Ok(Some(process)) = processes::read(pid) else { break };
        if !is_wrapper(&process) {
            break;
        }
        parent = process.parent;
        found.push(Seen::from(&process));
    }
    found
}

/// A package manager, a keeper, or a shell that runs one command; a shell that a person types into is none.
fn is_wrapper(process: &Process) -> bool {
    let Some(first) = process.argv.first().and_then(|it| it.split_whitespace().next()) else { return false };
    let name = Path::new(first).file_name().unwrap_or_default().to_string_lossy();
    let is_shell = ["sh", "bash", "zsh", "dash"].contains(&&*name);
    WRAPPERS.contains(&&*name) && (!is_shell || process.argv.get(1).is_some_and(|it| it.starts_with("-c")))
}

/// Listeners on a port close by, and those from the same directory as one on the port or as whoever asks.
fn near(others: &[Listener], answering: &[Answering], here: &Path, port: u16) -> Vec<Near> {
    let held: HashSet<u32> = answering.iter().flat_map(|it| &it.processes).map(|it| it.pid).collect();
    let mut told = HashSet::new();
    let mut found = Vec::new();
    for listener in others {
        let Some(pid) = listener.pids.first().filter(|pid| !held.contains(pid)) else { continue };
        let Ok(Some(process)) = processes::read(*pid) else { continue };
        let Some(directory) = process.directory.clone().filter(|it| it != Path::new("/")) else { continue };
        let other = listener.address.port();
        let is_close = answering.is_empty() && other > port && other - port <= NEAR;
        let is_sibling = answering.iter().any(|it| it.directory.as_ref() == Some(&directory));
        let is_here = answering.is_empty() && here != Path::new("/") && directory.starts_with(here);
        if (is_close || is_sibling || is_here) && told.insert((*pid, other)) {
            found.push(Near { address: listener.address, process: Seen::from(&process), directory });
        }
    }
    found.sort_by_key(|it| (it.address.port().abs_diff(port), it.address));
    found
}

impl From<&Process> for Seen {
    fn from(process: &Process) -> Self {
        Self { pid: process.pid, command: process.command(), since: process.started }
    }
}
