//! Jobs of the service manager that serve or sync this site already.
#![expect(clippy::disallowed_methods, reason = "what is inferred is read at the edge")]

use std::path::{Path, PathBuf};

use super::framework::port_of_command;
use super::repository::Repository;
use crate::cli::Role;
use crate::config::Surroundings;
use crate::plain;

/// A job that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundJob {
    /// Its label, or its unit's name.
    pub label: String,
    /// Its file.
    pub file: PathBuf,
    /// What it does.
    pub role: Role,
    /// The port it names.
    pub port: Option<u16>,
    /// Its PATH.
    pub path: Vec<PathBuf>,
    /// Its language.
    pub lang: Option<String>,
    /// The worktree it works in, where that is a linked one of the repository.
    pub worktree: Option<PathBuf>,
}

/// What a definition says.
#[derive(Debug, Default)]
struct Definition {
    label: String,
    directory: Option<PathBuf>,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    has_interval: bool,
}

/// The jobs that work in this repository or its worktrees, or bear its name.
pub(super) fn find(surroundings: &Surroundings, repository: &Repository, name: &str) -> Vec<FoundJob> {
    let agents = surroundings.home.join("Library/LaunchAgents");
    let config = surroundings.config_home();
    let units = config.parent().unwrap_or(Path::new("/")).join("systemd/user");
    let read = |directory: &Path, extension: &str, parse: fn(&Path, &Path) -> Option<Definition>| {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten().map(|it| it.path());
        let mut files: Vec<PathBuf> =
            entries.filter(|file| file.extension().is_some_and(|it| it == extension)).collect();
        files.sort();
        let parsed = files.into_iter().filter_map(move |file| {
            let definition = parse(&file, &surroundings.home)?;
            Some((file, definition))
        });
        parsed.collect::<Vec<_>>()
    };
    let launchd = read(&agents, "plist", plist);
    let systemd = read(&units, "service", unit);
    let found = launchd.into_iter().chain(systemd);
    found.filter_map(|(file, definition)| job(file, &definition, repository, name)).collect()
}

fn job(file: PathBuf, definition: &Definition, repository: &Repository, name: &str) -> Option<FoundJob> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let places: Vec<PathBuf> = repository.worktrees.iter().map(|place| real(place)).collect();
    // Paths stand in arguments as themselves and within shell commands.
    let words = definition
        .arguments
        .iter()
        .flat_map(|it| it.split(|c: char| c.is_whitespace() || "'\";=".contains(c)));
    let paths = words.filter(|word| word.starts_with('/')).map(PathBuf::from);
    let paths: Vec<PathBuf> =
        definition.directory.iter().cloned().chain(paths).map(|path| real(&path)).collect();
    let within = paths.iter().find_map(|path| places.iter().rposition(|place| path.starts_with(place)));
    let command = definition.arguments.join(" ");
    let port = port_of_command(&command);
    let label = definition.label.to_lowercase();
    let is_named = label.split(['.', '-', '_']).any(|part| part == name.to_lowercase());
    let does_fit = is_named && (port.is_some() || label.contains("localhost") || label.contains("sync"));
    if within.is_none() && !does_fit {
        return None;
    }
    let is_sync = definition.has_interval || label.contains("sync");
    let variable = |wanted: &str| {
        definition.environment.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone())
    };
    let path =
        variable("PATH").map(|path| std::env::split_paths(&path).filter(|it| it.is_absolute()).collect());
    Some(FoundJob {
        label: definition.label.clone(),
        file,
        role: if is_sync { Role::Sync } else { Role::Serve },
        port,
        path: path.unwrap_or_default(),
        lang: variable("LANG"),
        // The first place is the repository itself, where people work.
        worktree: within.filter(|at| *at > 0).map(|at| repository.worktrees[at].clone()),
    })
}

fn plist(file: &Path, _home: &Path) -> Option<Definition> {
    let value: plist::Value = plist::from_bytes(&plain::read(file).ok()?).ok()?;
    let dictionary = value.as_dictionary()?;
    let text = |key: &str| dictionary.get(key).and_then(plist::Value::as_string).map(str::to_owned);
    let list = dictionary.get("ProgramArguments").and_then(plist::Value::as_array);
    let arguments = list.into_iter().flatten().filter_map(|it| it.as_string().map(str::to_owned));
    let environment = dictionary.get("EnvironmentVariables").and_then(plist::Value::as_dictionary);
    let environment = environment.into_iter().flatten();
    Some(Definition {
        label: text("Label")?,
        directory: text("WorkingDirectory").map(PathBuf::from),
        arguments: text("Program").into_iter().chain(arguments).collect(),
        environment: environment
            .filter_map(|(name, value)| Some((name.clone(), value.as_string()?.to_owned())))
            .collect(),
        has_interval: dictionary.contains_key("StartInterval"),
    })
}

fn unit(file: &Path, home: &Path) -> Option<Definition> {
    let text = plain::text(file).ok()?;
    let home = home.to_string_lossy();
    let mut definition = Definition {
        label: file.file_stem()?.to_string_lossy().into_owned(),
        has_interval: file.with_extension("timer").is_file(),
        ..Definition::default()
    };
    for line in text.replace("\\\n", " ").lines() {
        let Some((key, value)) = line.split_once('=') else { continue };
        let value = value.trim().replace("%h", &home);
        match key.trim() {
            "WorkingDirectory" => {
                definition.directory = Some(value.trim_start_matches('-').replace('~', &home).into());
            }
            "ExecStart" => definition.arguments.extend(value.split_whitespace().map(str::to_owned)),
            "Environment" => {
                let pairs =
                    value.split_whitespace().filter_map(|pair| pair.trim_matches('"').split_once('='));
                definition.environment.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
            }
            _ => {}
        }
    }
    Some(definition)
}
