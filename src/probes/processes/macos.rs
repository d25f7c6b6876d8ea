//! macOS: the kernel's own record for what everybody may know, sysinfo for the rest.
#![expect(clippy::disallowed_methods, reason = "probes are where the machine is read")]

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use libproc::libproc::kinfo::KinfoProc;
use libproc::libproc::proc_pid::kproc_info_raw;
use rustix::process::{Pid as KernelPid, test_kill_process};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

use super::{DELETED, Process};
use crate::error::ProbeError;

/// The state of a process that ended and was not yet waited for.
const ZOMBIE: i8 = 5;

pub(super) fn read(pid: u32) -> Result<Option<Process>, ProbeError> {
    let Some(record) = record(pid)? else { return Ok(None) };
    if record.kp_proc.p_stat == ZOMBIE {
        return Ok(None);
    }
    let mut system = System::new().map_err(|error| ProbeError::failed("ask for processes", &error))?;
    let wanted = ProcessRefreshKind::nothing()
        .with_cmd(UpdateKind::Always)
        .with_cwd(UpdateKind::Always)
        .with_exe(UpdateKind::Always);
    let id = Pid::from_u32(pid);
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[id]), false, wanted);
    let seen = system.process(id);
    let words = seen.map(|it| it.cmd().iter().map(|word| word.to_string_lossy().into_owned()).collect());
    let micros = micros(&record);
    Ok(Some(Process {
        pid,
        parent: u32::try_from(record.kp_eproc.e_ppid).ok().filter(|parent| *parent != 0),
        uid: Some(record.kp_eproc.e_pcred.p_ruid),
        executable: seen.and_then(|it| it.exe()).map(still_there),
        name: Some(
            record.kp_proc.p_comm.iter().map(|it| it.to_ne_bytes()[0]).take_while(|it| *it != 0).collect(),
        )
        .map(|name: Vec<u8>| String::from_utf8_lossy(&name).into_owned()),
        argv: words.unwrap_or_default(),
        directory: seen.and_then(|it| it.cwd()).map(ToOwned::to_owned),
        started: Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH),
        identity: u64::try_from(micros).unwrap_or_default(),
    }))
}

pub(super) fn pids() -> Result<Vec<u32>, ProbeError> {
    let listed = libproc::processes::pids_by_type(libproc::processes::ProcFilter::All);
    let mut pids = listed.map_err(|error| ProbeError::failed("list the processes", &error))?;
    // The kernel itself is number 0, and no process.
    pids.retain(|pid| *pid != 0);
    pids.sort_unstable();
    Ok(pids)
}

/// macOS shows that each process is there, and what it was started as to its own user.
#[expect(clippy::unnecessary_wraps, reason = "the same on Linux may fail")]
pub(super) const fn hides_others() -> Result<bool, ProbeError> {
    Ok(false)
}

pub(super) fn start(pid: u32) -> Option<u64> {
    record(pid).ok().flatten().and_then(|record| micros(&record).try_into().ok())
}

fn record(pid: u32) -> Result<Option<KinfoProc>, ProbeError> {
    let Some(id) = i32::try_from(pid).ok().and_then(KernelPid::from_raw) else { return Ok(None) };
    match kproc_info_raw(id.as_raw_nonzero().get()) {
        Ok(record) => Ok(Some(record)),
        Err(_) if test_kill_process(id) == Err(rustix::io::Errno::SRCH) => Ok(None),
        Err(why) => Err(ProbeError::failed(format!("read process {pid}"), &why)),
    }
}

/// The path, marked where its file is gone; what is on a volume that may hang is not touched.
fn still_there(program: &Path) -> PathBuf {
    if program.starts_with("/Volumes") || program.exists() {
        return program.to_owned();
    }
    let mut marked = program.as_os_str().to_owned();
    marked.push(DELETED);
    PathBuf::from(marked)
}

/// When it started, in microseconds of the epoch.
fn micros(record: &KinfoProc) -> i64 {
    let start = record.kp_proc.p_un;
    start.tv_sec * 1_000_000 + i64::from(start.tv_usec)
}
