//! The values of the configuration that are more than text: durations, paths, addresses, and the tools of a command.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use super::Surroundings;
use crate::report::words::is_dangerous;

/// A mistake's sentence and its hint.
pub(super) type Wrong = (String, String);

/// Reads `500ms`, `90s`, `5m`, `1h`, `14d`.
///
/// # Errors
/// Anything else, in one sentence.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no duration: write 90s, 5m, 1h or 14d");
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
    let milliseconds = match &text[digits..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    match number.checked_mul(milliseconds) {
        Some(0) => Err(format!("`{text}` is no time at all")),
        Some(whole) if whole <= 1_000 * 86_400_000 => Ok(Duration::from_millis(whole)),
        _ => Err(format!("`{text}` is longer than 1000d")),
    }
}

/// No text is longer once its variables are expanded, in bytes.
const LONGEST: usize = 1 << 20;

/// No range of versions is longer, in bytes; it is read in more than linear time.
const LONGEST_RANGE: usize = 500;

/// Puts the value of each `${NAME}` in its place; `$${` is a plain `${`.
pub(super) fn expand<'a>(text: &str, value: impl Fn(&str) -> Option<&'a str>) -> Result<String, Wrong> {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            expanded.push_str(before);
            expanded.push_str("${");
            rest = after;
            continue;
        }
        let Some((name, after)) = after.split_once('}') else {
            return Err(("a text opens a `${` that nothing closes".to_owned(), "write ${NAME}".to_owned()));
        };
        let Some(value) = value(name) else {
            return Err((
                format!("the variable `{name}` is not set"),
                "set it, or write its value".to_owned(),
            ));
        };
        expanded.push_str(before);
        expanded.push_str(value);
        rest = after;
        if expanded.len() > LONGEST {
            let message = "a text is longer than 1 MiB once its variables are expanded";
            return Err((message.to_owned(), "write less of them".to_owned()));
        }
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// Expands `~` and `${VAR}`, and takes `.` and `..` out, by the text alone. It may still be relative.
pub(super) fn path(text: &str, surroundings: &Surroundings) -> Result<PathBuf, Wrong> {
    place(&expand(text, |name| surroundings.variable(name))?, surroundings)
}

/// A path whose variables are expanded: `~` is the home directory, `.` and `..` are taken out.
pub(super) fn place(expanded: &str, surroundings: &Surroundings) -> Result<PathBuf, Wrong> {
    if expanded.is_empty() {
        return Err(("a path is empty".to_owned(), "write a path".to_owned()));
    }
    let path = match expanded.strip_prefix('~') {
        Some("") => surroundings.home.clone(),
        Some(rest) if rest.starts_with('/') => surroundings.home.join(rest.trim_start_matches('/')),
        Some(_) => {
            let hint = "only your own home is expanded: `~/…`".to_owned();
            return Err((format!("`{expanded}` is another user's home"), hint));
        }
        None => PathBuf::from(expanded),
    };
    Ok(lexical(&path))
}

/// The path without `.`, `..` and doubled slashes, as its text says; links are not followed.
#[must_use]
pub fn lexical(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() && !plain.ends_with("..") => {
                plain.pop();
            }
            Component::ParentDir if plain.has_root() => {}
            other => plain.push(other),
        }
    }
    plain
}

/// Whether a part of a path is git's own directory, in whichever way a volume may write it.
pub(super) fn is_gits_own(part: &OsStr) -> bool {
    let part = part.to_string_lossy().replace(is_dangerous, "").to_lowercase();
    matches!(part.trim_end_matches(['.', ' ']), ".git" | "git~1")
}

/// Reads a range of versions, in npm's syntax.
pub(super) fn range(text: &str) -> Result<nodejs_semver::Range, Wrong> {
    let range = (text.len() <= LONGEST_RANGE).then(|| nodejs_semver::Range::parse(text).ok()).flatten();
    range.ok_or_else(|| {
        let hint = "write a range such as \">=22 <23\"";
        (format!("`{text}` is no version range"), hint.to_owned())
    })
}

/// Reads the one address at which a server answers.
pub(super) fn listen(text: &str) -> Result<SocketAddr, Wrong> {
    let hint = |address: &str| format!("write an address and a port: \"{address}\"");
    let Ok(address) = text.parse::<SocketAddr>() else {
        let port = text.rsplit_once(':').map_or(text, |(_, port)| port).parse().unwrap_or(4321_u16);
        let message = match text.strip_prefix("localhost") {
            Some(_) => "`localhost` is a name that may mean ::1 as well as 127.0.0.1".to_owned(),
            None => format!("`{text}` is no address"),
        };
        return Err((message, hint(&format!("127.0.0.1:{port}"))));
    };
    if address.port() == 0 {
        return Err((format!("`{text}` has no port"), hint("127.0.0.1:4321")));
    }
    if address.ip().is_unspecified() {
        let message = format!("`{text}` is every address, and one must be asked");
        return Err((message, hint(&format!("127.0.0.1:{}", address.port()))));
    }
    Ok(address)
}

/// The tools that these commands run, as far as their names are known.
#[must_use]
pub fn tools_of(commands: &[&[String]]) -> BTreeSet<String> {
    let mut tools = BTreeSet::new();
    for argv in commands {
        let Some(program) = argv.first() else { continue };
        let path = Path::new(program);
        let is_script = path.extension().is_some_and(|it| ["js", "mjs", "cjs"].iter().any(|js| it == *js));
        let needs: &[&str] = match program.as_str() {
            "node" => &["node"],
            "npm" => &["node", "npm"],
            "npx" => &["node", "npm", "npx"],
            "pnpm" => &["node", "pnpm"],
            "yarn" => &["node", "yarn"],
            "corepack" => &["node", "corepack"],
            "bun" | "bunx" => &["bun"],
            "deno" => &["deno"],
            "python3" => &["python3"],
            "python" => &["python"],
            "ruby" => &["ruby"],
            "bundle" => &["ruby", "bundle"],
            "hugo" => &["hugo"],
            "go" => &["go"],
            "cargo" => &["cargo"],
            "make" => &["make"],
            _ if is_script || program.contains("node_modules/.bin/") => &["node"],
            _ => &[],
        };
        tools.extend(needs.iter().map(|tool| (*tool).to_owned()));
    }
    tools
}
