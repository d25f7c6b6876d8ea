//! Sockets on macOS as `netstat` names them, other users' among them: who holds them may not be known.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

/// The addresses at which somebody listens.
pub(super) fn parse(text: &str) -> Vec<SocketAddr> {
    text.lines().flat_map(parse_line).collect()
}

/// A line is `tcp4 0 0 127.0.0.1.4321 *.* LISTEN …`; `tcp46` listens in both families.
fn parse_line(line: &str) -> Vec<SocketAddr> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [family, _, _, local, _, "LISTEN", ..] = words[..] else { return Vec::new() };
    addresses(family, local)
}

/// The addresses that take datagrams from anybody: `udp4 0 0 *.5353 *.*`.
pub(super) fn parse_udp(text: &str) -> Vec<SocketAddr> {
    let of_line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [family, _, _, local, "*.*", ..] = words[..] else { return Vec::new() };
        addresses(&family.replace("udp", "tcp"), local)
    };
    text.lines().flat_map(of_line).collect()
}

/// The paths at which a socket waits: its line has no peer (`conn`), and ends with its path.
pub(super) fn parse_unix(text: &str) -> Vec<PathBuf> {
    let of_line = |line: &str| {
        let path = line.find(" /").map(|at| &line[at + 1..])?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let waits = matches!(words[..], [_, "stream" | "dgram", _, _, _, "0", ..]);
        waits.then(|| PathBuf::from(path))
    };
    text.lines().filter_map(of_line).collect()
}

fn addresses(family: &str, local: &str) -> Vec<SocketAddr> {
    let Some((host, port)) = local.rsplit_once('.') else { return Vec::new() };
    let Ok(port) = port.parse::<u16>() else { return Vec::new() };
    let host = host.split('%').next().unwrap_or(host);
    let any: &[IpAddr] = match family {
        "tcp4" => &[IpAddr::V4(Ipv4Addr::UNSPECIFIED)],
        "tcp6" => &[IpAddr::V6(Ipv6Addr::UNSPECIFIED)],
        "tcp46" => &[IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)],
        _ => return Vec::new(),
    };
    let hosts: Vec<IpAddr> = if host == "*" { any.to_vec() } else { host.parse().into_iter().collect() };
    hosts.into_iter().map(|host| SocketAddr::new(host, port)).collect()
}

#[cfg(test)]
mod tests {
    use super::{parse, parse_udp, parse_unix};

    #[test]
    fn datagrams_and_paths_are_read() {
        let text = "udp4       0      0  *.5353    *.*\nudp4 0 0 127.0.0.1.53 127.0.0.1.9\n";
        assert_eq!(parse_udp(text).iter().map(ToString::to_string).collect::<Vec<_>>(), ["0.0.0.0:5353"]);
        let text = "\
Address          Type   Recv-Q Send-Q            Inode             Conn             Refs          Nextref Addr
aa stream      0      0 bb                0                0                0 /var/run/a b
aa stream      0      0                0 bb                0                0 /var/run/peer
";
        assert_eq!(parse_unix(text), [std::path::Path::new("/var/run/a b")]);
    }

    #[test]
    fn those_that_listen_are_read() {
        let text = "\
Active Internet connections (including servers)
Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)
tcp4       0      0  127.0.0.1.4321         *.*                    LISTEN
tcp6       0      0  ::1.4321               *.*                    LISTEN
tcp6       0      0  fe80::1%lo0.4000       *.*                    LISTEN
tcp46      0      0  *.5000                 *.*                    LISTEN
tcp4       0      0  127.0.0.1.4321         127.0.0.1.50000        ESTABLISHED
";
        let found: Vec<String> = parse(text).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["127.0.0.1:4321", "[::1]:4321", "[fe80::1]:4000", "0.0.0.0:5000", "[::]:5000"]);
    }
}
