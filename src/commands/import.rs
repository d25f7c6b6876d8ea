//! `housecall import goss FILE`: another tool's checks as ours, and the names of what could not be turned.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Call;
use crate::cli::ImportOptions;
use crate::config::{Config, ConfigError, Limits};
use crate::exit::Exit;
use crate::fixes::hands::files;
use crate::import::goss::{self, World};
use crate::import::{Imported, Named};
use crate::probes::import as probe;

/// Turns it, and writes what came of it to stdout or into a file that is not there yet.
///
/// 0: all of it; 1: what is named on stderr was not turned, and its checks never pass; 2: nothing was.
pub(super) fn run(call: &mut Call<'_, '_>, options: &ImportOptions) -> Exit {
    let imported = match imported(call, options) {
        Ok(imported) => imported,
        Err(why) => {
            call.console.error(why);
            return Exit::Usage;
        }
    };
    for named in &imported.named {
        call.console.error(named);
    }
    let counted = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    if let Some(file) = &options.write {
        let path = call.surroundings.directory.join(file);
        if let Err(error) = files::write_new_private(&path, imported.text.as_bytes()) {
            call.console.error(format!("cannot write {}: {error}", file.display()));
            return Exit::Usage;
        }
    } else {
        // Not a word of it is redacted: it is to be the same as what it came from.
        call.console.publish(&imported.text);
    }
    let missed = if imported.named.is_empty() {
        "all is turned".to_owned()
    } else {
        let parts = counted(imported.named.len(), "part");
        format!("{parts} not turned: a check that lacks one says so under `unchecked`, and is never green")
    };
    call.console.tell(&format!("{}, {missed}", counted(imported.checks, "check")));
    if imported.named.is_empty() { Exit::Healthy } else { Exit::Unhealthy }
}

fn imported(call: &mut Call<'_, '_>, options: &ImportOptions) -> Result<Imported, String> {
    let surroundings = &call.surroundings;
    let whole =
        |file: &Path, read: Result<String, String>| read.map_err(|why| format!("{}: {why}", file.display()));
    let at = |file: &Path| surroundings.directory.join(file);
    let told = |named: Named| named.to_string();
    let vars = match &options.vars {
        None => BTreeMap::new(),
        Some(file) => goss::vars(file, &whole(file, probe::read(&at(file)))?).map_err(told)?,
    };
    let (file, text) = if options.file == Path::new("-") {
        let file = PathBuf::from("stdin");
        let text = whole(&file, probe::text(&mut *call.console.input))?;
        (file, text)
    } else {
        (options.file.clone(), whole(&options.file, probe::read(&at(&options.file)))?)
    };
    let refuses = |text: &str| {
        let mut surroundings = surroundings.clone();
        // What is not set here may be where it runs.
        for name in text.split("${").skip(1).filter_map(|it| it.split_once('}')).map(|(name, _)| name) {
            surroundings.environment.entry(name.to_owned()).or_insert_with(|| "1".to_owned());
        }
        let file = surroundings.directory.join(crate::config::FILE_NAME);
        let loaded = Config::of_text(text, &file, &surroundings, Limits::default());
        match loaded.err()? {
            ConfigError::Invalid(found) => found.mistakes.into_iter().next().map(|it| it.message),
            other => Some(other.to_string()),
        }
    };
    let world = World {
        vars,
        directory: &surroundings.directory,
        read: &|path| probe::read(&at(path)),
        like: &|pattern| probe::like(&at(pattern)),
        refuses: &refuses,
    };
    goss::turn(&file, &text, &world).map_err(told)
}
