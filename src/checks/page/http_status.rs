//! Each page answers with its status.

use crate::check::{Check, CheckId, Group, Look, Needs, Of, Severity};
use crate::checks::jobs::job_state;
use crate::checks::page::html;
use crate::checks::server::{listener, listener_cwd, listener_process, starting};
use crate::config::Page;
use crate::cx::Cx;
use crate::error::human_duration;
use crate::fixes;
use crate::probes::http::{Answer, Response};
use crate::verdict::{Fact, Seen, Verdict};

/// The page answers with its status.
pub static CHECK: Check = Check {
    id: CheckId("http-status"),
    group: Group::Page,
    summary: "the page answers with its status",
    docs: include_str!("http_status.md"),
    severity: Severity::Error,
    requires: &[
        Needs::all(&listener::CHECK),
        Needs::all(&listener_process::CHECK),
        Needs::all(&listener_cwd::CHECK),
        Needs { check: &job_state::CHECK, of: Of::Keeper },
    ],
    fix: Some(&fixes::serve::FIX),
    look: Look::Page(look),
};

fn look(cx: &Cx, page: &Page) -> Seen {
    let page = &*cx.addressed(page)?;
    let answer = cx.page(&page.url)?;
    let verdict = judge(page, &answer);
    let server = cx.config().server.as_ref().filter(|_| page.service.is_none());
    match server.and_then(|server| starting(cx, server)) {
        Some(until) if matches!(verdict, Verdict::Fail(_)) => {
            Ok(Verdict::pending("the server is starting", until))
        }
        _ => Ok(verdict),
    }
}

fn judge(page: &Page, answer: &Answer) -> Verdict {
    let path = &page.path;
    let fail = |message: String, actual: String| {
        let verdict = Verdict::fail(message).with("expected", page.status.to_string()).with("actual", actual);
        verdict.with("address", Fact::Url(page.url.clone()))
    };
    match answer {
        Answer::Response(it) if it.status == page.status => {
            let took = human_duration(it.took);
            Verdict::pass_with(format!("{} in {took}", it.status)).with("took", it.took)
        }
        Answer::Response(it) => unexpected(page, it, fail),
        Answer::Refused => fail(format!("nobody answers at {}", page.url), "connection refused".to_owned()),
        Answer::Silent { after } => fail(
            format!("the server accepts connections and never answers for {path}"),
            format!("silence for {}", human_duration(*after)),
        ),
        Answer::Distrusted(why) => fail(format!("{why}, at {}", page.url), "no trust".to_owned()),
        Answer::Broken(why) => fail(format!("the answer for {path} breaks off"), why.clone()),
    }
}

fn unexpected(page: &Page, it: &Response, fail: impl Fn(String, String) -> Verdict) -> Verdict {
    let path = &page.path;
    let mut verdict = match &it.location {
        Some(location) if (300..400).contains(&it.status) => {
            fail(format!("{path} leads elsewhere, to {location}"), format!("{}, to {location}", it.status))
        }
        _ => fail(format!("{path} answers {}, not {}", it.status, page.status), it.status.to_string()),
    };
    if let Some(says) = html::says(&it.body) {
        verdict = verdict.with("says", says);
    }
    if it.status >= 500 && page.service.is_none() {
        verdict = verdict
            .with("hint", "the page is broken, or its server lives on dependencies that were replaced");
    }
    verdict.with("took", it.took)
}
