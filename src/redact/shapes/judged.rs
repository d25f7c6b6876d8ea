//! What patterns cannot say: whether what matched a shape is a secret.

use regex::Captures;

use super::super::names;

/// Whether an option of a program stands in it: a dash at its beginning, or after a space, a quote or a tag.
pub(super) fn has_option(text: &str) -> bool {
    let begins = |pair: &[u8]| {
        pair[1] == b'-'
            && (pair[0].is_ascii_whitespace() || b"\"'>\x0b".contains(&pair[0]) || !pair[0].is_ascii())
    };
    text.starts_with('-') || text.as_bytes().windows(2).any(begins)
}

pub(super) fn has_digit(found: &Captures<'_>) -> bool {
    found.iter().flatten().last().is_some_and(|it| it.as_str().bytes().any(|byte| byte.is_ascii_digit()))
}

/// A name that says secret, and a value beside it.
pub(super) fn is_told(found: &Captures<'_>) -> bool {
    let value = found.get(2).map_or("", |it| it.as_str());
    names::says_secret(&found[1]) && is_value(value)
}

/// `NAME=value`, `name: value`; but no prose: "unexpected token: foo".
pub(super) fn is_assigned(found: &Captures<'_>) -> bool {
    let (whole, name) = (&found[1], found[1].trim_start_matches("/etc/"));
    let value = found.get(3).or_else(|| found.get(4)).map_or("", |it| it.as_str());
    let is_prose = found[2].trim() == ":"
        && matches!(
            name.to_ascii_lowercase().as_str(),
            "token" | "tokens" | "secret" | "secrets" | "auth" | "cookie"
        );
    // The file of that name: what is said after it is said of it.
    let is_file = whole == "/etc/passwd" && found[2].trim_start_matches(['"', '\'']).trim() == ":";
    names::says_secret(name) && is_value(value) && !is_prose && !is_file
}

fn is_value(value: &str) -> bool {
    let is_reference = value.starts_with("${") || value.starts_with("$(") || value.starts_with('<');
    value.len() >= 4 && !is_reference && (value.len() < 6 || names::is_hideable(value))
}
