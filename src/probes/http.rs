//! What an address answers: bounded in time, size and redirects.

#![expect(clippy::disallowed_methods, reason = "probes are where clocks are read")]

use std::error::Error;
use std::io::{self, Read};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use reqwest::blocking::Client;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use reqwest::redirect;

use crate::error::{ProbeError, human_duration};

/// What came of one GET. Silence and refusal are answers too: the look judges them.
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
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Its status; a redirect is not followed.
    pub status: u16,
    /// Where a redirect leads.
    pub location: Option<String>,
    /// Its headers, names in lower case, values that are not text left out.
    pub headers: Vec<(String, String)>,
    /// Its body, decompressed, as text; bytes that are not UTF-8 are replaced.
    pub body: String,
    /// Whether the body was longer than is read.
    pub truncated: bool,
    /// Whether the body had bytes that are not UTF-8.
    pub lossy: bool,
    /// How long it took, body included.
    pub took: Duration,
}

/// The most that is read of a body, decompressed, in bytes.
pub const BODY_LIMIT: u64 = 4 << 20;

/// Gets an address. No proxy, no redirect followed, one deadline for all of it, the body included.
///
/// # Errors
/// Where the client itself cannot be made, or the address is none.
pub fn get(url: &str, timeout: Duration) -> Result<Answer, ProbeError> {
    let address = reqwest::Url::parse(url).map_err(|error| ProbeError::unreadable(url, &error))?;
    let start = Instant::now();
    let response = match client()?.get(address).timeout(timeout).send() {
        Ok(response) => response,
        Err(error) => return Ok(classify(&error, timeout)),
    };
    let status = response.status().as_u16();
    let headers: Vec<(String, String)> = response
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    let mut bytes = Vec::new();
    if let Err(error) = response.take(BODY_LIMIT + 1).read_to_end(&mut bytes) {
        let late = start.elapsed() >= timeout;
        let after = human_duration(timeout);
        return Ok(Answer::Broken(if late {
            format!("it answered {status}, and its body did not end within {after}")
        } else {
            format!("it answered {status}, and its body cannot be read: {}", deepest(&error))
        }));
    }
    let truncated = bytes.len() as u64 > BODY_LIMIT;
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
    }))
}

/// The one client of this process: making it costs more than a page.
fn client() -> Result<&'static Client, ProbeError> {
    static CLIENT: OnceLock<Result<Client, String>> = OnceLock::new();
    let client = CLIENT.get_or_init(|| {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("text/html,application/xhtml+xml,*/*;q=0.8"));
        let client = Client::builder()
            .default_headers(headers)
            .user_agent(concat!("housecall/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .pool_max_idle_per_host(0)
            .build();
        client.map_err(|error| deepest(&error))
    });
    client.as_ref().map_err(|why| ProbeError::failed("make an HTTP client", why))
}

fn classify(error: &reqwest::Error, timeout: Duration) -> Answer {
    let refused = |it: &(dyn Error + 'static)| {
        it.downcast_ref::<io::Error>().is_some_and(|it| it.kind() == io::ErrorKind::ConnectionRefused)
    };
    if error.is_timeout() {
        Answer::Silent { after: timeout }
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
