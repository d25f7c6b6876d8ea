//! Installing and building: as the jobs would, and without letting an installer change the person's repository.
#![expect(clippy::disallowed_methods, reason = "hands write")]

mod trees;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::{Config, Mirror};
use crate::error::StepError;
use crate::fixes::built;
use crate::fixes::hands::install::trees::Trees;
use crate::fixes::hands::{files, git};
use crate::plain;
use crate::probes::built::Build;
use crate::probes::deps::{self, SCHEMA, Stamp, TREE, stamp_file};
use crate::probes::machine::Machine;
use crate::probes::program::{self, Ended, Program};
use crate::probes::{clock, project, tools};

/// How long an install or a build may take.
const DEADLINE: Duration = Duration::from_mins(14);

/// What switches off those who install git hooks along with dependencies.
const NO_HOOKS: [(&str, &str); 8] = [
    ("CI", "1"),
    ("HUSKY", "0"),
    ("HUSKY_SKIP_INSTALL", "1"),
    ("LEFTHOOK", "0"),
    ("LEFTHOOK_NO_AUTO_INSTALL", "1"),
    ("PRE_COMMIT_ALLOW_NO_CONFIG", "1"),
    ("SKIP_INSTALL_SIMPLE_GIT_HOOKS", "1"),
    ("npm_config_update_notifier", "false"),
];

/// Installs the dependencies, and leaves the stamp of it in their tree.
///
/// A tree that was installed from the same before is brought back instead. The one that is there is put away first, and
/// comes back where the install fails: the server goes on with it, and its stamp says what it is of.
///
/// # Errors
/// The program's words; then there is no stamp of this install, and the next look says so.
pub fn install(
    machine: &Machine,
    config: &Config,
    mirror: &Mirror,
    argv: &[String],
    on_output: &mut dyn FnMut(&[u8]),
) -> Result<Option<String>, StepError> {
    let stamp = Stamp {
        schema: SCHEMA,
        lockfile: lockfile(mirror)?,
        runtime: runtime(machine, config)?,
        at: clock::now(),
        command: argv.to_vec(),
    };
    let trees = Trees::of(config, mirror, argv);
    let Some(trees) = trees else {
        return anew(config, mirror, &stamp, on_output);
    };
    if let Some(old) = deps::read(mirror)?.stamp.filter(|old| !old.is_of(&stamp)) {
        // What cannot be put away is replaced, as any installer does it.
        let _ = trees.put_away(&old);
    }
    if let Ok(Some(known)) = trees.bring_back(&stamp) {
        return Ok(Some(format!(
            "brought back the dependencies installed on {}, without an install",
            known.at.strftime("%Y-%m-%d at %H:%M")
        )));
    }
    let installed = std::thread::scope(|scope| {
        let sweeping = std::thread::Builder::new().name("sweep".to_owned());
        let sweeping = sweeping.spawn_scoped(scope, || trees.sweep());
        let installed = anew(config, mirror, &stamp, on_output);
        drop(sweeping);
        installed
    });
    if installed.is_ok() {
        trees.prune();
    } else if deps::stamp_at(&mirror.worktree.join(TREE)).is_none() {
        // Of one that was killed, too: the server does better with an old tree than with half of one.
        let _ = trees.bring_back_latest();
    }
    trees.sweep();
    installed
}

/// Runs the installer, and stamps what it made.
fn anew(
    config: &Config,
    mirror: &Mirror,
    stamp: &Stamp,
    on_output: &mut dyn FnMut(&[u8]),
) -> Result<Option<String>, StepError> {
    match fs::remove_file(stamp_file(mirror)) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(StepError::failed("remove the stamp of the last install", &error));
        }
        _ => {}
    }
    let note = guarded(config, mirror, &stamp.command, on_output)?;
    if lockfile(mirror)? != stamp.lockfile {
        return Err(StepError::failed("install the dependencies", &"the installer rewrote the lockfile"));
    }
    let file = stamp_file(mirror);
    if file.parent().is_some_and(Path::is_dir) {
        let failed =
            |error: &dyn std::fmt::Display| StepError::failed("write the stamp of the install", error);
        let stamp = Stamp { at: clock::now(), ..stamp.clone() };
        let content = serde_json::to_vec(&stamp).map_err(|error| failed(&error))?;
        files::write_private(&file, &content).map_err(|error| failed(&error))?;
    }
    Ok(note)
}

/// The digest of the lockfile; empty where there is none.
fn lockfile(mirror: &Mirror) -> Result<String, StepError> {
    Ok(project::read(mirror)?.lockfile.map(|it| it.digest).unwrap_or_default())
}

/// Builds, as an install is done, and stamps of what.
///
/// # Errors
/// The program's words; then there is no stamp, and the next look says so.
pub fn build(
    config: &Config,
    mirror: &Mirror,
    argv: &[String],
    on_output: &mut dyn FnMut(&[u8]),
) -> Result<Option<String>, StepError> {
    let sha = git::commit(config, &mirror.worktree, "HEAD")?;
    let sha = sha.ok_or_else(|| StepError::Refused("the worktree's HEAD names no commit".to_owned()))?;
    let installed = deps::read(mirror)?.stamp.map(|stamp| stamp.at);
    built::forget(config)?;
    let note = guarded(config, mirror, argv, on_output)?;
    built::record(config, Build { sha, command: argv.to_vec(), installed, at: clock::now() })?;
    Ok(note)
}

/// The major version of the runtime that the jobs find; empty where they run none.
fn runtime(machine: &Machine, config: &Config) -> Result<String, StepError> {
    for name in ["node", "bun", "deno"] {
        if let Some(tool) = tools::find(machine, config, name)? {
            return Ok(tool.version.split('.').next().unwrap_or_default().to_owned());
        }
    }
    Ok(String::new())
}

/// Runs it in the worktree, and puts back what it changed in the repository's configuration and hooks.
fn guarded(
    config: &Config,
    mirror: &Mirror,
    argv: &[String],
    on_output: &mut dyn FnMut(&[u8]),
) -> Result<Option<String>, StepError> {
    let common = git::common_directory(config, &mirror.worktree)?;
    let before = snapshot(&common)?;
    let ran = run(config, mirror, argv, on_output);
    let restored = restore(config, &common, &before)?;
    ran?;
    Ok(restored)
}

fn run(
    config: &Config,
    mirror: &Mirror,
    argv: &[String],
    on_output: &mut dyn FnMut(&[u8]),
) -> Result<(), StepError> {
    let what = format!("run {}", argv.join(" "));
    let path = std::env::join_paths(config.jobs_path())
        .map_err(|error| StepError::failed("make the jobs' PATH", &error))?;
    let mut environment: BTreeMap<OsString, OsString> =
        config.environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
    environment.extend(NO_HOOKS.map(|(name, value)| (name.into(), value.into())));
    environment.insert("PATH".into(), path);
    let program = Program {
        argv: argv.iter().map(OsString::from).collect(),
        directory: Some(mirror.worktree.clone()),
        environment,
        deadline: DEADLINE,
        limit: 64 << 10,
    };
    let mut log = files::open_private(&config.log_file("sync")).ok();
    let output = program::run_observed(&program, &mut |chunk| {
        if let Some(log) = &mut log {
            let _ = log.write_all(chunk);
        }
        on_output(chunk);
    })?;
    if output.succeeded() {
        return Ok(());
    }
    let said = [output.stderr.as_slice(), output.stdout.as_slice()].concat();
    let said = String::from_utf8_lossy(&said);
    let line = said.lines().map(str::trim).find(|line| line.to_lowercase().contains("err"));
    let line =
        line.or_else(|| said.lines().map(str::trim).rfind(|line| !line.is_empty())).unwrap_or("nothing");
    let why = match output.ended {
        Ended::Code(code) => format!("it ended with {code}: {line}"),
        Ended::Signal(signal) => format!("signal {signal} ended it: {line}"),
    };
    Err(StepError::failed(what, &why))
}

/// The configuration and the hooks of the repository: names, content and modes.
type Snapshot = BTreeMap<PathBuf, (Vec<u8>, u32)>;

fn snapshot(common: &Path) -> Result<Snapshot, StepError> {
    let failed = |error: std::io::Error| StepError::failed("look at the repository's hooks", &error);
    let mut paths = vec![common.join("config"), common.join("config.worktree")];
    match fs::read_dir(common.join("hooks")) {
        Ok(entries) => {
            for entry in entries {
                paths.push(entry.map_err(failed)?.path());
            }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let mut found = Snapshot::new();
    for path in paths {
        match fs::metadata(&path) {
            Ok(it) if it.is_file() => {
                found.insert(
                    path.clone(),
                    (plain::read(&path).map_err(failed)?, it.permissions().mode() & 0o7777),
                );
            }
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    Ok(found)
}

/// Puts back what is different now; names what that was, and where it is kept.
///
/// An install takes minutes, in which a person may have changed the same files: what is taken away is theirs to get back.
fn restore(config: &Config, common: &Path, before: &Snapshot) -> Result<Option<String>, StepError> {
    let after = snapshot(common)?;
    let place = files::rescued_place(config, clock::now()).join("repository");
    let name = |path: &Path| path.strip_prefix(common).unwrap_or(path).display().to_string();
    let failed =
        |path: &Path, error: std::io::Error| StepError::failed(format!("put back {}", name(path)), &error);
    let mut restored = Vec::new();
    let keep = |path: &Path, content: &[u8]| {
        files::write_private(&place.join(path.strip_prefix(common).unwrap_or(path)), content)
            .map_err(|error| failed(path, error))
    };
    for (path, (content, _)) in after.iter().filter(|(path, _)| !before.contains_key(*path)) {
        keep(path, content)?;
        fs::remove_file(path).map_err(|error| failed(path, error))?;
        restored.push(name(path));
    }
    for (path, (content, mode)) in before {
        if after.get(path) != Some(&(content.clone(), *mode)) {
            if let Some((now, _)) = after.get(path) {
                keep(path, now)?;
            }
            replace(path, content, *mode).map_err(|error| failed(path, error))?;
            restored.push(name(path));
        }
    }
    let told = || {
        let place = config.tilde(&place);
        format!("put back in the repository: {}; what was there is kept in {place}", restored.join(", "))
    };
    Ok((!restored.is_empty()).then(told))
}

/// Writes a file of the repository's whole or not at all; a link is followed.
fn replace(path: &Path, content: &[u8], mode: u32) -> std::io::Result<()> {
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let parent = real.parent().unwrap_or(&real);
    fs::create_dir_all(parent)?;
    let mut beside = files::unfinished(parent)?;
    beside.write_all(content)?;
    beside.as_file().set_permissions(Permissions::from_mode(mode))?;
    beside.as_file().sync_all()?;
    beside.persist(&real).map(drop).map_err(|error| error.error)
}
