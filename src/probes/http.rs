//! What an address answers: bounded in time, size and redirects.
#![expect(clippy::disallowed_methods, reason = "probes are where clocks are read")]

mod tls;

use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::{Attempt, Policy};
use reqwest::tls::TlsInfo;
use reqwest::{Client, Proxy, RequestBuilder, Url};
use tokio::runtime::{Builder, Runtime};

use crate::error::{ProbeError, human_duration};

/// A request.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Where to.
    pub url: &'a str,
    /// "GET", "HEAD", "POST" …
    pub method: &'a str,
    /// Its headers.
    pub headers: &'a [(String, String)],
    /// Its body.
    pub body: Option<&'a str>,
    /// How many redirects are followed; then a redirect is an answer of its own.
    pub redirects: usize,
    /// Whether a redirect to another machine is not followed.
    pub stays_here: bool,
    /// A user and a password, for the basic way to log in.
    pub login: Option<(&'a str, &'a str)>,
    /// Through whom it goes.
    pub proxy: Option<&'a str>,
    /// Whom https trusts, and who it says it is.
    pub tls: Tls<'a>,
    /// For all of it, the body included.
    pub timeout: Duration,
}

/// Whom https trusts, and who it says it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tls<'a> {
    /// A PEM file of roots that are trusted beside the system's.
    pub ca: Option<&'a Path>,
    /// PEM files of a certificate to show, and of its key.
    pub identity: Option<(&'a Path, &'a Path)>,
    /// Whether anybody is believed: [`Response::doubt`] tells who would not have been.
    pub is_insecure: bool,
}

/// What came of one request. Silence and refusal are answers too: the look judges them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It answered.
    Response(Response),
    /// Nobody listens.
    Refused,
    /// It accepted, and did not answer in time.
    Silent {
        /// How long it was given.
        after: Duration,
    },
    /// The conversation broke; why.
    Broken(String),
    /// Who answered could not prove to be who was asked for; why.
    Distrusted(String),
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Its status.
    pub status: u16,
    /// Where a redirect leads.
    pub location: Option<String>,
    /// Its headers, names in lower case; bytes that are not UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// Its body, decompressed, as text; bytes that are not UTF-8 are replaced.
    pub body: String,
    /// Whether the body was longer than is read.
    pub truncated: bool,
    /// Whether the body had bytes that are not UTF-8.
    pub lossy: bool,
    /// How long it took, body included.
    pub took: Duration,
    /// Until when the certificate of who answered holds, where it is told.
    pub certified_until: Option<Timestamp>,
    /// Why who answered would not have been believed, had the request not overlooked it.
    pub doubt: Option<String>,
}

/// The most that is read of a body, decompressed, in bytes.
pub const BODY_LIMIT: usize = 4 << 20;

/// Gets an address. No proxy, no redirect followed, one deadline for all of it, the body included.
///
/// # Errors
/// Where the client itself cannot be made, or the address is none.
pub fn get(url: &str, timeout: Duration) -> Result<Answer, ProbeError> {
    let method = "GET";
    ask(&Request {
        url,
        method,
        headers: &[],
        body: None,
        redirects: 0,
        stays_here: false,
        login: None,
        proxy: None,
        tls: Tls::default(),
        timeout,
    })
}

/// Asks.
///
/// # Errors
/// Where the client itself cannot be made, the request is none, or a file of certificates cannot be read.
pub fn ask(request: &Request<'_>) -> Result<Answer, ProbeError> {
    let (url, timeout) = (request.url, request.timeout);
    let address = Url::parse(url).map_err(|error| ProbeError::unreadable(url, &error))?;
    let start = Instant::now();
    let plain = request.redirects == 0 && address.scheme() == "http" && request.proxy.is_none();
    let doubt = tls::Doubt::default();
    let own;
    let client = if plain {
        client()?
    } else {
        own = build(tls::speaking(&request.tls, &doubt)?, policy(request), proxy(request)?)?;
        &own
    };
    let method = reqwest::Method::from_bytes(request.method.as_bytes())
        .map_err(|error| ProbeError::unreadable("the method", &error))?;
    let mut sent = client.request(method, address).timeout(timeout);
    for (name, value) in request.headers {
        // What is wrong with a value is not told: it may be a secret.
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_str(value);
        let (Ok(name), Ok(value)) = (name, value) else {
            return Err(ProbeError::unreadable(
                "a header of the request",
                &"it has characters that none may have",
            ));
        };
        sent = sent.header(name, value);
    }
    if let Some((user, password)) = request.login {
        sent = sent.basic_auth(user, Some(password));
    }
    if let Some(body) = request.body {
        sent = sent.body(body.to_owned());
    }
    let runtime = runtime()?;
    let answered = runtime.block_on(conversation(sent));
    // A name that is still being resolved is not waited for.
    runtime.shutdown_background();
    let (response, body) = match answered {
        Ok(answered) => answered,
        Err(error) => return Ok(classify(&error, timeout)),
    };
    let certificate = response.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate);
    let certified_until = certificate.and_then(tls::holds_until);
    let status = response.status().as_u16();
    let headers: Vec<(String, String)> = response
        .headers()
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    let mut bytes = match body {
        Ok(bytes) => bytes,
        Err(error) => {
            let late = start.elapsed() >= timeout;
            let after = human_duration(timeout);
            return Ok(Answer::Broken(if late {
                format!("it answered {status}, and its body did not end within {after}")
            } else {
                format!("it answered {status}, and its body cannot be read: {}", deepest(&error))
            }));
        }
    };
    let truncated = bytes.len() > BODY_LIMIT;
    if truncated {
        cut(&mut bytes);
    }
    let (body, lossy) = match String::from_utf8(bytes) {
        Ok(body) => (body, false),
        Err(error) => (String::from_utf8_lossy(error.as_bytes()).into_owned(), true),
    };
    let location = headers.iter().find(|(name, _)| name == "location").map(|(_, value)| value.clone());
    Ok(Answer::Response(Response {
        status,
        location,
        headers,
        body,
        truncated,
        lossy,
        took: start.elapsed(),
        certified_until,
        doubt: doubt.get().cloned(),
    }))
}

/// What is wrong with one is not told: it may have a password.
fn proxy(request: &Request<'_>) -> Result<Option<Proxy>, ProbeError> {
    let proxy = request.proxy.map(Proxy::all).transpose();
    proxy.map_err(|_| ProbeError::unreadable("the proxy", &"it is no address"))
}

/// Sends a request, and reads what is answered: at most one byte more than [`BODY_LIMIT`].
async fn conversation(
    request: RequestBuilder,
) -> reqwest::Result<(reqwest::Response, reqwest::Result<Vec<u8>>)> {
    let mut response = request.send().await?;
    let mut bytes = Vec::new();
    let body = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => break Ok(bytes),
            Err(error) => break Err(error),
        }
        if bytes.len() > BODY_LIMIT {
            bytes.truncate(BODY_LIMIT + 1);
            break Ok(bytes);
        }
    };
    Ok((response, body))
}

/// What drives one conversation, on the thread that waits for it.
fn runtime() -> Result<Runtime, ProbeError> {
    let runtime = Builder::new_current_thread().enable_io().enable_time().build();
    runtime.map_err(|error| ProbeError::failed("prepare a request", &error))
}

fn policy(request: &Request<'_>) -> Policy {
    let (most, stays_here) = (request.redirects, request.stays_here);
    Policy::custom(move |attempt: Attempt<'_>| {
        let leaves = !attempt.url().host_str().is_some_and(is_here);
        // The first of the previous ones is the address itself.
        if attempt.previous().len() > most || (stays_here && leaves) {
            attempt.stop()
        } else {
            attempt.follow()
        }
    })
}

/// Whether a host, by name or address, is this machine.
#[must_use]
pub fn is_here(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']).trim_end_matches('.');
    host.parse::<IpAddr>().map_or_else(
        |_| host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost"),
        |it| it.to_canonical().is_loopback() || it.is_unspecified(),
    )
}

/// The one client of this process for what is not encrypted: making it costs more than a page.
fn client() -> Result<&'static Client, ProbeError> {
    static CLIENT: OnceLock<Result<Client, ProbeError>> = OnceLock::new();
    let client = CLIENT.get_or_init(|| build(tls::trusting_nobody()?, Policy::none(), None));
    client.as_ref().map_err(Clone::clone)
}

fn build(tls: rustls::ClientConfig, redirects: Policy, proxy: Option<Proxy>) -> Result<Client, ProbeError> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("text/html,application/xhtml+xml,*/*;q=0.8"));
    let builder = Client::builder()
        .default_headers(headers)
        .user_agent(concat!("housecall/", env!("CARGO_PKG_VERSION")))
        .redirect(redirects)
        .no_proxy()
        .pool_max_idle_per_host(0)
        .tls_backend_preconfigured(tls)
        .tls_info(true);
    let client = match proxy {
        Some(proxy) => builder.proxy(proxy).build(),
        None => builder.build(),
    };
    client.map_err(|error| ProbeError::failed("make an HTTP client", &deepest(&error)))
}

fn classify(error: &reqwest::Error, timeout: Duration) -> Answer {
    let refused = |it: &(dyn Error + 'static)| {
        it.downcast_ref::<io::Error>().is_some_and(|it| it.kind() == io::ErrorKind::ConnectionRefused)
    };
    if error.is_timeout() {
        Answer::Silent { after: timeout }
    } else if let Some(why) = chain(error).find_map(tls::distrust) {
        Answer::Distrusted(why)
    } else if chain(error).any(refused) {
        Answer::Refused
    } else {
        Answer::Broken(deepest(error))
    }
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The innermost cause, which is the one that says something.
fn deepest(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map_or_else(String::new, ToString::to_string)
}

/// Cuts at the limit, and never through a character.
fn cut(bytes: &mut Vec<u8>) {
    bytes.pop();
    let continues = |byte: &u8| byte & 0b1100_0000 == 0b1000_0000;
    let tail = bytes.iter().rev().take(3).take_while(|byte| continues(byte)).count();
    let lead = bytes.len().saturating_sub(tail + 1);
    let needed = match bytes.get(lead) {
        Some(0xc0..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf7) => 4,
        _ => 1,
    };
    if needed > tail + 1 {
        bytes.truncate(lead);
    }
}
