//! What looks like a password, a token or a key.

/// How the tokens of well-known services begin.
const PREFIXES: [&str; 14] = [
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "sk-ant-",
    "sk-proj-",
    "sk_live_",
    "xoxb-",
    "xoxp-",
    "AKIA",
    "npm_",
    "AIza",
    "-----BEGIN",
];

const SECRET_WORDS: [&str; 8] =
    ["SECRET", "TOKEN", "PASSWORD", "PASSWD", "PASSPHRASE", "APIKEY", "CREDENTIAL", "CREDENTIALS"];
const KEY_OWNERS: [&str; 8] =
    ["API", "ACCESS", "PRIVATE", "SECRET", "AUTH", "ENCRYPTION", "SIGNING", "LICENSE"];
const ABOUT: [&str; 16] = [
    "FILE", "PATH", "DIR", "URL", "URI", "TTL", "LIMIT", "ID", "NAME", "TIMEOUT", "EXPIRY", "LENGTH",
    "COUNT", "HELPER", "COMMAND", "CMD",
];

/// Whether a variable of this name and value gives a secret away.
pub(super) fn is_named(name: &str, value: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let words: Vec<&str> = name.split(['_', '-', '.']).filter(|it| !it.is_empty()).collect();
    let is_secret = words.iter().any(|it| SECRET_WORDS.contains(it))
        || words.windows(2).any(|pair| KEY_OWNERS.contains(&pair[0]) && pair[1] == "KEY");
    let is_about = words.last().is_some_and(|it| ABOUT.contains(it));
    is_secret && !is_about && is_value(value)
}

/// Whether this text holds the token of a service that marks its tokens.
pub(super) fn is_known(text: &str) -> bool {
    PREFIXES.iter().any(|prefix| {
        text.split(|it: char| it.is_whitespace() || "='\":,@".contains(it)).any(|word| {
            word.starts_with(prefix) && (word.len() >= prefix.len() + 12 || *prefix == "-----BEGIN")
        })
    })
}

/// Not a path, a reference, a placeholder, a switch or a number of seconds.
fn is_value(value: &str) -> bool {
    let value = value.trim();
    let is_reference =
        value.starts_with(['/', '~', '$', '<', '@', '{', '%']) || super::paths::has_placeholder(value);
    let is_switch = matches!(value.to_ascii_lowercase().as_str(), "true" | "false" | "yes" | "no" | "none");
    let is_small_number = value.len() < 6 && value.bytes().all(|byte| byte.is_ascii_digit());
    let says_so = ["your", "changeme", "xxx", "placeholder", "example"]
        .iter()
        .any(|it| value.to_ascii_lowercase().starts_with(it));
    !value.is_empty() && !is_reference && !is_switch && !is_small_number && !says_so
}
