//! What the file of a job says, as far as it can be compared with what is loaded and with the disk.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::probes::jobs::{Content, DefinitionFile};
use crate::services::Loaded;

/// What a job's files say.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// What may be compared with what is loaded.
    pub(super) loaded: Loaded,
    /// Whether a property list says it: what that does not name is not there.
    pub(super) is_plist: bool,
    /// Where it runs.
    pub(super) directory: Option<PathBuf>,
    /// Where its output and its complaints go.
    pub(super) logs: Vec<PathBuf>,
}

impl Told {
    /// Reads all the files of a job; what none of them says is `None`.
    pub(super) fn of(files: &[DefinitionFile]) -> Self {
        let mut told = Self::default();
        for content in files.iter().filter_map(|it| it.content.as_ref()) {
            match content {
                Content::Plist(bytes, _) => told.plist(bytes),
                Content::Unit(bytes, _) => told.unit(&String::from_utf8_lossy(bytes)),
            }
        }
        told
    }

    /// What it runs first.
    pub(super) fn program(&self) -> Option<PathBuf> {
        let first = || self.loaded.arguments.as_ref()?.first().map(PathBuf::from);
        self.loaded.program.clone().or_else(first)
    }

    fn plist(&mut self, bytes: &[u8]) {
        let Ok(plist::Value::Dictionary(root)) = plist::from_bytes(bytes) else { return };
        self.is_plist = true;
        let text = |key: &str| root.get(key).and_then(plist::Value::as_string);
        self.loaded.program = text("Program").map(PathBuf::from);
        let arguments = root.get("ProgramArguments").and_then(plist::Value::as_array);
        self.loaded.arguments = arguments
            .and_then(|all| all.iter().map(|it| it.as_string().map(str::to_owned)).collect::<Option<_>>());
        let variables = root.get("EnvironmentVariables").and_then(plist::Value::as_dictionary);
        // launchd ignores values that are no texts.
        let own =
            |(name, value): (&String, &plist::Value)| Some((name.clone(), value.as_string()?.to_owned()));
        self.loaded.environment =
            Some(variables.map(|all| all.iter().filter_map(own).collect()).unwrap_or_default());
        let seconds = root.get("StartInterval").and_then(plist::Value::as_unsigned_integer);
        self.loaded.interval = seconds.map(Duration::from_secs);
        self.directory = text("WorkingDirectory").map(PathBuf::from);
        self.logs = ["StandardOutPath", "StandardErrorPath"]
            .into_iter()
            .filter_map(text)
            .map(PathBuf::from)
            .collect();
    }

    /// What a timer says of the interval is systemd's to compare: `NeedDaemonReload`.
    fn unit(&mut self, text: &str) {
        let mut variables = Some(BTreeMap::new());
        for line in text.lines() {
            let Some((key, value)) = line.trim().split_once('=') else { continue };
            let plain = value.trim().trim_start_matches(['-', '@', ':', '+', '!']);
            match key.trim() {
                "ExecStart" => self.loaded.arguments = words(plain),
                "Environment" => {
                    let pair = |word: String| {
                        word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()))
                    };
                    let pairs = words(value).map(|all| all.into_iter().filter_map(pair).collect::<Vec<_>>());
                    variables = variables.zip(pairs).map(|(mut known, pairs)| {
                        known.extend(pairs);
                        known
                    });
                }
                // More than what stands here.
                "EnvironmentFile" | "PassEnvironment" | "UnsetEnvironment" => variables = None,
                "WorkingDirectory" if plain.starts_with('/') => self.directory = path(plain),
                "StandardOutput" | "StandardError" => {
                    let kinds = ["append:", "file:", "truncate:"];
                    let file = kinds.iter().find_map(|it| value.trim().strip_prefix(it));
                    self.logs.extend(file.and_then(path));
                }
                _ => {}
            }
        }
        self.loaded.environment = self.loaded.environment.take().or(variables.filter(|it| !it.is_empty()));
    }
}

/// A path that is the rest of its line; `None` where it holds what only systemd expands.
fn path(text: &str) -> Option<PathBuf> {
    let is_plain = !text.replace("%%", "").contains('%');
    is_plain.then(|| PathBuf::from(text.replace("%%", "%")))
}

/// The words of a unit's value; `None` where it holds what only systemd expands.
fn words(text: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut characters = text.trim().chars();
    while let Some(it) = characters.next() {
        match (it, quote) {
            ('%' | '$', _) => {
                // A doubled one stands for itself.
                if characters.next() != Some(it) {
                    return None;
                }
                word.get_or_insert_default().push(it);
            }
            ('\\', _) => word.get_or_insert_default().push(characters.next()?),
            ('"' | '\'', None) => {
                quote = Some(it);
                word.get_or_insert_default();
            }
            (it, Some(open)) if it == open => quote = None,
            (it, None) if it.is_whitespace() => words.extend(word.take()),
            (it, _) => word.get_or_insert_default().push(it),
        }
    }
    words.extend(word);
    Some(words)
}
