//! `listener`: who waits at an address of this machine, and whether anybody does.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Question;
use super::who::Who;
use crate::config::{self, Reading};
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::probes::processes::Process;
use crate::probes::sockets::Protocol;
use crate::probes::sockets::table::{Open, Table};
use crate::probes::{accounts, ground};
use crate::unit::Pace;
use crate::verdict::{Fact, Seen, Verdict};

/// An address, and what is asked of who waits there.
#[derive(Debug, Clone)]
pub struct Listener {
    address: Address,
    is_absent: bool,
    owner: Option<Who>,
    command: Option<regex::Regex>,
    directory: Option<PathBuf>,
}

/// Where somebody waits.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Address {
    One(Protocol, SocketAddr),
    /// Any address at this port: of this family, or of either.
    Any(Protocol, Option<Family>, u16),
    Path(PathBuf),
}

/// A family of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    V4,
    V6,
}

/// As it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Written {
    /// `127.0.0.1:5432`, `[::1]:80`, `:8080` (any address of either family), `tcp6://:8080` (of that one),
    /// `udp://127.0.0.1:53`, `unix:/run/x.sock`.
    #[schemars(with = "String")]
    pub address: config::Text,
    /// The user who listens, by name or number.
    #[schemars(with = "Option<String>")]
    pub owner: Option<config::Text>,
    /// A regular expression that the command line of who listens must match.
    #[schemars(with = "Option<String>")]
    pub command: Option<config::Text>,
    /// The directory that who listens runs in, or beneath.
    #[schemars(with = "Option<String>")]
    pub directory: Option<config::Text>,
    /// Whether nobody may listen; default false.
    pub absent: Option<bool>,
}

impl Written {
    /// What it means; mistakes are written down.
    pub fn read(self, _: Range<usize>, it: &mut Reading<'_>) -> Option<Listener> {
        let is_absent = self.absent.unwrap_or(false);
        let more = [&self.owner, &self.command, &self.directory].into_iter().flatten().next();
        if let Some(more) = more.filter(|_| is_absent) {
            it.wrong(more.span(), "nobody has no owner, command or directory", "leave `absent` out, or this");
            return None;
        }
        let directory = it.maybe(self.directory.as_ref(), Reading::path)?;
        if let (Some(Some("/")), Some(written)) = (directory.as_deref().map(Path::to_str), &self.directory) {
            it.wrong(written.span(), "everything runs beneath /", "write another directory, or leave it out");
            return None;
        }
        Some(Listener {
            address: address(&self.address, it)?,
            is_absent,
            owner: Who::read(self.owner.as_ref(), it)?,
            command: it.maybe(self.command.as_ref(), Reading::pattern)?,
            directory,
        })
    }
}

fn address(written: &config::Text, it: &mut Reading<'_>) -> Option<Address> {
    let text = it.text(written)?;
    if let Some(path) = text.strip_prefix("unix:") {
        let path = format!("/{}", path.trim_start_matches('/'));
        return Some(Address::Path(PathBuf::from(path)));
    }
    let (protocol, family, rest) = match text.split_once("://") {
        None => (Protocol::Tcp, None, text.as_str()),
        Some(("tcp", rest)) => (Protocol::Tcp, None, rest),
        Some(("tcp4", rest)) => (Protocol::Tcp, Some(Family::V4), rest),
        Some(("tcp6", rest)) => (Protocol::Tcp, Some(Family::V6), rest),
        Some(("udp", rest)) => (Protocol::Udp, None, rest),
        Some(("udp4", rest)) => (Protocol::Udp, Some(Family::V4), rest),
        Some(("udp6", rest)) => (Protocol::Udp, Some(Family::V6), rest),
        Some((scheme, _)) => {
            let hint = "tcp, tcp4, tcp6, udp, udp4, udp6 or unix";
            it.wrong(written.span(), format!("`{scheme}` is no kind of socket"), hint);
            return None;
        }
    };
    let port = rest.strip_prefix("*:").or_else(|| rest.strip_prefix(':'));
    let address = match port {
        Some(port) => port.parse().ok().map(|port| Address::Any(protocol, family, port)),
        None => rest.parse().ok().filter(|it| is_of(it, family)).map(|it| Address::One(protocol, it)),
    };
    let port = |it: &Address| match it {
        Address::One(_, address) => address.port(),
        Address::Any(_, _, port) => *port,
        Address::Path(_) => 1,
    };
    if let Some(address) = address.filter(|it| port(it) != 0) {
        return Some(address);
    }
    let (message, hint) = match rest.strip_prefix("localhost:") {
        Some(port) => (
            "`localhost` is a name that may mean ::1 as well as 127.0.0.1".to_owned(),
            format!("write \"127.0.0.1:{port}\", or \":{port}\" for any address"),
        ),
        None => (
            format!("`{text}` is no address and port"),
            "write \"127.0.0.1:5432\", \"[::1]:80\", \":8080\" or \"unix:/run/x.sock\"".to_owned(),
        ),
    };
    it.wrong(written.span(), message, hint);
    None
}

fn is_of(address: &SocketAddr, family: Option<Family>) -> bool {
    family.is_none_or(|family| address.is_ipv4() == (family == Family::V4))
}

/// Who waits at any address of a family; on `[::]`, a server may take IPv4 as well.
fn any(table: &Table, protocol: Protocol, family: Option<Family>, port: u16) -> Vec<&Open> {
    let is_own = |it: &&Open| it.address.is_some_and(|address| is_of(&address, family));
    let own: Vec<&Open> = table.on_port(protocol, port).iter().filter(is_own).collect();
    if own.is_empty() && family == Some(Family::V4) {
        return table.at(protocol, (Ipv4Addr::LOCALHOST, port).into());
    }
    own
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::One(Protocol::Tcp, address) => write!(f, "{address}"),
            Self::One(Protocol::Udp, address) => write!(f, "udp://{address}"),
            Self::Any(Protocol::Tcp, None, port) => write!(f, ":{port}"),
            Self::Any(protocol, family, port) => {
                let protocol = if *protocol == Protocol::Tcp { "tcp" } else { "udp" };
                let family = family.map_or("", |it| if it == Family::V4 { "4" } else { "6" });
                write!(f, "{protocol}{family}://:{port}")
            }
            Self::Path(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Question for Listener {
    fn summary(&self) -> String {
        let who = if self.is_absent { "nobody" } else { "somebody" };
        format!("{who} listens on {}", self.address)
    }

    /// Looks into the kernel's table of sockets.
    ///
    /// # Errors
    /// The kernel cannot be asked, or does not say whose the socket is.
    fn look(&self, cx: &Cx, _: Duration) -> Seen {
        let table = cx.sockets()?;
        let open = match &self.address {
            Address::One(protocol, address) => table.at(*protocol, *address),
            Address::Any(protocol, family, port) => any(&table, *protocol, *family, *port),
            Address::Path(path) => at_path(cx, &table, path)?,
        };
        match (open.as_slice(), self.is_absent) {
            ([], true) => Ok(Verdict::pass()),
            ([], false) => Ok(self.nobody(cx, &table)),
            ([open, ..], true) => {
                let verdict = Verdict::fail(format!("somebody listens on {}", self.address));
                Ok(told(cx, verdict.with("expected", "nobody"), open))
            }
            ([first, more @ ..], false) => {
                // Any of them may be the one that answers.
                let verdict = self.judge(cx, first)?;
                let mut others = more.iter().map(|open| self.judge(cx, open));
                let worse = others.find(|it| !matches!(it, Ok(Verdict::Pass(_))));
                if matches!(verdict, Verdict::Pass(_)) { worse.unwrap_or(Ok(verdict)) } else { Ok(verdict) }
            }
        }
    }

    fn pace(&self) -> Pace {
        Pace::Quick
    }
}

impl Listener {
    fn nobody(&self, cx: &Cx, table: &Table) -> Verdict {
        let wanted = &self.address;
        let other = match wanted {
            Address::One(protocol, address) => table.on_port(*protocol, address.port()).first(),
            Address::Any(..) | Address::Path(_) => None,
        };
        let verdict = |message: String| Verdict::fail(message).with("expected", wanted.to_string());
        match other.and_then(|it| Some((it, it.address?))) {
            Some((open, address)) => {
                told(cx, verdict(format!("the server listens only on {address}, not on {wanted}")), open)
            }
            None => verdict(format!("nothing listens on {wanted}")).with("actual", "nobody"),
        }
    }

    fn judge(&self, cx: &Cx, open: &Open) -> Seen {
        let wanted = &self.address;
        let verdict = |message: String, expected: &str| Verdict::fail(message).with("expected", expected);
        if self.owner.is_none() && self.command.is_none() && self.directory.is_none() {
            return Ok(Verdict::pass());
        }
        let processes = holding(cx, open)?;
        if let Some(owner) = &self.owner {
            let uid = open.uid.or_else(|| processes.first()?.uid);
            let uid = uid.ok_or_else(|| unseen(wanted, open))?;
            if owner.uid(cx)? != Some(uid) {
                let it = verdict(format!("{wanted} belongs to another user"), &owner.to_string());
                return Ok(told(cx, it.with("actual", accounts::user_name(uid)), open));
            }
        }
        if self.command.is_none() && self.directory.is_none() {
            return Ok(Verdict::pass());
        }
        // Where nothing is known of a process, its command line is empty: that is no answer.
        let known: Vec<&Process> = processes.iter().filter(|it| !it.argv.is_empty()).collect();
        if known.is_empty() {
            return Err(unseen(wanted, open));
        }
        // Whoever holds a socket may answer; only a manager that opened it for another does not.
        let served: Vec<&Process> = known.iter().copied().filter(|it| !is_manager(it)).collect();
        let served = if served.is_empty() { known } else { served };
        if let Some(command) = &self.command
            && let Some(other) = served.iter().find(|it| !command.is_match(&it.argv.join(" ")))
        {
            let it = verdict(format!("another program listens on {wanted}"), command.as_str());
            return Ok(told(cx, it.with("actual", other.command()), open));
        }
        if let Some(directory) = &self.directory {
            let real = ground::real_of(cx.machine("listener")?, directory)?;
            for it in &served {
                let place = it.directory.as_ref().ok_or_else(|| unseen(wanted, open))?;
                if !place.starts_with(&real) {
                    let it = Verdict::fail(format!("the server on {wanted} runs from another directory"));
                    let it = it.with("expected", directory.as_path()).with("actual", place.as_path());
                    return Ok(told(cx, it, open));
                }
            }
        }
        Ok(Verdict::pass().with("who", served[0].command()))
    }
}

/// Who waits at a path: it was bound to that, or to another that leads to the same place.
fn at_path<'a>(cx: &Cx, table: &'a Table, path: &Path) -> Result<Vec<&'a Open>, ProbeError> {
    let exact = table.at_path(path);
    if !exact.is_empty() {
        return Ok(exact.iter().collect());
    }
    let mounts = cx.machine("listener")?.mounts()?;
    let real = mounts.resolved(path);
    let same = |it: &&Path| it.is_absolute() && mounts.resolved(it) == real;
    let found: Vec<&Open> = table.namesakes(path).filter(same).flat_map(|it| table.at_path(it)).collect();
    match table.namesakes(path).find(|it| it.is_relative()).filter(|_| found.is_empty()) {
        None => Ok(found),
        Some(name) => {
            let why = format!("a socket was bound by the relative name {}", name.display());
            Err(ProbeError::failed(format!("tell who listens on {}", path.display()), &why))
        }
    }
}

/// Whether it opens sockets for others: the system's manager of services, or a user's.
fn is_manager(it: &Process) -> bool {
    it.pid == 1 || it.executable.as_ref().is_some_and(|it| it.ends_with("systemd/systemd"))
}

/// The processes that hold a socket.
fn holding(cx: &Cx, open: &Open) -> Result<Vec<Process>, ProbeError> {
    let holders = cx.holders()?;
    let mut found = Vec::new();
    for &pid in holders.get(&open.inode).into_iter().flatten() {
        found.extend(cx.process(pid)?.as_ref().clone());
    }
    Ok(found)
}

fn unseen(wanted: &Address, open: &Open) -> ProbeError {
    let why = match open.uid {
        Some(uid) => format!("it belongs to {}, and the system does not say more", accounts::user_name(uid)),
        None => "the system does not say".to_owned(),
    };
    ProbeError::failed(format!("tell who listens on {wanted}"), &why)
}

/// The verdict with where it is and who it is, as far as that may be known.
fn told(cx: &Cx, verdict: Verdict, open: &Open) -> Verdict {
    let verdict = match open.address {
        Some(address) => verdict.with("address", address.to_string()),
        None => verdict,
    };
    match (holding(cx, open).unwrap_or_default().first(), open.uid) {
        (Some(process), _) => {
            let verdict = verdict.with("who", format!("pid {}, {}", process.pid, process.command()));
            verdict.with("since", Fact::Time(process.started))
        }
        (None, Some(uid)) => verdict.with("who", format!("a process of {}", accounts::user_name(uid))),
        (None, None) => verdict,
    }
}
