//! The summary of a step of GitHub Actions: the report as Markdown, appended to the file that the runner names.
#![expect(clippy::disallowed_methods, reason = "the runner made this file for what its steps append")]

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use crate::config::Surroundings;
use crate::report::Report;
use crate::report::markdown::{SUMMARY, render_within};

/// Appends it. Outside of GitHub Actions there is no such file, and nothing to do.
pub(super) fn append(report: &Report, surroundings: &Surroundings) -> Result<(), String> {
    let Some(file) = surroundings.variable("GITHUB_STEP_SUMMARY") else { return Ok(()) };
    let path = Path::new(file);
    if !path.is_absolute() {
        return Err(format!("GITHUB_STEP_SUMMARY is no absolute path: {file}"));
    }
    // What steps before this one wrote counts too: the runner takes none of it where it is too much.
    let written = OpenOptions::new().append(true).create(true).open(path).and_then(|mut file| {
        let there = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
        file.write_all(render_within(report, SUMMARY.saturating_sub(there)).as_bytes())
    });
    written.map_err(|error| format!("the summary of this step cannot be written: {error}"))
}
