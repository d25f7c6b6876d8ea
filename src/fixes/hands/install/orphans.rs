//! What an install left running whose sync was killed: it would write into the tree that the next one makes.

use std::io;

use crate::config::Config;
use crate::error::StepError;
use crate::fixes::hands::process;
use crate::probes::processes;

/// The variable that everything carries which an install or a build starts, and by which it is known as that one's.
pub(super) const MARK: &str = "HOUSECALL_STARTED_FOR";

/// How often it is looked for what they start while they end.
const ROUNDS: usize = 5;

/// What the mark of an install is: whose it is, and when it began.
pub(super) fn mark(config: &Config, began: jiff::Timestamp) -> String {
    format!("{}@{began}", config.state.display())
}

/// Ends all that carries that mark.
///
/// # Errors
/// It lives on, or the processes cannot be seen.
pub(super) fn end(mark: &str) -> Result<(), StepError> {
    for _ in 0..ROUNDS {
        let left = marked(&format!("{MARK}={mark}"))
            .map_err(|error| StepError::failed("look for what a killed install left running", &error))?;
        if left.is_empty() {
            return Ok(());
        }
        for pid in left {
            // It may have ended with another one.
            if let Some(found) = processes::read(pid)? {
                match process::stop(pid, found.identity) {
                    Err(StepError::Refused(_)) if processes::read(pid)?.is_none() => {}
                    stopped => stopped?,
                }
            }
        }
    }
    Err(StepError::failed("end an install that was killed", &"it starts processes all the time"))
}

/// The processes that have that in their environment.
#[cfg(target_os = "linux")]
#[expect(clippy::disallowed_methods, reason = "hands look at processes before they end one of theirs")]
fn marked(variable: &str) -> io::Result<Vec<u32>> {
    let has = |pid: &u32| {
        std::fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|it| it.split(|byte| *byte == 0).any(|it| it == variable.as_bytes()))
    };
    let all = std::fs::read_dir("/proc")?.filter_map(Result::ok);
    Ok(all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(has).collect())
}

/// The processes that have that in their environment.
#[cfg(not(target_os = "linux"))]
fn marked(variable: &str) -> io::Result<Vec<u32>> {
    use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};
    let mut system = System::new().map_err(|error| io::Error::other(error.to_string()))?;
    let environment = ProcessRefreshKind::nothing().with_environ(UpdateKind::Always);
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, environment);
    let has = |it: &&sysinfo::Process| it.environ().iter().any(|it| it == variable);
    Ok(system.processes().values().filter(has).map(|it| it.pid().as_u32()).collect())
}
