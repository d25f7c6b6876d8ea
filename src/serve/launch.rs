//! `serve`: becomes the mirror's server, in the worktree and nowhere else, with a clean environment.
#![expect(clippy::disallowed_methods, reason = "this is where the server is started")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use crate::config::{Config, Mirror, Server, Serving};
use crate::cx::Cx;
use crate::error::StepError;
use crate::probes::git::{Canonical, Worktree};
use crate::probes::machine::Machine;
use crate::probes::program::is_program;
use crate::serve::{files, may_run};

/// Becomes the server: it returns only where it cannot.
///
/// # Errors
/// Refused outside the mirror's worktree, in the canonical repository, untrusted or stopped; failed in the
/// system's words.
pub fn become_server(config: &Arc<Config>, machine: &Arc<Machine>) -> Result<Infallible, StepError> {
    let server =
        config.server.as_deref().ok_or_else(|| StepError::Refused("no [serve] is configured".into()))?;
    may_run(config)?;
    if let Some(mirror) = &config.mirror {
        must_be_the_worktree(config, machine, mirror)?;
    }
    let failed = |what: String, error: std::io::Error| Err(StepError::failed(what, &error));
    match &server.run {
        Serving::Static(root) => {
            if let Err(error) = std::env::set_current_dir(&server.directory) {
                return failed(format!("enter {}", config.tilde(&server.directory)), error);
            }
            files::serve(server.listen, &server.directory, &server.directory.join(root))
        }
        Serving::Program(argv) => {
            let environment = environment(config, server);
            let Some(name) = argv.first() else {
                return Err(StepError::Refused("[serve] names no program".to_owned()));
            };
            let program = find(name, &server.directory, &environment).ok_or_else(|| {
                StepError::failed(format!("run {name}"), &"it is not on the PATH that the jobs get")
            })?;
            let error = Command::new(program)
                .arg0(name)
                .args(&argv[1..])
                .env_clear()
                .envs(&environment)
                .current_dir(&server.directory)
                .exec();
            failed(format!("run {name}"), error)
        }
    }
}

/// Everything that the server sees of the environment: nothing of the shell that called us.
#[must_use]
pub fn environment(config: &Config, server: &Server) -> BTreeMap<OsString, OsString> {
    let path = std::env::join_paths(config.jobs_path()).unwrap_or_else(|_| "/usr/bin:/bin".into());
    let own = |(name, value): (&String, &String)| (OsString::from(name), OsString::from(value));
    let mut environment: BTreeMap<OsString, OsString> = config.environment.iter().map(own).collect();
    environment.insert("PATH".into(), path);
    environment.insert("PWD".into(), server.directory.clone().into());
    environment.extend(server.env.iter().map(own));
    environment
}

fn find(name: &str, directory: &Path, environment: &BTreeMap<OsString, OsString>) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(directory.join(name));
    }
    let path = environment.get(OsStr::new("PATH"))?;
    std::env::split_paths(path)
        .filter(|it| it.is_absolute())
        .map(|it| it.join(name))
        .find(|it| is_program(it))
}

/// git finds the mirror's own worktree there, and it is not the repository that people work in.
fn must_be_the_worktree(
    config: &Arc<Config>,
    machine: &Arc<Machine>,
    mirror: &Mirror,
) -> Result<(), StepError> {
    let place = config.tilde(&mirror.worktree);
    let refused = |why: String| Err(StepError::Refused(why));
    let cx = Cx::new(Arc::clone(config), Arc::clone(machine));
    let canonical = cx.canonical();
    if let Ok(canonical) = &canonical
        && let Canonical::Present(repository) = &**canonical
        && std::fs::canonicalize(&mirror.worktree).is_ok_and(|real| real.starts_with(&repository.top))
    {
        return refused(format!(
            "{place} is the canonical repository, or lies in it: a mirror never serves from there"
        ));
    }
    match cx.worktree().as_deref() {
        Ok(Worktree::Present(_)) => Ok(()),
        Ok(Worktree::Absent) => {
            refused(format!("the worktree {place} is not there: `housecall sync` makes it"))
        }
        Ok(Worktree::Foreign { top, .. }) => {
            refused(format!("{place} is not the mirror's worktree: git finds {} there", config.tilde(top)))
        }
        Ok(Worktree::NotGit(why)) => refused(format!("{place} is not the mirror's worktree: {why}")),
        // The repository's volume may be away: what was a worktree of it yesterday serves on.
        Err(_) if mirror.worktree.join(".git").is_file() => Ok(()),
        Err(error) => Err(error.clone().into()),
    }
}
