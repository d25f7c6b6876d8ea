//! Does things to jobs through systemctl, and believes them only when systemd shows them done.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use super::observe::{last_exit, logs};
use super::show::{Unit, show};
use super::{Units, complaint, run, systemctl};
use crate::config::Config;
use crate::error::StepError;
use crate::fixes::hands::commands::shell;
use crate::fixes::hands::files::private_directory;
use crate::probes::clock;
use crate::probes::machine::Machine;
use crate::services::{Job, Scope, Verb};

/// How long one order may take: systemd itself kills what does not end within 60 s.
const ORDER: Duration = Duration::from_secs(90);
/// How long an order that was followed may take to show.
const GONE: Duration = Duration::from_secs(10);
/// How often is looked.
const TICK: Duration = Duration::from_millis(25);

/// A job's units, those that are there.
struct Hand<'a> {
    machine: &'a Machine,
    config: &'a Config,
    job: &'a Job,
    units: Units,
}

pub(super) fn act(
    machine: &Machine,
    config: &Config,
    job: &Job,
    verb: Verb,
) -> Result<Option<String>, StepError> {
    let hand = Hand { machine, config, job, units: Units::of(job) };
    match verb {
        Verb::Load => hand.load(),
        Verb::Start => hand.start(),
        Verb::Reload => hand.reload(),
        Verb::Restart => hand.restart(),
        Verb::Run => hand.run(),
        Verb::Unload | Verb::Disable => hand.unload().map(|()| None),
        Verb::Enable => hand.enable().map(|()| None),
    }
}

impl Hand<'_> {
    fn load(&self) -> Result<Option<String>, StepError> {
        self.read_again()?;
        let (service, timer) = self.show()?;
        self.must_be_loadable(&service, timer.as_ref())?;
        self.forgive()?;
        let kept = self.kept(timer.as_ref());
        // What was never meant to start at login is only started.
        let is_enabled_by =
            |unit: &Unit| !matches!(unit.get("UnitFileState"), "static" | "generated" | "transient");
        if is_enabled_by(timer.as_ref().unwrap_or(&service)) {
            self.order("load", &["enable", kept])?;
        }
        let failed = self.begin("start", &["start", kept])?;
        let fleeting = (linger(self.config) == Some(false)).then(without_linger);
        let notes: Vec<String> = [failed, fleeting].into_iter().flatten().collect();
        Ok(if notes.is_empty() { None } else { Some(notes.join("; ")) })
    }

    /// Starts what is loaded; one that nothing starts any more was stopped by somebody.
    fn start(&self) -> Result<Option<String>, StepError> {
        let (service, timer) = self.show()?;
        self.must_be_loadable(&service, timer.as_ref())?;
        self.must_be_wanted(&service, timer.as_ref())?;
        self.forgive()?;
        self.begin("start", &["start", self.kept(timer.as_ref())])
    }

    /// Has the files read again and starts it from them: it stays enabled all the while, so that it is not lost when
    /// this is cut short.
    fn reload(&self) -> Result<Option<String>, StepError> {
        let (service, timer) = self.show()?;
        self.must_be_wanted(&service, timer.as_ref())?;
        self.read_again()?;
        let (service, timer) = self.show()?;
        self.must_be_loadable(&service, timer.as_ref())?;
        self.forgive()?;
        self.begin("restart", &["restart", self.kept(timer.as_ref())])
    }

    fn restart(&self) -> Result<Option<String>, StepError> {
        let (service, timer) = self.show()?;
        self.must_be_loadable(&service, timer.as_ref())?;
        self.must_be_wanted(&service, timer.as_ref())?;
        self.forgive()?;
        match timer {
            // It ends by itself, after minutes perhaps: its start is asked for, its end is not waited for.
            Some(_) => self.begin("restart", &["restart", "--no-block", &self.units.service]),
            None => self.begin("restart", &["restart", &self.units.service]),
        }
    }

    /// Has it run once more, and believes that once it was begun. That it waits for what we hold is no matter.
    fn run(&self) -> Result<Option<String>, StepError> {
        let (service, timer) = self.show()?;
        self.must_be_loadable(&service, timer.as_ref())?;
        self.must_be_wanted(&service, timer.as_ref())?;
        let before = service.get("InvocationID").to_owned();
        self.begin("run", &["start", "--no-block", &self.units.service])?;
        let start = clock::instant();
        while start.elapsed() < GONE {
            let (service, _) = self.show()?;
            if service.is_active() || service.get("InvocationID") != before {
                return Ok(None);
            }
            std::thread::sleep(TICK);
        }
        let why = format!("systemd has not begun it within {}", crate::error::human_duration(GONE));
        Err(StepError::failed(format!("run {}", self.job.label), &why))
    }

    /// Stops it, keeps it from being started at login, and waits until nothing of it is left.
    fn unload(&self) -> Result<(), StepError> {
        let (service, timer) = self.show()?;
        let kept = self.kept(timer.as_ref()).to_owned();
        // The timer first, or it would start again what was just stopped.
        for unit in timer.iter().chain([&service]).filter(|it| it.is_active()) {
            self.order("stop", &["stop", unit.get("Id")])?;
        }
        let start = clock::instant();
        loop {
            let (service, timer) = self.show()?;
            let is_gone = |it: &Unit| !it.is_active() && it.pid().is_none();
            if is_gone(&service) && timer.as_ref().is_none_or(is_gone) {
                break;
            }
            if start.elapsed() > GONE {
                let why = format!("it is still `{}`", service.get("ActiveState"));
                return Err(StepError::failed(format!("stop {}", self.job.label), &why));
            }
            std::thread::sleep(TICK);
        }
        self.forgive()?;
        let is_there = timer.as_ref().map_or(!service.is_missing(), |it| !it.is_missing());
        if is_there && !timer.as_ref().unwrap_or(&service).is_disabled() {
            self.order("disable", &["disable", &kept])?;
        }
        Ok(())
    }

    fn enable(&self) -> Result<(), StepError> {
        let (service, timer) = self.show()?;
        if service.is_missing() && timer.is_none() {
            // A disabled unit is one without a link: where the unit is gone, nothing is disabled any more.
            return Ok(());
        }
        self.must_be_loadable(&service, timer.as_ref())?;
        self.order("enable", &["enable", self.kept(timer.as_ref())])
    }

    /// The unit that is enabled and started: the timer, where there is one.
    fn kept<'a>(&'a self, timer: Option<&Unit>) -> &'a str {
        match (&self.units.timer, timer) {
            (Some(name), Some(_)) => name,
            _ => &self.units.service,
        }
    }

    fn show(&self) -> Result<(Unit, Option<Unit>), StepError> {
        let names: Vec<&str> = [Some(&self.units.service), self.units.timer.as_ref()]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        let mut shown = show(self.config, self.job.scope, &names)?.into_iter();
        let service = shown.next().unwrap_or_default();
        Ok((service, shown.next().filter(|it| !it.is_missing())))
    }

    fn read_again(&self) -> Result<(), StepError> {
        self.order("have the units read again for", &["daemon-reload"])
    }

    /// Forgets failures, so that a limit that was hit does not refuse the next start; what has none is no matter.
    fn forgive(&self) -> Result<(), StepError> {
        for unit in [Some(&self.units.service), self.units.timer.as_ref()].into_iter().flatten() {
            systemctl(self.config, self.job.scope, &["reset-failed", "--quiet", "--", unit], ORDER)?;
        }
        Ok(())
    }

    fn must_be_loadable(&self, service: &Unit, timer: Option<&Unit>) -> Result<(), StepError> {
        let whole = timer.into_iter().chain([service]);
        for unit in whole {
            let name = unit.get("Id");
            if unit.is_masked() {
                return Err(StepError::Refused(format!(
                    "{name} is masked, which forbids it to start: `{}` ends that",
                    line(self.job.scope, &["unmask", name])
                )));
            }
            if unit.is_missing() {
                let why = format!("systemd finds no unit {name} where it looks");
                return Err(StepError::failed(format!("load {}", self.job.label), &why));
            }
            if !unit.is_loaded() {
                let why = format!("systemd cannot read it: {}", unit.load_error());
                return Err(StepError::failed(format!("load {name}"), &why));
            }
        }
        Ok(())
    }

    /// Refuses what somebody stopped for good: only loading it ends that.
    fn must_be_wanted(&self, service: &Unit, timer: Option<&Unit>) -> Result<(), StepError> {
        let kept = timer.unwrap_or(service);
        let is_stopped = kept.get("UnitFileState") == "disabled" && !kept.is_active() && !service.is_active();
        if !is_stopped {
            return Ok(());
        }
        let enable = line(self.job.scope, &["enable", "--now", self.kept(timer)]);
        Err(StepError::Refused(format!("{} is stopped and disabled: `{enable}` ends that", self.kept(timer))))
    }

    /// Makes the folders of its logs where they are the mirror's own: systemd opens the files, and makes no folder.
    fn make_log_folders(&self, service: &Unit) -> Result<(), StepError> {
        let (out, err) = logs(self.machine, Path::new(service.get("FragmentPath")));
        for folder in [out, err].iter().flatten().filter_map(|it| it.parent()) {
            if folder.starts_with(&self.config.state) {
                private_directory(folder).map_err(|error| {
                    StepError::failed(format!("make {}", self.config.tilde(folder)), &error)
                })?;
            }
        }
        Ok(())
    }

    /// Has it started. That its first start failed is worth a word, not an error, where systemd tries again: it is
    /// loaded, and what was broken may be mended next.
    fn begin(&self, what: &str, arguments: &[&str]) -> Result<Option<String>, StepError> {
        self.make_log_folders(&self.show()?.0)?;
        let Err(error) = self.order(what, arguments) else { return Ok(None) };
        let (service, _) = self.show()?;
        if !service.is_active() {
            return Err(error);
        }
        let why = last_exit(&service).map(|it| format!(" ({})", it.told)).unwrap_or_default();
        Ok(Some(format!("its first start failed{why}; systemd tries again")))
    }

    fn order(&self, what: &str, arguments: &[&str]) -> Result<(), StepError> {
        let output = systemctl(self.config, self.job.scope, arguments, ORDER)?;
        if output.succeeded() {
            return Ok(());
        }
        Err(StepError::failed(format!("{what} {}", self.job.label), &complaint(&output)))
    }
}

/// What a person would type.
pub(super) fn commands(_config: &Config, job: &Job, verb: Verb) -> Vec<String> {
    let units = Units::of(job);
    // Which of both is there is systemd's to know: by its role, a sync has a timer.
    let has_timer = units.timer.as_ref() == Some(&job.label) || job.name == "sync";
    let kept = if has_timer { units.timer.as_deref().unwrap_or(&units.service) } else { &units.service };
    let service = units.service.as_str();
    let say = |arguments: &[&str]| line(job.scope, arguments);
    match verb {
        Verb::Load => vec![say(&["daemon-reload"]), say(&["enable", "--now", kept])],
        Verb::Start => vec![say(&["start", kept])],
        Verb::Run => vec![say(&["start", "--no-block", service])],
        Verb::Reload => {
            vec![say(&["daemon-reload"]), say(&["reset-failed", service]), say(&["restart", kept])]
        }
        Verb::Restart => vec![say(&["reset-failed", service]), say(&["restart", service])],
        Verb::Unload | Verb::Disable if has_timer => {
            vec![say(&["disable", "--now", kept]), say(&["stop", service])]
        }
        Verb::Unload | Verb::Disable => vec![say(&["disable", "--now", kept])],
        Verb::Enable => vec![say(&["enable", kept])],
    }
}

fn line(scope: Scope, arguments: &[&str]) -> String {
    let start = match scope {
        Scope::Agent => "systemctl --user",
        Scope::Daemon => "sudo systemctl",
    };
    let rest: Vec<String> = arguments.iter().map(|it| shell(it)).collect();
    format!("{start} {}", rest.join(" "))
}

/// Whether the user's jobs run on without a session, and from the start of the machine; `None`: nobody says.
#[must_use]
pub fn linger(config: &Config) -> Option<bool> {
    let user = rustix::process::geteuid().as_raw().to_string();
    let argv = ["loginctl", "show-user", &user, "--property=Linger", "--value"].map(OsString::from);
    let output = run(config, argv.to_vec(), config.limits.timeout).ok()?;
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    match stdout.trim() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => stderr.contains("is not logged in or lingering").then_some(false),
    }
}

fn without_linger() -> String {
    "it runs while you are logged in: `loginctl enable-linger` has it run from the start of the machine on, with or \
     without a session"
        .to_owned()
}
