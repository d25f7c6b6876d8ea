//! `job-drift`: the job that is loaded is the one of its file, and the file is the one of the configuration.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::check::{Check, CheckId, Group, Look, Severity};
use crate::checks::jobs::told::Told;
use crate::checks::jobs::{managed, reload};
use crate::config::Kept;
use crate::cx::Cx;
use crate::error::{ProbeError, human_duration};
use crate::fixes::install;
use crate::probes::jobs::{DefinitionFile, Managed};
use crate::probes::keeper::{Keeper, Keeps};
use crate::services::{Loaded, MARKER, Observed, State};
use crate::verdict::{Fact, Seen, Verdict};

/// What is loaded is what the file says, and the file what the configuration says.
pub static CHECK: Check = Check {
    id: CheckId("job-drift"),
    group: Group::Jobs,
    summary: "what is loaded is what the file says, and the file is what the configuration says",
    docs: include_str!("job_drift.md"),
    severity: Severity::Error,
    requires: &[],
    fix: Some(&install::FIX),
    look: Look::Job(look),
};

fn look(cx: &Cx, kept: &Kept) -> Seen {
    let managed = match managed(cx, kept)? {
        Ok(managed) => managed,
        Err(verdict) => return Ok(of_keeper(cx, kept)?.unwrap_or(verdict)),
    };
    let files = cx.job_files(&managed)?;
    let observed = cx.observed(&managed)?;
    let is_loaded = observed.loaded.is_some() || observed.file.is_some();
    let missing = files.iter().find(|it| it.content.is_none());
    let name = &managed.job.name;
    let verdict = match missing {
        Some(_) if !is_loaded => {
            return Ok(Verdict::not_applicable("the job is neither in a file nor loaded"));
        }
        Some(file) => Verdict::fail(format!("the file of `{name}` is gone, and what was loaded lives on"))
            .with("expected", file.path.as_path()),
        None => match edited(&managed, &files).or_else(|| outdated(&managed, &files, &observed)) {
            Some(verdict) => verdict,
            None => return Ok(foreign(&managed, &files)),
        },
    };
    Ok(if kept.is_ours() { verdict } else { verdict.with("remedy", Fact::Command(reload(&managed))) })
}

/// What the keeper that runs went by when it read the configuration, against what that says now.
fn of_keeper(cx: &Cx, kept: &Kept) -> Result<Option<Verdict>, ProbeError> {
    let Keeper::Running(running) = &*cx.keeper()? else { return Ok(None) };
    let wanted = Keeps::of(cx.config());
    let Some(keeps) = running.keeps.as_ref().filter(|it| **it != wanted) else { return Ok(None) };
    let every = |it: &Keeps| match it.every_ms {
        Some(every) => format!("every {}", human_duration(Duration::from_millis(every))),
        None => "never".to_owned(),
    };
    let listen = |it: &Keeps| it.listen.map_or_else(|| "no server".to_owned(), |it| it.to_string());
    let differs = |message: &str, expected: String, actual: String| {
        let verdict = Verdict::fail(message).with("expected", expected).with("actual", actual);
        let verdict = verdict.with("who", Fact::Pid(running.pid));
        Some(match &running.unfollowed {
            Some(it) => verdict.with("not followed", it.why.as_str()),
            None => verdict,
        })
    };
    Ok(match kept {
        Kept::Sync if keeps.every_ms != wanted.every_ms => {
            let message =
                format!("the keeper syncs {}, and the configuration says {}", every(keeps), every(&wanted));
            differs(&message, every(&wanted), every(keeps))
        }
        Kept::Serve if keeps.listen != wanted.listen => differs(
            "the keeper serves at another address than the configuration says",
            listen(&wanted),
            listen(keeps),
        ),
        Kept::Serve if keeps.settings != wanted.settings => differs(
            "the keeper started its server with other settings than the configuration's",
            "those of now".to_owned(),
            "those of before".to_owned(),
        ),
        _ => None,
    })
}

/// The file against the configuration, where the file is ours.
fn edited(managed: &Managed, files: &[DefinitionFile]) -> Option<Verdict> {
    let wanted = managed.wanted.as_ref()?;
    wanted.files.iter().find_map(|expected| {
        let actual = files.iter().find(|it| it.path == expected.path)?.content.as_ref()?;
        let text = String::from_utf8_lossy(actual.bytes());
        if !text.contains(MARKER) {
            let message =
                format!("the file of `{}` was replaced by one that is not Housecall's", managed.job.name);
            return Some(Verdict::fail(message).with("file", expected.path.as_path()));
        }
        if text == expected.content {
            return None;
        }
        let verdict =
            Verdict::fail(format!("the file of `{}` is not what the configuration says", managed.job.name))
                .with("file", expected.path.as_path());
        Some(difference(verdict, &expected.content, &text))
    })
}

/// The first line that differs.
fn difference(verdict: Verdict, expected: &str, actual: &str) -> Verdict {
    let same = expected.lines().zip(actual.lines()).take_while(|(a, b)| a == b).count();
    let line = |text: &str| text.lines().nth(same).map_or("(nothing)", str::trim).to_owned();
    verdict.with("line", (same + 1).to_string()).with("expected", line(expected)).with("actual", line(actual))
}

/// What is loaded against the file.
fn outdated(managed: &Managed, files: &[DefinitionFile], observed: &Observed) -> Option<Verdict> {
    let name = &managed.job.name;
    let who = managed.manager;
    if observed.state == State::Absent {
        return None;
    }
    if let (Some(read), Some(file)) = (&observed.file, files.first())
        && !files.iter().any(|it| it.path == *read)
    {
        let verdict = Verdict::fail(format!("`{name}` is loaded from another file"));
        return Some(verdict.with("expected", file.path.as_path()).with("actual", read.as_path()));
    }
    let message = || format!("{who} has an older definition of `{name}` loaded than its file holds");
    let differences = observed.loaded.as_ref().map(|it| compare(&Told::of(files), it)).unwrap_or_default();
    if differences.is_empty() && observed.is_outdated != Some(true) {
        return None;
    }
    let verdict =
        differences.into_iter().fold(Verdict::fail(message()), |verdict, (what, expected, actual)| {
            verdict.with("differs", what).with("expected", expected).with("actual", actual)
        });
    Some(match (observed.is_outdated, files.first()) {
        (Some(true), Some(file)) => verdict.with("changed since", file.path.as_path()),
        _ => verdict,
    })
}

/// What differs, where both sides are known.
fn compare(told: &Told, loaded: &Loaded) -> Vec<(String, String, String)> {
    let mut differences = Vec::new();
    let mut add = |what: &str, file: String, loaded: String| {
        if file != loaded {
            differences.push((what.to_owned(), file, loaded));
        }
    };
    if let (Some(file), Some(loaded)) = (told.program(), &loaded.program)
        // launchd resolves a name without a slash itself.
        && file.is_absolute()
    {
        add("program", file.display().to_string(), loaded.display().to_string());
    }
    if let (Some(file), Some(loaded)) = (&told.loaded.arguments, &loaded.arguments) {
        add("arguments", file.join(" "), loaded.join(" "));
    }
    if let Some(loaded) = loaded.interval.filter(|_| told.is_plist) {
        let file = told.loaded.interval.map_or_else(|| "none".to_owned(), human_duration);
        add("interval", file, human_duration(loaded));
    }
    if let (Some(file), Some(loaded)) = (&told.loaded.environment, &loaded.environment) {
        for (name, file, loaded) in variables(file, loaded) {
            add(&format!("variable {name}"), file.to_owned(), loaded.to_owned());
        }
    }
    differences
}

/// The variables that differ. Their values may be secret: they are told only for the few that never are.
fn variables<'a>(
    file: &'a BTreeMap<String, String>,
    loaded: &'a BTreeMap<String, String>,
) -> Vec<(&'a str, &'a str, &'a str)> {
    let names = file.keys().chain(loaded.keys().filter(|name| !file.contains_key(*name)));
    names
        .filter(|name| file.get(*name) != loaded.get(*name))
        .map(|name| {
            let is_public = ["PATH", "HOME", "LANG", "LC_ALL", "TZ"].contains(&name.as_str());
            let shown = |it: Option<&'a String>, other: &'static str| match it {
                None => "not set",
                Some(value) if is_public => value.as_str(),
                Some(_) => other,
            };
            (name.as_str(), shown(file.get(name), "a value"), shown(loaded.get(name), "another value"))
        })
        .collect()
}

/// A pass, which says where the file is somebody else's.
fn foreign(managed: &Managed, files: &[DefinitionFile]) -> Verdict {
    let by_hand = managed.wanted.is_none() && ["sync", "serve"].contains(&managed.job.name.as_str());
    match files.first() {
        Some(file) if by_hand => Verdict::pass()
            .with("made by hand", file.path.as_path())
            .with("to take it over", Fact::Command("housecall install --adopt".to_owned())),
        _ => Verdict::pass(),
    }
}
