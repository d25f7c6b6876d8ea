//! `housecall rescued`: what was set aside, what is in it, and how to get it back.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::Call;
use crate::cli::RescuedCommand;
use crate::config::{Config, ConfigError, Mirror};
use crate::exit::Exit;
use crate::fixes::hands::aside::restore;
use crate::fixes::hands::commands::shell;
use crate::fixes::lock::Lock;
use crate::probes::git::{self, FOLDER, Rescue};
use crate::report::json;
use crate::report::words::{bytes, clean, clean_line};
use crate::selection::nearest;

/// How many files or commits are shown of one.
const SHOWN: usize = 40;

/// The most commits that are named in one command.
const PICKED: usize = 5;

/// How long another one that is at work is waited for.
const WAIT: Duration = Duration::from_secs(10);

/// What `--json` prints.
#[derive(Serialize)]
struct Listing<'a> {
    schema: &'static str,
    rescued: Vec<Listed<'a>>,
}

#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    what: String,
    bytes: u64,
    #[serde(rename = "ref")]
    reference: Option<&'a str>,
    patch: Option<&'a Path>,
    place: Option<&'a Path>,
    files: Vec<String>,
    commits: Vec<&'a str>,
    restore: String,
}

/// Lists what was set aside, or does with one of it what was asked.
pub(super) fn run(call: &mut Call<'_, '_>, command: Option<RescuedCommand>) -> Result<Exit, ConfigError> {
    let config = call.load()?;
    let Some(mirror) = config.mirror.as_deref() else {
        call.console.error("no [mirror] is configured");
        return Ok(Exit::Usage);
    };
    let (rescued, unseen) = match git::rescued(&config, mirror) {
        Ok(found) => found,
        Err(error) => {
            call.console.error(error);
            return Ok(Exit::Undetermined);
        }
    };
    if let Some(error) = &unseen {
        call.console.error(format!("what stays in the worktree itself is not listed: {error}"));
    }
    Ok(match command {
        None if unseen.is_some() && rescued.is_empty() && !call.is_json() => Exit::Undetermined,
        None => {
            list(call, &rescued);
            if unseen.is_some() { Exit::Undetermined } else { Exit::Healthy }
        }
        Some(RescuedCommand::Show { name }) => show(call, &config, &rescued, &name),
        Some(RescuedCommand::Restore { name, to }) => {
            let directory = call.surroundings.directory.clone();
            let to = to.map(|to| directory.join(to));
            let Some(rescue) = find(call, &rescued, &name) else { return Ok(Exit::Usage) };
            let to = to.unwrap_or_else(|| directory.join(format!("rescued-{}", rescue.name)));
            give_back(call, &config, mirror, rescue, &to.components().collect::<std::path::PathBuf>())
        }
        Some(RescuedCommand::Drop { name, yes }) => {
            let Some(rescue) = find(call, &rescued, &name) else { return Ok(Exit::Usage) };
            let question =
                format!("delete {} for good: {}?", clean_line(&rescue.name), clean_line(&what(rescue)));
            if yes || call.console.terminal.can_ask && call.console.ask(&question) {
                forget(call, &config, mirror, rescue)
            } else {
                call.console.error(format!("{} is kept: --yes deletes it for good", rescue.name));
                Exit::Unhealthy
            }
        }
    })
}

/// The one of that name, or the only one whose name begins so.
fn find<'a>(call: &mut Call<'_, '_>, rescued: &'a [Rescue], name: &str) -> Option<&'a Rescue> {
    let short = name.rsplit('/').next().unwrap_or(name);
    if let Some(exactly) = rescued.iter().find(|it| it.name == short) {
        return Some(exactly);
    }
    let all: Vec<&Rescue> = rescued.iter().filter(|it| it.name.starts_with(short)).collect();
    match all.as_slice() {
        [one] if !short.is_empty() => return Some(one),
        [] => {
            let near = nearest(short, rescued.iter().map(|it| it.name.clone()));
            let hint = near.map_or_else(
                || "`housecall rescued` lists all".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            call.console.error(format!("nothing was set aside as `{name}`: {hint}"));
        }
        many => {
            let names: Vec<&str> = many.iter().map(|it| it.name.as_str()).collect();
            call.console.error(format!("`{name}` may be any of {}", names.join(", ")));
        }
    }
    None
}

fn list(call: &mut Call<'_, '_>, rescued: &[Rescue]) {
    let command = call.command();
    if call.is_json() {
        let listed = rescued.iter().map(|it| listed(it, &command)).collect();
        let listing = Listing { schema: "housecall.rescued/1", rescued: listed };
        let text = serde_json::to_string_pretty(&listing).unwrap_or_default();
        call.console.print(&json::safe(&text));
        return;
    }
    if rescued.is_empty() {
        call.console.print("nothing was set aside\n");
        return;
    }
    let mut text = String::new();
    let width = rescued.iter().map(|it| it.name.chars().count()).max().unwrap_or_default();
    for rescue in rescued {
        let (name, size) = (clean_line(&rescue.name), bytes(rescue.bytes));
        let _ = writeln!(text, "{name:width$}  {}, {size}", clean_line(&what(rescue)));
    }
    let total = bytes(rescued.iter().map(|it| it.bytes).sum());
    let _ = writeln!(
        text,
        "\n{total} in all, kept until you drop it\n  show  {command} rescued show NAME\n  back  {command} rescued restore NAME"
    );
    call.console.print(&text);
}

fn listed<'a>(rescue: &'a Rescue, command: &str) -> Listed<'a> {
    let reference = rescue.reference.as_ref();
    let files = reference.iter().flat_map(|it| &it.files).map(|(letter, file)| format!("{letter} {file}"));
    Listed {
        name: &rescue.name,
        what: what(rescue),
        bytes: rescue.bytes,
        reference: reference.map(|it| it.name.as_str()),
        patch: rescue.patch.as_deref(),
        place: rescue.place.as_deref(),
        files: files.collect(),
        commits: reference.iter().flat_map(|it| &it.commits).map(|(sha, _)| sha.as_str()).collect(),
        restore: format!("{command} rescued restore {}", shell(&rescue.name)),
    }
}

/// What it holds, in a few words.
fn what(rescue: &Rescue) -> String {
    let count = |count: usize, one: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        many => Some(format!("{many} {one}s")),
    };
    let mut parts = Vec::new();
    if let Some(reference) = &rescue.reference {
        parts.extend(count(reference.files.len(), "file"));
        parts.extend(count(reference.commits.len(), "commit"));
        parts.extend(reference.staged.is_some().then(|| "what was staged".to_owned()));
    }
    parts.extend(rescue.operation.as_ref().map(|name| format!("a {name} under way")));
    if let Some(inside) = &rescue.inside {
        return format!("what was left in the submodule {}", inside.display());
    }
    let kept = rescue.kept.iter().filter(|name| *name != FOLDER).cloned().collect::<Vec<_>>();
    match kept.as_slice() {
        [] => {}
        [one] => parts.push(one.clone()),
        [one, more @ ..] => parts.push(format!("{one} and {} more", more.len())),
    }
    if rescue.reference.is_none() {
        parts.extend(rescue.patch.as_ref().map(|_| "the patch of a submodule".to_owned()));
    }
    if parts.is_empty() { "nothing that differs".to_owned() } else { parts.join(", ") }
}

fn show(call: &mut Call<'_, '_>, config: &Config, rescued: &[Rescue], name: &str) -> Exit {
    let Some(rescue) = find(call, rescued, name) else { return Exit::Usage };
    let command = call.command();
    if call.is_json() {
        let text = serde_json::to_string_pretty(&listed(rescue, &command)).unwrap_or_default();
        call.console.print(&json::safe(&text));
        return Exit::Healthy;
    }
    let mut rows: Vec<(&str, String)> = Vec::new();
    if let Some(reference) = &rescue.reference {
        rows.push(("ref", reference.name.clone()));
        some(&mut rows, "file", reference.files.iter().map(|(letter, file)| format!("{letter} {file}")));
        let commit = |(sha, subject): &(String, String)| format!("{} {subject}", sha.get(..7).unwrap_or(sha));
        some(&mut rows, "commit", reference.commits.iter().map(commit));
    }
    rows.extend(rescue.patch.iter().map(|path| ("patch", config.tilde(path))));
    rows.extend(rescue.place.iter().map(|path| ("kept", config.tilde(path))));
    some(&mut rows, "has", rescue.kept.iter().cloned());
    rows.push(("back", format!("{command} rescued restore {}", shell(&rescue.name))));
    let mut text = format!("{}: {}, {}\n", rescue.name, what(rescue), bytes(rescue.bytes));
    for (label, value) in rows {
        let _ = writeln!(text, "  {label:6}  {}", clean_line(&value));
    }
    call.console.print(&clean(&text));
    Exit::Healthy
}

/// A row each, and one for those that are not shown.
fn some(rows: &mut Vec<(&str, String)>, label: &'static str, values: impl ExactSizeIterator<Item = String>) {
    let more = values.len().saturating_sub(SHOWN);
    rows.extend(values.take(SHOWN).map(|value| (label, value)));
    rows.extend((more > 0).then(|| (label, format!("and {more} more"))));
}

fn give_back(call: &mut Call<'_, '_>, config: &Config, mirror: &Mirror, rescue: &Rescue, to: &Path) -> Exit {
    if let Err(error) = restore::restore(config, mirror, rescue, to) {
        call.console.error(error);
        return Exit::Unhealthy;
    }
    let mut text = format!("{} has {}\n", config.tilde(to), what(rescue));
    for (label, command) in ways(config, mirror, rescue, to) {
        let _ = writeln!(text, "  {label}  {command}");
    }
    call.console.print(&clean(&text));
    Exit::Healthy
}

/// The commands that bring it into a person's own repository: theirs to give.
fn ways(config: &Config, mirror: &Mirror, rescue: &Rescue, to: &Path) -> Vec<(&'static str, String)> {
    let mut ways = Vec::new();
    let quoted = |path: &Path| shell(&config.tilde(path));
    if let Some(inside) = &rescue.inside {
        let repository = quoted(&mirror.repository.join(inside));
        let has = |name: &str| rescue.kept.iter().any(|it| it == name);
        if has("commits") {
            let patches = quoted(&to.join("commits"));
            ways.push(("commits ", format!("git -C {repository} am {patches}/*.patch")));
        }
        if has("files") {
            let patch = quoted(&to.join("changes.patch"));
            ways.push(("edits   ", format!("git -C {repository} apply --3way {patch}")));
        }
        return ways;
    }
    let repository = quoted(&mirror.repository);
    let Some(reference) = &rescue.reference else { return ways };
    if !reference.files.is_empty() {
        let patch = quoted(&to.join("changes.patch"));
        ways.push(("edits   ", format!("git -C {repository} apply --3way {patch}")));
    }
    let commits: Vec<&str> = reference.commits.iter().map(|(sha, _)| sha.as_str()).collect();
    if !commits.is_empty() {
        if commits.len() <= PICKED {
            ways.push(("commits ", format!("git -C {repository} cherry-pick {}", commits.join(" "))));
        }
        let (name, from) = (&rescue.name, &reference.commit);
        ways.push(("branch  ", format!("git -C {repository} branch rescued-{name} {from}")));
    }
    if let (Some(operation), Some(head)) = (&rescue.operation, &reference.head) {
        let (worktree, kept) = (quoted(&to.join("worktree")), quoted(&to.join(FOLDER)));
        ways.push((
            "go on   ",
            format!(
                "git -C {repository} worktree add --no-checkout --detach {worktree} {head} && \
                 cp -R {kept}/. \"$(git -C {worktree} rev-parse --absolute-git-dir)\" && \
                 git -C {worktree} restore --worktree --source={} -- . && \
                 git -C {worktree} status  # the {operation}, in a worktree of its own",
                reference.commit
            ),
        ));
    }
    ways
}

fn forget(call: &mut Call<'_, '_>, config: &Config, mirror: &Mirror, rescue: &Rescue) -> Exit {
    let lock = match Lock::take(config, "rescued", WAIT, &mut |_| ()) {
        Ok(lock) => lock,
        Err(busy) => {
            call.console.error(busy);
            return Exit::Undetermined;
        }
    };
    if let Err(error) = restore::forget(config, mirror, rescue, &lock) {
        call.console.error(error);
        return Exit::Unhealthy;
    }
    call.console.print(&format!("{} is deleted\n", clean_line(&rescue.name)));
    Exit::Healthy
}
