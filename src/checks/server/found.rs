//! Who serves an address, as the looks at the server share it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use crate::config::{Server, Serving};
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::probes::keeper::{Keeper, Kept};
use crate::probes::processes::Process;
use crate::probes::sockets::{Listener, rank};
use crate::verdict::{Fact, Verdict};

/// A listener and the process that answers for it.
#[derive(Debug, Clone)]
pub struct Found {
    /// The socket.
    pub listener: Listener,
    /// The first of the processes that hold it: a parent before its children.
    pub process: Arc<Process>,
}

/// Programs that run or start another one: the name that tells is a later word.
const CARRIERS: [&str; 24] = [
    "node",
    "nodejs",
    "bun",
    "bunx",
    "deno",
    "npm",
    "npx",
    "pnpm",
    "pnpx",
    "yarn",
    "corepack",
    "sh",
    "bash",
    "zsh",
    "dash",
    "env",
    "exec",
    "run",
    "run-script",
    "dlx",
    "x",
    "nice",
    "caffeinate",
    "start",
];
/// Programs that run a script which only the project itself names.
const RUNNERS: [&str; 5] = ["npm", "pnpm", "yarn", "bun", "deno"];
/// What such scripts run.
const ENGINES: [&str; 4] = ["node", "nodejs", "bun", "deno"];
/// A parent of a parent of … : more than this is a circle of reused ids.
const GENERATIONS: usize = 16;

/// The listener that a connection to this address reaches: the one that names it most exactly.
#[must_use]
pub fn on_port(listeners: &[Listener], address: SocketAddr) -> Option<&Listener> {
    let ranked = listeners.iter().filter_map(|it| Some((rank(it.address, address)?, it)));
    ranked.min_by_key(|(rank, _)| *rank).map(|(_, it)| it)
}

/// Who serves the mirror's address; `None`: nobody.
///
/// # Errors
/// Where the kernel cannot be asked, or does not say whose the socket is.
pub fn owner_of(cx: &Cx, server: &Server) -> Result<Option<Found>, ProbeError> {
    let listeners = cx.listening()?;
    let Some(listener) = on_port(&listeners, server.listen) else { return Ok(None) };
    let process = first_process(cx, listener)?;
    let why = match listener.uid {
        Some(uid) => format!("it belongs to the user {uid}, and the system does not say more"),
        None => "the system does not say".to_owned(),
    };
    let unknown = || ProbeError::failed(format!("tell who listens on {}", server.listen), &why);
    Ok(Some(Found { listener: listener.clone(), process: process.ok_or_else(unknown)? }))
}

/// Where the mirror's server runs, as the kernel names it: the worktree, links resolved.
///
/// # Errors
/// Where the worktree cannot be looked at, or is not the mirror's.
pub fn place_of(cx: &Cx, server: &Server) -> Result<PathBuf, ProbeError> {
    match &cx.config().mirror {
        Some(mirror) if mirror.worktree == server.directory => Ok(cx.checkout()?.top.clone()),
        _ => Ok(server.directory.clone()),
    }
}

/// The first of a listener's processes that is still there.
pub(super) fn first_process(cx: &Cx, listener: &Listener) -> Result<Option<Arc<Process>>, ProbeError> {
    for &pid in &listener.pids {
        if let Some(process) = cx.process(pid)?.as_ref() {
            return Ok(Some(Arc::new(process.clone())));
        }
    }
    Ok(None)
}

/// The process and those above it, youngest first.
pub(super) fn lineage(cx: &Cx, process: &Process) -> Vec<Process> {
    let mut line = vec![process.clone()];
    while let Some(parent) = line.last().and_then(|it| it.parent).filter(|&it| it > 1)
        && line.len() < GENERATIONS
        && let Ok(parent) = cx.process(parent)
        && let Some(parent) = parent.as_ref()
    {
        line.push(parent.clone());
    }
    line
}

/// Whether the process is the server that the keeper or the service manager started, or comes from it.
#[must_use]
pub fn is_kept(cx: &Cx, process: &Process) -> bool {
    if let Ok(job) = cx.serve_job()
        && let Some(pid) = job.as_ref().as_ref().and_then(|it| it.observed.pid)
    {
        return lineage(cx, process).iter().any(|it| it.pid == pid);
    }
    kept_since(cx, process).is_some()
}

/// When the keeper started it, by the clock of that moment; `None`: it is not the keeper's.
pub(super) fn kept_since(cx: &Cx, process: &Process) -> Option<Timestamp> {
    let keeper = cx.keeper().ok()?;
    let (Keeper::Running(keeper) | Keeper::Died(keeper)) = &*keeper else { return None };
    let Kept::Started { pid, identity, at, .. } = keeper.server else { return None };
    lineage(cx, process).iter().any(|it| it.pid == pid && it.identity == identity).then_some(at)
}

/// Whether the process is an ancestor of this one, or this one itself.
#[must_use]
pub fn runs_this_command(cx: &Cx, process: &Process) -> bool {
    match cx.process(std::process::id()).as_deref() {
        Ok(Some(own)) => lineage(cx, own).iter().any(|it| it.pid == process.pid),
        _ => true,
    }
}

/// Until when the kept server may still be starting.
#[must_use]
pub fn starting(cx: &Cx, server: &Server) -> Option<Timestamp> {
    if let Some(job) = &*cx.serve_job().ok()? {
        let until = job.observed.since?.checked_add(server.ready.within).ok()?;
        return (cx.now() < until).then_some(until);
    }
    match &*cx.keeper().ok()? {
        Keeper::Running(keeper) => keeper.starting_until(server.ready.within, cx.now()),
        Keeper::Absent | Keeper::Died(_) => None,
    }
}

/// The kind of server that the configuration names, if this process, or one that started it, is of that kind.
#[must_use]
pub fn kind_of(cx: &Cx, server: &Server, process: &Process) -> Option<String> {
    let line = lineage(cx, process);
    match &server.run {
        Serving::Static(_) => {
            let is_ours =
                |it: &&Process| is_named(it, "housecall") && it.argv.iter().any(|word| word == "serve");
            line.iter().find(is_ours).map(|_| "housecall serve".to_owned())
        }
        Serving::Program(argv) => {
            if let Some(name) = telling(argv)
                && line.iter().any(|it| is_named(it, &name))
            {
                return Some(name);
            }
            let runs_a_script = argv.first().is_some_and(|it| RUNNERS.contains(&word_of(it).as_str()));
            let engine = process.executable.as_ref().map(|it| word_of(it.to_string_lossy()))?;
            (runs_a_script && ENGINES.contains(&engine.as_str())).then_some(engine)
        }
    }
}

/// The word of a command line that says what it runs: "astro" of `node node_modules/.bin/astro dev`.
fn telling(argv: &[String]) -> Option<String> {
    let words = argv.iter().filter(|it| !it.starts_with('-') && !it.contains('='));
    let names = words.map(word_of);
    let mut names = names.skip_while(|it| CARRIERS.contains(&it.as_str()));
    let first = names.next().or_else(|| argv.first().map(word_of))?;
    // An interpreter that runs a script or a module is told by that.
    if first.starts_with("python") || first == "ruby" || first == "php" || first == "perl" {
        return names.next().or(Some(first));
    }
    Some(first)
}

fn is_named(process: &Process, name: &str) -> bool {
    let executable = process.executable.iter().map(|it| it.to_string_lossy().into_owned());
    let words = process.argv.iter().filter(|it| !it.starts_with('-')).take(4).cloned();
    // A package's program may be a file inside it: `…/node_modules/astro/bin/astro.mjs`, `…/vite/bin/vite.js`.
    executable.chain(words).any(|word| {
        word_of(&word) == name
            || word.contains(&format!("/node_modules/{name}/"))
            || word.starts_with(&format!("{name}-"))
    })
}

/// A word without its directories and its script's ending.
pub(super) fn word_of(word: impl AsRef<str>) -> String {
    let path = Path::new(word.as_ref());
    let name =
        path.file_name().map_or_else(|| word.as_ref().to_owned(), |it| it.to_string_lossy().into_owned());
    for ending in [".js", ".mjs", ".cjs", ".ts", ".py", ".rb", ".sh"] {
        if let Some(bare) = name.strip_suffix(ending) {
            return bare.to_owned();
        }
    }
    name
}

/// A process as evidence: "pid 9349, node …/.bin/astro dev".
pub(super) fn who(process: &Process) -> String {
    match process.command() {
        command if command.is_empty() => format!("pid {}", process.pid),
        command => format!("pid {}, {command}", process.pid),
    }
}

/// The verdict with who the process is, where it runs and since when.
pub(super) fn with_process(verdict: Verdict, process: &Process) -> Verdict {
    let verdict = verdict.with("who", who(process));
    let verdict = match &process.directory {
        Some(directory) => verdict.with("directory", directory.as_path()),
        None => verdict,
    };
    verdict.with("since", Fact::Time(process.started))
}
