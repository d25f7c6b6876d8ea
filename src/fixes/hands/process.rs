//! Ending a process that stands in the way, and waiting for one that starts.

#[cfg(target_os = "linux")]
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, geteuid, getpgid, getpgrp, kill_process, kill_process_group};
#[cfg(target_os = "linux")]
use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};

use crate::error::StepError;
use crate::probes::{clock, http, processes};

/// How long a process has to end by itself.
const GRACE: Duration = Duration::from_secs(10);

/// What a service manager may let pass between two starts, beside the start itself.
pub const THROTTLE: Duration = Duration::from_secs(15);

/// How often is looked whether it has.
const EVERY: Duration = Duration::from_millis(50);

/// Asks a process to end, and its group where it leads one; kills it when it does not.
///
/// # Errors
/// Refused for an ancestor of ours, for another user's, or where it is another process by now.
pub fn stop(pid: u32, identity: u64) -> Result<(), StepError> {
    let what = format!("stop pid {pid}");
    let target = i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .filter(|_| pid > 1)
        .ok_or_else(|| StepError::Refused(format!("pid {pid} is none that may be stopped")))?;
    // Held before it is looked at: what is signalled later is what was looked at.
    let held = Held::of(target);
    let is_it = || Ok::<bool, StepError>(processes::read(pid)?.is_some_and(|it| it.identity == identity));
    let process = processes::read(pid)?
        .filter(|it| it.identity == identity)
        .ok_or_else(|| StepError::Refused(format!("pid {pid} is not the process that was looked at")))?;
    if process.uid.is_none_or(|uid| uid != geteuid().as_raw()) {
        return Err(StepError::Refused(format!("pid {pid} belongs to another user")));
    }
    if is_ancestor(pid)? {
        return Err(StepError::Refused(format!("pid {pid} runs this very command")));
    }
    let leads = getpgid(Some(target)).is_ok_and(|group| group == target && group != getpgrp());
    let send = |signal| if leads { kill_process_group(target, signal) } else { held.signal(signal) };
    for (signal, patience) in [(Signal::TERM, GRACE), (Signal::KILL, GRACE)] {
        // A group is known by its number alone: that is its leader's for as long as the leader is there.
        let came = if is_it()? { send(signal) } else { Ok(()) };
        match came {
            Err(error) if error != Errno::SRCH => return Err(StepError::failed(what, &error)),
            _ => {}
        }
        let start = clock::instant();
        while start.elapsed() < patience {
            if !is_it()? {
                if leads && processes::read(pid)?.is_none() {
                    // What it left behind in its group goes with it.
                    let _ = kill_process_group(target, Signal::TERM);
                }
                return Ok(());
            }
            std::thread::sleep(EVERY);
        }
    }
    Err(StepError::failed(what, &"it lives on after a SIGKILL"))
}

/// A process that a signal reaches, and no later one of its number, where the kernel lends a handle of it.
struct Held {
    pid: Pid,
    #[cfg(target_os = "linux")]
    handle: Option<OwnedFd>,
}

impl Held {
    fn of(pid: Pid) -> Self {
        Self {
            pid,
            // Linux does since 5.3, and some sandboxes do not.
            #[cfg(target_os = "linux")]
            handle: pidfd_open(pid, PidfdFlags::empty()).ok(),
        }
    }

    fn signal(&self, signal: Signal) -> rustix::io::Result<()> {
        #[cfg(target_os = "linux")]
        if let Some(handle) = &self.handle {
            return pidfd_send_signal(handle, signal);
        }
        kill_process(self.pid, signal)
    }
}

fn is_ancestor(pid: u32) -> Result<bool, StepError> {
    let mut at = Some(std::process::id());
    for _ in 0..64 {
        match at {
            Some(id) if id == pid => return Ok(true),
            Some(id) if id > 1 => at = processes::read(id)?.and_then(|it| it.parent),
            _ => break,
        }
    }
    Ok(false)
}

/// Waits until an address answers, with any status that is no error of the server's.
///
/// # Errors
/// It does not within that time; what it said last.
pub fn wait_for(url: &str, within: Duration) -> Result<(), StepError> {
    let start = clock::instant();
    loop {
        let rest = within.saturating_sub(start.elapsed());
        let patience = rest.clamp(Duration::from_millis(200), Duration::from_secs(5));
        let Some(last) = trouble(url, patience)? else { return Ok(()) };
        if rest.is_zero() {
            return Err(StepError::failed(format!("reach {url}"), &last));
        }
        std::thread::sleep(EVERY.min(rest));
    }
}

/// What is wrong with the answer of an address; `None`: it answers, with any status that is no error of the server's.
///
/// # Errors
/// It cannot be asked.
pub fn trouble(url: &str, patience: Duration) -> Result<Option<String>, StepError> {
    Ok(Some(match http::get(url, patience)? {
        http::Answer::Response(response) if response.status < 500 => return Ok(None),
        http::Answer::Response(response) => format!("it answers {}", response.status),
        http::Answer::Refused => "nobody listens".to_owned(),
        http::Answer::Silent { .. } => "it accepts and does not answer".to_owned(),
        http::Answer::Broken(why) | http::Answer::Distrusted(why) => why,
    }))
}
