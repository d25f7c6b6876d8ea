//! What the worktree's own files say about its tools and dependencies.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::config::Mirror;
use crate::error::ProbeError;
use crate::probes::files;

/// The tools whose versions a project's files can ask for.
const TOOLS: [&str; 6] = ["node", "npm", "pnpm", "yarn", "bun", "deno"];

/// Lockfiles and whose they are, in the order in which they count.
const LOCKFILES: [(&str, &str); 6] = [
    ("npm-shrinkwrap.json", "npm"),
    ("package-lock.json", "npm"),
    ("pnpm-lock.yaml", "pnpm"),
    ("yarn.lock", "yarn"),
    ("bun.lock", "bun"),
    ("bun.lockb", "bun"),
];

/// The major versions behind node's names of long-term support.
const CODENAMES: [(&str, &str); 5] =
    [("gallium", "16"), ("hydrogen", "18"), ("iron", "20"), ("jod", "22"), ("krypton", "24")];

/// A project's own words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Project {
    /// For a tool, the range it asks for and the file that says so: `"node" → (">=22 <23", "package.json")`.
    ///
    /// From `engines`, `packageManager`, `devEngines`, `.nvmrc`, `.node-version`, `.tool-versions`, `mise.toml`.
    pub ranges: BTreeMap<String, (String, PathBuf)>,
    /// Its lockfile, if it has one that is known.
    pub lockfile: Option<Lockfile>,
    /// All of its lockfiles that are known: the name, and whose it is.
    pub lockfiles: Vec<(String, &'static str)>,
    /// The package manager that `packageManager` names.
    pub manager: Option<String>,
    /// The scripts of its `package.json`: the name, and the command line.
    pub scripts: BTreeMap<String, String>,
}

/// A lockfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lockfile {
    /// Where it is.
    pub path: PathBuf,
    /// Whose it is: "npm", "pnpm", "yarn", "bun".
    pub manager: &'static str,
    /// The SHA-256 of its content, hexadecimal.
    pub digest: String,
}

impl Lockfile {
    /// Its name, without its directory.
    #[must_use]
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// Reads the project in the worktree.
///
/// # Errors
/// A file that is there and cannot be read or parsed.
pub fn read(mirror: &Mirror) -> Result<Project, ProbeError> {
    let top = &mirror.worktree;
    let mut ranges = Ranges { top, found: BTreeMap::new() };
    let package = parsed(&top.join("package.json"), |text| serde_json::from_str::<Value>(text))?;
    let package = package.unwrap_or_default();
    ranges.of_package(&package);
    for file in [".nvmrc", ".node-version"] {
        if let Some(version) = text(&top.join(file))?.as_deref().and_then(first_line) {
            ranges.ask("node", version, file);
        }
    }
    for line in text(&top.join(".tool-versions"))?.unwrap_or_default().lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        if let (Some(tool), Some(version)) = (words.next(), words.next()) {
            ranges.ask(tool, version, ".tool-versions");
        }
    }
    for file in ["mise.toml", ".mise.toml"] {
        let parse = |text: &str| text.parse::<toml::Table>().map_err(|error| error.message().to_owned());
        let Some(mise) = parsed(&top.join(file), parse)? else {
            continue;
        };
        for (tool, asked) in mise.get("tools").and_then(toml::Value::as_table).into_iter().flatten() {
            let asked = asked.get(0).or_else(|| asked.get("version")).unwrap_or(asked);
            ranges.ask(tool, asked.as_str().unwrap_or_default(), file);
        }
    }
    let lockfiles = LOCKFILES.iter().filter(|(name, _)| files::is_there(&top.join(name)));
    let lockfiles = lockfiles.map(|(name, manager)| ((*name).to_owned(), *manager)).collect();
    let manager = package_manager(&package).map(|(tool, _)| tool.to_owned());
    let scripts = package["scripts"].as_object().into_iter().flatten();
    let scripts =
        scripts.filter_map(|(name, line)| Some((name.clone(), line.as_str()?.to_owned()))).collect();
    Ok(Project { ranges: ranges.found, lockfile: lockfile(mirror, &package)?, lockfiles, manager, scripts })
}

/// What was asked for so far; whoever asks first for a tool counts.
struct Ranges<'a> {
    top: &'a Path,
    found: BTreeMap<String, (String, PathBuf)>,
}

impl Ranges<'_> {
    fn ask(&mut self, tool: &str, version: &str, file: &str) {
        let tool = if tool == "nodejs" { "node" } else { tool };
        if let (true, Some(range)) = (TOOLS.contains(&tool), range(version)) {
            self.found.entry(tool.to_owned()).or_insert_with(|| (range, self.top.join(file)));
        }
    }

    fn of_package(&mut self, package: &Value) {
        let file = "package.json";
        for (tool, asked) in package["engines"].as_object().into_iter().flatten() {
            self.ask(tool, asked.as_str().unwrap_or_default(), file);
        }
        for part in ["runtime", "packageManager"] {
            let part = &package["devEngines"][part];
            let several = part.as_array().map_or(std::slice::from_ref(part), Vec::as_slice);
            for asked in several {
                let word = |key: &str| asked[key].as_str().unwrap_or_default();
                self.ask(word("name"), word("version"), file);
            }
        }
        if let Some((tool, version)) = package_manager(package) {
            // Package managers switch to the very version by themselves; what matters is a compatible one.
            self.ask(tool, &format!("^{version}"), file);
        }
        for (tool, asked) in package["volta"].as_object().into_iter().flatten() {
            self.ask(tool, asked.as_str().unwrap_or_default(), file);
        }
    }
}

/// "pnpm@9.1.0+sha512.…" as its two parts.
fn package_manager(package: &Value) -> Option<(&str, &str)> {
    let (tool, version) = package["packageManager"].as_str()?.split_once('@')?;
    Some((tool, version.split('+').next().unwrap_or(version)))
}

/// A range that semver understands, from what people write; `None` for what names no version ("lts/*", "system").
fn range(asked: &str) -> Option<String> {
    let asked = asked.trim();
    let codename = asked.strip_prefix("lts/").or_else(|| asked.strip_prefix("lts-")).unwrap_or(asked);
    let known = CODENAMES.iter().find(|(name, _)| codename.eq_ignore_ascii_case(name));
    let asked = known.map_or(asked, |(_, major)| major);
    let range = match asked.strip_prefix('v') {
        Some(rest) if rest.starts_with(|it: char| it.is_ascii_digit()) => rest,
        _ => asked,
    };
    (!range.is_empty() && range.parse::<nodejs_semver::Range>().is_ok()).then(|| range.to_owned())
}

fn lockfile(mirror: &Mirror, package: &Value) -> Result<Option<Lockfile>, ProbeError> {
    let installer = installer(&mirror.install);
    let preferred = [installer, package_manager(package).map(|(tool, _)| tool)];
    let mut candidates = LOCKFILES;
    candidates.sort_by_key(|(_, manager)| {
        preferred.iter().position(|it| *it == Some(manager)).unwrap_or(preferred.len())
    });
    for (name, manager) in candidates {
        let path = mirror.worktree.join(name);
        if let Some(bytes) = files::text(&path)? {
            return Ok(Some(Lockfile { path, manager, digest: files::digest(&bytes) }));
        }
    }
    Ok(None)
}

/// The package manager that a command runs: `/opt/bin/npm ci`, `corepack pnpm@9 install`.
fn installer(argv: &[String]) -> Option<&str> {
    let mut names = argv.iter().filter_map(|word| word.rsplit('/').next()?.split('@').next());
    match names.next() {
        Some("corepack") => names.next(),
        first => first,
    }
}

fn first_line(text: &str) -> Option<&str> {
    text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()).find(|line| !line.is_empty())
}

fn text(path: &Path) -> Result<Option<String>, ProbeError> {
    Ok(files::text(path)?
        .map(|bytes| String::from_utf8_lossy(&bytes).trim_start_matches('\u{feff}').to_owned()))
}

fn parsed<T, E: std::fmt::Display>(
    path: &Path,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, ProbeError> {
    let unreadable = |error: E| ProbeError::unreadable(path.display().to_string(), &error);
    text(path)?.map(|text| parse(&text).map_err(unreadable)).transpose()
}
