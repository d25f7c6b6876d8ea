//! `job-paths`: what a job's file names is there, and may be used by a job.

use std::path::{Path, PathBuf};

use crate::check::{Check, CheckId, Group, Look, Severity};
use crate::checks::jobs::managed;
use crate::checks::jobs::told::Told;
use crate::config::Kept;
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::fixes::install;
use crate::lint::Kind;
use crate::probes::jobs::{Managed, Named};
use crate::services::place;
use crate::verdict::{Fact, Seen, Verdict};

/// The paths that the job needs are there.
pub static CHECK: Check = Check {
    id: CheckId("job-paths"),
    group: Group::Jobs,
    summary: "the program, the directories and the logs that the job names can be used by it",
    docs: include_str!("job_paths.md"),
    severity: Severity::Error,
    requires: &[],
    fix: Some(&install::FIX),
    look: Look::Job(look),
};

/// One thing that is wrong: the sentence, the path, and what a person may do.
#[derive(PartialEq)]
struct Problem {
    message: String,
    path: PathBuf,
    remedy: Option<String>,
}

fn look(cx: &Cx, kept: &Kept) -> Seen {
    let managed = match managed(cx, kept)? {
        Ok(managed) => managed,
        Err(verdict) => return Ok(verdict),
    };
    let files = cx.job_files(&managed)?;
    if files.iter().all(|it| it.content.is_none()) {
        return Ok(Verdict::not_applicable("the job has no file here"));
    }
    let said = Told::of(&files);
    let mut problems = program(cx, kept, &managed, &said)?;
    for log in &said.logs {
        problems.extend(self::log(cx, &managed, log)?);
    }
    if let Some(directory) = &said.directory {
        problems.extend(working_directory(cx, directory)?);
    }
    if managed.manager == "launchd" && !works(cx, &managed) {
        problems.extend(guarded(cx, &said));
    }
    let mut told: Vec<&Problem> = Vec::new();
    for problem in &problems {
        if !told.contains(&problem) {
            told.push(problem);
        }
    }
    let Some((first, rest)) = told.split_first() else { return Ok(Verdict::pass()) };
    let verdict = described(Verdict::fail(first.message.clone()), first);
    Ok(rest.iter().fold(verdict, |verdict, it| {
        let verdict =
            if it.message == first.message { verdict } else { verdict.with("also", it.message.as_str()) };
        described(verdict, it)
    }))
}

fn described(verdict: Verdict, problem: &Problem) -> Verdict {
    let verdict = verdict.with("path", problem.path.as_path());
    match &problem.remedy {
        Some(remedy) => verdict.with("remedy", Fact::Command(remedy.clone())),
        None => verdict,
    }
}

fn program(cx: &Cx, kept: &Kept, managed: &Managed, told: &Told) -> Result<Vec<Problem>, ProbeError> {
    // A name without a slash is looked up by the manager, which `job-lint` judges.
    let Some(program) = told.program().filter(|it| it.is_absolute()) else { return Ok(Vec::new()) };
    let mut problems = Vec::new();
    let name = &managed.job.name;
    let mut add = |message: String, remedy: Option<String>| {
        problems.push(Problem { message, path: program.clone(), remedy });
    };
    if let Named::Here { seen, is_quarantined } = *cx.named(&program)? {
        match seen.kind {
            Kind::Missing => add(format!("the program of `{name}` is not there"), None),
            Kind::Directory => add(format!("the program of `{name}` is a directory"), None),
            Kind::File if !seen.is_executable => {
                let remedy = format!("chmod +x {}", program.display());
                add(format!("the program of `{name}` is not executable"), Some(remedy));
            }
            Kind::File if is_quarantined => {
                let remedy = format!("xattr -d com.apple.quarantine {}", program.display());
                add(format!("macOS holds the program of `{name}` back as downloaded"), Some(remedy));
            }
            Kind::File => {}
        }
    }
    if kept.is_ours() && managed.wanted.is_some() && passes_away(&program, &cx.config().home) {
        let message =
            format!("the program of `{name}` lies where the next build, upgrade or reboot takes it away");
        add(message, None);
    }
    Ok(problems)
}

/// Whether it lies in a build folder, a temporary directory or a versioned path of Homebrew.
fn passes_away(program: &Path, home: &Path) -> bool {
    place::stable(program, home, Path::new("/tmp")).as_deref() != Ok(program)
}

fn log(cx: &Cx, managed: &Managed, log: &Path) -> Result<Option<Problem>, ProbeError> {
    let Some(folder) = log.parent().filter(|_| log.is_absolute() && !log.starts_with("/dev")) else {
        return Ok(None);
    };
    let who = managed.manager;
    let (Named::Here { seen: around, .. }, Named::Here { seen, .. }) = (*cx.named(folder)?, *cx.named(log)?)
    else {
        return Ok(None);
    };
    let opens = format!("{who} opens the log before it starts the program");
    Ok(if around.kind != Kind::Directory {
        Some(Problem {
            message: format!("{opens}, and the log's directory is not there"),
            path: folder.to_owned(),
            remedy: Some(format!("mkdir -p {}", folder.display())),
        })
    } else if !(if seen.kind == Kind::Missing { around } else { seen }).is_writable
        && log.starts_with(&cx.config().home)
    {
        Some(Problem {
            message: format!("{opens}, and its user may not write there"),
            path: log.to_owned(),
            remedy: None,
        })
    } else {
        None
    })
}

fn working_directory(cx: &Cx, directory: &Path) -> Result<Option<Problem>, ProbeError> {
    let Named::Here { seen, .. } = *cx.named(directory)? else { return Ok(None) };
    Ok((seen.kind != Kind::Directory).then(|| Problem {
        message: "the working directory of the job is not there, so its program is never started".to_owned(),
        path: directory.to_owned(),
        remedy: Some(format!("mkdir -p {}", directory.display())),
    }))
}

/// Whether the job is seen to work: then macOS lets it, whatever its paths look like.
fn works(cx: &Cx, managed: &Managed) -> bool {
    cx.observed(managed)
        .is_ok_and(|it| it.pid.is_some() || it.last_exit.as_ref().is_some_and(|exit| exit.code == Some(0)))
}

/// Where macOS keeps a job away, though a terminal may go there.
fn guarded(cx: &Cx, told: &Told) -> Vec<Problem> {
    let home = &cx.config().home;
    let folders = ["Desktop", "Documents", "Downloads"].map(|it| home.join(it));
    let arguments = told.loaded.arguments.iter().flatten().skip(1).map(PathBuf::from);
    let paths =
        told.program().into_iter().chain(told.directory.clone()).chain(told.logs.clone()).chain(arguments);
    let problem = |path: PathBuf| {
        let place = if path.starts_with("/Volumes") {
            "on another volume, which may not be there yet and which macOS keeps jobs from".to_owned()
        } else {
            let folder = folders.iter().find(|it| path.starts_with(it))?;
            format!("in {}, which macOS keeps jobs from", cx.config().tilde(folder))
        };
        Some(Problem {
            message: format!("the job needs a path {place}: Operation not permitted"),
            path,
            remedy: None,
        })
    };
    paths.filter_map(problem).collect()
}
