//! What has the shape of a secret, wherever it stands: the tokens of well-known services, and what a name gives away.

mod judged;

use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use regex::{Captures, Regex};

use self::judged::{has_digit, has_option, is_assigned, is_told};

/// One shape: its first group that matched is the secret, else the whole.
struct Shape {
    /// What it is, as the mark says.
    label: &'static str,
    /// At least one of these is in every text that matches, in whatever case: most texts have nothing of it.
    signs: &'static [&'static str],
    /// What is true as well of every text that matches.
    hint: fn(&str) -> bool,
    pattern: &'static str,
    /// Whether what matched is one; patterns cannot say everything.
    is_one: fn(&Captures<'_>) -> bool,
    /// Compiled where a text has its signs; a call that shows no such text does without.
    compiled: OnceLock<Option<Regex>>,
}

/// Tokens that say themselves whose they are.
static TOKENS: [Shape; 12] = [
    shape(
        "private-key",
        &["-----begin"],
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?s:.*?)(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)",
    ),
    shape(
        "github-token",
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"],
        r"\b(?:gh[pousr]_[A-Za-z0-9]{12,}|github_pat_[A-Za-z0-9_]{12,})",
    ),
    shape(
        "gitlab-token",
        &["glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-", "gloas-", "glsoat-"],
        r"\bgl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat)-[A-Za-z0-9_-]{12,}",
    ),
    shape("api-key", &["sk-", "sk_", "rk-", "rk_"], r"\b[sr]k[-_][A-Za-z0-9_-]{16,}").if_one(has_digit),
    shape("aws-key", &["akia", "asia", "abia", "acca"], r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}"),
    shape(
        "slack-token",
        &["xox", "xapp-", "hooks.slack.com"],
        r"\b(?:xox[a-z]-|xapp-)[A-Za-z0-9-]{10,}|hooks\.slack\.com/(?:services|workflows)/([A-Za-z0-9/_-]{12,})",
    ),
    shape("google-key", &["aiza", "ya29."], r"\bAIza[A-Za-z0-9_-]{12,}|\bya29\.[A-Za-z0-9_-]{12,}"),
    shape(
        "registry-token",
        &["npm_", "pypi-age", "crate_", "crates_"],
        r"\bnpm_[A-Za-z0-9]{12,}|\bpypi-AgE[A-Za-z0-9_-]{12,}|\bcrates?_[A-Za-z0-9]{24,}",
    ),
    shape(
        "service-token",
        &[
            "dop_v1_",
            "doo_v1_",
            "shpat_",
            "shpca_",
            "shppa_",
            "shpss_",
            "hf_",
            "dckr_pat_",
            "lin_api_",
            "figd_",
            "sg.",
            "hvs.",
            "tskey-",
            "vercel_",
            "sntrys_",
            "glc_",
        ],
        r"\b(?:dop_v1_|doo_v1_|shp(?:at|ca|pa|ss)_|hf_|dckr_pat_|lin_api_|figd_|SG\.|hvs\.|tskey-|vercel_|sntrys_|glc_)[A-Za-z0-9._-]{16,}",
    ),
    shape("jwt", &["eyj"], r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)*"),
    shape("bearer", &["bearer"], r"(?i)\bbearer\s+([A-Za-z0-9._~+/=-]{8,})").if_one(has_digit),
    shape("age-key", &["age-secret-key-1"], r"\bAGE-SECRET-KEY-1[A-Z0-9]{12,}"),
];

/// What stands where a secret stands.
static PLACES: [Shape; 10] = [
    shape("password", &["://"], r#"://[^\s/?#:"'<>]*:([^\s/?#"'<>]+)@"#).with(|it| it.contains('@')),
    shape("password", &["://"], r#"(?i)\bhttps?://([^\s/?#:"'<>]{8,})@"#).with(|it| it.contains('@')),
    shape("password", &["-u"], r#"\s(?:-u|--user)(?:\s+|=)["']?[^\s:"']+:([^\s"']+)"#)
        .with(|it| it.contains(':')),
    shape("password", &["login"], r"(?i)\blogin\s+\S+\s+password\s+(\S+)"),
    shape(
        "parameter",
        &[
            "token", "secret", "passw", "passphrase", "key", "auth", "sig", "credential", "session", "sid", "pwd",
            "code_verifier",
        ],
        r#"(?i)[?&;#](?:[a-z0-9_.-]*(?:token|secret|passw(?:or)?d|passphrase|api[_-]?key|access[_-]?key|auth|signature|credential|session)|key|sig|sid|pwd|code_verifier)=([^\s&#"'<>;,)\]]{4,})"#,
    )
    .with(|it| it.contains('=')),
    shape(
        "authorization",
        &["authorization"],
        r#"(?i)\bauthorization["']?\s*[:=]\s*["']?(?:(?:bearer|basic|token|digest|negotiate)\s+)?([^\s"',;<]{4,})"#,
    ),
    shape("cookie", &["cookie"], r#"(?i)\b(?:set-)?cookie["']?\s*:\s*["']?([^\r\n"'<]{4,})"#),
    shape(
        "value",
        &["<key>"],
        r"(?i)<key>\s*([^<\s]{1,80})\s*</key>\s*<string>([^<]+)</string>",
    )
    .if_one(is_told),
    shape(
        "value",
        // What `says_secret` knows a name by.
        &["secret", "token", "passw", "passphrase", "key", "credential", "auth", "cookie", "dsn", "pass", "pwd", "pat"],
        r#"(?:^|[\s"'>])--?([A-Za-z][A-Za-z0-9-]{2,40})(?:["']?\s*,\s*["']?|</string>\s*<string>|["']?\s+["']?)([^\s"',<-][^\s"',<]*)"#,
    )
    .with(has_option)
    .if_one(is_told),
    shape(
        "value",
        &[
            "token", "secret", "passw", "passphrase", "pwd", "key", "credential", "auth", "cookie", "dsn",
            "database", "_pat", "-pat", "_pass", "-pass",
        ],
        r#"((?:/etc/|[A-Za-z_][A-Za-z0-9_.-]*)?(?i:token|secret|passw|passphrase|pwd|key|credential|auth|cookie|dsn|database|[_-]pat|[_-]pass)[A-Za-z0-9_.-]*)(["']?\s*(?:=>|:=|=|:)\s*)(?:["']([^"'\r\n]+)["']|([^\s"',;&<>)\]}]+))"#,
    )
    .with(|it| it.contains([':', '=']))
    .if_one(is_assigned),
];

const fn shape(label: &'static str, signs: &'static [&'static str], pattern: &'static str) -> Shape {
    Shape { label, signs, hint: |_| true, pattern, is_one: |_| true, compiled: OnceLock::new() }
}

impl Shape {
    const fn with(mut self, hint: fn(&str) -> bool) -> Self {
        self.hint = hint;
        self
    }

    const fn if_one(mut self, is_one: fn(&Captures<'_>) -> bool) -> Self {
        self.is_one = is_one;
        self
    }

    fn regex(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| Regex::new(self.pattern).ok()).as_ref()
    }
}

/// A sign, and the position of its shape.
type Sign = (&'static [u8], usize);

/// All signs by their first byte. Made in a moment, which an automaton is not: most calls show a few short texts.
static SIGNS: LazyLock<[Vec<Sign>; 256]> = LazyLock::new(|| {
    let mut signs = [const { Vec::new() }; 256];
    for (at, shape) in TOKENS.iter().chain(&PLACES).enumerate() {
        let all = shape.signs.iter().map(|it| it.as_bytes());
        all.for_each(|sign| signs[usize::from(sign[0])].push((sign, at)));
    }
    signs
});

/// The shapes of which this text has signs, in their order; those of tokens are the first.
fn suspects(text: &str) -> impl Iterator<Item = (usize, &'static Shape)> {
    // Two letters beyond ASCII are `s` and `k` to a pattern that takes either case.
    let is_odd = !text.is_ascii() && text.contains(['\u{17f}', '\u{212a}']);
    let found = if is_odd { u32::MAX } else { signs_in(text.as_bytes()) };
    let all = TOKENS.iter().chain(&PLACES).enumerate();
    all.filter(move |(at, shape)| (found >> at) & 1 == 1 && (shape.hint)(text))
}

/// A bit for the position of each shape of which a sign stands in the text.
fn signs_in(text: &[u8]) -> u32 {
    let mut found = 0;
    for (from, first) in text.iter().enumerate() {
        for (sign, at) in &SIGNS[usize::from(first.to_ascii_lowercase())] {
            if text[from..].get(..sign.len()).is_some_and(|it| it.eq_ignore_ascii_case(sign)) {
                found |= 1 << at;
            }
        }
    }
    found
}

/// Whether this text holds the token of a service that marks its tokens.
#[must_use]
pub fn is_known(text: &str) -> bool {
    // A certificate begins as a key does, and whoever reads it may.
    let holds = |(_, shape): (usize, &Shape)| {
        shape.regex().is_some_and(|regex| regex.captures_iter(text).any(|found| (shape.is_one)(&found)))
    };
    suspects(text).take_while(|(at, _)| *at < TOKENS.len()).any(holds)
}

/// Where the secrets of a text stand, with what they are.
#[must_use]
pub fn find(text: &str) -> Vec<(Range<usize>, &'static str)> {
    let mut found = Vec::new();
    for (_, shape) in suspects(text) {
        let Some(regex) = shape.regex() else { continue };
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

#[cfg(test)]
mod tests {
    use super::{PLACES, TOKENS, suspects};

    /// Something of every shape, without what would make it anybody's secret.
    fn samples() -> Vec<String> {
        let heads = [
            "-----BEGIN RSA PRIVATE KEY-----",
            "ghp_",
            "gho_",
            "ghu_",
            "ghs_",
            "ghr_",
            "github_pat_",
            "glpat-",
            "gldt-",
            "glrt-",
            "glcbt-",
            "glptt-",
            "glft-",
            "glimt-",
            "glagent-",
            "gloas-",
            "glsoat-",
            "sk-",
            "sk_",
            "rk-",
            "rk_",
            "AKIA",
            "ASIA",
            "ABIA",
            "ACCA",
            "xoxb-",
            "xapp-",
            "https://hooks.slack.com/services/",
            "https://hooks.slack.com/workflows/",
            "AIza",
            "ya29.",
            "npm_",
            "pypi-AgE",
            "crate_",
            "crates_",
            "dop_v1_",
            "doo_v1_",
            "shpat_",
            "shpca_",
            "shppa_",
            "shpss_",
            "hf_",
            "dckr_pat_",
            "lin_api_",
            "figd_",
            "SG.",
            "hvs.",
            "tskey-",
            "vercel_",
            "sntrys_",
            "glc_",
            "eyJAAAAAAAA.",
            "Bearer ",
            "AGE-SECRET-KEY-1",
            "see://ann:",
            "https://",
            "curl -u ann:",
            "curl --user ann:",
            "login ann password ",
            "?token=",
            "&api_key=",
            "#sid=",
            "?code_verifier=",
            "&sig=",
            "?pwd=",
            "&my_signature=",
            "?credential=",
            ";session=",
            "?passphrase=",
            "?access-key=",
            "?passwd=",
            "Authorization: Basic ",
            "Set-Cookie: a=",
            "<key>A_TOKEN</key><string>",
            "--token ",
            "run --api-key ",
            "'--password', '",
            "\u{a0}--db-pass ",
            "--github-pat ",
            "--my-pwd ",
            "--dsn ",
            "--cookie ",
            "--auth ",
            "A_SECRET=",
            "token: ",
            "my_pat := ",
            "db_pass=",
            "DATABASE_URL=",
            "passphrase => ",
            "credential=",
            "a-key = ",
            "x_dsn=",
        ];
        heads
            .iter()
            .flat_map(|head| ["A1B2", "abcd"].map(|end| format!("{head}{}@</string>", end.repeat(8))))
            .collect()
    }

    #[test]
    fn whatever_matches_a_shape_has_its_signs() {
        let mut seen = vec![0; TOKENS.len() + PLACES.len()];
        for plain in samples() {
            let odd = plain.replace('s', "\u{17f}").replace('k', "\u{212a}");
            for text in [plain.to_uppercase(), plain.to_lowercase(), format!("a \"{plain}\""), odd, plain] {
                let suspected: Vec<usize> = suspects(&text).map(|(at, _)| at).collect();
                for (at, shape) in TOKENS.iter().chain(&PLACES).enumerate() {
                    let pattern = shape.regex().expect("a pattern");
                    if pattern.captures_iter(&text).any(|found| (shape.is_one)(&found)) {
                        seen[at] += 1;
                        assert!(suspected.contains(&at), "{} of {text:?}", shape.pattern);
                    }
                }
            }
        }
        assert!(!seen.contains(&0), "every shape has a sample: {seen:?}");
    }

    #[test]
    fn what_everybody_says_is_no_reason_to_look_closer() {
        for text in ["http://127.0.0.1:4321/", "/srv/site/dist", "nothing listens on 127.0.0.1:80", "v22.1.0"]
        {
            assert_eq!(suspects(text).count(), 0, "{text}");
        }
    }
}
