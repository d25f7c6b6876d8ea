//! The usual mirror as a value, and a verdict as text for snapshots.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use housecall::check::Check;
use housecall::config::{Config, Mirror, Page, Ready, Server, Serving, Tool, Trust};
use housecall::cx::{Cx, Probes};
use housecall::error::human_duration;
use housecall::probes::state::{LastSync, SyncStatus};
use housecall::verdict::{Evidence, Fact, Seen, Verdict};
use jiff::Timestamp;

/// The commit that the usual mirror is on.
pub(crate) const SHA: &str = "a1bfbf4c0ffee0123456789abcdef0123456789a";
/// An older one.
pub(crate) const OLD_SHA: &str = "0ddba11c0ffee0123456789abcdef0123456789a";
/// The process that serves the usual mirror.
pub(crate) const SERVER_PID: u32 = 31_492;

/// The time of every look in these tests.
pub(crate) fn now() -> Timestamp {
    "2026-03-16T20:29:43Z".parse().expect("a timestamp")
}

/// That many seconds before it.
pub(crate) fn ago(seconds: i64) -> Timestamp {
    Timestamp::from_second(now().as_second() - seconds).expect("a timestamp")
}

/// The home of everything the usual mirror has.
pub(crate) fn home() -> PathBuf {
    PathBuf::from("/home/ada")
}

/// `<home>/…`.
pub(crate) fn at(relative: &str) -> PathBuf {
    home().join(relative)
}

/// Where the canonical repository is.
pub(crate) fn repository() -> PathBuf {
    at("dev/site")
}

/// Where the mirror's worktree is.
pub(crate) fn worktree() -> PathBuf {
    at("ops/site/worktree")
}

/// The usual mirror: astro on 127.0.0.1:4321 from a worktree on origin/main.
pub(crate) fn config() -> Config {
    Config {
        trust: Trust::Trusted,
        runtime_path: vec![PathBuf::from("/opt/node22/bin")],
        tools: vec![tool("node", Some(">=22 <23")), tool("npm", Some(">=10 <11"))],
        mirror: Some(Arc::new(Mirror {
            repository: repository(),
            remote: "origin".to_owned(),
            upstream: "main".to_owned(),
            worktree: worktree(),
            branch: "localhost-sync".to_owned(),
            every: Duration::from_mins(1),
            install: vec!["npm".to_owned(), "ci".to_owned()],
            build: Vec::new(),
            carry: vec![PathBuf::from(".env.local")],
        })),
        server: Some(Arc::new(Server {
            run: Serving::Program(
                ["node", "node_modules/.bin/astro", "dev", "--port", "4321"].map(str::to_owned).to_vec(),
            ),
            directory: worktree(),
            listen: "127.0.0.1:4321".parse().expect("an address"),
            watches: None,
            env: BTreeMap::new(),
            ready: Ready { path: "/".to_owned(), within: Duration::from_mins(1) },
        })),
        pages: vec![Arc::new(Page {
            path: "/".to_owned(),
            url: "http://127.0.0.1:4321/".to_owned(),
            service: None,
            status: 200,
            contains: vec!["taxe Zucman".to_owned()],
            absent: Vec::new(),
            matches: Vec::new(),
            sha: None,
        })],
        ..Config::empty("site", at(".config/housecall/site.toml"), home(), at("ops/site"))
    }
}

/// A tool with its range.
pub(crate) fn tool(name: &str, range: Option<&str>) -> Arc<Tool> {
    let range = range.map(|range| range.parse().expect("a range"));
    Arc::new(Tool { name: name.to_owned(), range })
}

/// A look at the usual mirror in that world.
pub(crate) fn cx(probes: Probes) -> Cx {
    cx_of(config(), probes)
}

/// A look at that mirror in that world.
pub(crate) fn cx_of(config: Config, probes: Probes) -> Cx {
    Cx::given(Arc::new(config), now(), probes)
}

/// What a check says in a world, as text: one block for each subject.
pub(crate) fn verdict(check: &'static Check, cx: &Cx) -> String {
    let mut text = String::new();
    for (subject, look) in check.look.bind(cx.config()) {
        if let Some(subject) = subject {
            let _ = writeln!(text, "[{subject}]");
        }
        text.push_str(&render(&look(cx)));
    }
    text
}

/// What a look said, as text.
pub(crate) fn render(seen: &Seen) -> String {
    match seen {
        Ok(Verdict::Pass(facts)) => {
            format!("pass {}\n{}", facts.note.as_deref().unwrap_or("-"), evidence(&facts.evidence))
        }
        Ok(Verdict::Fail(finding)) => format!("fail {}\n{}", finding.message, evidence(&finding.evidence)),
        Ok(Verdict::NotApplicable(why)) => format!("skip {why}\n"),
        Ok(Verdict::Pending { why, until }) => format!("pending {why}, until {until}\n"),
        Err(error) => format!("unknown {error}\n"),
    }
}

fn evidence(evidence: &[Evidence]) -> String {
    evidence.iter().fold(String::new(), |mut text, it| {
        let _ = writeln!(text, "  {}: {}", it.label, fact(&it.fact));
        text
    })
}

fn fact(fact: &Fact) -> String {
    match fact {
        Fact::Path(path) => path.display().to_string(),
        Fact::Pid(pid) => format!("pid {pid}"),
        Fact::Sha(text) | Fact::Version(text) | Fact::Url(text) | Fact::Text(text) => text.clone(),
        Fact::Command(command) => format!("$ {command}"),
        Fact::Age(age) => human_duration(*age),
        Fact::Bytes(bytes) => format!("{bytes} B"),
        Fact::Time(time) => time.to_string(),
    }
}

/// How a sync ended that many seconds ago, on that commit.
pub(crate) fn last_sync(status: SyncStatus, seconds: i64, sha: &str, reason: &str) -> LastSync {
    LastSync {
        schema: 1,
        at: ago(seconds),
        boot: "boot".to_owned(),
        awake_ms: 0,
        contact: Some(ago(seconds)),
        sha: Some(sha.to_owned()),
        aligned: Some(sha.to_owned()),
        status,
        reason: reason.to_owned(),
        misses: None,
        unserved: None,
        pause_ms: None,
    }
}
