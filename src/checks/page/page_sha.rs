//! Each page that says which commit it was made from was made from the worktree's: the strongest proof there is.

use crate::check::{Check, CheckId, Group, Look, Needs, Severity};
use crate::checks::page::{html, http_status, response};
use crate::checks::sync::sha_parity;
use crate::config::Page;
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::fixes;
use crate::probes::http::Response;
use crate::verdict::{Fact, Seen, Verdict};

/// The page was made from the worktree's commit.
pub static CHECK: Check = Check {
    id: CheckId("page-sha"),
    group: Group::Page,
    summary: "the page was made from the worktree's commit",
    docs: include_str!("page_sha.md"),
    severity: Severity::Error,
    requires: &[Needs::same(&http_status::CHECK), Needs::all(&sha_parity::CHECK)],
    fix: Some(&fixes::serve::FIX),
    look: Look::Page(look),
};

/// The header with which Housecall's own file server names its commit.
pub const HEADER: &str = "x-housecall-sha";
/// The meta elements that name a commit, most particular first.
const NAMES: [&str; 4] = ["housecall-sha", "git-sha", "commit", "revision"];
/// Fewer digits prove nothing.
const ABBREVIATED: usize = 7;

fn look(cx: &Cx, page: &Page) -> Seen {
    if cx.config().mirror.is_none() {
        return Ok(Verdict::not_applicable("no [mirror] is configured"));
    }
    if page.service.is_some() {
        return Ok(Verdict::not_applicable("the page is a service's, and not made from the worktree"));
    }
    let response = response(cx, page)?;
    let marker = marker(page, &response);
    let Some((served, place)) = marker else {
        return match &page.sha {
            Some(_) if response.truncated => {
                Err(ProbeError::unreadable(format!("the rest of {}", page.url), &"it is too long"))
            }
            Some(pattern) => Ok(Verdict::fail(format!("{} names no commit", page.path))
                .with("expected", format!("/{pattern}/"))
                .with("address", Fact::Url(page.url.clone()))),
            None => Ok(Verdict::not_applicable("the page does not say which commit it was made from")),
        };
    };
    let head = cx.checkout()?.head.clone();
    let Some(head) = head else {
        return Err(ProbeError::failed("tell the worktree's commit", &"its HEAD names none"));
    };
    let served = served.trim().to_ascii_lowercase();
    let is_commit = served.len() >= ABBREVIATED && served.bytes().all(|it| it.is_ascii_hexdigit());
    let described = |verdict: Verdict| {
        let verdict = verdict.with("expected", Fact::Sha(head.clone()));
        let actual = if is_commit { Fact::Sha(served.clone()) } else { Fact::Text(served.clone()) };
        verdict.with("actual", actual).with("where", place.clone())
    };
    let short = |sha: &str| sha.chars().take(ABBREVIATED).collect::<String>();
    Ok(if !is_commit {
        described(Verdict::fail(format!("{} names `{served}` as its commit, which is none", page.path)))
    } else if head.starts_with(&served) {
        Verdict::pass_with(format!("made from {}", short(&head))).with("where", place)
    } else {
        let message = format!(
            "{} was made from {}, not from the worktree's {}",
            page.path,
            short(&served),
            short(&head)
        );
        described(Verdict::fail(message))
    })
}

/// The commit that a response names, and where it does.
fn marker(page: &Page, response: &Response) -> Option<(String, String)> {
    if let Some(pattern) = &page.sha {
        let captures = pattern.captures(&response.body)?;
        let one = captures.get(1).or_else(|| captures.get(0))?;
        return Some((one.as_str().to_owned(), "the configured pattern".to_owned()));
    }
    let header = response.headers.iter().find(|(name, _)| name == HEADER);
    if let Some((_, value)) = header {
        return Some((value.clone(), format!("the header {HEADER}")));
    }
    html::meta(&response.body, &NAMES).map(|(name, content)| (content, format!("<meta name=\"{name}\">")))
}
