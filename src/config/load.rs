//! The way in: options and surroundings to a `Config`, or to all that is wrong with its file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::include::{self, Source};
use super::{Config, ConfigError, Limits, Surroundings, discover, raw, validate};
use crate::{plain, trust};

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
        let timeout = options.timeout.unwrap_or(default.timeout);
        let limits = Limits { timeout, offline: options.offline, most: options.timeout, patient: false };
        let sources = include::gather(Source::new(&file, &text), surroundings)?;
        let mut config = Self::of_sources(sources, surroundings, limits)?;
        config.trust = trust::judge(&config.sources, surroundings);
        Ok(config)
    }

    /// The configuration that a file of this text is; untrusted, for nothing but the text is read: what it includes
    /// is left out.
    ///
    /// # Errors
    /// The text makes no sense.
    pub fn of_text(
        text: &str,
        file: &Path,
        surroundings: &Surroundings,
        limits: Limits,
    ) -> Result<Self, ConfigError> {
        Self::of_texts(&[(file, text)], surroundings, limits)
    }

    /// The same of several files, of which the first includes the others.
    ///
    /// # Errors
    /// One of the texts makes no sense.
    pub fn of_texts(
        files: &[(&Path, &str)],
        surroundings: &Surroundings,
        limits: Limits,
    ) -> Result<Self, ConfigError> {
        let sources = files.iter().map(|(file, text)| Source::new(file, text)).collect();
        Self::of_sources(sources, surroundings, limits)
    }

    fn of_sources(
        mut sources: Vec<Source>,
        surroundings: &Surroundings,
        limits: Limits,
    ) -> Result<Self, ConfigError> {
        let first = &mut sources[0];
        let mut raw = std::mem::take(&mut first.raw);
        let rest = raw::File {
            check: std::mem::take(&mut raw.check),
            accept: std::mem::take(&mut raw.accept),
            variables: std::mem::take(&mut raw.variables),
            ..raw::File::default()
        };
        let (config, mistakes) =
            validate::validate(raw, surroundings, &first.file, limits, std::mem::take(&mut first.mistakes));
        (first.raw, first.mistakes) = (rest, mistakes);
        // Where the file is no configuration at all, its checks are still read: all mistakes are told at once.
        let mut config = config.unwrap_or_else(|| {
            let home = surroundings.home.clone();
            Self::empty("", first.file.clone(), home, surroundings.state_home())
        });
        include::add_checks(&mut config, &mut sources, surroundings)?;
        config.sources = sources.into_iter().map(|it| (it.file, it.text)).collect();
        Ok(config)
    }
}

/// The text of a configuration's file.
pub(super) fn read(file: &Path, surroundings: &Surroundings) -> Result<String, ConfigError> {
    let unreadable = |why: String| ConfigError::Unreadable { file: surroundings.tilde(file), why };
    plain::text(file).map_err(|error| unreadable(error.to_string()))
}
