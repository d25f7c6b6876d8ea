//! When a job starts and starts again: what contradicts itself, and crash loops in the making.

use super::Severity;
use super::job::{Job, Report};
use super::plist::{Line, Node, Value};

/// What can start a job.
const TRIGGERS: [&str; 11] = [
    "KeepAlive",
    "RunAtLoad",
    "StartInterval",
    "StartCalendarInterval",
    "WatchPaths",
    "QueueDirectories",
    "StartOnMount",
    "MachServices",
    "Sockets",
    "LaunchEvents",
    "OnDemand",
];

/// Programs that end at once: kept alive, they are started for ever.
const SHORT: [&str; 14] = [
    "open",
    "launchctl",
    "osascript",
    "defaults",
    "true",
    "false",
    "echo",
    "touch",
    "killall",
    "pkill",
    "pmset",
    "networksetup",
    "hidutil",
    "ssh-add",
];

/// launchd's own.
const THROTTLE: i128 = 10;

/// Judges the schedule.
pub(super) fn judge(job: &Job<'_>, line: Line, report: &mut Report) {
    keep_alive(job, report);
    interval(job, report);
    calendar(job, report);
    throttle(job, report);
    if job.number("ExitTimeOut") == Some(0) {
        let line = job.node("ExitTimeOut").and_then(|it| it.line);
        let message =
            "`ExitTimeOut` 0 means for ever: a job that does not end stops the system from shutting down";
        report.add(Severity::Warning, "endless-exit", "ExitTimeOut", line, message);
    }
    if job.is_true("Disabled") {
        let line = job.entry("Disabled").and_then(|it| it.line);
        let message = "the job is disabled: launchd does not load it before `launchctl enable`";
        report.add(Severity::Info, "disabled", "Disabled", line, message);
    }
    if let Some(entry) = job.entry("UserName")
        && job.is_agent()
    {
        let message = "an agent runs as its user, and launchd ignores `UserName`";
        report.add(Severity::Info, "ignored-user", "UserName", entry.line, message);
    }
    let starts = |key: &str| match job.node(key).map(|it| &it.value) {
        None => false,
        Some(Value::Flag(flag)) => *flag != (key == "OnDemand"),
        Some(_) => true,
    };
    if !TRIGGERS.iter().any(|key| starts(key)) {
        let message =
            "nothing starts this job but `launchctl kickstart`: it has no `RunAtLoad`, schedule or trigger";
        report.add(Severity::Info, "never-started", "", line, message);
    }
}

fn keep_alive(job: &Job<'_>, report: &mut Report) {
    let Some(entry) = job.entry("KeepAlive").filter(|_| job.is_true("KeepAlive")) else { return };
    let schedules = ["StartInterval", "StartCalendarInterval"];
    for scheduled in schedules.iter().filter_map(|key| job.entry(key)) {
        let key = &scheduled.key;
        let message = format!("`{key}` has no effect: `KeepAlive` starts the job again as soon as it ends");
        report.add(Severity::Warning, "keepalive-interval", key, scheduled.line, message);
    }
    if schedules.iter().any(|key| job.entry(key).is_some()) {
        let message =
            "a job that does its work and ends is started again every 10 seconds, whatever its schedule";
        report.add(Severity::Info, "keepalive-interval", "KeepAlive", entry.line, message);
    }
    let arguments = job.arguments();
    let program = job.text("Program").or_else(|| arguments.first().and_then(|it| it.text()));
    let name = program.and_then(|it| it.rsplit('/').next()).unwrap_or_default();
    if SHORT.contains(&name) {
        let message =
            format!("`{name}` ends at once, and `KeepAlive` starts it again every 10 seconds for ever");
        report.add(Severity::Warning, "crash-loop", "KeepAlive", entry.line, message);
    }
    if let Some(run) = job.entry("RunAtLoad")
        && run.node.value == Value::Flag(false)
    {
        let message = "`KeepAlive` starts the job at load, whatever `RunAtLoad` says";
        report.add(Severity::Info, "ignored-value", "RunAtLoad", run.line, message);
    }
}

fn interval(job: &Job<'_>, report: &mut Report) {
    if let Some(seconds) = job.number("StartInterval")
        && (1..THROTTLE).contains(&seconds)
        && job.number("ThrottleInterval").unwrap_or(THROTTLE) > seconds
    {
        let line = job.node("StartInterval").and_then(|it| it.line);
        let message = format!("launchd starts a job every 10 seconds at most, not every {seconds}");
        report.add(Severity::Info, "throttled", "StartInterval", line, message);
    }
}

fn throttle(job: &Job<'_>, report: &mut Report) {
    let is_kept =
        job.is_true("KeepAlive") || job.node("KeepAlive").is_some_and(|it| !it.entries().is_empty());
    let (Some(seconds), true) = (job.number("ThrottleInterval"), is_kept) else { return };
    let line = job.node("ThrottleInterval").and_then(|it| it.line);
    if (0..THROTTLE).contains(&seconds) {
        let message = match seconds {
            0 => "a job that fails at its start is started again without a pause, for ever".to_owned(),
            1 => "a job that fails at its start is started again every second, for ever".to_owned(),
            _ => format!("a job that fails at its start is started again every {seconds} seconds, for ever"),
        };
        report.add(Severity::Warning, "crash-loop", "ThrottleInterval", line, message);
    } else if seconds >= 300 {
        let message = format!("after a failure the job stays down for {seconds} seconds");
        report.add(Severity::Info, "long-throttle", "ThrottleInterval", line, message);
    }
}

fn calendar(job: &Job<'_>, report: &mut Report) {
    let Some(entry) = job.entry("StartCalendarInterval") else { return };
    match &entry.node.value {
        Value::Dict(_) => moment(&entry.node, entry.line, report),
        _ => entry.node.items().iter().for_each(|it| moment(it, it.line, report)),
    }
}

fn moment(node: &Node, line: Line, report: &mut Report) {
    let Value::Dict(entries) = &node.value else { return };
    if entries.iter().any(|it| it.key == "Minute") {
        return;
    }
    let hour = entries.iter().find(|it| it.key == "Hour");
    let (severity, message) = match hour.map(|it| &it.node.value) {
        Some(Value::Integer(hour)) => {
            (Severity::Warning, format!("without `Minute` the job starts every minute of hour {hour}"))
        }
        _ => (Severity::Info, "without `Minute` the job starts every minute".to_owned()),
    };
    report.add(severity, "every-minute", "StartCalendarInterval", line, message);
}
