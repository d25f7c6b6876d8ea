//! The way in: options and surroundings to a `Config`, or to all that is wrong with its file.
#![expect(clippy::disallowed_methods, reason = "the configuration is read at the edge")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::Mistakes;
use super::{Config, ConfigError, Limits, Surroundings, discover, parse, validate};
use crate::trust;

/// What the command line says about the configuration.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The file named with `--config`.
    pub file: Option<PathBuf>,
    /// How long one probe may take.
    pub timeout: Option<Duration>,
    /// Whether the network is left alone.
    pub offline: bool,
}

impl Config {
    /// Finds, reads and validates the configuration.
    ///
    /// # Errors
    /// There is none, it cannot be read, or it makes no sense: see [`ConfigError`].
    pub fn load(options: &Options, surroundings: &Surroundings) -> Result<Self, ConfigError> {
        let file = match &options.file {
            Some(file) => super::values::lexical(&surroundings.directory.join(file)),
            None => discover(surroundings)?,
        };
        let text = read(&file, surroundings)?;
        let default = Limits::default();
        let limits = Limits { timeout: options.timeout.unwrap_or(default.timeout), offline: options.offline };
        let mut config = Self::of_text(&text, &file, surroundings, limits)?;
        config.trust = trust::judge(&file, text.as_bytes(), surroundings);
        Ok(config)
    }

    /// The configuration that a file of this text is; untrusted, for nothing but the text is read.
    ///
    /// # Errors
    /// The text makes no sense.
    pub fn of_text(
        text: &str,
        file: &Path,
        surroundings: &Surroundings,
        limits: Limits,
    ) -> Result<Self, ConfigError> {
        let (raw, mistakes) = parse::parse(text);
        match validate::validate(raw, surroundings, file, limits, mistakes) {
            (Some(config), mistakes) if mistakes.is_empty() => Ok(config),
            (_, mistakes) => Err(ConfigError::Invalid(Box::new(Mistakes {
                file: surroundings.tilde(file),
                text: text.to_owned(),
                mistakes,
            }))),
        }
    }
}

fn read(file: &Path, surroundings: &Surroundings) -> Result<String, ConfigError> {
    /// No configuration is as long; what is, such as a device, is not read to its end.
    const LIMIT: u64 = 1 << 20;
    let unreadable = |why: String| ConfigError::Unreadable { file: surroundings.tilde(file), why };
    let opened = std::fs::metadata(file).map_err(|error| unreadable(error.to_string()))?;
    if !opened.is_file() {
        return Err(unreadable("it is no file".to_owned()));
    }
    if opened.len() > LIMIT {
        return Err(unreadable("it is longer than 1 MiB".to_owned()));
    }
    std::fs::read_to_string(file).map_err(|error| unreadable(error.to_string()))
}
