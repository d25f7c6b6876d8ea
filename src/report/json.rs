//! JSON: the report as it is, and its schema.

use std::fmt::Write as _;

use super::Report;
use super::words::is_dangerous;

/// The report as one JSON document that ends with a newline.
#[must_use]
pub fn render(report: &Report) -> String {
    let text = serde_json::to_string_pretty(report).unwrap_or_else(|error| {
        // Every part is a plain tree of texts and numbers, which cannot fail; if it does, it is said.
        serde_json::json!({ "schema": super::SCHEMA, "error": error.to_string() }).to_string()
    });
    safe(&text)
}

/// A JSON text that does nothing to a terminal, with a newline at its end.
#[must_use]
pub fn safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        // Such a character can only stand within a string, where its escape means the same.
        if character != '\n' && is_dangerous(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(character);
        }
    }
    safe.push('\n');
    safe
}

/// The JSON schema of the report.
#[must_use]
pub fn schema() -> String {
    let schema = schemars::schema_for!(Report);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
