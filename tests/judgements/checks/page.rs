//! What the pages answer.

use std::sync::Arc;
use std::time::Duration;

use housecall::check::Check;
use housecall::checks::page::{http_status, page_content, page_sha};
use housecall::config::{Config, Page};
use housecall::cx::Probes;
use housecall::probes::git::{Checkout, Worktree};
use housecall::probes::http::{Answer, Response};
use housecall::probes::keeper::{Keeper, Kept, Running};
use housecall::probes::{Keyed, Probe};

use super::worlds::{OLD_SHA, SHA, ago, config, cx_of, repository, verdict, worktree};

const URL: &str = "http://127.0.0.1:4321/";

fn response(status: u16, body: &str) -> Response {
    Response {
        status,
        location: None,
        headers: Vec::new(),
        body: body.to_owned(),
        truncated: false,
        lossy: false,
        took: Duration::from_millis(14),
        certified_until: None,
        doubt: None,
    }
}

fn says_of(check: &'static Check, config: Config, keeper: Keeper, answer: Answer) -> String {
    let checkout = Checkout {
        top: worktree(),
        git_dir: repository().join(".git/worktrees/site"),
        common_dir: repository().join(".git"),
        branch: None,
        head: Some(SHA.to_owned()),
        moved: None,
        operation: None,
        locks: Vec::new(),
        kept: Some("kept by housecall".to_owned()),
    };
    let probes = Probes {
        pages: Keyed::given([(URL.to_owned(), Ok(answer))]),
        keeper: Probe::given(Ok(keeper)),
        worktree: Probe::given(Ok(Worktree::Present(checkout))),
        ..Probes::default()
    };
    verdict(check, &cx_of(config, probes)).trim_start_matches("[/]\n").to_owned()
}

fn says(check: &'static Check, answer: Answer) -> String {
    says_of(check, config(), Keeper::Absent, answer)
}

fn page_with(change: impl FnOnce(&mut Page)) -> Config {
    let mut config = config();
    change(Arc::make_mut(&mut config.pages[0]));
    config
}

fn reads(config: Config, body: Response) -> String {
    says_of(&page_content::CHECK, config, Keeper::Absent, Answer::Response(body))
}

#[track_caller]
fn tells(said: &str, start: &str, facts: &[&str]) {
    assert!(said.starts_with(start), "{said}");
    for fact in facts {
        assert!(said.contains(fact), "{fact} in {said}");
    }
}

#[test]
fn statuses() {
    let says = |answer| says(&http_status::CHECK, answer);
    tells(&says(Answer::Response(response(200, ""))), "pass 200 in 14 ms", &[]);
    tells(
        &says(Answer::Response(response(500, "<title>Error: no &lt;Base&gt;</title>"))),
        "fail / answers 500, not 200",
        &["expected: 200", "actual: 500", "says: Error: no <Base>", "hint: "],
    );
    let redirect = Response { location: Some("/login".to_owned()), ..response(302, "") };
    tells(
        &says(Answer::Response(redirect)),
        "fail / leads elsewhere, to /login",
        &["actual: 302, to /login"],
    );
    tells(&says(Answer::Refused), "fail nobody answers at http://127.0.0.1:4321/", &[]);
    let silent = Answer::Silent { after: Duration::from_secs(5) };
    tells(&says(silent), "fail the server accepts connections and never answers for /", &["silence for 5 s"]);
    tells(&says(Answer::Broken("reset".to_owned())), "fail the answer for / breaks off", &["actual: reset"]);
}

#[test]
fn a_server_that_starts_is_pending_only_until_it_answered() {
    let keeper = |answered| {
        let server = Kept::Started { pid: 5, identity: 5, at: ago(10), answered };
        Keeper::Running(Running {
            schema: 1,
            pid: 4,
            identity: 4,
            since: ago(10),
            server,
            keeps: None,
            unfollowed: None,
        })
    };
    let refused = |answered| says_of(&http_status::CHECK, config(), keeper(answered), Answer::Refused);
    tells(&refused(None), "pending the server is starting", &[]);
    tells(&refused(Some(ago(5))), "fail nobody answers", &[]);
}

#[test]
fn texts() {
    let shown = "<p>la taxe Zucman</p>";
    tells(&reads(config(), response(200, shown)), "pass 1 of 1 text as expected", &[]);
    tells(&reads(config(), response(200, "")), "fail / does not show `taxe Zucman`", &["length: 0 B"]);
    let entity = page_with(|page| page.contains = vec!["l'idée & <b>".to_owned()]);
    tells(&reads(entity, response(200, "l&#39;id&#xe9;e &amp; &lt;b&gt;")), "pass", &[]);
    let absent = || page_with(|page| page.absent = vec!["Draft".to_owned()]);
    tells(
        &reads(absent(), response(200, "taxe Zucman, Draft")),
        "fail / shows `Draft`, which it must not",
        &[],
    );
    let pattern =
        page_with(|page| page.matches = vec![regex::Regex::new("Zuc[a-z]{3}<").expect("a pattern")]);
    tells(&reads(pattern, response(200, shown)), "pass 2 of 2 texts", &[]);
    let cut = || Response { truncated: true, ..response(200, "…") };
    tells(&reads(config(), cut()), "unknown the rest of http://127.0.0.1:4321/ is not readable", &["4 MiB"]);
    let cut_with_text = Response { truncated: true, ..response(200, shown) };
    tells(&reads(config(), cut_with_text.clone()), "pass", &[]);
    tells(&reads(absent(), cut_with_text), "unknown", &[]);
    let latin = Response { lossy: true, ..response(200, "") };
    tells(&reads(config(), latin), "fail", &["encoding: not UTF-8"]);
    tells(&reads(page_with(|page| page.contains.clear()), response(200, "")), "skip", &[]);
    tells(&says(&page_content::CHECK, Answer::Refused), "unknown", &[]);
}

#[test]
fn commits() {
    let says = |response| says(&page_sha::CHECK, Answer::Response(response));
    let header = |sha: &str| Response {
        headers: vec![("x-housecall-sha".to_owned(), sha.to_owned())],
        ..response(200, "")
    };
    tells(&says(header(SHA)), "pass made from a1bfbf4", &["where: the header x-housecall-sha"]);
    tells(&says(header("A1BFBF4")), "pass", &[]);
    tells(
        &says(header(OLD_SHA)),
        "fail / was made from 0ddba11, not from the worktree's a1bfbf4",
        &["expected: a1bfbf4c0ffee", "actual: 0ddba11c0ffee"],
    );
    tells(&says(header("a1bfbf")), "fail / names `a1bfbf` as its commit, which is none", &[]);
    tells(&says(header("main")), "fail / names `main` as its commit", &[]);
    let meta = format!("<head><META content='{SHA}' name=\"git-sha\"/><meta name=commit content=0ddba11>");
    tells(&says(response(200, &meta)), "pass made from a1bfbf4", &["where: <meta name=\"git-sha\">"]);
    tells(&says(response(200, "<meta name=\"description\" content=\"x\">")), "skip", &[]);

    let pattern = || page_with(|page| page.sha = regex::Regex::new("build ([0-9a-f]+)").ok());
    let of = |body: &str| {
        says_of(&page_sha::CHECK, pattern(), Keeper::Absent, Answer::Response(response(200, body)))
    };
    tells(&of("build a1bfbf4c0"), "pass", &[]);
    tells(&of("build 0ddba11c0"), "fail / was made from 0ddba11", &[]);
    tells(&of("no mark"), "fail / names no commit", &["expected: /build ([0-9a-f]+)/"]);
}
