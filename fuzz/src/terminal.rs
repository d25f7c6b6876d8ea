//! What comes from outside does not steer the terminal of whoever reads it.

use housecall::report::words::{Colours, clean, clean_line, harmless, is_dangerous};

/// Panics where a text for people holds what steers a terminal.
pub(crate) fn assert_harmless(text: &str) {
    if let Some(found) = text.chars().find(|&it| it != '\n' && is_dangerous(it)) {
        panic!("{found:?} reaches the terminal: {text:?}");
    }
}

/// A line of a log, and a text in a report, are shown without what steers the terminal.
///
/// # Panics
/// Where that does not hold.
pub fn log_line(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    assert_harmless(&clean(&text));
    let line = clean_line(&text);
    assert_harmless(&line);
    assert!(!line.contains('\n'), "more than one line: {line:?}");
    for line in text.lines() {
        assert_harmless(&harmless(line, Colours::Dropped).replace('\t', " "));
        let coloured = harmless(line, Colours::Kept);
        assert_eq!(harmless(&coloured, Colours::Kept), coloured, "what is harmless stays as it is");
    }
}
