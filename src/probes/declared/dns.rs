//! What one server of names answers, asked by ourselves: the system's resolver tells only addresses, and not whose.
#![expect(clippy::disallowed_methods, reason = "probes are where clocks are read")]

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::Deserialize;
use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, QTYPE, Question, RCODE, TYPE, header_buffer};

use crate::error::ProbeError;

/// How often a question is sent over UDP, where packets get lost.
const TRIES: u32 = 3;

/// A kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Record {
    /// Addresses of version 4.
    A,
    /// Addresses of version 6.
    Aaaa,
    /// Who may issue certificates: `0 issue letsencrypt.org`.
    Caa,
    /// The name that it stands for.
    Cname,
    /// Who takes its mail: `10 mail.example.org`.
    Mx,
    /// Its servers of names.
    Ns,
    /// The name of an address.
    Ptr,
    /// Where a service is: `0 5 443 www.example.org`.
    Srv,
    /// Texts.
    Txt,
}

/// What a server says of a name: its records as texts, or why there are none.
pub type Said = Result<Vec<String>, String>;

/// Asks a server for the records of a name.
///
/// # Errors
/// It is silent, nobody is there, or it says that it cannot tell: then nobody may say "there is no such name".
pub fn ask(server: SocketAddr, name: &str, record: Record, deadline: Duration) -> Result<Said, ProbeError> {
    let start = Instant::now();
    let failed = |why: &dyn std::fmt::Display| ProbeError::failed(format!("ask {server} for {name}"), why);
    let full = reversed(name).filter(|_| record == Record::Ptr).unwrap_or_else(|| name.to_owned());
    let query = Query { id: fastrand::u16(..), name: full.trim_end_matches('.'), kind: record.kind() };
    let packet = query.packet().map_err(|error| failed(&error))?;
    let silent = || ProbeError::TimedOut { what: format!("the name server {server}"), after: deadline };
    let mut reply = match by_datagram(server, &packet, &query, deadline) {
        Ok(reply) => reply.ok_or_else(silent)?,
        Err(error) => return Err(failed(&plain(&error))),
    };
    if header_buffer::has_flags(&reply, PacketFlag::TRUNCATION).unwrap_or(false) {
        let left = deadline.saturating_sub(start.elapsed());
        reply = match by_stream(server, &packet, left) {
            Ok(reply) if query.is_answered_by(&reply) => reply,
            Ok(_) => return Err(failed(&"it answers another question")),
            Err(error) if is_late(&error) => return Err(silent()),
            Err(error) => return Err(failed(&plain(&error))),
        };
    }
    said_in(&reply, record).map_err(|why| failed(&why))
}

/// What a reply says of records of a kind.
///
/// # Errors
/// It is none, or it says that it cannot tell.
pub fn said_in(reply: &[u8], record: Record) -> Result<Said, String> {
    let reply = Packet::parse(reply).map_err(|error| error.to_string())?;
    match reply.rcode() {
        RCODE::NoError => {}
        RCODE::NameError => return Ok(Err("there is no such name".to_owned())),
        RCODE::ServerFailure => return Err("it says that it failed".to_owned()),
        RCODE::Refused => return Err("it refuses to tell".to_owned()),
        other => return Err(format!("it answers with the code {other:?}")),
    }
    let of_kind = reply.answers.iter().filter(|it| QTYPE::TYPE(it.rdata.type_code()) == record.kind());
    let records: Vec<String> = of_kind.filter_map(|it| text(&it.rdata)).collect();
    Ok(if records.is_empty() {
        Err(format!("the name has no {} record", record.name()))
    } else {
        Ok(records)
    })
}

struct Query<'a> {
    id: u16,
    name: &'a str,
    kind: QTYPE,
}

impl Query<'_> {
    fn packet(&self) -> simple_dns::Result<Vec<u8>> {
        let mut packet = Packet::new_query(self.id);
        packet.set_flags(PacketFlag::RECURSION_DESIRED);
        packet.questions.push(Question::new(Name::new(self.name)?, self.kind, CLASS::IN.into(), false));
        packet.build_bytes_vec()
    }

    /// Whether a packet answers this very question: anything else that arrives is nobody's.
    fn is_answered_by(&self, packet: &[u8]) -> bool {
        let is_ours = header_buffer::id(packet).is_ok_and(|id| id == self.id)
            && header_buffer::has_flags(packet, PacketFlag::RESPONSE).unwrap_or(false);
        let Ok(parsed) = Packet::parse(packet) else { return is_ours };
        let is_asked =
            |it: &Question<'_>| it.qtype == self.kind && it.qname.to_string().eq_ignore_ascii_case(self.name);
        is_ours && (parsed.questions.is_empty() || parsed.questions.iter().any(is_asked))
    }
}

/// `None`: silence.
fn by_datagram(
    server: SocketAddr,
    packet: &[u8],
    query: &Query<'_>,
    deadline: Duration,
) -> io::Result<Option<Vec<u8>>> {
    let start = Instant::now();
    let any =
        if server.is_ipv4() { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { IpAddr::V6(Ipv6Addr::UNSPECIFIED) };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(server)?;
    let mut buffer = vec![0; 1 << 16];
    for attempt in 1..=TRIES {
        let until = deadline * attempt / TRIES;
        socket.send(packet)?;
        loop {
            let left = until.saturating_sub(start.elapsed());
            if left.is_zero() {
                break;
            }
            socket.set_read_timeout(Some(left))?;
            match socket.recv(&mut buffer) {
                Ok(count) if query.is_answered_by(&buffer[..count]) => {
                    buffer.truncate(count);
                    return Ok(Some(buffer));
                }
                Ok(_) => {}
                Err(error) if is_late(&error) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(None)
}

fn by_stream(server: SocketAddr, packet: &[u8], deadline: Duration) -> io::Result<Vec<u8>> {
    let start = Instant::now();
    let left = || deadline.saturating_sub(start.elapsed()).max(Duration::from_millis(1));
    let mut stream = TcpStream::connect_timeout(&server, left())?;
    stream.set_write_timeout(Some(left()))?;
    let length = u16::try_from(packet.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), packet].concat())?;
    let mut read = |mut rest: &mut [u8]| -> io::Result<()> {
        while !rest.is_empty() {
            if start.elapsed() >= deadline {
                return Err(io::ErrorKind::TimedOut.into());
            }
            stream.set_read_timeout(Some(left()))?;
            match stream.read(rest)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => rest = &mut rest[count..],
            }
        }
        Ok(())
    };
    let mut length = [0; 2];
    read(&mut length)?;
    let mut reply = vec![0; usize::from(u16::from_be_bytes(length))];
    read(&mut reply)?;
    Ok(reply)
}

fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "nobody answers there".to_owned(),
        _ => error.to_string(),
    }
}

/// The name under which the name of an address is kept.
fn reversed(name: &str) -> Option<String> {
    Some(match name.parse().ok()? {
        IpAddr::V4(it) => {
            let [a, b, c, d] = it.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(it) => {
            let nibbles = it.octets().into_iter().rev().flat_map(|byte| [byte & 15, byte >> 4]);
            let nibbles = nibbles.filter_map(|nibble| char::from_digit(nibble.into(), 16));
            nibbles.flat_map(|nibble| [nibble, '.']).collect::<String>() + "ip6.arpa"
        }
    })
}

fn text(data: &RData<'_>) -> Option<String> {
    Some(match data {
        RData::A(it) => Ipv4Addr::from(it.address).to_string(),
        RData::AAAA(it) => Ipv6Addr::from(it.address).to_string(),
        RData::CNAME(it) => it.to_string(),
        RData::NS(it) => it.to_string(),
        RData::PTR(it) => it.to_string(),
        RData::MX(it) => format!("{} {}", it.preference, it.exchange),
        RData::SRV(it) => format!("{} {} {} {}", it.priority, it.weight, it.port, it.target),
        RData::CAA(it) => format!("{} {} {}", it.flag, it.tag, String::from_utf8_lossy(&it.value)),
        RData::TXT(it) => String::try_from(it.clone()).ok()?,
        _ => return None,
    })
}

impl Record {
    /// As DNS calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Caa => "CAA",
            Self::Cname => "CNAME",
            Self::Mx => "MX",
            Self::Ns => "NS",
            Self::Ptr => "PTR",
            Self::Srv => "SRV",
            Self::Txt => "TXT",
        }
    }

    const fn kind(self) -> QTYPE {
        QTYPE::TYPE(match self {
            Self::A => TYPE::A,
            Self::Aaaa => TYPE::AAAA,
            Self::Caa => TYPE::CAA,
            Self::Cname => TYPE::CNAME,
            Self::Mx => TYPE::MX,
            Self::Ns => TYPE::NS,
            Self::Ptr => TYPE::PTR,
            Self::Srv => TYPE::SRV,
            Self::Txt => TYPE::TXT,
        })
    }
}
