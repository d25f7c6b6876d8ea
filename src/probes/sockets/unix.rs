//! Linux: the sockets of this machine that have a path, from `/proc/net/unix`.
#![expect(clippy::disallowed_methods, reason = "probes are where the machine is read")]

use std::path::PathBuf;

use crate::error::ProbeError;

const TABLE: &str = "/proc/net/unix";
/// The flag of a socket that accepts connections.
const ACCEPTS: u32 = 0x1_0000;
/// The type of a socket that takes datagrams, which has no such flag.
const DATAGRAMS: &str = "0002";

/// Those that wait for anybody, with their inodes.
pub(super) fn waiting() -> Result<Vec<(PathBuf, u64)>, ProbeError> {
    let text = std::fs::read_to_string(TABLE)
        .map_err(|error| ProbeError::failed(format!("read {TABLE}"), &error))?;
    Ok(text.lines().skip(1).filter_map(parse).collect())
}

/// A line is `Num RefCount Protocol Flags Type St Inode Path`; most have no path, and an abstract one begins with `@`.
/// A path is written as it was bound: it may be relative.
fn parse(line: &str) -> Option<(PathBuf, u64)> {
    let mut words = [""; 7];
    let mut rest = line;
    for word in &mut words {
        (*word, rest) = rest.trim_start_matches(' ').split_once(' ')?;
    }
    let [_, _, _, flags, kind, _, inode] = words;
    let waits = u32::from_str_radix(flags, 16).ok()? & ACCEPTS != 0 || kind == DATAGRAMS;
    (waits && !rest.is_empty() && !rest.starts_with('@'))
        .then_some((PathBuf::from(rest), inode.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn those_with_a_path_that_wait_are_read() {
        let read = |line: &str| parse(line).map(|(path, inode)| format!("{} {inode}", path.display()));
        for (line, expected) in [
            (
                "0000000000000000: 00000002 00000000 00010000 0001 01 27001 /run/a b.sock",
                Some("/run/a b.sock 27001"),
            ),
            (
                "0000000000000000: 00000002 00000000 00010000 0005 01    71 /run/udev/control",
                Some("/run/udev/control 71"),
            ),
            ("0000000000000000: 00000002 00000000 00000000 0002 01 27002 /dev/log", Some("/dev/log 27002")),
            ("0000000000000000: 00000003 00000000 00000000 0001 03 27003 /run/a.sock", None),
            ("0000000000000000: 00000002 00000000 00010000 0001 01 27004 @abstract", None),
            ("0000000000000000: 00000002 00000000 00010000 0001 01 27006 rel.sock", Some("rel.sock 27006")),
            ("0000000000000000: 00000003 00000000 00000000 0001 03 27005", None),
        ] {
            assert_eq!(read(line).as_deref(), expected, "{line}");
        }
    }
}
