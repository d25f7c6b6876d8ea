//! The sockets of other users on macOS, as `netstat -anl -p tcp` names them: who holds them may not be known.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The addresses at which somebody listens.
pub(super) fn parse(text: &str) -> Vec<SocketAddr> {
    text.lines().flat_map(parse_line).collect()
}

/// A line is `tcp4 0 0 127.0.0.1.4321 *.* LISTEN …`; `tcp46` listens in both families.
fn parse_line(line: &str) -> Vec<SocketAddr> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [family, _, _, local, _, "LISTEN", ..] = words[..] else { return Vec::new() };
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
    use super::parse;

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
