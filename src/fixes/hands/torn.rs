//! Torn indexes. git does not compare the checksum of an index, so it reads many torn ones without a complaint and finds
//! other files in them, even some without a name.
#![expect(clippy::disallowed_methods, reason = "hands look where they write")]

use std::fs;
use std::path::Path;

use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::config::Config;
use crate::error::StepError;
use crate::fixes::hands::git::{git_path, run};

/// What is done here, as error messages name it.
const READ: &str = "read the index";

/// Whether the worktree has an index that is torn.
///
/// # Errors
/// It cannot be read; git's words.
pub(super) fn is_torn(config: &Config, top: &Path) -> Result<bool, StepError> {
    entries(config, top).map(|it| it.is_none())
}

/// The entries of the worktree's index, as `git ls-files --stage -z` lists them; `None` where it is torn.
///
/// # Errors
/// It cannot be read; git's words.
pub(super) fn entries(config: &Config, top: &Path) -> Result<Option<Vec<u8>>, StepError> {
    let index = git_path(config, top, "index")?;
    match fs::read(&index) {
        Ok(content) if !has_checksum(&content) => return Ok(None),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(StepError::failed(READ, &error));
        }
        _ => {}
    }
    let listed = run(config, top, &["ls-files", "--stage", "--cached", "-z"])?;
    if listed.truncated {
        return Err(StepError::failed(READ, &"git says more than is read"));
    }
    Ok(listed.succeeded().then_some(listed.stdout))
}

/// Whether an index ends with the checksum of the rest, SHA-1 or SHA-256 by the repository's format. `index.skipHash`
/// leaves zeros in its place. Source: gitformat-index(5).
fn has_checksum(index: &[u8]) -> bool {
    let ends_with = |length: usize, digest: fn(&[u8]) -> Vec<u8>| {
        let parts = index.len().checked_sub(length).filter(|rest| *rest > 0).map(|at| index.split_at(at));
        parts.is_some_and(|(rest, sum)| sum.iter().all(|byte| *byte == 0) || sum == digest(rest))
    };
    ends_with(20, |rest| Sha1::digest(rest).to_vec()) || ends_with(32, |rest| Sha256::digest(rest).to_vec())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// The index of a new repository of that format with one file, as git writes it.
    fn written_by_git(format: &str) -> Vec<u8> {
        let top = tempfile::tempdir().expect("a directory");
        fs::write(top.path().join("page.html"), "one\n").expect("a file");
        for arguments in [&["init", "--quiet", "--object-format", format][..], &["add", "page.html"]] {
            let mut git = Command::new("git");
            git.args(arguments).current_dir(top.path()).env("GIT_CONFIG_GLOBAL", "/dev/null");
            git.env("GIT_CONFIG_SYSTEM", "/dev/null").env_remove("GIT_DIR").env_remove("GIT_INDEX_FILE");
            assert!(git.status().expect("git starts").success(), "{arguments:?}");
        }
        fs::read(top.path().join(".git/index")).expect("the index")
    }

    #[test]
    fn an_index_is_whole_with_its_checksum_or_with_none_and_torn_anywhere_else() {
        for (format, length) in [("sha1", 20), ("sha256", 32)] {
            let mut index = written_by_git(format);
            assert!(has_checksum(&index), "{format}");
            for end in 0..index.len() {
                assert!(!has_checksum(&index[..end]), "{format}, cut after {end} bytes");
            }
            let at = index.len() - length;
            index[at..].fill(0);
            assert!(has_checksum(&index), "{format}, with index.skipHash");
            index[at - 1] ^= 1;
            index[at..].fill(1);
            assert!(!has_checksum(&index), "{format}, another content");
        }
    }
}
