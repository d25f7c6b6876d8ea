//! Infers a configuration from what a repository and its machine show, and says from where each value comes.
#![expect(clippy::disallowed_methods, reason = "what is inferred is read at the edge")]

pub(crate) mod framework;
mod jobs;
mod project;
mod repository;
mod text;
pub mod write;

use std::path::{Path, PathBuf};

use crate::config::{Surroundings, values};
use crate::report::words::is_dangerous;

pub use framework::Framework;
pub use jobs::FoundJob;
pub use project::{Installer, Project};
pub use repository::Repository;

/// All that was inferred.
#[derive(Debug, Clone)]
pub struct Inferred {
    /// The mirror's name.
    pub name: String,
    /// The repository.
    pub repository: Repository,
    /// What its files say.
    pub project: Project,
    /// What serves it, with its command.
    pub serving: Option<Serves>,
    /// Directories that the jobs' PATH needs, and why.
    pub path: Vec<(PathBuf, String)>,
    /// Jobs that serve this site already.
    pub jobs: Vec<FoundJob>,
    /// Where the state goes.
    pub state: PathBuf,
    /// Where the worktree goes, and why there.
    pub worktree: (PathBuf, String),
}

/// What serves a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serves {
    /// "astro"; "static files".
    pub what: String,
    /// The program, or the directory that Housecall serves itself.
    pub run: Result<Vec<String>, PathBuf>,
    /// The port.
    pub port: u16,
    /// What says so.
    pub from: String,
    /// What says so of the port.
    pub port_from: String,
    /// What it comes to, where that is not known to watch its files.
    pub unwatched: Option<String>,
}

/// One line of what was inferred.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What: "upstream".
    pub what: &'static str,
    /// Its value.
    pub value: String,
    /// What says so.
    pub from: String,
}

/// Why nothing can be inferred.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InitError {
    /// There is no repository here.
    #[error("{0} is in no git repository: run this in the repository of a site")]
    NoRepository(String),
    /// git cannot open it.
    #[error("the repository cannot be read: {0}")]
    Unreadable(String),
    /// There is nothing to mirror.
    #[error("{0} has no remote to mirror: `git remote add origin URL` names one")]
    NoRemote(String),
    /// The remote's branch is not known.
    #[error("no branch of `{0}` is known: `git fetch {0}` asks for them")]
    NoBranch(String),
    /// There is a configuration already; nothing is overwritten.
    #[error("{0} is there already, and is left as it is")]
    Exists(String),
    /// This repository is registered already.
    #[error("this repository has a mirror already: {0}")]
    Registered(String),
    /// A registered file does not say which repository it is about, and may be this one's.
    #[error("{0} makes no sense, and may be about this repository: mend it, or move it away")]
    Unclear(String),
    /// The file cannot be written.
    #[error("cannot write {0}: {1}")]
    NotWritten(String, String),
}

/// Infers all from the repository that the directory is in.
///
/// # Errors
/// There is no repository, or nothing in it to mirror.
pub fn infer(surroundings: &Surroundings) -> Result<Inferred, InitError> {
    let repository = repository::read(surroundings)?;
    let project = project::read(&repository.top);
    let name = name_of(&repository.top);
    let jobs = jobs::find(surroundings, &repository, &name);
    let mut serving = framework::serving(&repository.top, &project);
    if let (Some(serving), Some(job)) = (&mut serving, jobs.iter().find(|job| job.port.is_some())) {
        let port = job.port.unwrap_or(serving.port);
        serving.move_to(port, format!("the job {}", job.label));
    }
    let state = surroundings.state_home().join(&name);
    let taken = jobs.iter().find_map(|job| Some((job.worktree.clone()?, format!("the job {}", job.label))));
    let worktree = taken.unwrap_or_else(|| (state.join("worktree"), "a place of its own".to_owned()));
    let path = runtime_path(surroundings, &project, serving.as_ref(), &jobs);
    Ok(Inferred { name, repository, project, serving, path, jobs, state, worktree })
}

impl Inferred {
    /// What was inferred, and from where, in the order of the file.
    #[must_use]
    pub fn rows(&self, surroundings: &Surroundings) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut row = |what, value: String, from: &str| rows.push(Row { what, value, from: from.to_owned() });
        row("repository", surroundings.tilde(&self.repository.top), "git");
        row("upstream", self.repository.upstream(), &self.repository.from);
        row("worktree", surroundings.tilde(&self.worktree.0), &self.worktree.1);
        row("state", surroundings.tilde(&self.state), "the default");
        if let Some(installer) = &self.project.installer {
            row("install", installer.argv.join(" "), &installer.from);
        }
        for file in &self.repository.carry {
            row("carry", file.display().to_string(), "git ignores it, so a fresh worktree lacks it");
        }
        if let Some(serving) = &self.serving {
            match &serving.run {
                Ok(argv) => row("serve", argv.join(" "), &serving.from),
                Err(directory) => {
                    row("serve", format!("the files in {}", directory.display()), &serving.from);
                }
            }
            if let Some(command) = &serving.unwatched {
                row("watches", "false".to_owned(), &format!("`{command}` is not known to watch its files"));
            }
            row("listen", format!("127.0.0.1:{}", serving.port), &serving.port_from);
        }
        for (range, from) in &self.project.ranges {
            row("runtime", range.clone(), from);
        }
        for (directory, from) in &self.path {
            row("path", surroundings.tilde(directory), from);
        }
        for job in &self.jobs {
            let role = job.role.name();
            row("job", format!("{} ({role})", job.label), &surroundings.tilde(&job.file));
            if let Some(lang) = &job.lang {
                row("LANG", lang.clone(), &format!("the job {}", job.label));
            }
        }
        rows
    }

    /// The commented file.
    #[must_use]
    pub fn toml(&self, surroundings: &Surroundings, place: Place) -> String {
        text::toml(self, surroundings, place)
    }
}

/// Where the file is to lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the user's registry.
    Registry,
    /// In the repository, for a team.
    Repository,
}

/// A name that is inferred is no longer than this, in characters.
const LONGEST: usize = 40;

fn name_of(top: &Path) -> String {
    let name = top.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = name.trim_end_matches(".git").trim_start_matches(['.', '-']).replace(is_dangerous, "-");
    if name.is_empty() { "mirror".to_owned() } else { name.chars().take(LONGEST).collect() }
}

/// Directories in which the tools are found by this shell, and would not be by a job.
fn runtime_path(
    surroundings: &Surroundings,
    project: &Project,
    serving: Option<&Serves>,
    jobs: &[FoundJob],
) -> Vec<(PathBuf, String)> {
    let mut found: Vec<(PathBuf, String)> = Vec::new();
    for job in jobs {
        for directory in &job.path {
            if !is_system(directory) && found.iter().all(|(known, _)| known != directory) {
                found.push((directory.clone(), format!("PATH of the job {}", job.label)));
            }
        }
    }
    let run = serving.and_then(|serving| serving.run.as_deref().ok()).unwrap_or_default();
    let install = project.installer.as_ref().map(|it| it.argv.as_slice()).unwrap_or_default();
    let path = surroundings.variable("PATH").unwrap_or_default();
    for tool in values::tools_of(&[install, run]) {
        let mut directories = std::env::split_paths(path).filter(|it| it.is_absolute());
        let Some(directory) = directories.find(|it| is_program(&it.join(&tool))) else { continue };
        let directory = lasting(&directory, &tool);
        if !is_system(&directory) && found.iter().all(|(known, _)| *known != directory) {
            found.push((directory, format!("this shell finds {tool} there")));
        }
    }
    found
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

/// A directory that a shell makes for itself goes with it: what it links to stays.
fn lasting(directory: &Path, tool: &str) -> PathBuf {
    let is_passing = directory.to_string_lossy().contains("multishell");
    let real = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    if is_passing && is_program(&real.join(tool)) { real } else { directory.to_owned() }
}

/// Whether the jobs look there anyway.
fn is_system(directory: &Path) -> bool {
    ["/opt/homebrew/bin", "/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"]
        .iter()
        .any(|system| directory == Path::new(system))
}
