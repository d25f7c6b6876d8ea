//! The last words of a program that ended, as its log has them: for whoever tells that it did.

use crate::probes::logs::{Log, START};
use crate::redact::Redactor;
use crate::report::words::{Colours, harmless};
use crate::verdict::Verdict;

/// The most that is shown of a line, in characters.
const LINE: usize = 200;
/// How many lines are shown.
const LINES: usize = 3;
/// How many lines before them may hold what went wrong: a stack trace stands between.
const BEFORE: usize = 40;
/// What such a line says, in whatever case.
const TELLING: [&str; 6] = ["error", "panic", "fatal", "exception", "cannot", "not found"];

/// The verdict with the last lines of the log, and the one before them that says what went wrong.
pub(crate) fn with_last_words(verdict: Verdict, log: &Log, redactor: &Redactor) -> Verdict {
    let said = |line: &&str| line.contains(char::is_alphanumeric) && !line.starts_with(START);
    // A key of several lines is known by its first and its last.
    let tail = redactor.text(&log.tail);
    let lines: Vec<&str> = tail.lines().rev().filter(said).take(BEFORE).collect();
    let tells = |line: &str| TELLING.iter().any(|it| line.to_lowercase().contains(it));
    let (last, before) = lines.split_at(lines.len().min(LINES));
    let is_told = last.iter().any(|it| tells(it));
    // A line of the trace names files: that is not yet what went wrong.
    let cause = before.iter().find(|it| !is_told && !it.trim_start().starts_with("at ") && tells(it));
    let words = cause.into_iter().chain(last.iter().rev());
    words.fold(verdict, |verdict, line| verdict.with("last words", plain(line, redactor)))
}

/// A line of a log for people: colours and other controls removed, long ones cut.
///
/// What may not be shown is taken out first: the beginning of a secret is not known for one.
pub(super) fn plain(line: &str, redactor: &Redactor) -> String {
    let text = harmless(redactor.text(line.trim()).trim(), Colours::Dropped);
    if text.chars().count() <= LINE {
        text
    } else {
        text.chars().take(LINE - 2).chain(" …".chars()).collect()
    }
}
