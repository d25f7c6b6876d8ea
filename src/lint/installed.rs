//! What only the machine that runs a job can tell: paths, owners and modes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Severity;
use super::job::{Job, Report};
use super::plist::{self, Line, Value};

/// What this machine says of an installed job's file, and of the paths it names.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The home of the user who looks.
    pub home: PathBuf,
    /// That user.
    pub user: u32,
    /// Who owns the file.
    pub owner: u32,
    /// Its permission bits.
    pub mode: u32,
    /// What was found at the paths of [`paths_of`]; one that is absent here is not judged.
    pub seen: BTreeMap<PathBuf, Seen>,
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// What it is.
    pub kind: Kind,
    /// The user who looks may write there.
    pub is_writable: bool,
    /// The user who looks may run it.
    pub is_executable: bool,
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing.
    Missing,
    /// A file, or a device.
    File,
    /// A directory.
    Directory,
}

const LOGS: [&str; 2] = ["StandardOutPath", "StandardErrorPath"];
const STANDARD: [&str; 4] = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];

impl Facts {
    pub(super) fn has_in_standard_path(&self, name: &str) -> bool {
        let is_file = |folder: &str| {
            self.seen.get(&Path::new(folder).join(name)).is_some_and(|it| it.kind == Kind::File)
        };
        STANDARD.iter().any(|folder| is_file(folder))
    }

    fn at(&self, path: &Path) -> Option<Seen> {
        self.seen.get(path).copied()
    }
}

/// The paths to look at before an installed job is judged.
///
/// None lies on an external volume, where a look may hang.
#[must_use]
pub fn paths_of(bytes: &[u8]) -> Vec<PathBuf> {
    let Some(root) = plist::read(bytes).root else { return Vec::new() };
    let Value::Dict(entries) = &root.value else { return Vec::new() };
    let job = Job { path_label: "", root: entries };
    let mut paths = Vec::new();
    for key in LOGS {
        if let Some(path) = job.text(key).map(Path::new) {
            paths.extend(path.parent().map(Path::to_path_buf));
            paths.push(path.to_path_buf());
        }
    }
    paths.extend(job.text("WorkingDirectory").map(PathBuf::from));
    match program(&job) {
        Some((_, program, _)) if program.contains('/') => paths.push(program.into()),
        Some((_, program, _)) => paths.extend(STANDARD.iter().map(|it| Path::new(it).join(program))),
        None => {}
    }
    paths.retain(|it| it.is_absolute() && !is_external(it));
    paths.sort();
    paths.dedup();
    paths
}

/// Judges what the machine says.
pub(super) fn judge(job: &Job<'_>, facts: &Facts, report: &mut Report) {
    owner_and_mode(job, facts, report);
    for key in LOGS {
        log(job, facts, key, report);
    }
    if job.entry("StandardErrorPath").is_none() {
        let message = "without `StandardErrorPath` nobody sees why the job fails";
        report.add(Severity::Info, "no-error-log", "StandardErrorPath", None, message);
    }
    if let Some(node) = job.node("WorkingDirectory")
        && let Some(path) = node.text().map(Path::new)
        && !place(facts, "WorkingDirectory", path, node.line, report)
        && facts.at(path).is_some_and(|it| it.kind != Kind::Directory)
    {
        let message =
            format!("the working directory `{}` does not exist: the job ends with 78", path.display());
        report.add(Severity::Error, "missing-directory", "WorkingDirectory", node.line, message);
    }
    if let Some((key, text, line)) = program(job) {
        let path = Path::new(text);
        if !place(facts, key, path, line, report) {
            runnable(facts, key, path, line, report);
        }
    }
    for node in job.arguments().into_iter().skip(1) {
        if let Some(path) = node.text().filter(|it| it.starts_with('/')) {
            place(facts, "ProgramArguments", Path::new(path), node.line, report);
        }
    }
}

fn program<'a>(job: &Job<'a>) -> Option<(&'static str, &'a str, Line)> {
    if let Some(node) = job.node("Program") {
        return Some(("Program", node.text()?, node.line));
    }
    if job.entry("BundleProgram").is_some() {
        return None;
    }
    let first = *job.arguments().first()?;
    Some(("ProgramArguments", first.text()?, first.line))
}

fn owner_and_mode(job: &Job<'_>, facts: &Facts, report: &mut Report) {
    if facts.mode & 0o022 != 0 {
        let message =
            format!("others may write to this file (mode {:03o}): launchd refuses it", facts.mode & 0o777);
        report.add(Severity::Error, "writable-file", "", None, message).suggestion = Some("chmod 644".into());
    }
    let is_users = Path::new(job.path_label).starts_with(&facts.home);
    if facts.owner != 0 && !(is_users && facts.owner == facts.user) {
        let wanted = if is_users { "the user who loads it or root" } else { "root" };
        let message =
            format!("the file belongs to user {}, not to {wanted}: launchd refuses it", facts.owner);
        report.add(Severity::Error, "wrong-owner", "", None, message);
    }
}

fn log(job: &Job<'_>, facts: &Facts, key: &'static str, report: &mut Report) {
    let Some(node) = job.node(key) else { return };
    let Some(path) = node.text().map(Path::new).filter(|it| it.is_absolute()) else { return };
    if place(facts, key, path, node.line, report) {
        return;
    }
    let folder = path.parent().unwrap_or(path);
    let (Some(folder_seen), Some(seen)) = (facts.at(folder), facts.at(path)) else { return };
    if folder_seen.kind != Kind::Directory {
        let message = format!(
            "launchd opens `{}` before it starts the program, and `{}` is no directory: the job ends with 78",
            path.display(),
            folder.display()
        );
        report.add(Severity::Error, "missing-directory", key, node.line, message).suggestion =
            Some(format!("mkdir -p {}", folder.display()));
        return;
    }
    let is_users = Path::new(job.path_label).starts_with(&facts.home);
    let is_writable = if seen.kind == Kind::Missing { folder_seen.is_writable } else { seen.is_writable };
    if is_users && !is_writable {
        let message = format!(
            "launchd opens `{}` before it starts the program, and its user may not write there: the job ends with 78",
            path.display()
        );
        report.add(Severity::Error, "log-not-writable", key, node.line, message);
    }
}

fn runnable(facts: &Facts, key: &'static str, path: &Path, line: Line, report: &mut Report) {
    let Some(seen) = facts.at(path) else { return };
    let message = match seen {
        Seen { kind: Kind::Missing, .. } => format!("the program `{}` does not exist", path.display()),
        Seen { kind: Kind::Directory, .. } => format!("the program `{}` is a directory", path.display()),
        Seen { is_executable: false, .. } => format!("the program `{}` is not executable", path.display()),
        _ => return,
    };
    report.add(Severity::Error, "program-missing", key, line, message);
}

/// Whether it lies where macOS guards access, and so is not looked at further.
fn place(facts: &Facts, key: &'static str, path: &Path, line: Line, report: &mut Report) -> bool {
    if is_external(path) {
        let message = format!(
            "`{}` lies on another volume: launchd may be denied it, and it may not be there at login",
            path.display()
        );
        report.add(Severity::Warning, "external-volume", key, line, message);
        return true;
    }
    let guarded =
        ["Desktop", "Documents", "Downloads"].into_iter().find(|it| path.starts_with(facts.home.join(it)));
    if let Some(folder) = guarded.filter(|_| !facts.home.as_os_str().is_empty()) {
        let message = format!(
            "`{}` lies in {folder}, which macOS guards: under launchd it is `Operation not permitted`",
            path.display()
        );
        report.add(Severity::Warning, "guarded-folder", key, line, message);
    }
    guarded.is_some()
}

fn is_external(path: &Path) -> bool {
    path.starts_with("/Volumes")
}
