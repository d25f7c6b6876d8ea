//! What a site's own files say: its dependencies, its lockfile, the tools it asks for.
#![expect(clippy::disallowed_methods, reason = "what is inferred is read at the edge")]

use crate::plain;
use std::path::Path;

use serde_json::Value;

/// A site's own files.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Project {
    /// Its `package.json`, where it has one that can be read.
    pub package: Option<Value>,
    /// What installs its dependencies.
    pub installer: Option<Installer>,
    /// The ranges it asks for, and what says so: they are read live, and need not be written.
    pub ranges: Vec<(String, String)>,
}

/// What installs the dependencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installer {
    /// Whose lockfile it is.
    pub manager: Manager,
    /// The command.
    pub argv: Vec<String>,
    /// What says so.
    pub from: String,
}

/// A package manager, as far as it matters how a program of the project is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manager {
    /// Its programs are links to scripts.
    Npm,
    /// Its programs are shell scripts.
    Pnpm,
    /// Yarn 1, or a later one with `nodeLinker: node-modules`.
    Yarn,
    /// There is no `node_modules`.
    YarnPlugAndPlay,
    /// Its programs are links to scripts.
    Bun,
}

impl Project {
    /// Whether it depends on a package, in whatever way.
    #[must_use]
    pub fn depends_on(&self, name: &str) -> bool {
        let Some(package) = &self.package else { return false };
        ["dependencies", "devDependencies", "optionalDependencies"]
            .iter()
            .any(|kind| package.get(kind).and_then(|it| it.get(name)).is_some())
    }

    /// A script of its `package.json`.
    #[must_use]
    pub fn script(&self, name: &str) -> Option<&str> {
        self.package.as_ref()?.get("scripts")?.get(name)?.as_str()
    }
}

/// Reads the files at the top of a repository. What cannot be read is as if it were not there.
pub(super) fn read(top: &Path) -> Project {
    let text = plain::text(&top.join("package.json")).ok();
    let package: Option<Value> =
        text.and_then(|text| serde_json::from_str(text.trim_start_matches('\u{feff}')).ok());
    let installer = installer(top, package.as_ref());
    let ranges = ranges(top, package.as_ref());
    Project { package, installer, ranges }
}

fn installer(top: &Path, package: Option<&Value>) -> Option<Installer> {
    let has = |file: &str| top.join(file).is_file();
    let declared =
        package.and_then(|it| it.get("packageManager")).and_then(Value::as_str).unwrap_or_default();
    let found = |manager, argv: &[&str], from: &str| {
        let argv = argv.iter().map(|it| (*it).to_owned()).collect();
        Some(Installer { manager, argv, from: from.to_owned() })
    };
    let yarn = || {
        let settings = plain::text(&top.join(".yarnrc.yml")).ok();
        let is_first = settings.is_none() && !declared.starts_with("yarn@") || declared.starts_with("yarn@1");
        let links = settings.is_some_and(|it| it.contains("nodeLinker: node-modules"));
        match (is_first, links) {
            (true, _) => found(Manager::Yarn, &["yarn", "install", "--frozen-lockfile"], "yarn.lock"),
            (_, true) => found(Manager::Yarn, &["yarn", "install", "--immutable"], "yarn.lock, .yarnrc.yml"),
            _ => found(Manager::YarnPlugAndPlay, &["yarn", "install", "--immutable"], "yarn.lock"),
        }
    };
    // What `packageManager` names goes before what lies there from earlier days.
    let locks: [(&str, &[&str]); 4] = [
        ("npm", &["package-lock.json", "npm-shrinkwrap.json"]),
        ("pnpm", &["pnpm-lock.yaml"]),
        ("yarn", &["yarn.lock"]),
        ("bun", &["bun.lock", "bun.lockb"]),
    ];
    let is_declared = |manager: &str| declared.split('@').next() == Some(manager);
    let mut present: Vec<(&str, &str)> = locks
        .iter()
        .filter_map(|(manager, files)| Some((*manager, *files.iter().find(|file| has(file))?)))
        .collect();
    present.sort_by_key(|(manager, _)| !is_declared(manager));
    match present.first() {
        Some(("npm", file)) => found(Manager::Npm, &["npm", "ci"], file),
        Some(("pnpm", file)) => found(Manager::Pnpm, &["pnpm", "install", "--frozen-lockfile"], file),
        Some(("yarn", _)) => yarn(),
        Some((_, file)) => found(Manager::Bun, &["bun", "install", "--frozen-lockfile"], file),
        None => {
            let package = package?;
            let needs = ["dependencies", "devDependencies"]
                .iter()
                .any(|kind| package.get(kind).and_then(Value::as_object).is_some_and(|it| !it.is_empty()));
            let from = "package.json, without a lockfile";
            if needs { found(Manager::Npm, &["npm", "install", "--no-package-lock"], from) } else { None }
        }
    }
}

fn ranges(top: &Path, package: Option<&Value>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let engines = package.and_then(|it| it.get("engines")).and_then(Value::as_object);
    for (tool, range) in engines.into_iter().flatten() {
        if let Some(range) = range.as_str() {
            found.push((format!("{tool} {range}"), "engines in package.json".to_owned()));
        }
    }
    if let Some(manager) = package.and_then(|it| it.get("packageManager")).and_then(Value::as_str) {
        found.push((manager.to_owned(), "packageManager in package.json".to_owned()));
    }
    for file in [".nvmrc", ".node-version"] {
        if let Ok(text) = plain::text(&top.join(file)) {
            found.push((format!("node {}", text.lines().next().unwrap_or_default().trim()), file.to_owned()));
        }
    }
    found
}
