//! `runtime-version`: the tools that the jobs find, and the one that serves now, are of the versions asked for.

use std::path::{Path, PathBuf};

use nodejs_semver::{Range, Version};

use crate::check::{Check, CheckId, Group, Look, Needs, Severity};
use crate::checks::runtime::tools_present;
use crate::config::Tool;
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::fixes::hands::commands::shell;
use crate::probes::git::Worktree;
use crate::probes::processes::DELETED;
use crate::probes::tools::FoundTool;
use crate::verdict::{Fact, Seen, Verdict};

/// The tools are of the versions asked for.
pub static CHECK: Check = Check {
    id: CheckId("runtime-version"),
    group: Group::Runtime,
    summary: "the tool that the jobs find, and the one that serves, is of the version asked for",
    docs: include_str!("runtime_version.md"),
    severity: Severity::Error,
    requires: &[Needs::all(&tools_present::CHECK)],
    fix: None,
    look: Look::Tool(look),
};

/// What a tool must be, and who says so.
struct Asked {
    range: Range,
    words: String,
    by: String,
}

/// Whether a tool of the configuration is known not to do: what needs it would not start.
#[must_use]
pub fn fails(cx: &Cx) -> bool {
    failure(cx).is_some()
}

/// Why a server would not start: a tool of the configuration that is known not to do.
#[must_use]
pub fn failure(cx: &Cx) -> Option<String> {
    cx.config().tools.iter().find_map(|tool| match to_start(cx, tool) {
        Ok(Err(Verdict::Fail(finding))) => Some(finding.message),
        _ => None,
    })
}

/// What a job that starts now would find: the version, where, and what is asked of it; or all that is to be said.
type ToStart = Result<(String, PathBuf, Asked), Verdict>;

fn to_start(cx: &Cx, tool: &Tool) -> Result<ToStart, ProbeError> {
    let name = &tool.name;
    let Some(found) = &*cx.tool(name)? else {
        return Ok(Err(Verdict::fail(format!("the jobs do not find `{name}`"))));
    };
    let Ok(version) = &found.version else { return Ok(Err(dead(name, found))) };
    let note = format!("{name} {version}");
    let Some(asked) = asked(cx, tool)? else {
        return Ok(Err(Verdict::pass_with(note).with("path", found.path.as_path())));
    };
    if !is_within(version, &asked)? {
        let message = format!("the jobs run {note}, and {} asks for {}", asked.by, asked.words);
        let verdict = Verdict::fail(message)
            .with("expected", asked.words.as_str())
            .with("actual", Fact::Version(version.clone()))
            .with("path", found.path.as_path());
        let installers = cx.installers()?;
        return Ok(Err(match install_command(name, Some(&asked.range), &installers) {
            Some(command) => verdict.with("install", Fact::Command(command)),
            None => verdict,
        }));
    }
    Ok(Ok((version.clone(), found.path.clone(), asked)))
}

fn look(cx: &Cx, tool: &Tool) -> Seen {
    let name = &tool.name;
    let (version, path, asked) = match to_start(cx, tool)? {
        Ok(found) => found,
        Err(verdict) => return Ok(verdict),
    };
    if name == "node"
        && let Some((pid, program)) = serving(cx)?
    {
        if program.to_string_lossy().ends_with(DELETED) {
            return Ok(Verdict::fail("the node that serves was removed from the disk after it started")
                .with("expected", asked.words)
                .with("who", Fact::Pid(pid))
                .with("path", program)
                .with("the jobs find", Fact::Version(version))
                .with("restart", Fact::Command("housecall restart".to_owned())));
        }
        let serving = cx.version_of(&program)?;
        if !is_within(&serving, &asked)? {
            let message = format!("node {serving} serves, and {} asks for {}", asked.by, asked.words);
            return Ok(Verdict::fail(message)
                .with("expected", asked.words.as_str())
                .with("actual", Fact::Version(serving.as_ref().clone()))
                .with("who", Fact::Pid(pid))
                .with("path", program)
                .with("the jobs find", Fact::Version(version))
                .with("restart", Fact::Command("housecall restart".to_owned())));
        }
    }
    Ok(Verdict::pass_with(format!("{name} {version}")).with("asked for", asked.words).with("path", path))
}

/// A program that is there and does not start, as where an upgrade took a library away that it was built for.
pub(super) fn dead(name: &str, found: &FoundTool) -> Verdict {
    let why = found.version.as_ref().err().map_or("", String::as_str);
    let verdict = Verdict::fail(format!("the jobs find `{name}`, and it does not start"))
        .with("it says", why)
        .with("path", found.path.as_path());
    if let Some(formula) = formula(&found.real) {
        return verdict.with("reinstall", Fact::Command(format!("brew reinstall {formula}")));
    }
    if !why.to_lowercase().contains("librar") {
        return verdict;
    }
    let lists = if cfg!(target_os = "macos") { "otool -L" } else { "ldd" };
    let program = shell(&found.real.to_string_lossy());
    verdict.with("what it needs", Fact::Command(format!("{lists} {program}")))
}

/// The formula that Homebrew installed a program by: its folder in the Cellar.
fn formula(real: &Path) -> Option<String> {
    let mut folders = real.iter().skip_while(|it| *it != "Cellar");
    Some(shell(&folders.nth(1)?.to_string_lossy()))
}

/// The configuration's word counts first, then the project's own.
fn asked(cx: &Cx, tool: &Tool) -> Result<Option<Asked>, ProbeError> {
    if let Some(range) = &tool.range {
        let by = cx.config().tilde(&cx.config().file);
        return Ok(Some(Asked { range: range.clone(), words: range.to_string(), by }));
    }
    let project = cx.project()?;
    let Some((words, file)) = project.ranges.get(&tool.name) else { return Ok(None) };
    let file = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
    let range = Range::parse(words)
        .map_err(|error| ProbeError::unreadable(format!("`{words}` in {file}"), &error))?;
    Ok(Some(Asked { range, words: words.clone(), by: file }))
}

fn is_within(version: &str, asked: &Asked) -> Result<bool, ProbeError> {
    let version = Version::parse(version)
        .map_err(|error| ProbeError::unreadable(format!("the version `{version}`"), &error))?;
    Ok(asked.range.satisfies_with_prerelease(&version, true))
}

/// The node that serves the mirror from its worktree now. Somebody else's server is not this check's business.
fn serving(cx: &Cx) -> Result<Option<(u32, PathBuf)>, ProbeError> {
    let Some(server) = &cx.config().server else { return Ok(None) };
    let listen = server.listen;
    let top = match &*cx.worktree()? {
        Worktree::Present(checkout) => checkout.top.clone(),
        _ => server.directory.clone(),
    };
    let listening = cx.listening()?;
    let answers = listening.iter().filter(|it| {
        it.address == listen || it.address.port() == listen.port() && it.address.ip().is_unspecified()
    });
    for pid in answers.flat_map(|it| &it.pids) {
        let Some(process) = &*cx.process(*pid)? else { continue };
        let is_ours = process.directory.as_ref().is_some_and(|it| it.starts_with(&top));
        if let Some(program) = &process.executable
            && is_ours
            && program
                .file_name()
                .is_some_and(|it| it == "node" || it.to_string_lossy() == format!("node{DELETED}"))
        {
            return Ok(Some((*pid, program.clone())));
        }
    }
    Ok(None)
}

/// The command by which the best installer that is here brings a tool of that range.
pub(super) fn install_command(name: &str, range: Option<&Range>, installers: &[&str]) -> Option<String> {
    let major = range.and_then(Range::min_version).map(|version| version.major()).filter(|major| *major > 0);
    if ["npm", "pnpm", "yarn"].contains(&name) {
        let wanted = major.map_or_else(String::new, |major| format!("@{major}"));
        return Some(format!("npm install --global {name}{wanted}"));
    }
    if name != "node" {
        return installers.contains(&"brew").then(|| format!("brew install {name}"));
    }
    let version = major.map_or_else(|| "lts".to_owned(), |major| major.to_string());
    let at = major.map_or_else(String::new, |major| format!("@{major}"));
    Some(match *installers.first()? {
        "brew" => format!("brew install node{at}"),
        "mise" => format!("mise install node@{version}"),
        "fnm" => major.map_or_else(|| "fnm install --lts".to_owned(), |major| format!("fnm install {major}")),
        "volta" => format!("volta install node{at}"),
        "asdf" => {
            format!("asdf install nodejs latest{}", major.map_or_else(String::new, |it| format!(":{it}")))
        }
        "nvm" => major.map_or_else(|| "nvm install --lts".to_owned(), |major| format!("nvm install {major}")),
        "n" => format!("n {version}"),
        _ => return None,
    })
}
