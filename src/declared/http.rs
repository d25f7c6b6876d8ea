//! `http`: what an address answers, over http or https.

mod written;

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use super::Question;
use super::json::Json;
use super::reach::may_ask;
use super::text::{Text, excerpt};
use crate::config::{Config, Trust};
use crate::cx::Cx;
use crate::error::{ProbeError, human_duration};
use crate::probes::http::{Answer, Request, Response, Tls, ask, is_here};
use crate::verdict::{Fact, Seen, Verdict};
pub use written::Written;

/// A request, and what is asked of its answer.
#[derive(Debug, Clone)]
pub struct Http {
    url: Url,
    method: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
    status: Vec<u16>,
    header: Vec<(String, Text)>,
    head: Text,
    page: Text,
    json: Json,
    redirects: usize,
    within: Option<Duration>,
    tls_expiry: Option<Duration>,
    ca: Option<PathBuf>,
    identity: Option<Identity>,
    is_insecure: bool,
    login: Option<(String, String)>,
    proxy: Option<Url>,
}

/// Who asks, as a server that demands certificates of its clients wants to know it.
#[derive(Debug, Clone)]
struct Identity {
    certificate: PathBuf,
    key: PathBuf,
}

impl Question for Http {
    fn summary(&self) -> String {
        format!("{} answers as it should", self.url)
    }

    /// Asks, and judges the answer.
    ///
    /// # Errors
    /// The request cannot be made, the roots cannot be read, or the configuration may not ask that.
    fn look(&self, cx: &Cx, deadline: Duration) -> Seen {
        cx.machine("http")?;
        if let Some(verdict) = may_ask(cx, self.url.host_str().unwrap_or_default())? {
            return Ok(verdict);
        }
        if let Some(proxy) = &self.proxy
            && let Some(verdict) = may_ask(cx, proxy.host_str().unwrap_or_default())?
        {
            return Ok(verdict);
        }
        let untrusted = cx.config().trust == Trust::Untrusted;
        if untrusted && self.changes() {
            return Err(ProbeError::failed(
                format!("send {} to {}", self.method, self.url),
                &"the configuration is not trusted: nothing is changed anywhere before `housecall trust`",
            ));
        }
        if let Some(identity) = self.identity.as_ref().filter(|_| untrusted) {
            return Err(ProbeError::failed(
                format!("show {} to {}", cx.config().tilde(&identity.certificate), self.url),
                &"the configuration is not trusted: no key is used before `housecall trust`",
            ));
        }
        let request = Request {
            url: self.url.as_str(),
            method: &self.method,
            headers: &self.headers,
            body: self.body.as_deref(),
            redirects: self.redirects,
            stays_here: untrusted || cx.config().limits.offline,
            login: self.login.as_ref().map(|(user, password)| (&**user, &**password)),
            proxy: self.proxy.as_ref().map(Url::as_str),
            tls: Tls {
                ca: self.ca.as_deref(),
                identity: self.identity.as_ref().map(|it| (&*it.certificate, &*it.key)),
                is_insecure: self.is_insecure,
            },
            timeout: deadline,
        };
        let url = &self.url;
        let fail = |message: String, actual: &str| Verdict::fail(message).with("actual", actual);
        let verdict = match ask(&request)? {
            Answer::Response(response) => self.judge(cx, &response)?,
            Answer::Refused => match self.through() {
                Some(proxy) => fail(format!("nobody answers at the proxy {proxy}"), "connection refused"),
                None => fail(format!("nobody answers at {url}"), "connection refused"),
            },
            Answer::Silent { after } => {
                let silence = format!("silence for {}", human_duration(after));
                fail(format!("{url} does not answer in time"), &silence)
            }
            Answer::Distrusted(why) => fail(format!("{url} is not to be trusted"), &why),
            Answer::Broken(why) => fail(format!("{url} gives no answer"), &why),
        };
        let verdict = verdict.with("address", Fact::Url(url.to_string()));
        Ok(match self.through() {
            Some(proxy) => verdict.with("proxy", Fact::Url(proxy)),
            None => verdict,
        })
    }

    fn needs_trust(&self, _: &Config) -> Option<String> {
        let leaves = |url: &Url| !is_here(url.host_str().unwrap_or_default());
        let leaves = leaves(&self.url) || self.proxy.as_ref().is_some_and(leaves);
        if !leaves && !self.changes() && self.redirects == 0 && self.identity.is_none() {
            return None;
        }
        let mut line = format!("{} {}", self.method, self.url);
        let headers = match self.headers.len() {
            0 => None,
            1 => Some("1 header".to_owned()),
            many => Some(format!("{many} headers")),
        };
        let body = self.body.as_ref().map(|_| "a body".to_owned());
        let login = self.login.as_ref().map(|_| "a password".to_owned());
        let identity =
            self.identity.as_ref().map(|it| format!("the certificate {}", it.certificate.display()));
        let with: Vec<String> = headers.into_iter().chain(body).chain(login).chain(identity).collect();
        if !with.is_empty() {
            line = format!("{line} with {}", with.join(" and "));
        }
        if let Some(proxy) = self.through() {
            line = format!("{line}, through {proxy}");
        }
        Some(if self.redirects == 0 { line } else { format!("{line}, wherever it is redirected") })
    }

    fn acts(&self, _: &Config) -> bool {
        self.changes()
    }
}

impl Http {
    /// Whether it may change what it asks.
    fn changes(&self) -> bool {
        self.body.is_some() || !["GET", "HEAD"].contains(&&*self.method)
    }

    /// The proxy, without its password.
    fn through(&self) -> Option<String> {
        let mut proxy = self.proxy.clone()?;
        // What has a host can have a user.
        let _ = proxy.set_username("");
        let _ = proxy.set_password(None);
        Some(proxy.to_string())
    }

    fn judge(&self, cx: &Cx, it: &Response) -> Seen {
        let held = it.certified_until.map(|until| until.duration_since(cx.now()));
        let left = held.map(|held| Duration::try_from(held).unwrap_or_default());
        let has_ended = held.is_some_and(|held| held.is_negative());
        let verdict = match self.failure(it)? {
            Some(failure) => failure,
            None => match (self.tls_expiry, left) {
                (Some(_), None) => {
                    let what = format!("tell until when the certificate of {} holds", self.url);
                    return Err(ProbeError::failed(what, &"the answer does not say"));
                }
                (Some(wanted), _) if has_ended => {
                    Verdict::fail(format!("the certificate of {} has expired", self.url))
                        .with("expected", human_duration(wanted))
                        .with("actual", "it holds no more")
                }
                (Some(wanted), Some(left)) if left < wanted => Verdict::fail(format!(
                    "the certificate of {} holds only {}",
                    self.url,
                    human_duration(left)
                ))
                .with("expected", human_duration(wanted))
                .with("actual", human_duration(left)),
                _ => Verdict::pass_with(format!("{} in {}", it.status, human_duration(it.took))),
            },
        };
        let verdict = match it.certified_until {
            Some(until) => verdict.with("certificate", Fact::Time(until)),
            None => verdict,
        };
        let verdict = match (&it.doubt, self.is_insecure) {
            (Some(doubt), _) => verdict.with("overlooked", &**doubt),
            (None, true) => verdict.with("overlooked", "nothing: who answers is who was asked for"),
            (None, false) => verdict,
        };
        Ok(verdict.with("took", it.took))
    }

    /// The first thing that does not hold.
    fn failure(&self, it: &Response) -> Result<Option<Verdict>, ProbeError> {
        if !self.status.contains(&it.status) {
            return Ok(Some(self.other_status(it)));
        }
        for (name, text) in &self.header {
            let values: Vec<&str> = it
                .headers
                .iter()
                .filter(|(other, _)| other == name)
                .map(|(_, value)| value.as_str())
                .collect();
            if values.is_empty() {
                return Ok(Some(Verdict::fail(format!("the answer has no header `{name}`"))));
            }
            if let Some(failure) = text.failure(&format!("the header `{name}`"), &values.join(", ")) {
                return Ok(Some(failure));
            }
        }
        if let Some(failure) = self.head.judge("the head", &head(it), true)? {
            return Ok(Some(failure));
        }
        if let Some(failure) = self.page.judge("the page", &it.body, !it.truncated)? {
            return Ok(Some(failure));
        }
        if it.truncated && !self.json.is_empty() {
            return Err(ProbeError::unreadable(self.url.as_str(), &"its answer is longer than is read"));
        }
        if let Some(failure) = self.json.failure("the answer", &it.body) {
            return Ok(Some(failure));
        }
        let late = self.within.filter(|within| it.took > *within);
        Ok(late.map(|within| {
            let took = human_duration(it.took);
            Verdict::fail(format!("the answer takes {took}"))
                .with("expected", format!("at most {}", human_duration(within)))
                .with("actual", took)
        }))
    }

    fn other_status(&self, it: &Response) -> Verdict {
        let expected: Vec<String> = match self.status.as_slice() {
            [first, .., last]
                if self.status.len() > 3 && usize::from(last - first) + 1 == self.status.len() =>
            {
                vec![format!("{first} to {last}")]
            }
            all => all.iter().map(ToString::to_string).collect(),
        };
        let verdict = match &it.location {
            Some(location) if (300..400).contains(&it.status) => {
                Verdict::fail(format!("{} leads elsewhere, to {location}", self.url))
            }
            _ => Verdict::fail(format!("{} answers {}", self.url, it.status)),
        };
        let verdict = verdict.with("expected", expected.join(" or ")).with("actual", it.status.to_string());
        if it.body.trim().is_empty() { verdict } else { verdict.with("says", excerpt(&it.body)) }
    }
}

/// The headers as people write them: `Content-Type: text/html`.
fn head(it: &Response) -> String {
    let capital = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        format!("{}{rest}", first.to_ascii_uppercase())
    };
    let named = |name: &str| name.split('-').map(capital).collect::<Vec<_>>().join("-");
    let mut lines: Vec<String> =
        it.headers.iter().map(|(name, value)| format!("{}: {value}", named(name))).collect();
    lines.sort();
    lines.join("\n")
}
