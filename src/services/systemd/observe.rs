//! What systemd knows of a job: the timer says whether it is kept, the service how it is.

use std::path::{Path, PathBuf};

use super::Units;
use super::show::{Unit, show};
use crate::config::Config;
use crate::error::ProbeError;
use crate::plain;
use crate::probes::machine::Machine;
use crate::probes::processes;
use crate::services::{Job, LastExit, Loaded, Observed, State};

pub(super) fn observe(machine: &Machine, config: &Config, job: &Job) -> Result<Observed, ProbeError> {
    let units = Units::of(job);
    let names: Vec<&str> =
        [Some(&units.service), units.timer.as_ref()].into_iter().flatten().map(String::as_str).collect();
    let shown = show(config, job.scope, &names)?;
    let service = shown.first().cloned().unwrap_or_default();
    let timer = shown.get(1).filter(|it| !it.is_missing());
    let pid = service.pid();
    let started = pid.and_then(|pid| processes::read(pid).ok().flatten()).map(|it| it.started);
    let kept = timer.unwrap_or(&service);
    let file = Some(kept.get("FragmentPath")).filter(|it| !it.is_empty()).map(PathBuf::from);
    let (stdout, stderr) = logs(machine, Path::new(service.get("FragmentPath")));
    // What a drop-in changes is not in the file: then systemd's own word for what is outdated is enough.
    let is_amended = timer.into_iter().chain([&service]).any(|it| !it.get("DropInPaths").is_empty());
    let all = || timer.into_iter().chain([&service]);
    Ok(Observed {
        state: state(&service, timer),
        pid,
        runs: runs(&service),
        last_exit: last_exit(&service),
        loaded: service.is_loaded().then(|| {
            if is_amended {
                Loaded::default()
            } else {
                Loaded {
                    program: service.program().map(PathBuf::from),
                    // What systemctl shows of them does not tell where one ends.
                    arguments: None,
                    environment: service.environment(),
                    interval: timer.and_then(Unit::interval),
                }
            }
        }),
        file,
        disabled: kept.is_disabled() || service.is_masked(),
        is_outdated: Some(all().any(|it| it.get("NeedDaemonReload") == "yes")),
        since: started,
        stdout,
        stderr,
        raw: all().map(|it| it.raw.as_str()).collect::<Vec<_>>().join("\n\n"),
    })
}

fn state(service: &Unit, timer: Option<&Unit>) -> State {
    if let Some(refused) = timer.into_iter().chain([service]).find_map(unloadable) {
        return refused;
    }
    let Some(timer) = timer else {
        return if service.is_missing() { State::Absent } else { of_service(service) };
    };
    match timer.get("ActiveState") {
        "active" if service.is_missing() => {
            State::Refused(format!("its timer runs, but there is no {}", timer.get("Triggers")))
        }
        "active" if timer.get("SubState") == "elapsed" && !service.is_active() => {
            State::Refused("its timer has elapsed, and has no next time".to_owned())
        }
        "active" => of_service(service),
        // Stopped while it was at work: it is not gone yet.
        "inactive" if service.is_active() => of_service(service),
        "inactive" => State::Absent,
        "failed" => State::Refused(format!("its timer failed: {}", timer.get("Result"))),
        "activating" => State::Starting,
        "deactivating" => State::Draining,
        other => State::Unknown(format!("its timer is `{other}`")),
    }
}

/// Why systemd cannot load a unit, where it cannot.
fn unloadable(unit: &Unit) -> Option<State> {
    let name = unit.get("Id");
    match unit.get("LoadState") {
        "loaded" | "not-found" | "stub" | "merged" => None,
        "masked" => Some(State::Refused(format!("{name} is masked: somebody forbade it to start"))),
        "bad-setting" | "error" => {
            // What runs goes on with what was read before; that it cannot be read again is drift.
            let why = unit.load_error();
            (!unit.is_active()).then(|| State::Refused(format!("systemd cannot read {name}: {why}")))
        }
        other => Some(State::Unknown(format!("{name} is `{other}`"))),
    }
}

fn of_service(service: &Unit) -> State {
    let is_enabled = !matches!(service.get("UnitFileState"), "disabled" | "");
    match (service.get("ActiveState"), service.get("SubState")) {
        ("active" | "reloading" | "refreshing", "exited") => State::Idle,
        ("active" | "reloading" | "refreshing", _) => State::Running,
        ("activating", "auto-restart" | "auto-restart-queued") => State::BackingOff,
        // One that ends by itself is being started for as long as it runs.
        ("activating", _) if service.get("Type") == "oneshot" && service.pid().is_some() => State::Running,
        ("activating", _) => State::Starting,
        ("deactivating", _) => State::Draining,
        ("failed", _) if service.gave_up() => State::Refused(format!(
            "it failed {} times in a row, and systemd has given it up until `reset-failed`",
            service.number("NRestarts").map_or(1, |it| it.saturating_add(1))
        )),
        ("inactive", _) if !is_enabled => State::Absent,
        ("failed" | "inactive", _) => State::Idle,
        (active, sub) => State::Unknown(format!("it is `{active}` ({sub})")),
    }
}

/// systemd counts restarts; a oneshot's runs it does not count.
fn runs(service: &Unit) -> Option<u64> {
    let was_started = !service.get("ExecMainStartTimestamp").is_empty();
    let is_counted = service.get("Type") != "oneshot" && service.is_loaded();
    is_counted.then(|| service.number("NRestarts")).flatten().map(|it| it + u64::from(was_started))
}

/// The codes of `siginfo_t`: 1 exited, 2 killed, 3 dumped core; 0: nothing ended yet.
pub(super) fn last_exit(service: &Unit) -> Option<LastExit> {
    let status = i32::try_from(service.number("ExecMainStatus")?).ok()?;
    let gave_up = if service.get("Result") == "oom-kill" { ", for want of memory" } else { "" };
    match service.get("ExecMainCode") {
        "1" => {
            let told = match meaning(status) {
                Some(meaning) => format!("exit {status}: {meaning}"),
                None => format!("exit {status}"),
            };
            Some(LastExit { code: Some(status), signal: None, told })
        }
        "2" | "3" => Some(LastExit {
            code: None,
            signal: Some(status),
            told: format!("ended by signal {status}{gave_up}"),
        }),
        _ => None,
    }
}

/// What a code means: systemd's own, from before the program ran, and those of a shell.
const fn meaning(code: i32) -> Option<&'static str> {
    Some(match code {
        126 => "its program may not be executed",
        127 => "a program was not found",
        200 => "its working directory could not be entered",
        203 => "its program could not be executed: it is missing, or not a program",
        208 => "its input could not be opened",
        209 => "its log for output could not be opened",
        222 => "its log for complaints could not be opened",
        214..=216 => "its scheduling or its group could not be set",
        217 => "its user is not known here",
        218 => "its rights could not be set",
        219 => "its control group could not be made",
        226 => "its namespace could not be made",
        202 | 204..=207 | 210..=213 | 220..=221 | 223..=225 | 227..=243 => {
            "systemd could not prepare its start"
        }
        _ => return None,
    })
}

/// Where a service's output goes, as its file says: what systemctl shows leaves the path out.
pub(super) fn logs(machine: &Machine, fragment: &Path) -> (Option<PathBuf>, Option<PathBuf>) {
    let is_near = !fragment.as_os_str().is_empty() && machine.guard(fragment).is_ok();
    let text = is_near.then(|| plain::text(Path::new(fragment)).ok()).flatten().unwrap_or_default();
    let of = |key: &str| {
        let mut values =
            text.lines().filter_map(|line| line.trim().strip_prefix(key)?.trim_start().strip_prefix('='));
        let place = values.next_back()?.trim().to_owned();
        let path = ["append:", "file:", "truncate:"].iter().find_map(|it| place.strip_prefix(it))?;
        // A specifier other than the percent sign itself is systemd's to know.
        let is_plain = !path.replace("%%", "").contains('%');
        is_plain.then(|| PathBuf::from(path.replace("%%", "%")))
    };
    let stdout = of("StandardOutput");
    let stderr = of("StandardError")
        .or_else(|| text.contains("StandardError=inherit").then(|| stdout.clone()).flatten());
    (stdout, stderr)
}
