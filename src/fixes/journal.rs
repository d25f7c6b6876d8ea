//! The journal of mends: what is about to be done, on the disk before it is done. No journal, no act.
#![expect(clippy::disallowed_methods, reason = "hands write")]

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::StepError;
use crate::fixes::hands::files;
use crate::fixes::{StepReport, StepResult};
use crate::probes::clock;
use crate::redact::Redactor;

/// As much of its end as holds any entry.
const END: u64 = 64 << 10;

/// A journal longer than this begins anew; five old ones are kept.
const LIMIT: u64 = 5 << 20;

/// The journal, open for adding to it.
#[derive(Debug)]
pub struct Journal {
    file: File,
    redactor: Redactor,
    cut_off: Option<Timestamp>,
}

/// One line of it: a step that begins, or the same one ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The version of this shape.
    pub schema: u32,
    /// When.
    pub at: Timestamp,
    /// The process that mends.
    pub pid: u32,
    /// The fix.
    pub fix: String,
    /// The action's name.
    pub action: String,
    /// What a person would type for it.
    pub commands: Vec<String>,
    /// "begins", or what became of it: "done", "refused", "failed", "undone".
    pub result: String,
    /// What is worth telling of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Journal {
    /// Opens it, making it where there is none.
    ///
    /// # Errors
    /// It may not be written: then nothing may be done.
    pub fn open(config: &Config) -> Result<Self, StepError> {
        let path = config.journal_file();
        let failed =
            |error: std::io::Error| StepError::failed(format!("open {}", config.tilde(&path)), &error);
        if fs::symlink_metadata(&path).is_ok_and(|it| it.is_file() && it.len() > LIMIT) {
            files::shift(&path)
                .and_then(|()| fs::rename(&path, files::numbered(&path, 1)))
                .map_err(failed)?;
        }
        let mut file = files::open_private(&path).map_err(failed)?;
        let end = file.seek(SeekFrom::End(0)).map_err(failed)?;
        let mut last = [b'\n'];
        if end > 0 {
            file.read_exact_at(&mut last, end - 1).map_err(failed)?;
        }
        if last != [b'\n'] {
            // Whoever wrote here last was killed in the middle of a line.
            file.write_all(b"\n").map_err(failed)?;
        }
        let cut_off = cut_off(&file).map_err(failed)?;
        Ok(Self { file, redactor: config.redactor.clone(), cut_off })
    }

    /// When the last step began, where whoever did it was killed in the middle of it.
    #[must_use]
    pub const fn cut_off(&self) -> Option<Timestamp> {
        self.cut_off
    }

    /// Writes down that nothing is left of whoever was killed.
    pub fn swept(&mut self) {
        if let Some(at) = self.cut_off.take() {
            let entry = Entry {
                note: Some(format!("what was killed at {at} left nothing")),
                ..entry("sync", "sweep", "done")
            };
            // Without this line it is looked for again.
            let _ = self.add(&entry);
        }
    }

    /// Writes down that a step begins, and waits until the disk has it.
    ///
    /// # Errors
    /// It could not be written: then the step may not be done.
    pub fn begin(&mut self, fix: &str, step: &StepReport) -> Result<(), StepError> {
        self.write(fix, step, "begins", None)
            .and_then(|()| self.file.sync_data())
            .map_err(|error| StepError::failed("write the journal", &error))
    }

    /// Writes down that a step begins which may be lost from the journal by a power cut: a fetch only adds to what is
    /// there. Returns the mark to [`Self::retract`] it with.
    ///
    /// # Errors
    /// As for [`Self::begin`].
    pub fn begin_harmless(&mut self, fix: &str, step: &StepReport) -> Result<u64, StepError> {
        let failed = |error: std::io::Error| StepError::failed("write the journal", &error);
        let mark = self.file.metadata().map_err(failed)?.len();
        self.write(fix, step, "begins", None).map_err(failed)?;
        Ok(mark)
    }

    /// Takes a step back that changed nothing: one every few seconds would push out what did.
    pub fn retract(&mut self, mark: u64) {
        // A line too many harms nobody.
        let _ = self.file.set_len(mark);
    }

    /// Writes down what became of it. It is done by now, whatever becomes of this line.
    pub fn end(&mut self, fix: &str, step: &StepReport) {
        let note = match &step.result {
            StepResult::Done { note, .. } => note.clone(),
            StepResult::Refused(why) | StepResult::Failed(why) | StepResult::Away(why) => Some(why.clone()),
            StepResult::Proposed | StepResult::Undone => None,
        };
        let _ = self.write(fix, step, step.result.name(), note);
    }

    fn write(
        &mut self,
        fix: &str,
        step: &StepReport,
        result: &str,
        note: Option<String>,
    ) -> std::io::Result<()> {
        let commands = step.commands.iter().map(|it| self.redactor.command(it)).collect();
        let note = note.map(|it| self.redactor.text(&it));
        self.add(&Entry { commands, note, ..entry(fix, step.action.name(), result) })
    }

    fn add(&mut self, entry: &Entry) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        self.file.write_all(&line)
    }
}

fn entry(fix: &str, action: &str, result: &str) -> Entry {
    Entry {
        schema: 1,
        at: clock::now(),
        pid: std::process::id(),
        fix: fix.to_owned(),
        action: action.to_owned(),
        commands: Vec::new(),
        result: result.to_owned(),
        note: None,
    }
}

/// When its last step began, if it has not ended. A torn line is the end of one that was killed before or after it.
fn cut_off(file: &File) -> std::io::Result<Option<Timestamp>> {
    let length = file.metadata()?.len();
    let mut end = vec![0; usize::try_from(length.min(END)).unwrap_or_default()];
    file.read_exact_at(&mut end, length.saturating_sub(END))?;
    let entries =
        end.rsplit(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Entry>(line).ok());
    Ok(entries.take(1).find(|last| last.result == "begins").map(|last| last.at))
}
