//! `http` as it is written, and what it means.

use std::collections::BTreeMap;
use std::ops::Range;

use percent_encoding::percent_decode_str;
use reqwest::Url;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::super::json::{Is, Json, Says};
use super::super::number::Number;
use super::super::text;
use super::{Http, Identity};
use crate::config::{self, Reading};

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
    /// The status that is right, or several, or the bounds of some: `{ min = 200, max = 299 }`; default 200.
    #[schemars(with = "Option<Status>")]
    pub status: Option<Spanned<Status>>,
    /// What headers of the answer must say.
    #[serde(default)]
    pub header: BTreeMap<String, text::Written>,
    /// What all headers together must say, each a line `Content-Type: text/html`, in order of their names.
    #[schemars(with = "Option<text::Written>")]
    pub head: Option<Spanned<text::Written>>,
    /// What the body of the answer must say.
    #[schemars(with = "Option<text::Written>")]
    pub page: Option<Spanned<text::Written>>,
    /// What values of the answer's JSON must be, each named by a path: `items[0].name`, RFC 9535.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub json: Is,
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
    /// A PEM file of the certificate that is shown where the server demands one, and of those that signed it.
    #[schemars(with = "Option<String>")]
    pub client_certificate: Option<config::Text>,
    /// A PEM file of its key, which no passphrase protects; default: the file of the certificate.
    #[schemars(with = "Option<String>")]
    pub client_key: Option<config::Text>,
    /// Whether a certificate that does not hold is overlooked; default false. What was overlooked is told.
    #[schemars(with = "Option<bool>")]
    pub insecure: Option<Spanned<bool>>,
    /// Who logs in with `password`, the basic way.
    #[schemars(with = "Option<String>")]
    pub user: Option<config::Text>,
    /// The password of `user`: best a `${VAR}` of the environment.
    #[schemars(with = "Option<String>")]
    pub password: Option<config::Text>,
    /// Through whom it goes: `http://` (may be left out), `https://` or `socks5://`; default: straight, whatever the environment says.
    #[schemars(with = "Option<String>")]
    pub proxy: Option<config::Text>,
}

/// One status, or several.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected 200, or [200, 204], or { min = 200, max = 299 }")]
pub enum Status {
    /// One.
    One(u16),
    /// Any of them.
    Any(Vec<u16>),
    /// All within.
    Within(Number),
}

impl Written {
    /// What it means; mistakes are written down.
    pub fn read(self, _: Range<usize>, it: &mut Reading<'_>) -> Option<Http> {
        let url = self.address(it)?;
        if url.scheme() == "http" && self.redirects.is_none() {
            self.needs_no_tls(it)?;
        }
        let identity = match self.client_certificate.as_ref().or(self.client_key.as_ref()) {
            None => None,
            Some(_) => Some(self.identity(it)?),
        };
        let login = match self.user.as_ref().or(self.password.as_ref()) {
            None => None,
            Some(_) => Some(self.login(it)?),
        };
        let proxy = match &self.proxy {
            None => None,
            Some(written) => Some(proxy(written, it)?),
        };
        let method = it.maybe(self.method.as_ref(), Reading::text)?.unwrap_or_else(|| "GET".to_owned());
        if method.is_empty() || !method.bytes().all(|it| it.is_ascii_uppercase()) {
            let place = self.method.as_ref().map_or(0..0, Spanned::span);
            it.wrong(place, format!("`{method}` is no method"), "GET, HEAD, POST, PUT …");
            return None;
        }
        let mut headers = Vec::new();
        for (name, value) in &self.headers {
            let value = it.text(value)?;
            it.redactor.learn_header(name, &value);
            headers.push((name.clone(), value));
        }
        let mut header = Vec::new();
        for (name, text) in &self.header {
            header.push((name.to_ascii_lowercase(), text.read(it)?));
        }
        let json = Json::read(&self.json, &Says::new(), it)?;
        let status = match self.status.map(|it| (it.span(), it.into_inner())) {
            None => vec![200],
            Some((_, Status::One(one))) => vec![one],
            Some((place, Status::Any(any))) if any.is_empty() => {
                it.wrong(place, "no status is right", "write status = 200, or leave it out");
                return None;
            }
            Some((_, Status::Any(any))) => any,
            Some((place, Status::Within(within))) => {
                let within = Number::read(&Spanned::new(place.clone(), within), it)?;
                let any: Vec<u16> = (100..=599).filter(|it| within.has(f64::from(*it))).collect();
                if any.is_empty() || any.len() == 500 {
                    let all = if any.is_empty() { "no status is right" } else { "every status is right" };
                    it.wrong(place, all, "write status = { min = 200, max = 299 }");
                    return None;
                }
                any
            }
        };
        let duration = |it: &mut Reading<'_>, written: &config::Text| it.duration(Some(written));
        Some(Http {
            url,
            method,
            headers,
            body: it.maybe(self.body.as_ref(), Reading::text)?,
            status,
            header,
            head: text::read(self.head.as_ref(), it)?,
            page: text::read(self.page.as_ref(), it)?,
            json,
            redirects: self.redirects.unwrap_or(0).into(),
            within: it.maybe(self.within.as_ref(), duration)?,
            tls_expiry: it.maybe(self.tls_expiry.as_ref(), duration)?,
            ca: it.maybe(self.ca.as_ref(), Reading::path)?,
            identity,
            is_insecure: self.insecure.is_some_and(Spanned::into_inner),
            login,
            proxy,
        })
    }

    /// What is of https only, where nothing is: a mistake.
    fn needs_no_tls(&self, it: &mut Reading<'_>) -> Option<()> {
        let place = |it: &Option<config::Text>| it.as_ref().map(Spanned::span);
        let of_tls = [
            ("tls-expiry", place(&self.tls_expiry)),
            ("ca", place(&self.ca)),
            ("client-certificate", place(&self.client_certificate)),
            ("insecure", self.insecure.as_ref().filter(|it| *it.get_ref()).map(Spanned::span)),
        ];
        for (name, place) in of_tls {
            if let Some(place) = place {
                let message = format!("`{name}` is of https, and the address is not");
                it.wrong(place, message, "write https://");
                return None;
            }
        }
        Some(())
    }

    fn identity(&self, it: &mut Reading<'_>) -> Option<Identity> {
        let Some(certificate) = &self.client_certificate else {
            let place = self.client_key.as_ref().map_or(0..0, Spanned::span);
            it.wrong(place, "a key without a certificate shows nothing", "write `client-certificate` too");
            return None;
        };
        let key = self.client_key.as_ref().unwrap_or(certificate);
        Some(Identity { certificate: it.path(certificate)?, key: it.path(key)? })
    }

    fn login(&self, it: &mut Reading<'_>) -> Option<(String, String)> {
        let Some(user) = &self.user else {
            let place = self.password.as_ref().map_or(0..0, Spanned::span);
            it.wrong(place, "a password without a user is nobody's", "write `user` too");
            return None;
        };
        if self.headers.keys().any(|name| name.eq_ignore_ascii_case("authorization")) {
            it.wrong(user.span(), "`user` and the header `authorization` say two things", "leave one out");
            return None;
        }
        let name = it.text(user)?;
        if name.contains(':') {
            it.wrong(user.span(), "a user who logs in the basic way has no colon in the name", "");
            return None;
        }
        let password = it.maybe(self.password.as_ref(), Reading::text)?.unwrap_or_default();
        it.redactor.learn_login(&name, &password);
        Some((name, password))
    }

    fn address(&self, it: &mut Reading<'_>) -> Option<Url> {
        let text = it.text(&self.url)?;
        let url = read(&text, &["http", "https"], it);
        if url.is_none() {
            // What may have a password is not quoted.
            let shown = if text.contains('@') { "that".to_owned() } else { format!("`{text}`") };
            let hint = "write http://HOST/PATH or https://HOST/PATH";
            it.wrong(self.url.span(), format!("{shown} is no address"), hint);
        }
        url
    }
}

/// How a proxy is spoken to.
const PROXIES: &[&str] = &["http", "https", "socks5", "socks5h"];

/// One that says no scheme is spoken to over http, as curl does.
fn proxy(written: &config::Text, it: &mut Reading<'_>) -> Option<Url> {
    let text = it.text(written)?;
    let whole = if text.contains("://") { text } else { format!("http://{text}") };
    let proxy = read(&whole, PROXIES, it);
    if proxy.is_none() {
        it.wrong(written.span(), "the proxy has no address", "write http://HOST:PORT");
    }
    proxy
}

/// An address of one of these schemes; who logs in there is learned.
fn read(text: &str, schemes: &[&str], it: &Reading<'_>) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|url| schemes.contains(&url.scheme()) && url.has_host())?;
    let plain = |it: &str| percent_decode_str(it).decode_utf8_lossy().into_owned();
    let (user, password) = (url.username(), url.password().unwrap_or_default());
    if !user.is_empty() || !password.is_empty() {
        it.redactor.learn_login(&plain(user), &plain(password));
        // Who needs no password is a token.
        it.redactor.learn_secret("password", if password.is_empty() { user } else { password });
    }
    Some(url)
}
