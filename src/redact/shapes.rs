//! What has the shape of a secret, wherever it stands: the tokens of well-known services, and what a name gives away.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex, RegexSet};

use super::names;

/// One shape: its first group that matched is the secret, else the whole.
struct Shape {
    /// What it is, as the mark says.
    label: &'static str,
    pattern: &'static str,
    /// Whether what matched is one; patterns cannot say everything.
    is_one: fn(&Captures<'_>) -> bool,
}

const ANY: fn(&Captures<'_>) -> bool = |_| true;

/// Tokens that say themselves whose they are.
const TOKENS: [Shape; 12] = [
    shape(
        "private-key",
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?s:.*?)(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)",
    ),
    shape("github-token", r"\b(?:gh[pousr]_[A-Za-z0-9]{12,}|github_pat_[A-Za-z0-9_]{12,})"),
    shape("gitlab-token", r"\bgl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat)-[A-Za-z0-9_-]{12,}"),
    Shape { label: "api-key", pattern: r"\b[sr]k[-_][A-Za-z0-9_-]{16,}", is_one: has_digit },
    shape("aws-key", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}"),
    shape(
        "slack-token",
        r"\b(?:xox[a-z]-|xapp-)[A-Za-z0-9-]{10,}|hooks\.slack\.com/(?:services|workflows)/([A-Za-z0-9/_-]{12,})",
    ),
    shape("google-key", r"\bAIza[A-Za-z0-9_-]{12,}|\bya29\.[A-Za-z0-9_-]{12,}"),
    shape(
        "registry-token",
        r"\bnpm_[A-Za-z0-9]{12,}|\bpypi-AgE[A-Za-z0-9_-]{12,}|\bcrates?_[A-Za-z0-9]{24,}",
    ),
    shape(
        "service-token",
        r"\b(?:dop_v1_|doo_v1_|shp(?:at|ca|pa|ss)_|hf_|dckr_pat_|lin_api_|figd_|SG\.|hvs\.|tskey-|vercel_|sntrys_|glc_)[A-Za-z0-9._-]{16,}",
    ),
    shape("jwt", r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)*"),
    Shape { label: "bearer", pattern: r"(?i)\bbearer\s+([A-Za-z0-9._~+/=-]{8,})", is_one: has_digit },
    shape("age-key", r"\bAGE-SECRET-KEY-1[A-Z0-9]{12,}"),
];

/// What stands where a secret stands.
const PLACES: [Shape; 10] = [
    shape("password", r#"://[^\s/?#@:"'<>]*:([^\s/?#"'<>]+)@"#),
    shape("password", r#"(?i)\bhttps?://([^\s/?#@:"'<>]{8,})@"#),
    shape("password", r#"\s(?:-u|--user)(?:\s+|=)["']?[^\s:"']+:([^\s"']+)"#),
    shape("password", r"(?i)\blogin\s+\S+\s+password\s+(\S+)"),
    shape(
        "parameter",
        r#"(?i)[?&;#](?:[a-z0-9_.-]*(?:token|secret|passw(?:or)?d|passphrase|api[_-]?key|access[_-]?key|auth|signature|credential|session)|key|sig|sid|pwd|code_verifier)=([^\s&#"'<>;,)\]]{4,})"#,
    ),
    shape(
        "authorization",
        r#"(?i)\bauthorization["']?\s*[:=]\s*["']?(?:(?:bearer|basic|token|digest|negotiate)\s+)?([^\s"',;<]{4,})"#,
    ),
    shape("cookie", r#"(?i)\b(?:set-)?cookie["']?\s*:\s*["']?([^\r\n"'<]{4,})"#),
    Shape {
        label: "value",
        pattern: r"(?i)<key>\s*([^<\s]{1,80})\s*</key>\s*<string>([^<]+)</string>",
        is_one: is_told,
    },
    Shape {
        label: "value",
        pattern: r#"(?:^|[\s"'>])--?([A-Za-z][A-Za-z0-9-]{2,40})(?:["']?\s*,\s*["']?|</string>\s*<string>|["']?\s+["']?)([^\s"',<-][^\s"',<]*)"#,
        is_one: is_told,
    },
    Shape {
        label: "value",
        pattern: r#"((?:[A-Za-z_][A-Za-z0-9_.-]*)?(?i:token|secret|passw|passphrase|pwd|key|credential|auth|cookie|dsn|database|[_-]pat|[_-]pass)[A-Za-z0-9_.-]*)(["']?\s*(?:=>|:=|=|:)\s*)(?:["']([^"'\r\n]+)["']|([^\s"',;&<>)\]}]+))"#,
        is_one: is_assigned,
    },
];

const fn shape(label: &'static str, pattern: &'static str) -> Shape {
    Shape { label, pattern, is_one: ANY }
}

static COMPILED: LazyLock<Vec<(Regex, &'static Shape)>> = LazyLock::new(|| {
    let all = TOKENS.iter().chain(&PLACES);
    all.filter_map(|shape| Some((Regex::new(shape.pattern).ok()?, shape))).collect()
});

/// What at least one of must be there before it is worth looking closer: most texts have nothing of it.
static SUSPECT: LazyLock<Option<RegexSet>> = LazyLock::new(|| {
    RegexSet::new([
        r"-----BEGIN|gh[pousr]_|github_pat_|\bgl[a-z]+-|\b[sr]k[-_]|A[KSBC][IC]A|xox|xapp-|slack\.com|AIza|ya29|npm_|pypi-|crate",
        r"_v1_|shp|hf_|_pat_|_api_|figd_|SG\.|hvs\.|tskey-|vercel_|sntrys_|glc_|eyJ|AGE-|://|\s-u",
        r"(?i)bearer|login|token|secret|passw|passphrase|key|auth|signature|sig=|credential|session|sid=|pwd|pass|cookie|dsn|pat\b",
    ])
    .ok()
});

/// Whether this text holds the token of a service that marks its tokens.
#[must_use]
pub fn is_known(text: &str) -> bool {
    let (tokens, _) = COMPILED.split_at(TOKENS.len().min(COMPILED.len()));
    // A certificate begins as a key does, and whoever reads it may.
    tokens.iter().any(|(regex, shape)| regex.captures_iter(text).any(|found| (shape.is_one)(&found)))
}

/// Where the secrets of a text stand, with what they are.
#[must_use]
pub fn find(text: &str) -> Vec<(Range<usize>, &'static str)> {
    if SUSPECT.as_ref().is_some_and(|it| !it.is_match(text)) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (regex, shape) in COMPILED.iter() {
        let mut from = 0;
        while let Some(captures) = regex.captures_at(text, from) {
            // The last group is the secret; those before it say why it is one.
            let Some(secret) = captures.iter().flatten().last() else { break };
            let is_one = (shape.is_one)(&captures);
            if is_one && !secret.is_empty() && !secret.as_str().starts_with("[redacted:") {
                found.push((secret.start()..secret.start() + sense(text, secret), shape.label));
            }
            // What only looked like one may hide one: the search goes on within it.
            let passed =
                if is_one { secret.end() } else { captures.get(1).map_or(secret.start(), |it| it.end()) };
            from = if passed > from { passed } else { next_character(text, from) };
            if from > text.len() {
                break;
            }
        }
    }
    found
}

/// How long a secret is without the punctuation of the sentence that it ends a part of.
fn sense(text: &str, secret: regex::Match<'_>) -> usize {
    let goes_on = text[secret.end()..].starts_with(|it: char| !it.is_whitespace());
    if goes_on { secret.len() } else { secret.as_str().trim_end_matches(['.', ':', '!', '?']).len() }
}

/// The next place in a text where a search can begin; one beyond its end: there is none.
fn next_character(text: &str, at: usize) -> usize {
    (at + 1..=text.len()).find(|it| text.is_char_boundary(*it)).unwrap_or(text.len() + 1)
}

fn has_digit(found: &Captures<'_>) -> bool {
    found.iter().flatten().last().is_some_and(|it| it.as_str().bytes().any(|byte| byte.is_ascii_digit()))
}

/// A name that says secret, and a value beside it.
fn is_told(found: &Captures<'_>) -> bool {
    let value = found.get(2).map_or("", |it| it.as_str());
    names::says_secret(&found[1]) && is_value(value)
}

/// `NAME=value`, `name: value`; but no prose: "unexpected token: foo".
fn is_assigned(found: &Captures<'_>) -> bool {
    let name = &found[1];
    let value = found.get(3).or_else(|| found.get(4)).map_or("", |it| it.as_str());
    let is_prose = found[2].trim() == ":"
        && matches!(
            name.to_ascii_lowercase().as_str(),
            "token" | "tokens" | "secret" | "secrets" | "auth" | "cookie"
        );
    names::says_secret(name) && is_value(value) && !is_prose
}

fn is_value(value: &str) -> bool {
    let is_reference = value.starts_with("${") || value.starts_with("$(") || value.starts_with('<');
    value.len() >= 4 && !is_reference && (value.len() < 6 || names::is_hideable(value))
}
