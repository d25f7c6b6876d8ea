//! What a name resolves to, and connections to it: each ends by its deadline, whatever the system's resolver does.
#![expect(clippy::disallowed_methods, reason = "probes are where clocks are read")]

use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use dns_lookup::LookupErrorKind;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with, sockopt};

use crate::error::ProbeError;

/// The most that is read of what a server says first.
pub const BANNER: usize = 4 << 10;

/// Where a connection is made to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A host, by name or address, and its port.
    Port(String, u16),
    /// A socket with a path.
    Path(PathBuf),
}

/// What came of a connection.
#[derive(Debug)]
pub enum Connection {
    /// It stands.
    Made(Stream),
    /// Somebody said no, or nothing is there: why.
    Refused(String),
    /// Nobody said anything in time.
    Silent,
    /// There is no such name.
    Nameless(String),
}

/// A connection that stands.
#[derive(Debug)]
pub enum Stream {
    /// To a port.
    Tcp(TcpStream),
    /// To a path.
    Unix(UnixStream),
}

/// The addresses of a name as this machine resolves it, `/etc/hosts` included; the error of the inner result says
/// that there is none, and why.
///
/// The system's resolver has no deadline of its own, so it is left behind in its thread where it does not answer.
///
/// # Errors
/// It did not answer, or could not: then nobody may say "there is no such name".
pub fn addresses(name: &str, deadline: Duration) -> Result<Result<Vec<IpAddr>, String>, ProbeError> {
    if let Ok(address) = name.trim_matches(['[', ']']).parse() {
        return Ok(Ok(vec![address]));
    }
    let (send, receive) = mpsc::channel();
    let asked = name.to_owned();
    let look = move || {
        let _ = send.send(dns_lookup::lookup_host(&asked).map(Iterator::collect::<Vec<IpAddr>>));
    };
    let what = || format!("resolve {name}");
    thread::Builder::new()
        .name("look name".to_owned())
        .spawn(look)
        .map_err(|error| ProbeError::failed(what(), &error))?;
    match receive.recv_timeout(deadline) {
        Ok(Ok(mut addresses)) => {
            addresses.sort_unstable();
            addresses.dedup();
            Ok(if addresses.is_empty() { Err("it has no address".to_owned()) } else { Ok(addresses) })
        }
        Ok(Err(error)) => match error.kind() {
            LookupErrorKind::NoName | LookupErrorKind::NoData => Ok(Err("the name is not known".to_owned())),
            _ => Err(ProbeError::failed(what(), &io::Error::from(error))),
        },
        Err(_) => Err(ProbeError::TimedOut { what: "the system's resolver".to_owned(), after: deadline }),
    }
}

/// Connects, within one deadline for all of it.
///
/// # Errors
/// The name cannot be resolved, this machine cannot make a connection at all, or there was no time to ask: then nobody
/// may say "it cannot be reached".
pub fn connect(target: &Target, deadline: Duration) -> Result<Connection, ProbeError> {
    let start = Instant::now();
    let (host, port) = match target {
        Target::Port(host, port) => (host, *port),
        Target::Path(path) => return connect_to_path(path, deadline),
    };
    let addresses = match addresses(host, deadline)? {
        Ok(addresses) => addresses,
        Err(why) => return Ok(Connection::Nameless(why)),
    };
    let mut refused = None;
    let many = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    for (at, address) in (0..).zip(addresses) {
        // Each address gets its share of what is left, so that a silent one does not use up the others' time.
        let left = deadline.saturating_sub(start.elapsed()) / (many - at);
        if left.is_zero() {
            return Err(ProbeError::TimedOut { what: format!("looking {host} up"), after: deadline });
        }
        let place = SocketAddr::new(address, port);
        match TcpStream::connect_timeout(&place, left) {
            Ok(stream) => return Ok(Connection::Made(Stream::Tcp(stream))),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
            Err(error) => match answered(&error) {
                Some(why) => refused = Some(why),
                None => return Err(ProbeError::failed(format!("connect to {place}"), &error)),
            },
        }
    }
    Ok(refused.map_or(Connection::Silent, Connection::Refused))
}

/// A path has no other side whose silence could be waited for: only a queue that is full makes one wait.
fn connect_to_path(path: &Path, deadline: Duration) -> Result<Connection, ProbeError> {
    let made = || {
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::empty(), None)?;
        rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(deadline))?;
        rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
        Ok(UnixStream::from(socket))
    };
    match made() {
        Ok(stream) => Ok(Connection::Made(Stream::Unix(stream))),
        Err(Errno::AGAIN) => Ok(Connection::Silent),
        Err(error) => match answered(&error.into()) {
            Some(why) => Ok(Connection::Refused(why)),
            None => Err(ProbeError::failed(format!("connect to {}", path.display()), &error)),
        },
    }
}

/// Why nobody is there, where that is what the error says; all others are errors of ours.
fn answered(error: &io::Error) -> Option<String> {
    use io::ErrorKind::{
        ConnectionRefused, ConnectionReset, HostUnreachable, NetworkUnreachable, NotADirectory, NotFound,
    };
    match error.kind() {
        ConnectionRefused => Some("connection refused".to_owned()),
        NotFound | NotADirectory => Some("nothing is there".to_owned()),
        ConnectionReset | HostUnreachable | NetworkUnreachable => Some(error.to_string()),
        _ => None,
    }
}

impl Stream {
    /// What the server says without being asked: until `enough`, until it ends, or until the deadline.
    ///
    /// # Errors
    /// The deadline cannot be set.
    pub fn banner(self, deadline: Duration, enough: impl Fn(&str) -> bool) -> io::Result<String> {
        let start = Instant::now();
        let mut said = Vec::new();
        let mut buffer = [0; 1024];
        loop {
            let left = deadline.saturating_sub(start.elapsed());
            if left.is_zero() || said.len() >= BANNER {
                break;
            }
            let read = match &self {
                Self::Tcp(stream) => {
                    stream.set_read_timeout(Some(left))?;
                    (&*stream).read(&mut buffer)
                }
                Self::Unix(stream) => {
                    stream.set_read_timeout(Some(left))?;
                    (&*stream).read(&mut buffer)
                }
            };
            match read {
                Ok(0) | Err(_) => break,
                Ok(count) => said.extend(&buffer[..count]),
            }
            if enough(&String::from_utf8_lossy(&said)) {
                break;
            }
        }
        Ok(String::from_utf8_lossy(&said).into_owned())
    }
}
