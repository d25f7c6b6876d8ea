//! Which program a name means to the jobs, and its version.
//!
//! A program's own word counts: what lies beside it says nothing of whether it starts, once an upgrade took a library
//! away that it needs. What it answered is remembered under its identity, for a short while. Only npm, a script that starts
//! if node does and takes long for it, is read in its package; and where a version alone is asked for, of a program that runs
//! already, node's header will do.
#![expect(clippy::disallowed_methods, reason = "probes are where files are read")]

use std::ffi::{OsStr, OsString};
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;

use super::clock;
use super::machine::{Identity, Machine, Where, lock};
use super::program::{Ended, Orphans, Output, Program, Run, is_program, watch};
use crate::config::{Config, Trust};
use crate::error::ProbeError;
use crate::{plain, version};

/// A program as the jobs will find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundTool {
    /// Where it was found on the jobs' PATH.
    pub path: PathBuf,
    /// The same with links resolved.
    pub real: PathBuf,
    /// What it says when it is asked.
    pub version: Answered,
}

/// A version without a leading "v", "22.23.3"; else why the program does not start, in the loader's words or its own.
pub type Answered = Result<String, String>;

/// Programs that may be asked for their version whoever names them.
const KNOWN: [&str; 7] = ["node", "npm", "pnpm", "yarn", "bun", "deno", "git"];
/// Runtimes: they say their version wherever they start, whatever else is wrong.
const RUNTIMES: [&str; 3] = ["node", "bun", "deno"];
/// Programs that node runs: why they do not start is its business, or that of a shim that may not download now.
const ON_NODE: [&str; 6] = ["npm", "npx", "pnpm", "pnpx", "yarn", "corepack"];
/// How long an answer is believed: what a program needs may go while its own file stays as it is.
const BELIEVED: Duration = Duration::from_secs(10);
/// What the shell ends with where there is no such program: no loader, shell or runtime does.
const ABSENT: i32 = 111;
/// What macOS says of a program for another processor, `EBADARCH`.
const BAD_ARCHITECTURE: i32 = 86;
/// Installers of runtimes, best first.
const INSTALLERS: [&str; 6] = ["brew", "mise", "fnm", "volta", "asdf", "n"];
/// Where they are when they are not on PATH, below the home directory.
const INSTALLER_PLACES: [&str; 7] =
    [".local/bin", ".local/share/fnm", ".fnm", ".cargo/bin", ".volta/bin", ".asdf/bin", "n/bin"];
/// Homebrew's own place on Linux.
const LINUXBREW: &str = "/home/linuxbrew/.linuxbrew/bin";

/// Looks a program up on the jobs' PATH and asks its version; `None` where it is not there.
///
/// # Errors
/// Not trusted, no answer in time, or no version in what it said.
pub fn find(machine: &Machine, config: &Config, name: &str) -> Result<Option<FoundTool>, ProbeError> {
    for place in config.jobs_path() {
        let path = place.join(name);
        match machine.guard(&path)? {
            Where::Here if is_program(&path) => {
                let real = path.canonicalize().unwrap_or_else(|_| path.clone());
                let version = match npm_version(name, &real) {
                    Some(version) => Ok(version),
                    None => answered_at(machine, config, name, &path, &real)?,
                };
                return Ok(Some(FoundTool { path, real, version }));
            }
            Where::Here => (),
            Where::InChild(mount) => {
                refuse_untrusted(config, name, &path)?;
                // The shell is here, and only it enters the volume.
                let script = format!("test -x \"$0\" || exit {ABSENT}; exec \"$0\" --version");
                let mut program =
                    asking(config, [OsStr::new("/bin/sh"), OsStr::new("-c"), OsStr::new(&script)]);
                program.argv.push(path.clone().into_os_string());
                let output = machine.in_child(&mount, &program)?;
                if output.ended != Ended::Code(ABSENT) {
                    let version = answer(name, &output)?;
                    return Ok(Some(FoundTool { real: path.clone(), path, version }));
                }
            }
        }
    }
    Ok(None)
}

/// The same as far as it stands written beside it: for a look that asks for the version alone, and not whether it starts.
#[must_use]
pub fn written(machine: &Machine, config: &Config, name: &str) -> Option<FoundTool> {
    for place in config.jobs_path() {
        let path = place.join(name);
        if machine.guard(&path).ok()? != Where::Here {
            return None;
        }
        if is_program(&path) {
            let real = path.canonicalize().ok()?;
            let version = written_version(name, &real)?;
            return Some(FoundTool { path, real, version: Ok(version) });
        }
    }
    None
}

/// The version of the program at this path, such as the executable of a running server: that it starts is shown.
///
/// # Errors
/// As for [`find`].
pub fn version_of(machine: &Machine, config: &Config, path: &Path) -> Result<String, ProbeError> {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    match machine.guard(path)? {
        Where::Here => {
            let failed = |error| ProbeError::failed(format!("find {}", config.tilde(path)), &error);
            let real = path.canonicalize().map_err(failed)?;
            match written_version(&name, &real) {
                Some(version) => Ok(version),
                None => told(&name, answered_at(machine, config, &name, path, &real)?),
            }
        }
        Where::InChild(mount) => {
            refuse_untrusted(config, &name, path)?;
            let mut program = asking(config, ["/bin/sh", "-c", "exec \"$0\" --version"].map(OsStr::new));
            program.argv.push(path.as_os_str().to_owned());
            told(&name, answer(&name, &machine.in_child(&mount, &program)?)?)
        }
    }
}

/// The same by its own word alone: what lies beside a program says nothing of whether it runs.
///
/// # Errors
/// As for [`find`]; nobody's programs are run before the configuration is trusted, known ones neither.
pub fn answered_version_of(machine: &Machine, config: &Config, path: &Path) -> Result<String, ProbeError> {
    if config.trust == Trust::Untrusted {
        return Err(ProbeError::NotTrusted { what: config.tilde(path) });
    }
    if machine.guard(path)? != Where::Here {
        return version_of(machine, config, path);
    }
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let failed = |error| ProbeError::failed(format!("find {}", config.tilde(path)), &error);
    let real = path.canonicalize().map_err(failed)?;
    told(&name, answered_at(machine, config, &name, path, &real)?)
}

/// The installers of runtimes that are on this machine, best first: "brew", "mise", "fnm", "volta", "asdf", "n", "nvm".
///
/// Only files are looked for; none is run.
#[must_use]
pub fn installers(machine: &Machine, config: &Config) -> Vec<&'static str> {
    let own = INSTALLER_PLACES.iter().map(|place| config.home.join(place));
    let places: Vec<PathBuf> =
        config.jobs_path().into_iter().chain(own).chain([PathBuf::from(LINUXBREW)]).collect();
    let is_here = |file: PathBuf| machine.guard(&file) == Ok(Where::Here) && file.is_file();
    let mut found: Vec<_> =
        INSTALLERS.into_iter().filter(|name| places.iter().any(|place| is_here(place.join(name)))).collect();
    // nvm is a function of the shell, and no program.
    if is_here(config.home.join(".nvm/nvm.sh")) {
        found.push("nvm");
    }
    found
}

fn answered_at(
    machine: &Machine,
    config: &Config,
    name: &str,
    path: &Path,
    real: &Path,
) -> Result<Answered, ProbeError> {
    refuse_untrusted(config, name, path)?;
    // What a shim answers depends on more than the shim.
    let is_shim = real.components().any(|it| it.as_os_str() == "shims")
        || ["volta-shim", "mise", "proto-shim"].iter().any(|shim| real.ends_with(shim));
    let identity = std::fs::metadata(real).ok().filter(|_| !is_shim).map(|it| identity(real, &it));
    let known = identity.as_ref().and_then(|it| lock(&machine.versions).get(it).cloned());
    if let Some((at, version)) = known
        && clock::instant().duration_since(at) < BELIEVED
    {
        return Ok(Ok(version));
    }
    let argument = if ["go", "hugo"].contains(&name) { "version" } else { "--version" };
    let mut program = asking(config, [path.as_os_str(), OsStr::new(argument)]);
    program.directory = directory(machine, config);
    let answer = ask(name, program)?;
    if let (Some(identity), Ok(version)) = (identity, &answer) {
        lock(&machine.versions).insert(identity, (clock::instant(), version.clone()));
    }
    Ok(answer)
}

/// Runs it; where it is not started there, once more in the root directory, lest the directory be what is wrong.
fn ask(name: &str, program: Program) -> Result<Answered, ProbeError> {
    match watch(&program, Orphans::Spare, program.deadline, &mut |_| ())? {
        Run::NotStarted(_) if program.directory.is_some() => {
            ask(name, Program { directory: None, ..program })
        }
        Run::NotStarted(error) if is_of_the_file(&error) => Ok(Err(error.to_string())),
        other => answer(name, &other.ended(&program)?),
    }
}

/// Whether the file itself is why it was not started: its interpreter is gone, or it is for another system.
fn is_of_the_file(error: &io::Error) -> bool {
    let is_unfit = [Errno::NOENT, Errno::ACCESS, Errno::NOEXEC];
    Errno::from_io_error(error).is_some_and(|it| is_unfit.contains(&it))
        || cfg!(target_os = "macos") && error.raw_os_error() == Some(BAD_ARCHITECTURE)
}

/// What it said; where it ended as what cannot start does, why.
fn answer(name: &str, output: &Output) -> Result<Answered, ProbeError> {
    let does_not_start = !output.succeeded()
        && !ON_NODE.contains(&name)
        // 127 is the loader's, and a shell's where an interpreter is missing; 126 a shell's, and shims'.
        && (RUNTIMES.contains(&name) || matches!(output.ended, Ended::Signal(_) | Ended::Code(126 | 127)));
    match said(output) {
        Err(why) if does_not_start => Ok(Err(why)),
        _ => version_in(name, output).map(Ok),
    }
}

/// Its version, for those to whom one that does not start is as good as one that does not answer.
fn told(name: &str, answered: Answered) -> Result<String, ProbeError> {
    answered.map_err(|why| ProbeError::failed(format!("ask {name} for its version"), &why))
}

fn identity(real: &Path, it: &Metadata) -> Identity {
    let changed = i128::from(it.mtime()) * 1_000_000_000 + i128::from(it.mtime_nsec());
    (real.to_owned(), it.dev(), it.ino(), it.size(), changed)
}

/// What stands written beside a program, so that it need not be started.
fn written_version(name: &str, real: &Path) -> Option<String> {
    let above = real.parent()?.parent()?;
    match name {
        "node" if real.file_name() == Some(OsStr::new("node")) => {
            let header = plain::text(&above.join("include/node/node_version.h")).ok()?;
            let number = |part: &str| {
                let line = header.lines().find_map(|line| line.strip_prefix(part))?;
                line.trim().parse::<u32>().ok()
            };
            let [major, minor, patch] =
                ["MAJOR", "MINOR", "PATCH"].map(|part| number(&format!("#define NODE_{part}_VERSION ")));
            Some(format!("{}.{}.{}", major?, minor?, patch?))
        }
        _ => npm_version(name, real),
    }
}

/// What npm's package says.
fn npm_version(name: &str, real: &Path) -> Option<String> {
    if name != "npm" {
        return None;
    }
    let package = plain::read(&real.parent()?.parent()?.join("package.json")).ok()?;
    let package: serde_json::Value = serde_json::from_slice(&package).ok()?;
    let version = package.get("version")?.as_str()?;
    (package.get("name")?.as_str()? == "npm").then(|| version.to_owned())
}

/// An untrusted configuration's programs are not run: those it names, and those that came with it.
fn refuse_untrusted(config: &Config, name: &str, path: &Path) -> Result<(), ProbeError> {
    if config.trust == Trust::Trusted {
        return Ok(());
    }
    let top = config.file.parent().unwrap_or(Path::new("/"));
    let is_within = |place: &Path| {
        path.starts_with(place) || path.canonicalize().is_ok_and(|real| real.starts_with(place))
    };
    let came_along = is_within(top) || config.runtime_path.iter().any(|place| is_within(place));
    if came_along || !KNOWN.contains(&name) {
        return Err(ProbeError::NotTrusted { what: config.tilde(path) });
    }
    Ok(())
}

/// Where shims look for what the project asks for: the worktree, where it may be entered.
fn directory(machine: &Machine, config: &Config) -> Option<PathBuf> {
    let worktree = config.mirror.as_ref().map(|mirror| &mirror.worktree)?;
    let enter =
        config.trust == Trust::Trusted && machine.guard(worktree) == Ok(Where::Here) && worktree.is_dir();
    enter.then(|| worktree.clone())
}

fn asking<const N: usize>(config: &Config, argv: [&OsStr; N]) -> Program {
    let mut environment: std::collections::BTreeMap<OsString, OsString> =
        config.environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let path = std::env::join_paths(config.jobs_path()).unwrap_or_default();
    environment.insert("PATH".into(), path);
    // A look downloads nothing, whatever a shim would like to do first.
    for (name, value) in [("COREPACK_ENABLE_NETWORK", "0"), ("COREPACK_ENABLE_DOWNLOAD_PROMPT", "0")] {
        environment.insert(name.into(), value.into());
    }
    Program {
        argv: argv.map(OsStr::to_owned).to_vec(),
        directory: None,
        environment,
        deadline: config.limits.timeout,
        limit: 64 << 10,
    }
}

fn version_in(name: &str, output: &Output) -> Result<String, ProbeError> {
    let said = told(name, said(output))?;
    let version = version::first_in(&said).map(|it| it.to_string());
    version.ok_or_else(|| ProbeError::unreadable(format!("what {name} says of its version"), &said.trim()))
}

/// What a program says of its version: its output, or its complaints where it says nothing else; else why it failed.
pub(super) fn said(output: &Output) -> Result<String, String> {
    let [stdout, stderr] =
        [&output.stdout, &output.stderr].map(|it| String::from_utf8_lossy(it).into_owned());
    if !output.succeeded() {
        let first = stderr.lines().map(str::trim).find(|line| !line.is_empty());
        let silent = || match output.ended {
            Ended::Signal(signal) => format!("signal {signal} ended it, without a word"),
            Ended::Code(_) => "it failed without a word".to_owned(),
        };
        return Err(first.map_or_else(silent, str::to_owned));
    }
    Ok(if stdout.trim().is_empty() { stderr } else { stdout })
}
