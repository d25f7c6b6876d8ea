//! `connect`: whether a port or a socket can be reached, and what it says first.

use std::ops::Range;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::Question;
use super::reach::may_ask;
use super::text::{self, Text};
use crate::config::{self, Config, Reading};
use crate::cx::Cx;
use crate::error::{ProbeError, human_duration};
use crate::probes::clock;
use crate::probes::http::is_here;
use crate::probes::machine::Where;
use crate::probes::names::{BANNER, Connection, Target, connect};
use crate::verdict::{Seen, Verdict};

/// A place to connect to, and what is asked of it.
#[derive(Debug, Clone)]
pub struct Connect {
    target: Target,
    is_reachable: bool,
    banner: Text,
}

/// As it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Written {
    /// `db.example.org:5432`, `[::1]:80`, `unix:/run/x.sock`.
    #[schemars(with = "String")]
    pub address: config::Text,
    /// Whether it must be reachable, or must not; default true.
    pub reachable: Option<bool>,
    /// What it must say without being asked.
    #[schemars(with = "Option<text::Written>")]
    pub banner: Option<Spanned<text::Written>>,
}

impl Written {
    /// What it means; mistakes are written down.
    pub fn read(self, _: Range<usize>, it: &mut Reading<'_>) -> Option<Connect> {
        let text = it.text(&self.address)?;
        let is_reachable = self.reachable.unwrap_or(true);
        let Some(target) = target(&text) else {
            let hint = "write \"example.org:5432\" or \"unix:/run/x.sock\"";
            it.wrong(self.address.span(), format!("`{text}` is no host and port"), hint);
            return None;
        };
        if !is_reachable && self.banner.is_some() {
            it.wrong(self.address.span(), "what cannot be reached says nothing", "leave `banner` out");
            return None;
        }
        Some(Connect { target, is_reachable, banner: text::read(self.banner.as_ref(), it)? })
    }
}

fn target(text: &str) -> Option<Target> {
    if let Some(path) = text.strip_prefix("unix:") {
        return Some(Target::Path(format!("/{}", path.trim_start_matches('/')).into()));
    }
    let (host, port) = text.strip_prefix("tcp://").unwrap_or(text).rsplit_once(':')?;
    let odd = |it: char| it.is_whitespace() || it == '/' || it == '@';
    let is_host = !host.is_empty() && !host.contains(odd) && (!host.contains(':') || host.starts_with('['));
    let port = port.parse().ok().filter(|port| *port != 0)?;
    is_host.then(|| Target::Port(host.to_owned(), port))
}

impl Question for Connect {
    fn summary(&self) -> String {
        let can = if self.is_reachable { "can" } else { "cannot" };
        format!("{} {can} be reached", self.place())
    }

    /// Connects, and listens to what is said.
    ///
    /// # Errors
    /// A name cannot be resolved for want of an answer, or the configuration may not ask others.
    fn look(&self, cx: &Cx, deadline: Duration) -> Seen {
        let machine = cx.machine("connect")?;
        if let Target::Path(path) = &self.target
            && machine.guard(path)? != Where::Here
        {
            return Err(ProbeError::failed(format!("connect to {}", self.place()), &"its volume may hang"));
        }
        if let Target::Port(host, _) = &self.target
            && let Some(verdict) = may_ask(cx, host)?
        {
            return Ok(verdict);
        }
        let place = self.place();
        let start = clock::instant();
        let fails = |message: String, actual: String| {
            let verdict = if self.is_reachable { Verdict::fail(message) } else { Verdict::pass() };
            Ok(verdict.with("actual", actual).with("address", place.as_str()))
        };
        let stream = match connect(&self.target, deadline)? {
            Connection::Made(stream) => stream,
            Connection::Refused(why) => return fails(format!("nobody answers at {place}"), why),
            Connection::Nameless(why) => return fails(format!("the host of {place} does not resolve"), why),
            Connection::Silent => {
                let silence = format!("silence for {}", human_duration(deadline));
                return fails(format!("{place} does not answer"), silence);
            }
        };
        let took = start.elapsed();
        if !self.is_reachable {
            return Ok(Verdict::fail(format!("{place} can be reached")).with("expected", "nobody answers"));
        }
        if self.banner.is_empty() {
            return Ok(Verdict::pass_with(format!("{place} in {}", human_duration(took))).with("took", took));
        }
        let enough = |said: &str| self.banner.failure("it", said).is_none() && !self.banner.wants_whole();
        let said = stream
            .banner(deadline.saturating_sub(took), enough)
            .map_err(|error| ProbeError::failed(format!("listen to {place}"), &error))?;
        let is_whole = said.len() < BANNER || enough(&said);
        let failure = self.banner.judge(&format!("what {place} says first"), &said, is_whole)?;
        Ok(failure.unwrap_or_else(Verdict::pass).with("address", place))
    }

    fn needs_trust(&self, _: &Config) -> Option<String> {
        match &self.target {
            Target::Port(host, _) if !is_here(host) => Some(format!("connects to {}", self.place())),
            Target::Port(..) | Target::Path(_) => None,
        }
    }
}

impl Connect {
    fn place(&self) -> String {
        match &self.target {
            Target::Port(host, port) => format!("{host}:{port}"),
            Target::Path(path) => path.display().to_string(),
        }
    }
}
