//! A program that the configuration declares: for a check's look, or for its fix.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use crate::config::{Config, Reading, Text, Trust};
use crate::error::ProbeError;
use crate::fixes::hands::commands::shell;
use crate::probes::program::Program;

/// The most that is kept of what a declared program writes, in bytes of each output.
const LIMIT: usize = 1 << 20;

/// What is run, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The program and its arguments; a script's are `/bin/sh -c SCRIPT`.
    pub argv: Vec<String>,
    /// Where it runs: the configuration's own directory, unless it says otherwise.
    pub directory: PathBuf,
    /// Variables added to the caller's.
    pub environment: BTreeMap<String, String>,
}

/// As it is written: `run` or `script`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Written {
    /// The program and its arguments; no shell is involved.
    #[schemars(with = "Option<Vec<String>>")]
    pub run: Option<Spanned<Vec<Text>>>,
    /// A script for `/bin/sh`; nothing in it is expanded by Housecall.
    #[schemars(with = "Option<String>")]
    pub script: Option<Text>,
    /// Where it runs; default: the configuration's own directory.
    #[schemars(with = "Option<String>")]
    pub directory: Option<Text>,
    /// Variables added to the caller's environment.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub env: BTreeMap<String, Text>,
}

impl Written {
    /// What it means; mistakes are written down.
    pub fn read(self, place: Range<usize>, it: &mut Reading<'_>) -> Option<Launch> {
        let argv = match (self.run, self.script) {
            (Some(run), None) if run.get_ref().is_empty() => {
                it.wrong(run.span(), "`run` names no program", "write it as a list: [\"make\", \"check\"]");
                return None;
            }
            (Some(run), None) => {
                run.into_inner().iter().map(|word| it.text(word)).collect::<Option<Vec<String>>>()?
            }
            (None, Some(script)) => vec!["/bin/sh".to_owned(), "-c".to_owned(), script.into_inner()],
            (Some(_), Some(script)) => {
                it.wrong(script.span(), "both `run` and `script` are given", "keep one of them");
                return None;
            }
            (None, None) => {
                it.wrong(place, "nothing is said to be run", "add `run = [\"program\", \"argument\"]`");
                return None;
            }
        };
        let directory = match &self.directory {
            Some(directory) => it.path(directory)?,
            None => it.directory(),
        };
        let mut environment = BTreeMap::new();
        for (name, value) in &self.env {
            environment.insert(name.clone(), it.text(value)?);
        }
        Some(Launch { argv, directory, environment })
    }
}

impl Launch {
    /// The program, with the caller's environment; `runtime.path` comes first on its PATH.
    ///
    /// # Errors
    /// The configuration is not trusted.
    pub fn program(&self, config: &Config, deadline: Duration) -> Result<Program, ProbeError> {
        if config.trust == Trust::Untrusted {
            return Err(ProbeError::NotTrusted { what: self.argv.first().cloned().unwrap_or_default() });
        }
        for (name, value) in &self.environment {
            config.redactor.learn(name, value);
        }
        let mut environment = config.caller.clone();
        environment.insert("PATH".into(), config.declared_path());
        environment.extend(self.environment.iter().map(|(name, value)| (name.into(), value.into())));
        Ok(Program {
            argv: self.argv.iter().map(OsString::from).collect(),
            directory: Some(self.directory.clone()),
            environment,
            deadline,
            limit: LIMIT,
        })
    }

    /// The line that a person would type.
    #[must_use]
    pub fn line(&self, config: &Config) -> String {
        let variables = self.environment.iter().map(|(name, value)| format!("{name}={}", shell(value)));
        let words: Vec<String> = variables.chain(self.argv.iter().map(|word| shell(word))).collect();
        let line = words.join(" ");
        if config.file.parent() == Some(&*self.directory) {
            return line;
        }
        format!("cd {} && {line}", shell(&config.tilde(&self.directory)))
    }
}
