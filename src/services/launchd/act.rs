//! What is done to a job: each act returns once launchd has really done it.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use super::exit_codes::{may_be_draining, says_already_loaded, says_not_loaded};
use super::file::ready;
use super::observe::{Look, is_disabled, look, no_domain};
use super::print::Print;
use super::{complaint, domain, file_of, launchctl, target};
use crate::config::Config;
use crate::error::{StepError, human_duration};
use crate::fixes::hands::commands::shell;
use crate::fixes::hands::process::THROTTLE;
use crate::probes::clock;
use crate::probes::machine::Machine;
use crate::probes::processes;
use crate::probes::program::{Ended, Output};
use crate::services::{Job, Verb};

/// How long one launchctl may take that changes something.
const ACTING: Duration = Duration::from_mins(1);
/// How long a bootstrap is tried again that says 5, 36 or 37; about 5 s of them were measured on a Mac.
const DRAINING: Duration = Duration::from_secs(15);
/// What launchd gives a job to end where the job does not say.
const EXIT_TIMEOUT: Duration = Duration::from_secs(20);
/// What launchd itself may take after that.
const GRACE: Duration = Duration::from_secs(5);
/// How often launchd is asked again.
const TICK: Duration = Duration::from_millis(50);
/// How often a bootstrap is tried again.
const RETRY: Duration = Duration::from_millis(250);

/// What became of a job that was told to leave.
enum Left {
    /// It was not there.
    NotThere,
    /// It is gone, its process too.
    Gone,
    /// It still ends; what is left of it.
    Lingers(String),
}

pub(super) fn act(_: &Machine, config: &Config, job: &Job, verb: Verb) -> Result<Option<String>, StepError> {
    let target = target(job);
    match verb {
        Verb::Load => load(config, job),
        Verb::Unload => unload(config, job),
        Verb::Reload => reload(config, job),
        Verb::Start => kickstart(config, job, &["kickstart", &target]),
        Verb::Restart => kickstart(config, job, &["kickstart", "-k", &target]),
        Verb::Run => run(config, job),
        Verb::Disable => {
            // The mark comes before the process: nothing starts it again meanwhile.
            told(config, "disable", &["disable", &target])?;
            unload(config, job)
        }
        Verb::Enable => told(config, "enable", &["enable", &target]).map(|()| None),
    }
}

pub(super) fn commands(config: &Config, job: &Job, verb: Verb) -> Vec<String> {
    let target = shell(&target(job));
    let sudo = if job.scope == crate::services::Scope::Daemon { "sudo " } else { "" };
    let bootout = format!("{sudo}launchctl bootout {target}");
    let path = shell(&config.tilde(&file_of(config, job)));
    let bootstrap = format!("{sudo}launchctl bootstrap {} {path}", domain(job.scope));
    match verb {
        Verb::Load => vec![bootstrap],
        Verb::Unload => vec![bootout],
        Verb::Reload => vec![
            bootout,
            format!("while launchctl print {target} >/dev/null 2>&1; do sleep 0.2; done"),
            bootstrap,
        ],
        Verb::Start | Verb::Run => vec![format!("{sudo}launchctl kickstart {target}")],
        Verb::Restart => vec![format!("{sudo}launchctl kickstart -k {target}")],
        Verb::Disable => vec![format!("{sudo}launchctl disable {target}"), bootout],
        Verb::Enable => vec![format!("{sudo}launchctl enable {target}")],
    }
}

/// Loads it; one that is loaded already is left as it is.
fn load(config: &Config, job: &Job) -> Result<Option<String>, StepError> {
    if let (Look::Loaded(print), _) = look(config, job)?
        && !print.is_draining()
    {
        return Ok(Some("it was loaded already".to_owned()));
    }
    let path = may_be_loaded(config, job)?;
    bootstrap(config, job, &path)
}

fn unload(config: &Config, job: &Job) -> Result<Option<String>, StepError> {
    let (before, _) = look(config, job)?;
    match leave(config, job, before)? {
        Left::NotThere => Ok(Some("it was not loaded".to_owned())),
        Left::Gone => Ok(None),
        Left::Lingers(what) => Err(StepError::failed(format!("unload {}", job.label), &what)),
    }
}

/// All that would keep it from coming back is refused while it still runs; once it was told to leave, it is
/// bootstrapped whatever becomes of that.
fn reload(config: &Config, job: &Job) -> Result<Option<String>, StepError> {
    let (before, _) = look(config, job)?;
    let loaded_from = if let Look::Loaded(print) = &before { print.path.clone() } else { None };
    let job = &Job { file: job.file.clone().or(loaded_from), ..job.clone() };
    let path = may_be_loaded(config, job)?;
    let left = leave(config, job, before)?;
    let loaded = bootstrap(config, job, &path);
    match (left, loaded) {
        (Left::Lingers(what), Err(error)) => {
            Err(StepError::failed(format!("reload {}", job.label), &format!("{what}; then, {error}")))
        }
        (Left::Lingers(what), Ok(_)) => Ok(Some(what)),
        (_, loaded) => loaded,
    }
}

/// Its file, if launchd would take it now.
fn may_be_loaded(config: &Config, job: &Job) -> Result<std::path::PathBuf, StepError> {
    if is_disabled(config, job)? {
        return Err(StepError::Refused(disabled(job)));
    }
    ready(config, job)
}

/// A disable is a durable stop: nothing here ends it unasked.
fn disabled(job: &Job) -> String {
    let target = target(job);
    format!("{} is disabled, which is a durable stop: `launchctl enable {target}` ends it", job.label)
}

/// Boots it out and waits until launchd no longer knows it and its process is gone.
fn leave(config: &Config, job: &Job, before: Look) -> Result<Left, StepError> {
    let mut patience = EXIT_TIMEOUT + GRACE;
    let mut process = None;
    match before {
        Look::Absent => return Ok(Left::NotThere),
        Look::NoDomain => return Err(StepError::Refused(no_domain(job))),
        Look::Unclear(_) => {}
        Look::Loaded(print) => {
            patience = print.exit_timeout.filter(|it| !it.is_zero()).unwrap_or(EXIT_TIMEOUT) + GRACE;
            process = process_of(&print);
        }
    }
    let output = launchctl(config, &["bootout", &target(job)], ACTING)?;
    let said = complaint("bootout", &output);
    let failed = |why: String| Err(StepError::failed(format!("unload {}", job.label), &why));
    match output.ended {
        Ended::Code(0 | 5 | 36 | 37) => {}
        Ended::Code(code) if says_not_loaded(code) => {}
        _ => return failed(said),
    }
    let is_ambiguous = output.ended == Ended::Code(5);
    let start = clock::instant();
    loop {
        // launchd lets go of a job once its process is gone: until then the kernel is asked, which costs nothing.
        while process.is_some_and(is_alive) && start.elapsed() < patience {
            sleep(TICK / 2);
        }
        match look_again(config, job) {
            Look::Absent => {
                let Some((pid, _)) = process.filter(|it| is_alive(*it)) else { return Ok(Left::Gone) };
                if start.elapsed() > patience {
                    let after = human_duration(patience);
                    return Ok(Left::Lingers(format!("its process {pid} still ends after {after}")));
                }
            }
            Look::Loaded(print) if is_ambiguous && !print.is_draining() => return failed(said),
            Look::Loaded(print) => {
                process = process_of(&print).or(process);
                if start.elapsed() > patience {
                    let pid = print.pid.map_or_else(String::new, |pid| format!(", pid {pid}"));
                    let after = human_duration(patience);
                    return Ok(Left::Lingers(format!("it still ends after {after}{pid}")));
                }
            }
            Look::NoDomain => return Ok(Left::Gone),
            Look::Unclear(why) if start.elapsed() > patience => return Ok(Left::Lingers(why)),
            Look::Unclear(_) => {}
        }
        sleep(TICK);
    }
}

/// The same once the job was told to leave: a question without an answer must not keep it from coming back.
fn look_again(config: &Config, job: &Job) -> Look {
    look(config, job).map_or_else(|error| Look::Unclear(error.to_string()), |(look, _)| look)
}

/// Has launchd read its file, again and again while the codes say that the job before it may still end.
fn bootstrap(config: &Config, job: &Job, path: &Path) -> Result<Option<String>, StepError> {
    let start = clock::instant();
    let path = path.to_string_lossy();
    let mut tries = 0;
    loop {
        tries += 1;
        let output = match launchctl(config, &["bootstrap", &domain(job.scope), &path], ACTING) {
            Err(_) if start.elapsed() <= DRAINING => continue,
            output => output?,
        };
        let code = match output.ended {
            Ended::Code(0) if tries == 1 => return Ok(None),
            Ended::Code(0) => return Ok(Some(format!("launchd took it at try {tries}"))),
            Ended::Code(code) => code,
            Ended::Signal(_) => 0,
        };
        let failed = || Err(not_loaded(job, &output));
        if code == 119 || code == 5 && is_disabled(config, job).unwrap_or(false) {
            return Err(StepError::Refused(disabled(job)));
        }
        if !may_be_draining(code) && !says_already_loaded(code) {
            return failed();
        }
        if let Look::Loaded(print) = look_again(config, job)
            && !print.is_draining()
        {
            return Ok(Some("it is loaded by now".to_owned()));
        }
        if start.elapsed() > DRAINING {
            return failed();
        }
        sleep(RETRY);
    }
}

fn not_loaded(job: &Job, output: &Output) -> StepError {
    let why = complaint("bootstrap", output);
    match output.ended {
        Ended::Code(112 | 125) => StepError::Refused(format!("{}: {why}", no_domain(job))),
        _ => StepError::failed(format!("load {}", job.label), &why),
    }
}

fn kickstart(config: &Config, job: &Job, arguments: &[&str]) -> Result<Option<String>, StepError> {
    let output = launchctl(config, arguments, ACTING)?;
    match output.ended {
        Ended::Code(0) => Ok(None),
        Ended::Code(code) if says_not_loaded(code) => {
            let how = commands(config, job, Verb::Load).join(" && ");
            Err(StepError::Refused(format!("{} is not loaded: `{how}` does that", job.label)))
        }
        _ => Err(StepError::failed(format!("start {}", job.label), &complaint("kickstart", &output))),
    }
}

/// Kickstarts it, and believes that once it was started: what launchd says of it is then not of the run before.
fn run(config: &Config, job: &Job) -> Result<Option<String>, StepError> {
    let runs = |look: &Look| if let Look::Loaded(print) = look { print.runs } else { None };
    let before = runs(&look(config, job)?.0);
    kickstart(config, job, &["kickstart", &target(job)])?;
    let start = clock::instant();
    while start.elapsed() < THROTTLE {
        let now = look_again(config, job);
        if before.is_none()
            || runs(&now) > before
            || matches!(&now, Look::Loaded(print) if print.pid.is_some())
        {
            return Ok(None);
        }
        sleep(TICK);
    }
    let why = format!("launchd has not started it within {}", human_duration(THROTTLE));
    Err(StepError::failed(format!("run {}", job.label), &why))
}

fn told(config: &Config, verb: &str, arguments: &[&str]) -> Result<(), StepError> {
    let output = launchctl(config, arguments, ACTING)?;
    if output.succeeded() {
        return Ok(());
    }
    Err(StepError::failed(format!("{verb} a job"), &complaint(verb, &output)))
}

/// Its process, told from any other that may have its id later.
fn process_of(print: &Print) -> Option<(u32, u64)> {
    let pid = print.pid?;
    processes::read(pid).ok().flatten().map(|it| (pid, it.identity))
}

fn is_alive((pid, identity): (u32, u64)) -> bool {
    matches!(processes::read(pid), Ok(Some(it)) if it.identity == identity)
}
