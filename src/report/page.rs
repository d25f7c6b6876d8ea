//! A page of documentation on a terminal: headings stand out, paragraphs are as wide as the reader's window, code stays.

use std::fmt::Write as _;

use super::style::Styles;
use super::words::{clean, wrap};

/// Pages are not read wider than this, in characters.
const WIDEST: usize = 88;

/// A page in the little Markdown that ours are written in: headings, paragraphs, lists, tables and code.
#[must_use]
pub fn render(markdown: &str, width: usize, styles: &Styles) -> String {
    let width = width.min(WIDEST);
    let mut text = String::new();
    let mut paragraph = String::new();
    let mut is_code = false;
    for line in clean(markdown).lines() {
        if line.starts_with("```") {
            end(&mut paragraph, &mut text, width);
            is_code = !is_code;
        } else if is_code {
            // To be pasted: never broken, never decorated within.
            let _ = writeln!(text, "    {}", styles.quiet.paint(line));
        } else if let Some(heading) = line.strip_prefix("## ").or(line.strip_prefix("# ")) {
            end(&mut paragraph, &mut text, width);
            let _ = writeln!(text, "{}", styles.unit.paint(heading));
        } else if line.is_empty() || line.starts_with('|') {
            end(&mut paragraph, &mut text, width);
            let _ = writeln!(text, "{line}");
        } else if is_item(line) {
            end(&mut paragraph, &mut text, width);
            line.clone_into(&mut paragraph);
        } else {
            if !paragraph.is_empty() {
                paragraph.push(' ');
            }
            paragraph.push_str(line.trim());
        }
    }
    end(&mut paragraph, &mut text, width);
    text
}

fn is_item(line: &str) -> bool {
    line.starts_with("- ") || line.split_once(". ").is_some_and(|(number, _)| number.parse::<u8>().is_ok())
}

/// A paragraph, or an item whose lines hang behind its mark.
fn end(paragraph: &mut String, text: &mut String, width: usize) {
    if paragraph.is_empty() {
        return;
    }
    let hang = if is_item(paragraph) { paragraph.find(' ').map_or(0, |at| at + 1) } else { 0 };
    let (mark, rest) = paragraph.split_at(hang);
    for (at, line) in wrap(rest, width.saturating_sub(hang).max(24)).iter().enumerate() {
        let lead = if at == 0 { mark.to_owned() } else { " ".repeat(hang) };
        let _ = writeln!(text, "{lead}{line}");
    }
    paragraph.clear();
}
