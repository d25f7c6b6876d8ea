//! Ends a whole process group: under `npm`, `npx` and `sh` the server is a grandchild, and must not be left behind.

use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

use crate::error::StepError;
use crate::probes::clock;

/// How long a group has to end by itself.
const GRACE: Duration = Duration::from_secs(5);
/// How often is looked whether it has.
const TICK: Duration = Duration::from_millis(20);

/// Asks the group of that leader to end, and kills it when it does not; `reap` takes the end of a child of ours.
///
/// # Errors
/// It may not be signalled, or lives on after a SIGKILL.
pub fn end(leader: u32, mut reap: impl FnMut()) -> Result<(), StepError> {
    let what = format!("stop the process group {leader}");
    let id = i32::try_from(leader).ok().filter(|it| *it > 1).and_then(Pid::from_raw);
    let id = id.ok_or_else(|| StepError::failed(what.clone(), &"there is none of that number"))?;
    for signal in [Signal::TERM, Signal::KILL] {
        reap();
        match kill_process_group(id, signal) {
            Err(Errno::SRCH) => return Ok(()),
            // macOS says so of a group of zombies only.
            Err(Errno::PERM) if cfg!(target_os = "macos") => {}
            Err(error) => return Err(StepError::failed(what, &error)),
            // One that was stopped cannot hear before it goes on.
            Ok(()) => drop(kill_process_group(id, Signal::CONT)),
        }
        let start = clock::instant();
        while start.elapsed() < GRACE {
            reap();
            if test_kill_process_group(id).is_err() {
                return Ok(());
            }
            std::thread::sleep(TICK);
        }
    }
    Err(StepError::failed(what, &"it lives on after a SIGKILL"))
}
