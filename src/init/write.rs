//! Writes the file that `init` made, where none is.
#![expect(clippy::disallowed_methods, reason = "the one file that `init` writes")]

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::{Inferred, InitError, Place};
use crate::commands::promises;
use crate::config::{self, Surroundings};

/// Where the file goes; a registered name that is another repository's is left to it.
///
/// # Errors
/// There is a configuration already.
pub fn place(it: &mut Inferred, surroundings: &Surroundings, place: Place) -> Result<PathBuf, InitError> {
    let exists = |file: &Path| InitError::Exists(surroundings.tilde(file));
    let own = it.repository.top.join(config::FILE_NAME);
    if place == Place::Repository || own.exists() {
        return if own.exists() { Err(exists(&own)) } else { Ok(own) };
    }
    for file in config::registered(surroundings) {
        let [repository, _] = config::places(&file, surroundings);
        let is_this = repository.is_some_and(|path| path == it.repository.top);
        if is_this {
            return Err(InitError::Registered(surroundings.tilde(&file)));
        }
        if config::is_unclear(&file) {
            return Err(InitError::Unclear(surroundings.tilde(&file)));
        }
    }
    let file_of = |name: &str| surroundings.registry().join(format!("{name}.toml"));
    let plain = it.name.clone();
    let names = std::iter::once(plain.clone()).chain((2..100).map(|number| format!("{plain}-{number}")));
    let free = names.into_iter().find(|name| !file_of(name).exists()).unwrap_or(plain);
    if free != it.name {
        let is_default = it.worktree.0.starts_with(&it.state);
        it.state = surroundings.state_home().join(&free);
        if is_default {
            it.worktree.0 = it.state.join("worktree");
        }
        it.name = free;
    }
    Ok(file_of(&it.name))
}

/// Writes it, whole or not at all, over nothing.
///
/// # Errors
/// Something is there by now, or it cannot be written.
pub fn write(file: &Path, text: &str, surroundings: &Surroundings) -> Result<(), InitError> {
    let shown = surroundings.tilde(file);
    let failed = |error: &std::io::Error| match error.kind() {
        ErrorKind::AlreadyExists => InitError::Exists(shown.clone()),
        _ => InitError::NotWritten(shown.clone(), error.to_string()),
    };
    let directory = file.parent().unwrap_or(Path::new("/"));
    let is_registered = directory == surroundings.registry();
    let written = std::fs::create_dir_all(directory).and_then(|()| {
        if is_registered {
            let schema = surroundings.config_home().join("config.schema.json");
            whole(&schema, &promises::config_schema())?;
        }
        let mut beside = tempfile::NamedTempFile::new_in(directory)?;
        beside.write_all(text.as_bytes())?;
        beside.as_file().sync_all()?;
        beside.persist_noclobber(file).map_err(|error| error.error)?;
        Ok(())
    });
    written.map_err(|error| failed(&error))
}

/// Writes a file of our own whole, over an older one.
fn whole(file: &Path, text: &str) -> std::io::Result<()> {
    let mut beside = tempfile::NamedTempFile::new_in(file.parent().unwrap_or(Path::new("/")))?;
    beside.write_all(text.as_bytes())?;
    beside.persist(file).map_err(|error| error.error)?;
    Ok(())
}
