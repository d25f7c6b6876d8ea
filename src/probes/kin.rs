//! Whose files a directory holds that is not the mirror's: another clone or worktree of the same project, or neither.

use std::path::{Path, PathBuf};

use crate::config::{Config, Mirror};
use crate::error::ProbeError;
use crate::git;
use crate::probes::git::{Canonical, Repository};
use crate::probes::program;

/// What a directory is to the mirror's project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kin {
    /// It is the canonical repository, or lies in it.
    Canonical,
    /// It lies in another worktree of the canonical repository.
    Worktree(PathBuf),
    /// It lies in another clone: its remote is the mirror's, or the canonical repository itself.
    Clone(PathBuf),
    /// It is none of this project's.
    Stranger,
}

/// Asks git, in a process of its own since the directory may be anywhere.
///
/// # Errors
/// Where git cannot be run or does not answer in time.
pub fn of(
    config: &Config,
    mirror: &Mirror,
    canonical: &Canonical,
    directory: &Path,
) -> Result<Kin, ProbeError> {
    let Canonical::Present(repository) = canonical else {
        return Ok(if directory.starts_with(&mirror.repository) { Kin::Canonical } else { Kin::Stranger });
    };
    let asked = ["rev-parse", "--path-format=absolute", "--show-toplevel", "--git-common-dir"];
    let output = program::run(&git::command(config, directory, &asked))?;
    let said = git::said(&output);
    let (true, Some((top, common_dir))) = (output.succeeded(), said.split_once('\n')) else {
        return Ok(Kin::Stranger);
    };
    let top = PathBuf::from(top);
    if Path::new(common_dir) == repository.common_dir {
        return Ok(if top == repository.top { Kin::Canonical } else { Kin::Worktree(top) });
    }
    let key = format!("remote.{}.url", mirror.remote);
    let output = program::run(&git::command(config, directory, &["config", "--get", &key]))?;
    let url = git::without_credentials(&git::said(&output));
    Ok(if is_same_origin(repository, &url, &top) { Kin::Clone(top) } else { Kin::Stranger })
}

/// Whether a clone with that remote comes from where the repository comes from, or from the repository itself.
fn is_same_origin(repository: &Repository, url: &str, top: &Path) -> bool {
    let bare = |url: &str| url.trim_end_matches('/').trim_end_matches(".git").to_owned();
    let named = top.join(url.strip_prefix("file://").unwrap_or(url));
    !url.is_empty()
        && (repository.remote_url.as_deref().is_some_and(|own| bare(own) == bare(url))
            || named == repository.top
            || named == repository.common_dir)
}
