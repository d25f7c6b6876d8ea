//! What launchd knows of a job: read from `launchctl print`, and unknown wherever that is not understood.

use std::collections::BTreeMap;
use std::time::Duration;

use super::exit_codes::{self, says_not_loaded};
use super::print::{LastExit as Ending, Print, State as Printed};
use super::{complaint, domain, launchctl, said, target};
use crate::config::Config;
use crate::error::ProbeError;
use crate::probes::machine::Machine;
use crate::probes::processes;
use crate::probes::program::Ended;
use crate::services::{Job, LastExit, Loaded, Observed, State};

/// What `launchctl print` comes to.
pub(super) enum Look {
    /// It is loaded.
    Loaded(Box<Print>),
    /// It is not.
    Absent,
    /// There is no such domain: no session.
    NoDomain,
    /// Something else; what.
    Unclear(String),
}

pub(super) fn observe(_: &Machine, config: &Config, job: &Job) -> Result<Observed, ProbeError> {
    let (look, raw) = look(config, job)?;
    let is_disabled = is_disabled(config, job)?;
    let nothing = |state: State| Observed {
        state,
        pid: None,
        runs: None,
        last_exit: None,
        loaded: None,
        file: None,
        disabled: is_disabled,
        is_outdated: None,
        since: None,
        stdout: None,
        stderr: None,
        raw: raw.clone(),
    };
    Ok(match look {
        Look::Absent => nothing(State::Absent),
        Look::NoDomain => nothing(State::Refused(no_domain(job))),
        Look::Unclear(why) => nothing(State::Unknown(why)),
        Look::Loaded(print) => {
            let since = print.pid.and_then(|pid| processes::read(pid).ok().flatten()).map(|it| it.started);
            Observed {
                state: state(&print),
                pid: print.pid,
                runs: print.runs,
                last_exit: last_exit(&print),
                loaded: Some(loaded(&print)),
                file: print.path.clone(),
                since,
                stdout: print.stdout_path.clone(),
                stderr: print.stderr_path.clone(),
                ..nothing(State::Absent)
            }
        }
    })
}

/// Asks launchd once; with what it said.
pub(super) fn look(config: &Config, job: &Job) -> Result<(Look, String), ProbeError> {
    let patience = config.limits.timeout.max(Duration::from_secs(1));
    let output = launchctl(config, &["print", &target(job)], patience)?;
    let raw = said(&output);
    let look = match output.ended {
        Ended::Code(0) if output.truncated => Look::Unclear("launchctl print says too much".to_owned()),
        Ended::Code(0) => match Print::parse(&String::from_utf8_lossy(&output.stdout)) {
            Some(print) if print.label == job.label => Look::Loaded(Box::new(print)),
            Some(print) => Look::Unclear(format!("launchctl print tells of `{}`", print.label)),
            None => Look::Unclear("what launchctl print says is not understood".to_owned()),
        },
        Ended::Code(code) if says_not_loaded(code) => Look::Absent,
        Ended::Code(112 | 125) => Look::NoDomain,
        _ => Look::Unclear(complaint("print", &output)),
    };
    Ok((look, raw))
}

/// Why nothing can be asked of the domain of this job.
pub(super) fn no_domain(job: &Job) -> String {
    let domain = domain(job.scope);
    format!("there is no GUI session: launchd has no domain {domain}, as over ssh or before the first login")
}

/// Whether a disable outlives all else for it; what is not understood is no disable.
pub(super) fn is_disabled(config: &Config, job: &Job) -> Result<bool, ProbeError> {
    let patience = config.limits.timeout.max(Duration::from_secs(1));
    let output = launchctl(config, &["print-disabled", &domain(job.scope)], patience)?;
    Ok(output.succeeded() && names_disabled(&String::from_utf8_lossy(&output.stdout), &job.label))
}

/// Whether the list of `launchctl print-disabled` says so: `"label" => disabled`, or `=> true` on old systems.
fn names_disabled(list: &str, label: &str) -> bool {
    let services = list.lines().skip_while(|line| !line.trim().starts_with("disabled services")).skip(1);
    let mut words =
        services.take_while(|line| line.trim() != "}").filter_map(|line| line.trim().split_once(" => "));
    words.any(|(name, word)| name.trim_matches('"') == label && matches!(word, "disabled" | "true"))
}

fn state(print: &Print) -> State {
    if !print.is_complete {
        return State::Unknown("what launchctl print says is cut off".to_owned());
    }
    let Some(word) = &print.state else {
        return State::Unknown("launchctl print tells no state".to_owned());
    };
    match word {
        Printed::NotRunning | Printed::Exited if print.is_in_penalty_box() == Some(true) => State::Refused(
            "launchd has put it in its penalty box after failures, and does not start it again".to_owned(),
        ),
        Printed::NotRunning | Printed::Exited => State::Idle,
        Printed::SpawnScheduled if has_failed(print) => State::BackingOff,
        Printed::SpawnScheduled | Printed::Spawning | Printed::Xpcproxy | Printed::Spawned => State::Starting,
        Printed::Running if print.pid.is_some() => State::Running,
        Printed::Running => State::Unknown("launchctl print says `running` and names no process".to_owned()),
        Printed::Sigtermed | Printed::Sigkilled | Printed::Languishing => State::Draining,
        Printed::Other(word) => State::Unknown(format!("launchctl print says `{word}`")),
    }
}

/// Whether the last end was none that a job is meant to have.
fn has_failed(print: &Print) -> bool {
    !matches!(print.last_exit, None | Some(Ending::Never | Ending::Code(0)))
}

fn last_exit(print: &Print) -> Option<LastExit> {
    let ending = print.last_exit.as_ref().filter(|it| **it != Ending::Never)?;
    let code = if let Ending::Code(code) = ending { Some(*code) } else { None };
    let signal = if let Ending::Signal { number, .. } = ending { Some(*number) } else { None };
    // The count of execs is that of the process that runs now, not of the one that ended.
    let execs = print.execs.filter(|_| print.pid.is_none());
    Some(LastExit { code, signal, told: exit_codes::job(ending, execs) })
}

fn loaded(print: &Print) -> Loaded {
    let is_own = |name: &String| !name.starts_with("XPC_");
    let own = |all: &BTreeMap<String, String>| {
        all.iter()
            .filter(|(name, _)| is_own(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    Loaded {
        program: print.program.clone(),
        arguments: print.arguments.clone(),
        environment: print.environment.as_ref().map(own),
        interval: print.run_interval,
    }
}

#[cfg(test)]
mod tests {
    use super::{names_disabled, state};
    use crate::services::State;
    use crate::services::launchd::print::Print;

    #[test]
    fn a_disable_is_read_in_both_of_its_forms() {
        let list = "disabled services = {\n\t\"a.b\" => disabled\n\t\"a.b.c\" => enabled\n\t\"old\" => true\n\
                    \t\"older\" => false\n}\nlogin item associations = {\n\t\"x\" => disabled\n}\n";
        let named: Vec<&str> = ["a.b", "a.b.c", "old", "older", "x", "a"]
            .into_iter()
            .filter(|it| names_disabled(list, it))
            .collect();
        assert_eq!(named, ["a.b", "old"]);
        assert!(!names_disabled("nothing of the kind", "a.b"));
    }

    #[test]
    fn states_are_told_apart_and_never_guessed() {
        let of = |lines: &str| {
            let text = format!("gui/501/a.b = {{\n{lines}}}\n");
            state(&Print::parse(&text).expect("a service"))
        };
        assert_eq!(of("\tstate = running\n\tpid = 7\n"), State::Running);
        assert!(matches!(of("\tstate = running\n"), State::Unknown(_)));
        assert!(matches!(of("\tstate = dancing\n"), State::Unknown(_)));
        assert!(matches!(of("\tpid = 7\n"), State::Unknown(_)));
        assert_eq!(of("\tstate = spawn scheduled\n\tlast exit code = 1\n"), State::BackingOff);
        assert_eq!(of("\tstate = spawn scheduled\n\tlast exit code = (never exited)\n"), State::Starting);
        assert_eq!(of("\tstate = SIGTERMed\n\tpid = 7\n"), State::Draining);
        assert_eq!(of("\tstate = not running\n"), State::Idle);
        assert!(matches!(
            of("\tstate = not running\n\tproperties = keepalive | penalty box\n"),
            State::Refused(_)
        ));
        let cut = Print::parse("gui/501/a.b = {\n\tstate = running\n\tpid = 7\n\tru").expect("a service");
        assert!(matches!(state(&cut), State::Unknown(_)));
    }
}
