//! What the name of a variable says of its value: the one list, for redaction and for the lint.

const SECRET_WORDS: [&str; 8] =
    ["SECRET", "TOKEN", "PASSWORD", "PASSWD", "PASSPHRASE", "APIKEY", "CREDENTIAL", "CREDENTIALS"];
const KEY_OWNERS: [&str; 8] =
    ["API", "ACCESS", "PRIVATE", "SECRET", "AUTH", "ENCRYPTION", "SIGNING", "LICENSE"];
/// Not enough for a finding, enough for silence.
const SUSPECT_WORDS: [&str; 8] =
    ["AUTH", "AUTHTOKEN", "COOKIE", "COOKIES", "DSN", "SECRETS", "TOKENS", "PASSWORDS"];
/// The same where they end a name: `DB_PASS`, `STRIPE_KEY`.
const SUSPECT_ENDS: [&str; 4] = ["KEY", "PASS", "PWD", "PAT"];
/// What a name ends with that only speaks of a secret.
const ABOUT: [&str; 16] = [
    "FILE", "PATH", "DIR", "URL", "URI", "TTL", "LIMIT", "ID", "NAME", "TIMEOUT", "EXPIRY", "LENGTH",
    "COUNT", "HELPER", "COMMAND", "CMD",
];
const ABOUT_TOO: [&str; 12] = [
    "SOCK", "TYPE", "METHOD", "MODE", "HOST", "PORT", "USER", "ENABLED", "VERSION", "DOMAIN", "PROVIDER",
    "LEVEL",
];
/// Values too common to be taken out of every text, whatever holds them.
const COMMON: [&str; 24] = [
    "enabled",
    "disabled",
    "default",
    "production",
    "development",
    "staging",
    "testing",
    "localhost",
    "password",
    "secret",
    "token",
    "bearer",
    "undefined",
    "changeme",
    "example",
    "optional",
    "required",
    "housecall",
    "origin/main",
    "unhealthy",
    "healthy",
    "keychain",
    "oauth2",
    "docker",
];
/// Where files lie: a value that begins so is a path.
const PLACES: [&str; 14] = [
    "/home/",
    "/Users/",
    "/usr/",
    "/etc/",
    "/var/",
    "/tmp/",
    "/opt/",
    "/private/",
    "/Volumes/",
    "/run/",
    "/nix/",
    "/Library/",
    "/mnt/",
    "/root/",
];
/// The shortest value that is taken out wherever it stands, in bytes.
const SHORTEST: usize = 6;
/// The shortest line of a value of several lines, such as a key, that is taken out by itself.
const SHORTEST_LINE: usize = 16;

/// Whether a variable of this name and value gives a secret away.
#[must_use]
pub fn is_secret(name: &str, value: &str) -> bool {
    let words = words(name);
    is_named(&words) && !is_about(&words) && is_value(value)
}

/// What may not be shown of a variable's value: all of it, its lines, the password of an address; mostly nothing.
#[must_use]
pub fn secrets_of(name: &str, value: &str) -> Vec<String> {
    let value = value.trim();
    let mut secrets = Vec::new();
    // Most could not be hidden, whatever they are called.
    if !value.contains('\n') && !value.contains("://") && !is_hideable(value) {
        return secrets;
    }
    if let Some(password) = password_of(value) {
        let words = words(name);
        secrets.push(password.to_owned());
        if says_secret(name) || words.iter().any(|it| *it == "DATABASE") || is_address(&words) {
            secrets.push(value.to_owned());
        }
    } else if says_secret(name) {
        secrets.extend(hideable_of(value));
    }
    secrets.retain(|secret| is_hideable(secret));
    secrets
}

/// What may not be shown of a value that is secret: all of it, and its lines.
#[must_use]
pub fn hideable_of(value: &str) -> Vec<String> {
    let value = value.trim();
    let lines = value.lines().map(str::trim).filter(|it| it.len() >= SHORTEST_LINE);
    std::iter::once(value).chain(lines).filter(|it| is_hideable(it)).map(str::to_owned).collect()
}

/// Whether a header of a request says nothing that others may not know.
#[must_use]
pub fn is_plain_header(name: &str) -> bool {
    const PLAIN: [&str; 12] = [
        "cache-control",
        "connection",
        "expect",
        "host",
        "origin",
        "pragma",
        "range",
        "referer",
        "te",
        "upgrade",
        "user-agent",
        "via",
    ];
    const BEGINNINGS: [&str; 4] = ["accept", "content-", "if-", "x-forwarded-"];
    let name = name.to_ascii_lowercase();
    PLAIN.contains(&&*name) || BEGINNINGS.iter().any(|it| name.starts_with(it))
}

/// Whether a name is that of something that is not shown.
#[must_use]
pub fn says_secret(name: &str) -> bool {
    let words = words(name);
    let is_suspect = words.iter().any(|it| SUSPECT_WORDS.contains(&it.as_str()))
        || words.len() > 1 && words.last().is_some_and(|it| SUSPECT_ENDS.contains(&it.as_str()));
    let speaks_of = is_about(&words) || words.last().is_some_and(|it| ABOUT_TOO.contains(&it.as_str()));
    (is_named(&words) || is_suspect) && !speaks_of && name != "OLD_PWD"
}

/// Whether a text can be taken out of every other without making nonsense of it.
#[must_use]
pub fn is_hideable(value: &str) -> bool {
    let is_common = COMMON.iter().any(|it| it.eq_ignore_ascii_case(value));
    let is_path = value.starts_with("~/") || PLACES.iter().any(|it| value.starts_with(it));
    let is_one = value.bytes().all(|byte| Some(&byte) == value.as_bytes().first());
    value.len() >= SHORTEST && !is_common && !is_path && !is_one && !value.starts_with("[redacted:")
}

/// Whether a user of this name is a person whose name says something, and no word of every path.
#[must_use]
pub fn is_persons(user: &str) -> bool {
    const NOBODYS: [&str; 22] = [
        "root",
        "nobody",
        "daemon",
        "admin",
        "user",
        "users",
        "home",
        "dev",
        "developer",
        "runner",
        "ubuntu",
        "node",
        "build",
        "test",
        "git",
        "www-data",
        "sync",
        "serve",
        "page",
        "job",
        "error",
        "housecall",
    ];
    user.len() >= 3 && !NOBODYS.contains(&user) && !user.contains('/')
}

/// The words of a name: `dbPassword`, `DB_PASSWORD` and `db-password` are the same.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for character in name.chars() {
        let is_parting = !character.is_ascii_alphanumeric();
        if (is_parting || was_lower && character.is_ascii_uppercase())
            && words.last().is_some_and(|it| !it.is_empty())
        {
            words.push(String::new());
        }
        if !is_parting && let Some(word) = words.last_mut() {
            word.push(character.to_ascii_uppercase());
        }
        was_lower = character.is_ascii_lowercase();
    }
    words.retain(|it| !it.is_empty());
    words
}

fn is_named(words: &[String]) -> bool {
    words.iter().any(|it| SECRET_WORDS.contains(&it.as_str()))
        || words.windows(2).any(|pair| KEY_OWNERS.contains(&pair[0].as_str()) && pair[1] == "KEY")
}

fn is_about(words: &[String]) -> bool {
    words.last().is_some_and(|it| ABOUT.contains(&it.as_str()))
}

fn is_address(words: &[String]) -> bool {
    words.last().is_some_and(|it| matches!(it.as_str(), "URL" | "URI" | "DSN"))
}

/// The password within an address.
fn password_of(value: &str) -> Option<&str> {
    let (_, rest) = value.split_once("://")?;
    let (user, _) = rest.split(['/', '?', '#']).next()?.rsplit_once('@')?;
    Some(user.split_once(':').map_or(user, |(_, password)| password))
}

/// Not a path, a reference, a placeholder, a switch or a number of seconds.
fn is_value(value: &str) -> bool {
    let value = value.trim();
    let is_reference =
        value.starts_with(['/', '~', '$', '<', '@', '{', '%']) || crate::lint::has_placeholder(value);
    let is_switch = matches!(value.to_ascii_lowercase().as_str(), "true" | "false" | "yes" | "no" | "none");
    let is_small_number = value.len() < 6 && value.bytes().all(|byte| byte.is_ascii_digit());
    let says_so = ["your", "changeme", "xxx", "placeholder", "example"]
        .iter()
        .any(|it| value.to_ascii_lowercase().starts_with(it));
    !value.is_empty() && !is_reference && !is_switch && !is_small_number && !says_so
}
