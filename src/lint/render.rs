//! Findings as a person reads them, underlined in the file, and as a program does.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;

use super::plist::decode;
use super::{Finding, Severity};
use crate::report::words::{clean_in_place, clean_line};

/// One linted file.
#[derive(Debug, Clone, Serialize)]
pub struct File {
    /// As the user gave it.
    pub path: String,
    /// In the order of their lines.
    pub findings: Vec<Finding>,
    /// What it holds, to be shown.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    files: &'a [File],
}

/// The findings as one JSON document.
///
/// # Errors
/// None that a file can bring about.
pub fn json(files: &[File]) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&Document { schema: "housecall.lint/1", files }).map(|it| it + "\n")
}

/// The findings in the manner of a compiler, and a line that sums them up.
#[must_use]
pub fn human(files: &[File], colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Unicode);
    let mut text = String::new();
    for file in files {
        let source =
            decode(&file.bytes).unwrap_or_else(|_| String::from_utf8_lossy(&file.bytes).into_owned());
        for finding in &file.findings {
            text.push_str(&one(file, &source, finding, &renderer));
            text.push_str("\n\n");
        }
    }
    text + &summary(files)
}

fn one(file: &File, source: &str, finding: &Finding, renderer: &Renderer) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let (message, path) = (clean_line(&finding.message), clean_line(&file.path));
    let suggestion = finding.suggestion.as_deref().map(clean_line);
    let title = level.primary_title(message.as_str()).id(finding.code);
    let place = finding.line.and_then(|line| underlined(source, line).map(|range| (line, range)));
    let (shown, first, range);
    let group = match place {
        Some((line, at)) => {
            shown = clean_in_place(&hidden(&source[at.start..at.end], finding));
            first = line;
            range = span(&shown);
            let annotation = AnnotationKind::Primary.span(range);
            let snippet = Snippet::source(shown.as_str()).line_start(first).path(path.as_str());
            Group::with_title(title).element(snippet.annotation(annotation))
        }
        None => Group::with_title(title).element(Origin::path(path.as_str())),
    };
    let group = match &suggestion {
        Some(suggestion) => group.element(Level::HELP.message(format!("write `{suggestion}`"))),
        None => group,
    };
    renderer.render(&[group])
}

/// Where this line lies in the source.
fn underlined(source: &str, line: usize) -> Option<Range<usize>> {
    let text = source.split('\n').nth(line.checked_sub(1)?)?;
    let start = text.as_ptr() as usize - source.as_ptr() as usize;
    Some(start..start + text.trim_end().len())
}

/// What of a line is underlined: all but its indentation.
fn span(line: &str) -> Range<usize> {
    let start = line.len() - line.trim_start().len();
    start..line.len().max(start)
}

/// A line that is shown never shows a secret.
fn hidden(line: &str, finding: &Finding) -> String {
    let (true, Some((before, rest))) = (finding.code == "secret", line.split_once("<string>")) else {
        return line.to_owned();
    };
    match rest.split_once("</string>") {
        Some((_, after)) => format!("{before}<string>…</string>{after}"),
        None => format!("{before}<string>…"),
    }
}

/// One line: how many files, and what was found in them.
#[must_use]
pub fn summary(files: &[File]) -> String {
    let count =
        |severity| files.iter().flat_map(|it| &it.findings).filter(|it| it.severity == severity).count();
    let plural = |number: usize, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
    let parts: Vec<String> = [(Severity::Error, "error"), (Severity::Warning, "warning")]
        .into_iter()
        .map(|(severity, noun)| (count(severity), noun))
        .filter(|&(number, _)| number > 0)
        .map(|(number, noun)| plural(number, noun))
        .chain((count(Severity::Info) > 0).then(|| format!("{} info", count(Severity::Info))))
        .collect();
    let found = if parts.is_empty() { "nothing to say".to_owned() } else { parts.join(", ") };
    format!("{}: {found}\n", plural(files.len(), "file"))
}
