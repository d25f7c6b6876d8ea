//! Carried files: copied from the repository into the mirror, since git does not bring them. What is at their place is
//! moved out, never written over: it may be saved anew at any moment.
#![expect(clippy::disallowed_methods, reason = "hands write")]

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::io::Errno;

use crate::config::{Config, Mirror};
use crate::error::StepError;
use crate::fixes::hands::{files, held};
use crate::plain;
use crate::probes::clock;

/// How often somebody may save at its place meanwhile before it is given up.
const PERSISTENT: u32 = 20;

/// Copies a file that git does not track from the repository into the worktree, mode 0600.
///
/// What is at its place there is kept, unless it is the same.
///
/// # Errors
/// Refused where the way leads out of the worktree; failed in the system's own words.
pub(super) fn carry(config: &Config, file: &Path) -> Result<Option<String>, StepError> {
    let mirror = config.mirror.as_deref().ok_or_else(super::no_mirror)?;
    let (from, to) = (mirror.repository.join(file), mirror.worktree.join(file));
    let what = format!("copy {}", file.display());
    let failed = |error: io::Error| StepError::failed(what.clone(), &error);
    let parent = to.parent().unwrap_or(&mirror.worktree);
    // A link on the way may lead elsewhere: nothing is made before that is known.
    let there = parent.ancestors().find(|it| fs::symlink_metadata(it).is_ok()).unwrap_or(parent);
    inside(&mirror.worktree, there)?;
    fs::create_dir_all(parent).map_err(failed)?;
    inside(&mirror.worktree, parent)?;
    let real = fs::canonicalize(&from).map_err(failed)?;
    if !real.is_file() {
        return Err(StepError::Refused(format!("{} is no plain file", from.display())));
    }
    let content = plain::read(&real).map_err(failed)?;
    let mut copy = files::unfinished(parent).map_err(failed)?;
    copy.write_all(&content).map_err(failed)?;
    copy.as_file().set_permissions(Permissions::from_mode(0o600)).map_err(failed)?;
    copy.as_file().sync_all().map_err(failed)?;
    let mut kept = Vec::new();
    for _ in 0..PERSISTENT {
        kept.extend(moved_out(config, mirror, file, &content).map_err(failed)?);
        copy = match copy.persist_noclobber(&to) {
            Ok(_) => return Ok(told(&kept)),
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => error.file,
            // What was saved there meanwhile is moved out first.
            Err(error) if can_only_replace(&error.error) && fs::symlink_metadata(&to).is_ok() => error.file,
            Err(error) if can_only_replace(&error.error) => {
                error.file.persist(&to).map_err(|error| failed(error.error))?;
                return Ok(told(&kept));
            }
            Err(error) => return Err(failed(error.error)),
        };
    }
    Err(StepError::failed(what, &"somebody saves it there all the time"))
}

/// Moves what is at its place out of the way; says where it is kept, if it is another than what comes.
fn moved_out(config: &Config, mirror: &Mirror, file: &Path, content: &[u8]) -> io::Result<Option<String>> {
    let (to, place) = (mirror.worktree.join(file), files::rescued_place(config, clock::now()));
    let moved = fs::symlink_metadata(&to).and_then(|_| held::keep(config, mirror, &to, [&place, file]));
    let (kept, stays) = match moved {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        moved => moved?,
    };
    if stays || held::for_writing(&kept) || plain::read(&kept).ok().as_deref() != Some(content) {
        return Ok(Some(config.tilde(&kept)));
    }
    fs::remove_file(&kept)?;
    let _ = kept.ancestors().skip(1).take_while(|it| it.starts_with(&place)).try_for_each(fs::remove_dir);
    Ok(None)
}

/// Whether the file system knows neither a rename that replaces nothing nor a hard link.
fn can_only_replace(error: &io::Error) -> bool {
    let unknown = [Errno::NOSYS, Errno::INVAL, Errno::NOTSUP, Errno::OPNOTSUPP, Errno::PERM];
    Errno::from_io_error(error).is_some_and(|it| unknown.contains(&it))
}

fn told(kept: &[String]) -> Option<String> {
    (!kept.is_empty()).then(|| format!("the copy that was there is kept as {}", kept.join(" and ")))
}

/// Refuses where a directory, links resolved, does not lie in that tree.
fn inside(tree: &Path, directory: &Path) -> Result<(), StepError> {
    let real = |path: &Path| {
        fs::canonicalize(path)
            .map_err(|error| StepError::failed(format!("look at {}", path.display()), &error))
    };
    if real(directory)?.starts_with(real(tree)?) {
        return Ok(());
    }
    Err(StepError::Refused(format!("{} leads out of {}", directory.display(), tree.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_only_where_the_file_system_can_nothing_else() {
        let can = |it: Errno| can_only_replace(&io::Error::from(it));
        for unknown in [Errno::NOSYS, Errno::INVAL, Errno::NOTSUP, Errno::OPNOTSUPP, Errno::PERM] {
            assert!(can(unknown), "{unknown:?}");
        }
        for other in [Errno::EXIST, Errno::NOSPC, Errno::ROFS, Errno::IO, Errno::ACCESS, Errno::ISDIR] {
            assert!(!can(other), "{other:?}");
        }
    }
}
