//! Jobs of others that do what the mirror's jobs do: a hand-made installation of before.
#![expect(clippy::disallowed_methods, reason = "probes are where files are read")]

use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::error::ProbeError;
use crate::probes::installation::job_text;
use crate::services::{Job, MARKER, Scope};

/// A job of somebody else's in the place of one of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rival {
    /// The manager that would load it.
    pub manager: &'static str,
    /// The job.
    pub job: Job,
    /// Its file.
    pub file: PathBuf,
    /// A file beside it that goes with it: the timer of a unit.
    pub timer: Option<PathBuf>,
    /// What its file says.
    pub text: String,
    /// Why it is in the way, in a phrase.
    pub why: String,
}

/// What a definition says that matters here.
#[derive(Debug, Default)]
struct Says {
    label: String,
    directory: Option<PathBuf>,
    arguments: Vec<String>,
    is_periodic: bool,
}

/// The jobs of others that have one of these labels, run in the worktree, or hold the mirror's port.
///
/// Files that carry our marker are none, but for those at these paths that name another configuration.
///
/// # Errors
/// A folder of jobs is there and cannot be read.
pub fn find(config: &Config, labels: &[String], ours: &[PathBuf]) -> Result<Vec<Rival>, ProbeError> {
    let units = config.environment.get("XDG_CONFIG_HOME").map(PathBuf::from);
    let units = units.filter(|it| it.is_absolute()).unwrap_or_else(|| config.home.join(".config"));
    let folders = [
        ("launchd", config.home.join("Library/LaunchAgents"), "plist"),
        ("systemd", units.join("systemd/user"), "service"),
    ];
    let mut rivals = Vec::new();
    for (manager, folder, extension) in folders {
        for file in files(&folder, extension)? {
            // What cannot be read is not loaded either.
            let Ok(Some(text)) = job_text(&file) else { continue };
            let is_ours = text.contains(MARKER)
                && (text.contains(&*config.file.to_string_lossy()) || !ours.contains(&file));
            if is_ours {
                continue;
            }
            let says = if manager == "launchd" { plist(&file) } else { unit(&file, &text, &config.home) };
            let Some(says) = says else { continue };
            if let Some(why) = in_the_way(config, &says, &file, labels, ours) {
                let name = if says.is_periodic || says.label.contains("sync") { "sync" } else { "serve" };
                let job = Job {
                    name: name.to_owned(),
                    label: says.label,
                    scope: Scope::Agent,
                    file: Some(file.clone()),
                };
                let timer = file.with_extension("timer");
                let timer = Some(timer).filter(|it| manager == "systemd" && it.is_file());
                rivals.push(Rival { manager, job, file, timer, text, why });
            }
        }
    }
    Ok(rivals)
}

fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, ProbeError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(ProbeError::failed(format!("read {}", folder.display()), &error)),
    };
    let of_kind = |path: &PathBuf| path.extension().is_some_and(|it| it == extension);
    let mut files: Vec<PathBuf> = entries.flatten().map(|it| it.path()).filter(of_kind).collect();
    files.sort();
    Ok(files)
}

fn in_the_way(
    config: &Config,
    says: &Says,
    file: &Path,
    labels: &[String],
    ours: &[PathBuf],
) -> Option<String> {
    if labels.contains(&says.label) || ours.iter().any(|it| it == file) {
        return Some(format!("it has the label {}", says.label));
    }
    let worktree = config.mirror.as_ref().map(|it| it.worktree.clone());
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let words =
        says.arguments.iter().flat_map(|it| it.split(|c: char| c.is_whitespace() || "'\";=".contains(c)));
    let paths = words.filter(|it| it.starts_with('/')).map(PathBuf::from).chain(says.directory.clone());
    if let Some(worktree) = worktree {
        let place = real(&worktree);
        let mut paths = paths;
        if paths.any(|it| it.starts_with(&worktree) || real(&it).starts_with(&place)) {
            return Some(format!("it works in {}", config.tilde(&worktree)));
        }
    }
    let port = config.server.as_ref()?.listen.port();
    let command = says.arguments.join(" ");
    let names_port = crate::init::framework::port_of_command(&command) == Some(port)
        || command
            .split(|c: char| c.is_whitespace() || "/'\"".contains(c))
            .any(|it| it.ends_with(&format!(":{port}")));
    names_port.then(|| format!("it is told to hold port {port}"))
}

fn plist(file: &Path) -> Option<Says> {
    let value: plist::Value = plist::from_bytes(&crate::plain::read(file).ok()?).ok()?;
    let dictionary = value.as_dictionary()?;
    let text = |key: &str| dictionary.get(key).and_then(plist::Value::as_string).map(str::to_owned);
    let list = dictionary.get("ProgramArguments").and_then(plist::Value::as_array);
    let arguments = list.into_iter().flatten().filter_map(|it| it.as_string().map(str::to_owned));
    Some(Says {
        label: text("Label")?,
        directory: text("WorkingDirectory").map(PathBuf::from),
        arguments: text("Program").into_iter().chain(arguments).collect(),
        is_periodic: dictionary.contains_key("StartInterval")
            || dictionary.contains_key("StartCalendarInterval"),
    })
}

fn unit(file: &Path, text: &str, home: &Path) -> Option<Says> {
    let home = home.to_string_lossy();
    let mut says = Says {
        label: file.file_name()?.to_string_lossy().into_owned(),
        is_periodic: file.with_extension("timer").is_file(),
        ..Says::default()
    };
    for line in text.replace("\\\n", " ").lines() {
        let Some((key, value)) = line.split_once('=') else { continue };
        let value = value.trim().replace("%h", &home);
        match key.trim() {
            "WorkingDirectory" => {
                says.directory = Some(value.trim_start_matches('-').replace('~', &home).into());
            }
            "ExecStart" => says.arguments.extend(value.split_whitespace().map(str::to_owned)),
            _ => {}
        }
    }
    Some(says)
}
