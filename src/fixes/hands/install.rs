//! Installing and building: as the jobs would, and without letting an installer change the person's repository.
#![expect(clippy::disallowed_methods, reason = "hands write")]

mod orphans;
mod trees;
mod untouched;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{ErrorKind, Write};
use std::time::Duration;

use crate::config::{Config, Mirror};
use crate::error::StepError;
use crate::fixes::built;
use crate::fixes::events::{self, Decision};
use crate::fixes::hands::install::trees::Trees;
use crate::fixes::hands::install::untouched::Before;
use crate::fixes::hands::{files, git};
use crate::probes::built::{Build, Extra, FailedBuild};
use crate::probes::deps::{self, INSTALLED, SCHEMA, Stamp, TREE, stamp_file};
use crate::probes::machine::Machine;
use crate::probes::program::{self, Ended, Program};
use crate::probes::{self, clock, project, tools};

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
    let unlinked = without_links(config, mirror)?;
    let installed = whole(config, mirror, argv, &stamp, on_output)?;
    Ok(unlinked.into_iter().chain(installed).reduce(|all, one| format!("{all}; {one}")))
}

/// Installs them, or brings them back.
fn whole(
    config: &Config,
    mirror: &Mirror,
    argv: &[String],
    stamp: &Stamp,
    on_output: &mut dyn FnMut(&[u8]),
) -> Result<Option<String>, StepError> {
    let trees = Trees::of(config, mirror, argv);
    let Some(trees) = trees else {
        return anew(config, mirror, stamp, on_output);
    };
    if let Some(old) = deps::read(mirror)?.stamp.filter(|old| !old.is_of(stamp)) {
        // What cannot be put away is replaced, as any installer does it.
        let _ = trees.put_away(&old);
    }
    if let Ok(Some(known)) = trees.bring_back(stamp) {
        return Ok(Some(format!(
            "brought back the dependencies installed on {}, without an install",
            known.at.strftime("%Y-%m-%d at %H:%M")
        )));
    }
    let installed = std::thread::scope(|scope| {
        let sweeping = std::thread::Builder::new().name("sweep".to_owned());
        let sweeping = sweeping.spawn_scoped(scope, || trees.sweep());
        let installed = anew(config, mirror, stamp, on_output);
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
    let failed = |error: &dyn std::fmt::Display| StepError::failed("write the stamp of the install", error);
    let file = stamp_file(mirror);
    // Where there is nothing to install, an installer may make no tree: then the stamp is all that is in it.
    let tree = file.parent().unwrap_or(&mirror.worktree);
    fs::create_dir_all(tree).map_err(|error| failed(&error))?;
    let stamp = Stamp { at: clock::now(), ..stamp.clone() };
    let content = serde_json::to_vec(&stamp).map_err(|error| failed(&error))?;
    files::write_private(&file, &content).map_err(|error| failed(&error))?;
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
    machine: &Machine,
    config: &Config,
    mirror: &Mirror,
    argv: &[String],
    on_output: &mut dyn FnMut(&[u8]),
) -> Result<Option<String>, StepError> {
    let sha = git::commit(config, &mirror.worktree, "HEAD")?;
    let sha = sha.ok_or_else(|| StepError::Refused("the worktree's HEAD names no commit".to_owned()))?;
    let installed = deps::read(mirror)?.stamp.map(|stamp| stamp.at);
    // As they are when it begins: one that changes while it runs is another's.
    let carried = probes::files::carried(machine, config, mirror)?;
    let inputs = probes::built::inputs(config, &carried);
    built::forget(config)?;
    let note = guarded(config, mirror, argv, on_output).inspect_err(|error| {
        let (command, why) = (argv.to_vec(), config.redactor.text(&error.to_string()));
        let (sha, inputs, at) = (sha.clone(), inputs.clone(), clock::now());
        let failed = FailedBuild { sha, command, installed, inputs, times: 1, at, why, extra: Extra::Unused };
        // Without it the next cycle tries at once, which does no harm.
        let _ = built::record_failure(config, failed);
    })?;
    built::record(config, Build { sha, command: argv.to_vec(), installed, at: clock::now() })?;
    Ok(note)
}

/// The major version of the runtime that the jobs find; empty where they run none.
fn runtime(machine: &Machine, config: &Config) -> Result<String, StepError> {
    for name in ["node", "bun", "deno"] {
        if let Some(tool) = tools::find(machine, config, name)? {
            let version = tool.version.map_err(|why| StepError::failed(format!("start {name}"), &why))?;
            return Ok(version.split('.').next().unwrap_or_default().to_owned());
        }
    }
    Ok(String::new())
}

/// Runs it in the worktree, and puts back what it changed in the repository's configuration, hooks and attributes.
fn guarded(
    config: &Config,
    mirror: &Mirror,
    argv: &[String],
    on_output: &mut dyn FnMut(&[u8]),
) -> Result<Option<String>, StepError> {
    let common = git::common_directory(config, &mirror.worktree)?;
    if let Some(left) = Before::left(config)? {
        end(config, &left)?;
    }
    let before = Before::of(config, &common)?;
    let ran = run(config, mirror, argv, &before.mark(config), on_output);
    let restored = before.put_back(config, None)?;
    ran?;
    Ok(restored)
}

/// Puts back what an install or a build changed in the repository whose sync was killed.
///
/// Where that fails, it is tried again by the next one, and nothing is installed before.
pub(super) fn put_back(config: &Config) {
    let came = Before::left(config).and_then(|left| left.map_or(Ok(None), |left| end(config, &left)));
    let (outcome, reason) = match came {
        Ok(None) => return,
        Ok(Some(told)) => ("done", told),
        Err(error) => ("failed", error.to_string()),
    };
    let (ev, action, cause) = ("mend", Some("put-back"), Some("an install was killed"));
    let (outcome, reason) = (Some(outcome), Some(reason.as_str()));
    events::record(config, &Decision { ev, action, outcome, cause, reason, ..Decision::default() });
}

/// Ends what is left of an install that did not come to its end, and puts back what it changed.
fn end(config: &Config, left: &Before) -> Result<Option<String>, StepError> {
    orphans::end(&left.mark(config))?;
    left.put_back(config, Some(left.at() + DEADLINE))
}

/// Moves what an installer would write through out of its way: links that lead out of the mirror, to others' dependencies.
fn without_links(config: &Config, mirror: &Mirror) -> Result<Option<String>, StepError> {
    let mut told = Vec::new();
    for name in INSTALLED {
        let link = mirror.worktree.join(name);
        let Ok(target) = fs::read_link(&link) else { continue };
        let inside = fs::canonicalize(&mirror.worktree).ok().zip(fs::canonicalize(&link).ok());
        if inside.is_some_and(|(top, real)| real.starts_with(top)) {
            continue;
        }
        let tracked =
            git::must(config, &mirror.worktree, "ask what is tracked", &["ls-files", "-z", "--", name])?;
        if !tracked.stdout.is_empty() {
            let why = format!(
                "{name} is a link out of the mirror that the project tracks: nothing is installed there"
            );
            return Err(StepError::Refused(why));
        }
        let kept = files::keep(&link, &files::rescued_place(config, clock::now()), name.as_ref())
            .map_err(|error| StepError::failed(format!("move the link {name} aside"), &error))?;
        told.push(format!("{name} was a link to {}, kept as {}", config.tilde(&target), config.tilde(&kept)));
    }
    Ok((!told.is_empty()).then(|| told.join("; ")))
}

fn run(
    config: &Config,
    mirror: &Mirror,
    argv: &[String],
    mark: &str,
    on_output: &mut dyn FnMut(&[u8]),
) -> Result<(), StepError> {
    let what = format!("run {}", argv.join(" "));
    let path = std::env::join_paths(config.jobs_path())
        .map_err(|error| StepError::failed("make the jobs' PATH", &error))?;
    let mut environment: BTreeMap<OsString, OsString> =
        config.environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
    environment.extend(NO_HOOKS.map(|(name, value)| (name.into(), value.into())));
    environment.insert("PATH".into(), path);
    environment.insert(orphans::MARK.into(), mark.into());
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
        Ended::Code(code) => format!("it ended with exit status {code}: {line}"),
        Ended::Signal(signal) => format!("signal {signal} ended it: {line}"),
    };
    Err(StepError::failed(what, &why))
}
