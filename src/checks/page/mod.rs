//! What the pages answer: the right status, the right texts, made from the right commit.

mod html;
pub mod http_status;
pub mod page_content;
pub mod page_sha;

use crate::config::Page;
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::probes::http::{Answer, Response};

/// The page's response, for looks that say nothing where there is none: `http-status` does.
fn response(cx: &Cx, page: &Page) -> Result<Response, ProbeError> {
    let failed = |why: &str| Err(ProbeError::failed(format!("read {}", page.url), &why));
    match &*cx.page(&page.url)? {
        Answer::Response(response) => Ok(response.clone()),
        Answer::Refused => failed("nobody answers"),
        Answer::Silent { after } => Err(ProbeError::TimedOut { what: page.url.clone(), after: *after }),
        Answer::Broken(why) | Answer::Distrusted(why) => failed(why),
    }
}
