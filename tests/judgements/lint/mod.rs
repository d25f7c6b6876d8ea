//! The linter finds real mistakes at their place, and is silent about what launchd accepts.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::disallowed_methods, reason = "jobs are files, and the real binary lints them")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

mod published;
mod written;
mod command;

use housecall::lint::{Finding, Place, lint};

pub(crate) fn judged(text: &str) -> Vec<Finding> {
    lint("/tmp/com.example.job.plist", text.as_bytes(), &Place::Elsewhere).unwrap()
}

/// A job with these keys beside a label and a program; the keys begin on line 7.
pub(crate) fn job(keys: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<plist version=\"1.0\">\n<dict>\n<key>Label</key><string>com.example.job</string>\n\
         <key>ProgramArguments</key>\n<array><string>/bin/date</string></array>\n{keys}\n\
         <key>RunAtLoad</key><true/>\n</dict>\n</plist>\n"
    )
}

/// What is found, in one line each: `warning unknown-key KeepAlive.Foo 7`.
pub(crate) fn told(findings: &[Finding]) -> Vec<String> {
    let line = |it: &Finding| {
        let severity = format!("{:?}", it.severity).to_lowercase();
        let key = it.key.as_deref().unwrap_or("-");
        format!(
            "{severity} {} {key} {}",
            it.code,
            it.line.map_or_else(|| "-".into(), |line| line.to_string())
        )
    };
    findings.iter().map(line).collect()
}
