//! Each page shows what it must, and nothing that it must not.

use crate::check::{Check, CheckId, Group, Look, Needs, Severity};
use crate::checks::page::{html, http_status, response};
use crate::checks::server::listener_fresh;
use crate::checks::sync::sha_parity;
use crate::config::Page;
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::fixes;
use crate::probes::http::{BODY_LIMIT, Response};
use crate::verdict::{Fact, Seen, Verdict};

/// The page shows its texts.
pub static CHECK: Check = Check {
    id: CheckId("page-content"),
    group: Group::Page,
    summary: "the page shows the texts it must, and none that it must not",
    docs: include_str!("page_content.md"),
    severity: Severity::Error,
    requires: &[
        Needs::same(&http_status::CHECK),
        Needs::all(&sha_parity::CHECK),
        Needs::all(&listener_fresh::CHECK),
    ],
    fix: Some(&fixes::serve::FIX),
    look: Look::Page(look),
};

fn look(cx: &Cx, page: &Page) -> Seen {
    let count = page.contains.len() + page.absent.len() + page.matches.len();
    if count == 0 {
        return Ok(Verdict::not_applicable("no text is configured for this page"));
    }
    let page = &*cx.addressed(page)?;
    let response = response(cx, page)?;
    let decoded = html::decoded(&response.body);
    let shows = |text: &str| response.body.contains(text) || decoded.contains(text);
    let matches = |pattern: &regex::Regex| pattern.is_match(&response.body) || pattern.is_match(&decoded);

    let intruders: Vec<String> = page.absent.iter().filter(|it| shows(it)).map(|it| quoted(it)).collect();
    if !intruders.is_empty() {
        let message = format!("{} shows {}, which it must not", page.path, intruders.join(" and "));
        return Ok(described(Verdict::fail(message), page, &response));
    }
    let texts = page.contains.iter().filter(|it| !shows(it)).map(|it| quoted(it));
    let patterns = page.matches.iter().filter(|it| !matches(it)).map(|it| format!("/{it}/"));
    let missing: Vec<String> = texts.chain(patterns).collect();
    if response.truncated && (!missing.is_empty() || !page.absent.is_empty()) {
        let why = format!("it is longer than the {} MiB that are read", BODY_LIMIT >> 20);
        return Err(ProbeError::unreadable(format!("the rest of {}", page.url), &why));
    }
    if !missing.is_empty() {
        let message = format!("{} does not show {}", page.path, missing.join(" and "));
        return Ok(described(Verdict::fail(message), page, &response));
    }
    let noun = if count == 1 { "text" } else { "texts" };
    Ok(Verdict::pass_with(format!("{count} of {count} {noun} as expected")))
}

fn described(verdict: Verdict, page: &Page, response: &Response) -> Verdict {
    let mut verdict = verdict.with("address", Fact::Url(page.url.clone()));
    verdict = verdict.with("length", Fact::Bytes(response.body.len() as u64));
    if let Some(says) = html::says(&response.body) {
        verdict = verdict.with("says", says);
    }
    if response.lossy {
        verdict = verdict.with("encoding", "not UTF-8: what cannot be read as such is replaced");
    }
    verdict
}

fn quoted(text: &str) -> String {
    format!("`{text}`")
}
