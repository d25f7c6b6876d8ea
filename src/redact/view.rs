//! A text as its reader may put it together again: escapes undone, and where each part stood.

use std::borrow::Cow;
use std::ops::Range;

/// A text, and for each of its bytes where that came from.
pub(super) struct View<'a> {
    text: Cow<'a, str>,
    /// Start and end in the original, per byte; empty: the text is the original.
    origin: Vec<(usize, usize)>,
}

impl<'a> View<'a> {
    /// The text as it is.
    pub(super) const fn plain(text: &'a str) -> Self {
        Self { text: Cow::Borrowed(text), origin: Vec::new() }
    }

    /// The text with every escape undone; `None`: there is none in it.
    ///
    /// Terminal sequences, control characters and what has no width are dropped; `%41`, `\n`, `\u0041`, `\u{41}`,
    /// `\x41`, `\"` and `&amp;` are read as JSON, addresses, markup and our own reports write them.
    pub(super) fn decoded(text: &str) -> Option<View<'static>> {
        let is_written = |it: char| matches!(it, '%' | '\\' | '&') || is_invisible(it);
        if !text.contains(is_written) {
            return None;
        }
        let (mut bytes, mut origin) = (Vec::with_capacity(text.len()), Vec::with_capacity(text.len()));
        let mut at = 0;
        while let Some(first) = text[at..].chars().next() {
            let (length, meant) = one(&text[at..], first);
            let mut buffer = [0; 4];
            let meant: &[u8] = match &meant {
                Meant::Nothing => &[],
                Meant::Byte(byte) => std::slice::from_ref(byte),
                Meant::Character(character) => character.encode_utf8(&mut buffer).as_bytes(),
            };
            bytes.extend_from_slice(meant);
            origin.extend(meant.iter().map(|_| (at, at + length)));
            at += length;
        }
        // A byte that is no text by itself is shown as one, so that all others stay in their places.
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => error
                .into_bytes()
                .iter()
                .map(|it| if it.is_ascii() { char::from(*it) } else { '?' })
                .collect(),
        };
        Some(View { text: Cow::Owned(text), origin })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) const fn is_decoded(&self) -> bool {
        !self.origin.is_empty()
    }

    /// Where a part of it stood in the original.
    pub(super) fn place(&self, at: Range<usize>) -> Range<usize> {
        let start = self.origin.get(at.start).map_or(at.start, |it| it.0);
        let end = at.end.checked_sub(1).and_then(|last| self.origin.get(last)).map_or(at.end, |it| it.1);
        start..end
    }
}

enum Meant {
    Nothing,
    Byte(u8),
    Character(char),
}

/// How long the first thing of a text is, in bytes, and what it means.
fn one(text: &str, first: char) -> (usize, Meant) {
    let rest = &text[first.len_utf8()..];
    let escape = match first {
        '\u{1b}' => return (sequence(rest) + 1, Meant::Nothing),
        '%' => byte(rest).map(|it| (3, Meant::Byte(it))),
        '\\' => backslash(rest),
        '&' => entity(rest),
        _ => None,
    };
    escape.unwrap_or_else(|| (first.len_utf8(), shown(first)))
}

/// What a character means to whoever reads it.
fn shown(character: char) -> Meant {
    if is_invisible(character) { Meant::Nothing } else { Meant::Character(character) }
}

fn byte(text: &str) -> Option<u8> {
    u8::from_str_radix(text.get(..2).filter(|it| it.bytes().all(|it| it.is_ascii_hexdigit()))?, 16).ok()
}

fn backslash(rest: &str) -> Option<(usize, Meant)> {
    let kind = rest.chars().next()?;
    let meant = |length: usize, code: &str| {
        let character = u32::from_str_radix(code, 16).ok().and_then(char::from_u32)?;
        if character != '\u{1b}' {
            return Some((length, shown(character)));
        }
        // An escape that was itself escaped for the reader: its sequence follows as plain text.
        let follows = rest.get(length - 1..).unwrap_or_default();
        Some((length + sequence(follows), Meant::Nothing))
    };
    match kind {
        '"' | '\\' | '/' | '\'' | ' ' => Some((2, Meant::Character(kind))),
        'n' => Some((2, Meant::Character('\n'))),
        'r' | 't' => Some((2, Meant::Character(' '))),
        'x' => meant(4, rest.get(1..3)?),
        'u' if rest.starts_with("u{") => {
            let end = rest.find('}')?;
            meant(end + 2, &rest[2..end])
        }
        'u' => meant(6, rest.get(1..5)?),
        _ => None,
    }
}

fn entity(rest: &str) -> Option<(usize, Meant)> {
    let end = rest.bytes().take(8).position(|it| it == b';')?;
    let name = &rest[..end];
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let code = name.strip_prefix('#')?;
            let hex = code.strip_prefix(['x', 'X']).map(|it| u32::from_str_radix(it, 16));
            hex.unwrap_or_else(|| code.parse()).ok().and_then(char::from_u32)?
        }
    };
    Some((end + 2, Meant::Character(character)))
}

/// How long a terminal's sequence is after its escape.
fn sequence(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    match bytes.first() {
        Some(b'[') => bytes.iter().skip(1).position(|it| (0x40..0x7f).contains(it)).map_or(1, |end| end + 2),
        Some(b']') => bytes.iter().position(|it| *it == 7).map_or(1, |end| end + 1),
        _ => 0,
    }
}

/// Controls but line breaks, and what has no width.
fn is_invisible(character: char) -> bool {
    match character {
        '\n' => false,
        '\u{ad}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}'
        | '\u{feff}' => true,
        other => other.is_control(),
    }
}
