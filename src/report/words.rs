//! How facts read: times relative, home as `~`, nothing from outside raw to the terminal.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::FactReport;
use super::style::Look;
use crate::error::human_duration;

/// What facts are told against.
#[derive(Debug, Clone, Copy)]
pub struct Against<'a> {
    /// The time of the report.
    pub now: Timestamp,
    /// The home directory.
    pub home: &'a Path,
    /// Whether times and commits are told in full.
    pub exact: bool,
}

/// A fact as people read it, control characters escaped.
#[must_use]
pub fn fact(fact: &FactReport, against: Against<'_>) -> String {
    match fact {
        FactReport::Path(path) => tilde(path, against.home),
        FactReport::Pid(pid) => format!("pid {pid}"),
        FactReport::Sha(sha) if !against.exact => clean(sha).chars().take(7).collect(),
        FactReport::Age(seconds) => age(*seconds),
        FactReport::Bytes(size) => bytes(*size),
        FactReport::Time(time) => moment(*time, against),
        FactReport::Command(text) | FactReport::Text(text) => tilde_within(&clean(text), against.home),
        FactReport::Sha(text) | FactReport::Version(text) | FactReport::Url(text) => clean(text),
    }
}

/// A duration in seconds as people write it.
#[must_use]
pub fn age(seconds: f64) -> String {
    human_duration(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

/// Milliseconds as people write them: `196 ms`, `5.0 s`.
#[must_use]
pub fn took(milliseconds: f64) -> String {
    match milliseconds {
        short if short < 1.0 => format!("{short:.1} ms"),
        medium if medium < 1_000.0 => format!("{medium:.0} ms"),
        long if long < 60_000.0 => format!("{:.1} s", long / 1_000.0),
        longer => age(longer / 1_000.0),
    }
}

/// A moment against the time of the report: `3 h ago`, `in 12 s`.
#[must_use]
pub fn moment(time: Timestamp, against: Against<'_>) -> String {
    let distance = against.now.duration_since(time);
    let relative = match Duration::try_from(distance) {
        Ok(past) if past < Duration::from_secs(1) => "now".to_owned(),
        Ok(past) => format!("{} ago", human_duration(past)),
        Err(_) if distance.unsigned_abs() < Duration::from_secs(1) => "now".to_owned(),
        Err(_) => format!("in {}", human_duration(distance.unsigned_abs())),
    };
    if against.exact { format!("{relative} ({time:.0})") } else { relative }
}

/// A size as people write it, in powers of 1024.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "it is shown with one digit after the point")]
pub fn bytes(size: u64) -> String {
    let mut amount = size as f64;
    for unit in ["bytes", "KiB", "MiB", "GiB"] {
        if amount < 1024.0 {
            return if unit == "bytes" { format!("{size} {unit}") } else { format!("{amount:.1} {unit}") };
        }
        amount /= 1024.0;
    }
    format!("{amount:.1} TiB")
}

/// A path with the home directory as `~`.
#[must_use]
pub fn tilde(path: &str, home: &Path) -> String {
    let own = !home.as_os_str().is_empty() && home != Path::new("/");
    match Path::new(path).strip_prefix(home) {
        Ok(rest) if own && rest.as_os_str().is_empty() => "~".to_owned(),
        Ok(rest) if own => clean(&format!("~/{}", rest.display())),
        _ => clean(path),
    }
}

/// A text with every path under the home directory as `~/…`.
#[must_use]
pub fn tilde_within(text: &str, home: &Path) -> String {
    match home.to_str() {
        Some(home) if home.len() > 1 => text.replace(&format!("{home}/"), "~/"),
        _ => text.to_owned(),
    }
}

/// A text that does nothing to a terminal: line breaks stay, whatever else controls is shown escaped.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for character in text.trim_end().chars() {
        match character {
            '\n' => cleaned.push('\n'),
            '\t' => cleaned.push(' '),
            other if is_dangerous(other) => {
                let _ = write!(cleaned, "\\u{{{:x}}}", u32::from(other));
            }
            other => cleaned.push(other),
        }
    }
    cleaned
}

/// The same on one line.
#[must_use]
pub fn clean_line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text with everything that looks the same written the same: accents composed, ligatures and widths plain.
#[must_use]
pub fn composed(text: &str) -> String {
    icu_normalizer::ComposingNormalizerBorrowed::new_nfkc().normalize(text).into_owned()
}

/// A text in which each character that steers a terminal is replaced by one as long, so that places in it stay.
#[must_use]
pub fn clean_in_place(text: &str) -> String {
    let replaced = |it: char| match it.len_utf8() {
        _ if matches!(it, '\n' | '\r' | '\t') || !is_dangerous(it) => it,
        1 => '?',
        2 => '¿',
        _ => char::REPLACEMENT_CHARACTER,
    };
    text.chars().map(replaced).collect()
}

/// What becomes of colours in a line from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// They stay.
    Kept,
    /// They go, as all else that controls.
    Dropped,
}

/// A line without whatever steers a terminal: escape sequences go whole, but for colours where those are kept.
#[must_use]
pub fn harmless(line: &str, colours: Colours) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('\u{1b}') {
        let (before, sequence) = rest.split_at(at);
        let (sequence, after) = sequence.split_at(escape(sequence));
        plain.extend(before.chars().filter(|it| *it == '\t' || !is_dangerous(*it)));
        if colours == Colours::Kept && is_colour(sequence) {
            plain.push_str(sequence);
        }
        rest = after;
    }
    plain.extend(rest.chars().filter(|it| *it == '\t' || !is_dangerous(*it)));
    plain
}

/// How long the escape sequence is with which this text begins, in bytes.
fn escape(text: &str) -> usize {
    let mut characters = text.char_indices().skip(1);
    let end = match characters.next() {
        Some((_, '[')) => characters.find(|(_, it)| matches!(it, '\u{40}'..='\u{7e}')),
        // A title, a link, a word for the clipboard: text up to its end.
        Some((_, ']' | 'P' | 'X' | '^' | '_')) => characters.find(|(_, it)| matches!(it, '\u{7}' | '\\')),
        other => other,
    };
    end.map_or(text.len(), |(at, it)| at + it.len_utf8())
}

fn is_colour(sequence: &str) -> bool {
    let inner = sequence.strip_prefix("\u{1b}[").and_then(|it| it.strip_suffix('m'));
    inner.is_some_and(|it| it.chars().all(|it| it.is_ascii_digit() || matches!(it, ';' | ':')))
}

/// Whether a character is not shown as itself: it controls the terminal, breaks a line, turns the direction of what
/// follows, hides between others, or is none (XML knows no U+FFFE).
#[must_use]
pub fn is_dangerous(character: char) -> bool {
    let turns = matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = matches!(character, '\u{2028}' | '\u{2029}');
    let hides = matches!(character, '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
    let is_none = matches!(character, '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}');
    character.is_control() || turns || breaks || hides || is_none
}

/// A text that wraps beside its lead, indented so far; where no terminal shows it, it stays one line.
#[must_use]
pub fn hang(lead: &str, indent: usize, told: &str, width: Option<usize>, look: Look) -> String {
    let room = width.map_or(usize::MAX, |width| width.saturating_sub(indent).max(24));
    let lines: Vec<String> = wrap(told, room).iter().map(|line| look.paint(line)).collect();
    format!("{lead}{}\n", lines.join(&format!("\n{:indent$}", "")))
}

/// Breaks a text into lines of at most this many characters, at white space; a word is never broken, so that a
/// path stays one that can be copied.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        let mut length = 0;
        for word in paragraph.split(' ') {
            let characters = word.chars().count();
            if length > 0 && length + 1 + characters > width {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
                length = 0;
            } else if length > 0 {
                line.push(' ');
                length += 1;
            }
            line.push_str(word);
            length += characters;
        }
        lines.push(line);
    }
    if lines.is_empty() {
        lines.push(String::new());
    }
    lines
}
