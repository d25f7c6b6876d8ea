//! Who answers on a port, as text.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Address, Answering, Http, Near, Seen, Who};
use crate::error::human_duration;
use crate::report::style::Look;
use crate::report::words::{clean_line, hang, tilde};

/// Who reads it: what times and paths are told against.
#[derive(Debug, Clone)]
pub struct Reader {
    /// Their home directory.
    pub home: std::path::PathBuf,
    /// The time of the look.
    pub now: Timestamp,
    /// Where their clock is.
    pub zone: TimeZone,
    /// How wide their terminal is, in characters, if it is one.
    pub width: Option<usize>,
}

/// The answer as text.
#[must_use]
pub fn render(who: &Who, reader: &Reader) -> String {
    let mut text = String::new();
    if who.listeners.is_empty() {
        let _ = writeln!(text, "nobody listens on {}", who.port);
    }
    for (at, answering) in who.listeners.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        block(&mut text, answering, reader);
    }
    if let Some(only) = only_six(who) {
        let port = who.port;
        let told = format!("only IPv6 is served: http://127.0.0.1:{port}/ is refused, http://{only}/ is not");
        text.push_str(&hang("\n", 0, &told, reader.width, Look::default()));
    }
    if !who.near.is_empty() {
        text.push('\n');
    }
    for near in &who.near {
        nearby(&mut text, near, reader);
    }
    text
}

fn block(text: &mut String, answering: &Answering, reader: &Reader) {
    for address in &answering.addresses {
        let told = format!("{} {}", address.address, http(address));
        text.push_str(&hang("", 8, &told, reader.width, Look::default()));
    }
    let mut line = |label: &str, value: &str| {
        text.push_str(&labelled(label, value, reader));
    };
    let user = answering.user.as_ref().map_or_else(String::new, |user| format!(" of {user}"));
    match answering.processes.split_first() {
        Some((first, rest)) => {
            line("who", &format!("pid {}{user}, since {}", first.pid, since(first, reader)));
            line("command", &clean_line(&first.command));
            for other in rest {
                line("also", &named(other));
            }
        }
        None => line("who", &format!("a process{user}")),
    }
    for ancestor in &answering.started_by {
        line("started by", &named(ancestor));
    }
    if let Some(directory) = &answering.directory {
        line("directory", &path(directory, reader));
    }
    if let Some(worktree) = &answering.worktree {
        let branch = worktree.branch.as_ref().map_or("no branch", String::as_str);
        let sha = worktree.sha.as_ref().map_or("no commit", |sha| sha.get(..7).unwrap_or(sha));
        let top = path(&worktree.top, reader);
        line("worktree", &format!("{top} on {} at {sha}", clean_line(branch)));
    }
    for unknown in &answering.unknown {
        line("unknown", &clean_line(unknown));
    }
}

fn http(address: &Address) -> String {
    match &address.http {
        Http::Answered { status, took_ms } => format!("answers {status} in {took_ms} ms"),
        Http::Silent { after_ms } => {
            format!("accepts, and answers nothing for {}", human_duration(Duration::from_millis(*after_ms)))
        }
        Http::Refused => "refuses now".to_owned(),
        Http::Broken { why } => format!("accepts, and does not answer as HTTP: {}", clean_line(why)),
    }
}

fn nearby(text: &mut String, near: &Near, reader: &Reader) {
    let directory = path(&near.directory, reader);
    let told = format!("{} has {}", near.address, named(&near.process));
    text.push_str(&hang("", 8, &told, reader.width, Look::default()));
    text.push_str(&labelled("directory", &directory, reader));
}

fn labelled(label: &str, value: &str, reader: &Reader) -> String {
    hang(&format!("        {label:<10}  "), 20, value, reader.width, Look::default())
}

fn named(seen: &Seen) -> String {
    format!("pid {}, {}", seen.pid, clean_line(&seen.command))
}

/// `09:12 (3 h)` today, `Tuesday 08:31 (2 days)` this week, else with the date.
fn since(seen: &Seen, reader: &Reader) -> String {
    let age: Duration = reader.now.duration_since(seen.since).try_into().unwrap_or_default();
    let (then, now) = (seen.since.to_zoned(reader.zone.clone()), reader.now.to_zoned(reader.zone.clone()));
    let format = match age.as_secs() {
        _ if then.date() == now.date() => "%H:%M",
        0..=518_400 => "%A %H:%M",
        _ => "%Y-%m-%d %H:%M",
    };
    format!("{} ({})", then.strftime(format), human_duration(age))
}

fn path(path: &Path, reader: &Reader) -> String {
    tilde(&path.to_string_lossy(), &reader.home)
}

/// The address to ask where the port is served in IPv6 and not in IPv4; `[::]` mostly serves both.
fn only_six(who: &Who) -> Option<SocketAddr> {
    let mut addresses = who.listeners.iter().flat_map(|it| &it.addresses).map(|it| it.address);
    let first = addresses.clone().next()?;
    addresses.all(|it| it.is_ipv6() && !it.ip().is_unspecified()).then_some(first)
}
