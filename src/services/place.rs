//! Where this program lies for good: what a job runs must be there after the next build, upgrade and reboot.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::config::Config;
use crate::error::StepError;
use crate::probes::installation::Basis;

/// Places that a reboot, or the system, empties.
const PASSING: [&str; 5] = ["/tmp", "/var/tmp", "/private/tmp", "/private/var/folders", "/var/folders"];

/// What definitions rest on, for this program and this user.
///
/// # Errors
/// Refused where the program lies in no place that lasts.
pub fn basis(config: &Config) -> Result<Basis, StepError> {
    let program = std::env::current_exe().map_err(|error| StepError::failed("find this program", &error))?;
    let program = stable(&program, &config.home, &std::env::temp_dir()).map_err(StepError::Refused)?;
    let own = |name: &str, fallback: &str| {
        let value = config.environment.get(name)?;
        (*value != config.home.join(fallback).to_string_lossy()).then(|| (name.to_owned(), value.clone()))
    };
    let language = |name: &str| Some((name.to_owned(), config.environment.get(name)?.clone()));
    let variables = [
        language("LANG"),
        language("LC_ALL"),
        own("XDG_CONFIG_HOME", ".config"),
        own("XDG_STATE_HOME", ".local/state"),
    ];
    let variables: BTreeMap<String, String> = variables.into_iter().flatten().collect();
    Ok(Basis { program, variables })
}

/// The stable path of a program.
///
/// # Errors
/// It lies in a build folder or a temporary directory: a sentence, and the remedy.
pub fn stable(program: &Path, home: &Path, temporary: &Path) -> Result<PathBuf, String> {
    let shown = program.display();
    let parts: Vec<&str> = program
        .components()
        .filter_map(|it| if let Component::Normal(it) = it { it.to_str() } else { None })
        .collect();
    let after = |name: &str| parts.iter().position(|it| *it == name).map(|at| &parts[at + 1..]);
    let mut kinds = after("target").unwrap_or_default().iter().take(2);
    if kinds.any(|it| ["debug", "release"].contains(it)) {
        return Err(format!(
            "{shown} lies in a build folder, which the next build replaces: \
             `cargo install --path .` puts it in its place for good, and `housecall install` is run from there"
        ));
    }
    if let Some([formula, _, rest @ ..]) = after("Cellar") {
        let prefix = program.ancestors().find(|it| it.ends_with("Cellar")).and_then(Path::parent);
        // Homebrew keeps this one through every upgrade.
        let lasting = prefix.unwrap_or(Path::new("/opt/homebrew")).join("opt").join(formula);
        return Ok(rest.iter().fold(lasting, |path, part| path.join(part)));
    }
    // A home in a temporary directory is as temporary as all that is in it.
    let passes = |place: &Path| program.starts_with(place) && !home.starts_with(place);
    if PASSING.iter().any(|it| passes(Path::new(it))) || passes(temporary) {
        return Err(format!(
            "{shown} lies in a temporary directory, which a reboot may empty: \
             copy it to ~/.local/bin, and run `housecall install` from there"
        ));
    }
    Ok(program.to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::stable;

    fn of(program: &str) -> Result<PathBuf, String> {
        stable(Path::new(program), Path::new("/Users/ada"), Path::new("/var/folders/x/T"))
    }

    #[test]
    fn what_lasts_is_taken_as_it_is() {
        for lasting in [
            "/Users/ada/.cargo/bin/housecall",
            "/usr/local/bin/housecall",
            "/opt/homebrew/opt/housecall/bin/housecall",
        ] {
            assert_eq!(of(lasting), Ok(lasting.into()));
        }
    }

    #[test]
    fn a_versioned_path_of_homebrew_becomes_the_one_that_stays() {
        let lasting = of("/opt/homebrew/Cellar/housecall/0.1.0/bin/housecall");
        assert_eq!(lasting, Ok("/opt/homebrew/opt/housecall/bin/housecall".into()));
    }

    #[test]
    fn what_does_not_last_is_refused_with_the_remedy() {
        for (passing, remedy) in [
            ("/Users/ada/src/housecall/target/debug/housecall", "cargo install --path ."),
            (
                "/Users/ada/src/housecall/target/aarch64-apple-darwin/release/housecall",
                "cargo install --path .",
            ),
            ("/tmp/housecall", "~/.local/bin"),
            ("/var/folders/x/T/housecall", "~/.local/bin"),
        ] {
            let refused = of(passing).expect_err(passing);
            assert!(refused.contains(remedy), "{refused}");
        }
    }
}
