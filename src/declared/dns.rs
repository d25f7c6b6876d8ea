//! `dns`: whether a name resolves, and to what; as this machine resolves it, or as one server says.

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Question;
use super::reach::may_ask;
use crate::config::{self, Config, Reading};
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::probes::clock;
use crate::probes::declared::dns::{self, Record, Said};
use crate::probes::http::is_here;
use crate::probes::names;
use crate::verdict::{Seen, Verdict};

/// A name, and what is asked of it.
#[derive(Debug, Clone)]
pub struct Dns {
    name: String,
    resolves: bool,
    record: Option<Record>,
    answers: Vec<String>,
    only: bool,
    server: Option<SocketAddr>,
}

/// As it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Written {
    /// The name; of a PTR record, it may be an address.
    #[schemars(with = "String")]
    pub name: config::Text,
    /// Whether it must resolve, or must not; default true.
    pub resolves: Option<bool>,
    /// The kind of record; default: addresses of both versions.
    pub record: Option<Record>,
    /// What it must resolve to; there may be more.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub answers: Vec<config::Text>,
    /// Whether there may not be more; default false.
    pub only: Option<bool>,
    /// The address of the server that is asked, with a port if it is not 53; default: as this machine resolves names.
    #[schemars(with = "Option<String>")]
    pub server: Option<config::Text>,
}

impl Written {
    /// What it means; mistakes are written down.
    pub fn read(self, place: Range<usize>, it: &mut Reading<'_>) -> Option<Dns> {
        let name = it.shaped(Some(&self.name), "name", "write example.org", |name| {
            let odd = |it: char| it.is_whitespace() || it.is_control() || it == '/' || it == '@';
            let is_name = !name.is_empty() && name.len() <= 253 && !name.contains(odd);
            let is_host = !name.contains(':') || name.parse::<IpAddr>().is_ok();
            (is_name && is_host && !name.contains("..")).then(|| name.to_owned())
        })??;
        let hint = "write 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:53";
        let server = it.shaped(self.server.as_ref(), "address of a server", hint, server)?;
        let answers = it.texts(&self.answers)?;
        let (resolves, only) = (self.resolves.unwrap_or(true), self.only.unwrap_or(false));
        let is_address = matches!(self.record, None | Some(Record::A | Record::Aaaa));
        let bad = |answer: &&String| answer.parse::<IpAddr>().is_err();
        let wrong = match answers.iter().find(bad).filter(|_| is_address) {
            Some(bad) => Some((format!("`{bad}` is no address"), "say which `record` it is of")),
            None if !resolves && !answers.is_empty() => {
                Some(("what must not resolve has no answers".to_owned(), "leave `answers` out"))
            }
            None if only && answers.is_empty() => {
                Some(("`only` has nothing to be only of".to_owned(), "add `answers`"))
            }
            None if server.is_none() && !is_address => Some((
                "this machine's resolver tells addresses only".to_owned(),
                "add the `server` that is asked for the record",
            )),
            None => None,
        };
        if let Some((message, hint)) = wrong {
            it.wrong(place, message, hint);
            return None;
        }
        Some(Dns { name, resolves, record: self.record, answers, only, server })
    }
}

fn server(text: &str) -> Option<SocketAddr> {
    let address = text.trim_start_matches('[').trim_end_matches(']');
    let with_port = |address: IpAddr| SocketAddr::new(address, 53);
    text.parse().ok().or_else(|| address.parse().ok().map(with_port))
}

impl Question for Dns {
    fn summary(&self) -> String {
        let Self { name, resolves, answers, .. } = self;
        match (resolves, answers.as_slice()) {
            (false, _) => format!("{name} does not resolve"),
            (true, []) => format!("{name} resolves"),
            (true, answers) => format!("{name} resolves to {}", answers.join(", ")),
        }
    }

    /// Asks the server, or the system's resolver.
    ///
    /// # Errors
    /// Nobody answers, the server cannot tell, or the configuration may not ask others.
    fn look(&self, cx: &Cx, deadline: Duration) -> Seen {
        cx.machine("dns")?;
        if let Some(verdict) = may_ask(cx, &self.whom())? {
            return Ok(verdict);
        }
        let start = clock::instant();
        let said = self.said(deadline)?;
        let verdict = self.judge(said).with("took", start.elapsed());
        Ok(match self.server {
            Some(server) => verdict.with("server", server.to_string()),
            None => verdict,
        })
    }

    fn needs_trust(&self, _: &Config) -> Option<String> {
        let name = &self.name;
        let asks = match self.server {
            Some(server) => format!("asks {server} for {name}"),
            None => format!("looks {name} up"),
        };
        (!is_here(&self.whom())).then_some(asks)
    }
}

impl Dns {
    fn whom(&self) -> String {
        self.server.map_or_else(|| self.name.clone(), |server| server.ip().to_string())
    }

    fn said(&self, deadline: Duration) -> Result<Said, ProbeError> {
        let Some(server) = self.server else {
            let found = names::addresses(&self.name, deadline)?;
            let is_meant = |it: &IpAddr| match self.record {
                Some(Record::A) => it.is_ipv4(),
                Some(Record::Aaaa) => it.is_ipv6(),
                _ => true,
            };
            let found = found.map(|all| all.into_iter().filter(is_meant).map(|it| it.to_string()).collect());
            let none = || "it has no address of that kind".to_owned();
            return Ok(found.and_then(|all: Vec<String>| if all.is_empty() { Err(none()) } else { Ok(all) }));
        };
        let start = clock::instant();
        let ask = |record| dns::ask(server, &self.name, record, deadline.saturating_sub(start.elapsed()));
        match self.record {
            Some(record) => ask(record),
            None => Ok(match (ask(Record::A)?, ask(Record::Aaaa)?) {
                (Ok(four), Ok(six)) => Ok([four, six].concat()),
                (Ok(one), Err(_)) | (Err(_), Ok(one)) => Ok(one),
                (Err(why), Err(_)) => Err(why),
            }),
        }
    }

    fn judge(&self, said: Said) -> Verdict {
        let Self { name, record, .. } = self;
        let found = match (said, self.resolves) {
            (Err(why), false) => return Verdict::pass().with("actual", why),
            (Err(why), true) => {
                return Verdict::fail(format!("{name} does not resolve")).with("actual", why);
            }
            (Ok(found), false) => {
                let verdict = Verdict::fail(format!("{name} resolves")).with("expected", "nothing");
                return verdict.with("actual", found.join(", "));
            }
            (Ok(found), true) => found,
        };
        let plain = |all: &[String]| all.iter().map(|it| same_as(it, *record)).collect::<Vec<String>>();
        let (wanted, seen) = (plain(&self.answers), plain(&found));
        let told = |message: String| {
            let expected = if wanted.is_empty() { "anything".to_owned() } else { self.answers.join(", ") };
            Verdict::fail(message).with("expected", expected).with("actual", found.join(", "))
        };
        if let Some(missing) = wanted.iter().position(|it| !seen.contains(it)) {
            return told(format!("{name} does not resolve to {}", self.answers[missing]));
        }
        if let Some(more) = seen.iter().position(|it| self.only && !wanted.contains(it)) {
            return told(format!("{name} resolves to {} too", found[more]));
        }
        Verdict::pass_with(found.join(", "))
    }
}

/// Names are the same in any case, with or without the last dot; addresses in any form.
fn same_as(answer: &str, record: Option<Record>) -> String {
    match record {
        Some(Record::Txt) => answer.to_owned(),
        Some(Record::Caa) => answer.replace('"', "").to_ascii_lowercase(),
        None | Some(Record::A | Record::Aaaa) => {
            answer.parse::<IpAddr>().map_or_else(|_| answer.to_owned(), |it| it.to_string())
        }
        Some(_) => answer.trim_end_matches('.').to_ascii_lowercase(),
    }
}
