//! What an address answers: bounded in time, size and redirects.

use std::time::Duration;

use crate::error::ProbeError;

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

/// Gets an address.
///
/// # Errors
/// Where the client itself cannot be made, or the address is none.
pub fn get(_url: &str, _timeout: Duration) -> Result<Answer, ProbeError> {
    Err(ProbeError::failed("get a page", &"not built"))
}
