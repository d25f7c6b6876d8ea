//! Where this program lies for good: what a job runs must be there after the next build, upgrade and reboot.

use std::path::{Component, Path, PathBuf};

/// The stable path of a program, or why it has none and what to do about it.
///
/// # Errors
/// It lies in a build folder, a versioned Homebrew path or a temporary directory: a sentence, and the remedy.
pub fn stable(program: &Path, temporary: &Path) -> Result<PathBuf, String> {
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
        let cellar = program.ancestors().find(|it| it.ends_with("Cellar")).and_then(Path::parent);
        let prefix = cellar.unwrap_or(Path::new("/opt/homebrew"));
        // Homebrew keeps this one through every upgrade.
        return Ok(rest.iter().fold(prefix.join("opt").join(formula), |path, part| path.join(part)));
    }
    let passing = ["/tmp", "/var/tmp", "/private/tmp", "/private/var/folders", "/var/folders"];
    if passing.iter().any(|it| program.starts_with(it)) || program.starts_with(temporary) {
        return Err(format!(
            "{shown} lies in a temporary directory, which a reboot may empty: \
             copy it to ~/.local/bin, and run `housecall install` from there"
        ));
    }
    Ok(program.to_owned())
}
