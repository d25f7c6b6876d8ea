//! A job's file is judged at its lines, wherever it lies and however it is laid out.

use housecall::check::Severity;
use housecall::lint::{Facts, Finding, Place, lint, paths_of, render};

use crate::HOME;
use crate::terminal::assert_harmless;

const LABEL: &str = "/nobody/home/Library/LaunchAgents/com.example.job.plist";

/// Findings lie within the file, can be shown, and move with it.
///
/// # Panics
/// Where that does not hold.
pub fn plist_lint(data: &[u8]) {
    let Ok(findings) = lint(LABEL, data, &Place::Elsewhere) else { return };
    let lines = data.split(|&byte| byte == b'\n').count();
    for it in &findings {
        assert!(it.line.is_none_or(|line| (1..=lines).contains(&line)), "{it:?} in {lines} lines");
        assert!(!it.message.is_empty() && !it.code.is_empty(), "a finding without a word: {it:?}");
    }
    shown(data, &findings);
    installed(data, &findings);
    moved(data, &findings);
}

fn shown(data: &[u8], findings: &[Finding]) {
    let file = render::File { path: LABEL.into(), findings: findings.to_vec(), bytes: data.to_vec() };
    let files = [file];
    assert!(render::json(&files).is_ok(), "it is no JSON");
    let _ = render::human(&files, true);
    assert_harmless(&render::human(&files, false));
}

/// A file that launchd accepts by its text may be found wanting by the machine, never the other way round.
fn installed(data: &[u8], elsewhere: &[Finding]) {
    let facts = Facts {
        home: HOME.into(),
        user: 501,
        owner: 501,
        mode: 0o644,
        seen: paths_of(data).into_iter().map(|path| (path, missing())).collect(),
    };
    let Ok(found) = lint(LABEL, data, &Place::Installed(Box::new(facts))) else {
        panic!("it can be read elsewhere alone")
    };
    let refused = |it: &&Finding| it.severity == Severity::Error && it.code == "syntax";
    assert_eq!(
        elsewhere.iter().filter(refused).count(),
        found.iter().filter(refused).count(),
        "its syntax depends on its place"
    );
}

fn missing() -> housecall::lint::Seen {
    housecall::lint::Seen { kind: housecall::lint::Kind::Missing, is_writable: false, is_executable: false }
}

/// With a line before it and one after it, the same is found, one line further down.
fn moved(data: &[u8], findings: &[Finding]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let is_whole = findings.iter().all(|it| it.code != "syntax");
    if !text.starts_with('<') || !is_whole {
        return;
    }
    let below = format!("<!-- moved -->\n{text}\n");
    let Ok(moved) = lint(LABEL, below.as_bytes(), &Place::Elsewhere) else { return };
    let at = |it: &Finding, by: usize| (it.line.map(|line| line - by), it.severity, it.code, it.key.clone());
    let before: Vec<_> = findings.iter().map(|it| at(it, 0)).collect();
    let after: Vec<_> = moved.iter().map(|it| at(it, 1)).collect();
    assert_eq!(before, after, "it is judged otherwise one line further down");
}
