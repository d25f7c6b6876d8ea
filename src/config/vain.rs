//! What asks nothing: a pattern that is found in every text, a range that every version is in.
//!
//! A check that can never fail is a mistake, and is told as one. Only what is certain counts as such.

use regex_syntax::hir::{Hir, HirKind, Look};

/// What is wrong with an empty text that is looked for.
pub(super) const EMPTY_TEXT: &str = "an empty text is in every text";
/// How that is mended.
pub(super) const LOOKED_FOR: &str = "write what is looked for, or leave it out";

/// What is wrong with such a pattern.
pub(super) fn found_everywhere(pattern: &str) -> String {
    format!("`{pattern}` is found in every text")
}

/// Whether a regular expression is found in every text; `false` where that is not certain.
pub(super) fn pattern(text: &str) -> bool {
    regex_syntax::parse(text).is_ok_and(|it| is_everywhere(&it))
}

/// Whether every release is in a range.
pub(super) fn range(range: &nodejs_semver::Range) -> bool {
    nodejs_semver::Range::parse("*").is_ok_and(|all| range.allows_all(&all))
}

/// What may be empty, and looks at nothing around it, is found at the beginning of any text, and at its end.
fn is_everywhere(it: &Hir) -> bool {
    let is_free = |parts: &[Hir]| {
        parts.iter().all(|it| {
            let properties = it.properties();
            properties.minimum_len() == Some(0) && properties.look_set().is_empty()
        })
    };
    let begins = |it: &Hir| matches!(it.kind(), HirKind::Look(Look::Start | Look::StartLF | Look::StartCRLF));
    let ends = |it: &Hir| matches!(it.kind(), HirKind::Look(Look::End | Look::EndLF | Look::EndCRLF));
    match it.kind() {
        HirKind::Capture(it) => is_everywhere(&it.sub),
        HirKind::Alternation(parts) => parts.iter().any(is_everywhere),
        HirKind::Concat(parts) => match parts.as_slice() {
            [first, rest @ ..] if begins(first) => is_free(rest),
            [rest @ .., last] if ends(last) => is_free(rest),
            parts => is_free(parts),
        },
        _ => begins(it) || ends(it) || is_free(std::slice::from_ref(it)),
    }
}

#[cfg(test)]
mod tests {
    use super::{pattern, range};

    #[test]
    fn what_is_found_everywhere_is_known_and_nothing_else() {
        for (text, vain) in [
            ("", true),
            (".*", true),
            ("(?s).*", true),
            ("a*", true),
            ("^", true),
            ("^.*", true),
            ("(?m)^", true),
            (".*$", true),
            ("(a|.*)", true),
            ("a?b*(c{0,3})", true),
            ("(?:)|error", true),
            (r"\s*", true),
            ("^$", false),
            (r"\A\z", false),
            // A text of two lines is no such one.
            ("^.*$", false),
            (".", false),
            (".+", false),
            (r"\b", false),
            (r".*\b.*", false),
            ("ok", false),
            ("^ok", false),
            ("(unclosed", false),
        ] {
            assert_eq!(pattern(text), vain, "{text}");
        }
    }

    #[test]
    fn a_range_of_all_is_known_and_nothing_else() {
        for (text, vain) in
            [("*", true), ("x", true), ("", true), (">=0.0.0", true), (">=0.0.1", false), ("<9999", false)]
        {
            assert_eq!(range(&text.parse().unwrap()), vain, "{text}");
        }
    }
}
