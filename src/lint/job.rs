//! One job as it is judged: its keys at hand, and the findings as they come.

use std::path::Path;

use super::plist::{Entry, Line, Node, Value};
use super::{Finding, Place, Severity, arguments, environment, installed, paths, program, schedule, shape};

/// A job's keys, and where its file lies.
#[derive(Debug)]
pub(super) struct Job<'a> {
    pub(super) path_label: &'a str,
    pub(super) root: &'a [Entry],
}

/// The findings of one file.
#[derive(Debug, Default)]
pub(super) struct Report {
    findings: Vec<Finding>,
}

impl Report {
    /// Adds one, to which a suggestion may be given.
    pub(super) fn add(
        &mut self,
        severity: Severity,
        code: &'static str,
        key: &str,
        line: Line,
        message: impl Into<String>,
    ) -> &mut Finding {
        let key = (!key.is_empty()).then(|| key.to_owned());
        let finding = Finding { severity, code, key, line, message: message.into(), suggestion: None };
        self.findings.push(finding);
        let last = self.findings.len() - 1;
        &mut self.findings[last]
    }
}

impl<'a> Job<'a> {
    /// The entry of this key; the last, where there are several.
    pub(super) fn entry(&self, key: &str) -> Option<&'a Entry> {
        self.root.iter().rev().find(|it| it.key == key)
    }

    /// The value of this key.
    pub(super) fn node(&self, key: &str) -> Option<&'a Node> {
        self.entry(key).map(|it| &it.node)
    }

    /// The string of this key.
    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        self.node(key).and_then(Node::text)
    }

    /// Whether this key is `true`.
    pub(super) fn is_true(&self, key: &str) -> bool {
        self.node(key).is_some_and(|it| it.value == Value::Flag(true))
    }

    /// The integer of this key.
    pub(super) fn number(&self, key: &str) -> Option<i128> {
        match self.node(key)?.value {
            Value::Integer(number) => Some(number),
            _ => None,
        }
    }

    /// The arguments that are strings.
    pub(super) fn arguments(&self) -> Vec<&'a Node> {
        let items = self.node("ProgramArguments").map_or(&[][..], Node::items);
        items.iter().filter(|it| it.text().is_some()).collect()
    }

    /// Whether its folder, or the session it asks for, makes it a user's agent.
    pub(super) fn is_agent(&self) -> bool {
        let folders = || Path::new(self.path_label).components();
        let lies_in = |name: &str| folders().any(|it| it.as_os_str() == name);
        let is_aqua = self.text("LimitLoadToSessionType") == Some("Aqua");
        lies_in("LaunchAgents") || (is_aqua && !lies_in("LaunchDaemons"))
    }
}

/// All that is wrong with this job.
pub(super) fn findings(path_label: &str, root: &Node, place: &Place) -> Vec<Finding> {
    let mut report = Report::default();
    let Value::Dict(entries) = &root.value else {
        let message = format!("a job is a dictionary, and this is {}", root.value.kind());
        report.add(Severity::Error, "not-a-job", "", root.line, message);
        return report.findings;
    };
    let job = Job { path_label, root: entries };
    shape::judge(entries, &mut report);
    label(&job, root.line, place, &mut report);
    program::judge(&job, root.line, place, &mut report);
    arguments::judge(&job, &mut report);
    paths::judge(&job, &mut report);
    schedule::judge(&job, root.line, &mut report);
    environment::judge(&job, &mut report);
    if let Place::Installed(facts) = place {
        installed::judge(&job, facts, &mut report);
    }
    report.findings
}

fn label(job: &Job<'_>, line: Line, place: &Place, report: &mut Report) {
    let Some(entry) = job.entry("Label") else {
        report.add(
            Severity::Error,
            "missing-label",
            "Label",
            line,
            "the job has no `Label`: launchd refuses it",
        );
        return;
    };
    let Some(label) = entry.node.text() else { return };
    let line = entry.node.line;
    if label.trim().is_empty() {
        report.add(Severity::Error, "missing-label", "Label", line, "`Label` is empty: launchd refuses it");
        return;
    }
    if label.contains(|it: char| it.is_whitespace() || it == '/') {
        let message = format!("the label `{label}` holds a character that `launchctl` commands stumble over");
        report.add(Severity::Warning, "label-characters", "Label", line, message);
    }
    let name = job.path_label.rsplit('/').next().unwrap_or_default();
    let Some(stem) = name.strip_suffix(".plist") else { return };
    if stem != label && !paths::has_placeholder(label) {
        let severity = match place {
            Place::Elsewhere => Severity::Info,
            Place::Installed(_) => Severity::Warning,
        };
        let message =
            format!("the label is `{label}` and the file is named `{name}`; by convention they agree");
        report.add(severity, "label-file-name", "Label", line, message);
    }
}
