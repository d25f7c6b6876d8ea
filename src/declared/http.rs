//! `http`: what an address answers, over http or https.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json_path::JsonPath;
use toml::Spanned;

use super::Question;
use super::reach::may_ask;
use super::text::{self, Text, excerpt};
use crate::config::{self, Config, Reading, Trust};
use crate::cx::Cx;
use crate::error::{ProbeError, human_duration};
use crate::probes::http::{Answer, Request, Response, ask, is_here};
use crate::verdict::{Fact, Seen, Verdict};

/// A request, and what is asked of its answer.
#[derive(Debug, Clone)]
pub struct Http {
    url: Url,
    method: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
    status: Vec<u16>,
    header: Vec<(String, Text)>,
    page: Text,
    json: Vec<(JsonPath, serde_json::Value)>,
    redirects: usize,
    within: Option<Duration>,
    tls_expiry: Option<Duration>,
    ca: Option<PathBuf>,
}

/// As it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Written {
    /// Where to: `http://` or `https://`.
    #[schemars(with = "String")]
    pub url: config::Text,
    /// "GET" (the default), "HEAD", "POST" …
    #[schemars(with = "Option<String>")]
    pub method: Option<config::Text>,
    /// Headers of the request.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub headers: BTreeMap<String, config::Text>,
    /// The body of the request.
    #[schemars(with = "Option<String>")]
    pub body: Option<config::Text>,
    /// The status that is right, or several; default 200.
    #[schemars(with = "Option<Status>")]
    pub status: Option<Spanned<Status>>,
    /// What headers of the answer must say.
    #[serde(default)]
    pub header: BTreeMap<String, text::Written>,
    /// What the body of the answer must say.
    #[schemars(with = "Option<text::Written>")]
    pub page: Option<Spanned<text::Written>>,
    /// What values of the answer's JSON must be, each named by a path: `items[0].name`, RFC 9535.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub json: BTreeMap<Spanned<String>, toml::Value>,
    /// How many redirects are followed; default 0.
    pub redirects: Option<u8>,
    /// How long it may take.
    #[schemars(with = "Option<String>")]
    pub within: Option<config::Text>,
    /// How long the certificate must still hold: "14d".
    #[schemars(with = "Option<String>")]
    pub tls_expiry: Option<config::Text>,
    /// A PEM file of roots that are trusted beside the system's.
    #[schemars(with = "Option<String>")]
    pub ca: Option<config::Text>,
}

/// One status, or several.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Status {
    /// One.
    One(u16),
    /// Any of them.
    Any(Vec<u16>),
}

impl Written {
    /// What it means; mistakes are written down.
    pub fn read(self, _: Range<usize>, it: &mut Reading<'_>) -> Option<Http> {
        let url = address(&self.url, it)?;
        for (of, place) in [(&self.tls_expiry, "tls-expiry"), (&self.ca, "ca")] {
            if let Some(of) = of.as_ref().filter(|_| url.scheme() == "http" && self.redirects.is_none()) {
                it.wrong(
                    of.span(),
                    format!("`{place}` is of https, and the address is not"),
                    "write https://",
                );
                return None;
            }
        }
        let method = it.maybe(self.method.as_ref(), Reading::text)?.unwrap_or_else(|| "GET".to_owned());
        if method.is_empty() || !method.bytes().all(|it| it.is_ascii_uppercase()) {
            let place = self.method.as_ref().map_or(0..0, Spanned::span);
            it.wrong(place, format!("`{method}` is no method"), "GET, HEAD, POST, PUT …");
            return None;
        }
        let mut headers = Vec::new();
        for (name, value) in &self.headers {
            headers.push((name.clone(), it.text(value)?));
        }
        let mut header = Vec::new();
        for (name, text) in &self.header {
            header.push((name.to_ascii_lowercase(), text.read(it)?));
        }
        let json: Option<Vec<_>> =
            self.json.into_iter().map(|(path, value)| value_at(&path, value, it)).collect();
        let status = match self.status.map(|it| (it.span(), it.into_inner())) {
            None => vec![200],
            Some((_, Status::One(one))) => vec![one],
            Some((place, Status::Any(any))) if any.is_empty() => {
                it.wrong(place, "no status is right", "write status = 200, or leave it out");
                return None;
            }
            Some((_, Status::Any(any))) => any,
        };
        let duration = |it: &mut Reading<'_>, written: &config::Text| it.duration(Some(written));
        Some(Http {
            url,
            method,
            headers,
            body: it.maybe(self.body.as_ref(), Reading::text)?,
            status,
            header,
            page: text::read(self.page.as_ref(), it)?,
            json: json?,
            redirects: self.redirects.unwrap_or(0).into(),
            within: it.maybe(self.within.as_ref(), duration)?,
            tls_expiry: it.maybe(self.tls_expiry.as_ref(), duration)?,
            ca: it.maybe(self.ca.as_ref(), Reading::path)?,
        })
    }
}

fn address(written: &config::Text, it: &mut Reading<'_>) -> Option<Url> {
    let text = it.text(written)?;
    let url =
        Url::parse(&text).ok().filter(|url| ["http", "https"].contains(&url.scheme()) && url.has_host());
    if url.is_none() {
        it.wrong(
            written.span(),
            format!("`{text}` is no address"),
            "write http://HOST/PATH or https://HOST/PATH",
        );
    }
    url
}

/// A path may leave out its `$.`.
fn value_at(
    path: &Spanned<String>,
    value: toml::Value,
    it: &mut Reading<'_>,
) -> Option<(JsonPath, serde_json::Value)> {
    let text = path.get_ref();
    let whole = match text.chars().next() {
        Some('$') => text.clone(),
        Some('[') => format!("${text}"),
        _ => format!("$.{text}"),
    };
    match (JsonPath::parse(&whole), serde_json::to_value(value)) {
        (Ok(path), Ok(value)) => Some((path, value)),
        (Err(error), _) => {
            it.wrong(path.span(), format!("`{text}` is no JSON path: {error}"), "write it as items[0].name");
            None
        }
        (_, Err(error)) => {
            it.wrong(path.span(), format!("that is no value of JSON: {error}"), "");
            None
        }
    }
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
        let untrusted = cx.config().trust == Trust::Untrusted;
        if untrusted && self.changes() {
            return Err(ProbeError::failed(
                format!("send {} to {}", self.method, self.url),
                &"the configuration is not trusted: nothing is changed anywhere before `housecall trust`",
            ));
        }
        let request = Request {
            url: self.url.as_str(),
            method: &self.method,
            headers: &self.headers,
            body: self.body.as_deref(),
            redirects: self.redirects,
            stays_here: untrusted || cx.config().limits.offline,
            ca: self.ca.as_deref(),
            timeout: deadline,
        };
        let url = &self.url;
        let fail = |message: String, actual: &str| Verdict::fail(message).with("actual", actual);
        let verdict = match ask(&request)? {
            Answer::Response(response) => self.judge(cx, &response)?,
            Answer::Refused => fail(format!("nobody answers at {url}"), "connection refused"),
            Answer::Silent { after } => {
                let silence = format!("silence for {}", human_duration(after));
                fail(format!("{url} does not answer in time"), &silence)
            }
            Answer::Distrusted(why) => fail(format!("{url} is not to be trusted"), &why),
            Answer::Broken(why) => fail(format!("{url} gives no answer"), &why),
        };
        Ok(verdict.with("address", Fact::Url(url.to_string())))
    }

    fn needs_trust(&self, _: &Config) -> Option<String> {
        let leaves = !is_here(self.url.host_str().unwrap_or_default());
        if !leaves && !self.changes() && self.redirects == 0 {
            return None;
        }
        let mut line = format!("{} {}", self.method, self.url);
        let headers = match self.headers.len() {
            0 => None,
            1 => Some("1 header".to_owned()),
            many => Some(format!("{many} headers")),
        };
        let body = self.body.as_ref().map(|_| "a body".to_owned());
        let with: Vec<String> = headers.into_iter().chain(body).collect();
        if !with.is_empty() {
            line = format!("{line} with {}", with.join(" and "));
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

    fn judge(&self, cx: &Cx, it: &Response) -> Seen {
        let held = it.certified_until.map(|until| until.duration_since(cx.now()));
        let left = held.map(|held| Duration::try_from(held).unwrap_or_default());
        let verdict = match self.failure(it)? {
            Some(failure) => failure,
            None => match (self.tls_expiry, left) {
                (Some(_), None) => {
                    let what = format!("tell until when the certificate of {} holds", self.url);
                    return Err(ProbeError::failed(what, &"the answer does not say"));
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
        if let Some(failure) = self.page.judge("the page", &it.body, !it.truncated)? {
            return Ok(Some(failure));
        }
        if it.truncated && !self.json.is_empty() {
            return Err(ProbeError::unreadable(self.url.as_str(), &"its answer is longer than is read"));
        }
        if let Some(failure) = self.json_failure(it) {
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
        let expected: Vec<String> = self.status.iter().map(ToString::to_string).collect();
        let verdict = match &it.location {
            Some(location) if (300..400).contains(&it.status) => {
                Verdict::fail(format!("{} leads elsewhere, to {location}", self.url))
            }
            _ => Verdict::fail(format!("{} answers {}", self.url, it.status)),
        };
        let verdict = verdict.with("expected", expected.join(" or ")).with("actual", it.status.to_string());
        if it.body.trim().is_empty() { verdict } else { verdict.with("says", excerpt(&it.body)) }
    }

    fn json_failure(&self, it: &Response) -> Option<Verdict> {
        if self.json.is_empty() {
            return None;
        }
        let Ok(whole) = serde_json::from_str::<serde_json::Value>(&it.body) else {
            return Some(Verdict::fail("the answer is no JSON").with("actual", excerpt(&it.body)));
        };
        self.json.iter().find_map(|(path, expected)| {
            let found = path.query(&whole).all();
            let Some(other) = found.iter().find(|found| !same(found, expected)) else {
                let missing = found.is_empty();
                return missing.then(|| {
                    let verdict = Verdict::fail(format!("the answer has no `{path}`"));
                    verdict.with("expected", expected.to_string()).with("actual", excerpt(&it.body))
                });
            };
            let verdict = Verdict::fail(format!("`{path}` of the answer is another"));
            Some(verdict.with("expected", expected.to_string()).with("actual", excerpt(&other.to_string())))
        })
    }
}

/// A number with a point is compared by its value: 1 is 1.0.
fn same(found: &serde_json::Value, expected: &serde_json::Value) -> bool {
    let pointed = found.is_f64() || expected.is_f64();
    let bits = |it: &serde_json::Value| it.as_f64().map(f64::to_bits);
    found == expected || (pointed && bits(found).is_some() && bits(found) == bits(expected))
}
