//! `[check.NAME]`: what a built-in check counts as, and the checks that the user declares.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use toml::Spanned;

use super::raw::{self, Text};
use super::{Override, Reading};
use crate::check::{Group, Severity};
use crate::checks;
use crate::declared::{Declared, GROUP, Nothing, Origin, Question, When};
use crate::fixes::{self, Safety};
use crate::report::words;
use crate::selection::nearest;

/// No name is longer, in bytes.
const LONGEST: usize = 200;

/// How long a declared fix may take that says nothing.
const FIX: Duration = Duration::from_mins(5);

/// What a file says of checks.
#[derive(Debug, Default)]
pub(super) struct Checks {
    pub(super) overrides: BTreeMap<String, Override>,
    pub(super) declared: Vec<Arc<Declared>>,
}

/// Reads all `[check.NAME]` of a file, in its order.
pub(super) fn read(written: BTreeMap<Text, Spanned<Box<raw::Check>>>, it: &mut Reading<'_>) -> Checks {
    let mut written: Vec<_> = written.into_iter().collect();
    written.sort_by_key(|(name, _)| name.span().start);
    let mut checks = Checks::default();
    for (name, check) in written {
        let severity = severity(check.get_ref().severity.as_ref(), it);
        if let Some(severity) = severity {
            checks.overrides.insert(name.get_ref().clone(), severity);
        }
        if checks::by_id(name.get_ref()).is_some() {
            only_severity(&name, check.get_ref(), it);
        } else if let Some(declared) = declared(&name, check, it) {
            checks.declared.push(Arc::new(declared));
        }
    }
    checks
}

fn severity(written: Option<&Text>, it: &mut Reading<'_>) -> Option<Override> {
    let written = written?;
    match written.get_ref().as_str() {
        "off" => Some(Override::Off),
        "info" => Some(Override::Severity(Severity::Info)),
        "warning" => Some(Override::Severity(Severity::Warning)),
        "error" => Some(Override::Severity(Severity::Error)),
        other => {
            it.wrong(written.span(), format!("`{other}` is no severity"), "one of info, warning, error, off");
            None
        }
    }
}

/// Of a built-in check nothing else can be said.
fn only_severity(name: &Text, check: &raw::Check, it: &mut Reading<'_>) {
    let more = check.summary.is_some()
        || check.help.is_some()
        || check.group.is_some()
        || !check.tags.is_empty()
        || !check.needs.is_empty()
        || !check.unchecked.is_empty()
        || check.timeout.is_some()
        || check.when.is_some()
        || check.fix.is_some()
        || check.asks() > 0;
    if more {
        let message = format!(
            "`{}` is a check of Housecall's own, of which only `severity` can be said",
            name.get_ref()
        );
        it.wrong(name.span(), message, "give a check of yours another name");
    }
}

fn declared(name: &Text, check: Spanned<Box<raw::Check>>, it: &mut Reading<'_>) -> Option<Declared> {
    let place = check.span();
    let mut check = check.into_inner();
    if check.is_cut {
        return None;
    }
    if check.asks() == 0 && check.unchecked.is_empty() {
        let id = name.get_ref();
        let near = nearest(id, checks::ALL.iter().map(|check| check.id.to_string()));
        let (message, hint) = match near {
            Some(near) => (format!("there is no check `{id}`"), format!("did you mean `{near}`?")),
            None => (
                format!("`{id}` is no check of Housecall's own, and asks nothing"),
                format!("say what it asks: one of {}", raw::Check::questions().join(", ")),
            ),
        };
        it.wrong(name.span(), message, hint);
        return None;
    }
    let is_named = is_name(name, "a check", it);
    let question = question(&mut check, place, it);
    let group = match &check.group {
        Some(group) => is_name(group, "a group", it).then(|| group.get_ref().clone())?,
        None => GROUP.to_owned(),
    };
    let tags: Vec<String> =
        check.tags.iter().filter(|tag| is_name(tag, "a tag", it)).map(|tag| tag.get_ref().clone()).collect();
    let needs = it.texts(&check.needs)?;
    let unchecked = unchecked(&check.unchecked, it)?;
    let when = match check.when {
        Some(when) => conditions(&when.into_inner(), it)?,
        None => When::default(),
    };
    let severity = match check.severity.as_ref().map(|it| it.get_ref().as_str()) {
        Some("info") => Severity::Info,
        Some("warning") => Severity::Warning,
        _ => Severity::Error,
    };
    let timeout = it.duration(check.timeout.as_ref());
    let fix = check.fix.map(|fix| mended(name, fix, it));
    let summary = match &check.summary {
        Some(summary) => Some(it.text(summary)?),
        None => None,
    };
    let help = match &check.help {
        Some(help) => Some(it.text(help)?.into()),
        None => None,
    };
    let fix = match fix {
        Some(None) => return None,
        Some(fix) => fix.map(Arc::new),
        None => None,
    };
    let question = question.filter(|_| is_named)?;
    let summary = summary.unwrap_or_else(|| question.summary());
    let origin = Origin { file: it.file.to_owned(), at: name.span().start };
    let name = name.get_ref().clone();
    Some(Declared {
        name,
        group,
        tags,
        summary,
        help,
        severity,
        needs,
        unchecked,
        timeout,
        when,
        question,
        fix,
        origin,
    })
}

/// The one question that a check asks.
fn question(
    check: &mut raw::Check,
    place: std::ops::Range<usize>,
    it: &mut Reading<'_>,
) -> Option<Arc<dyn Question>> {
    if check.asks() > 1 {
        it.wrong(place, "a check asks one question", "make a check of each");
        return None;
    }
    if check.asks() == 0 {
        return Some(Arc::new(Nothing));
    }
    check.question(it)
}

/// What it does not look at; to name it takes a word.
fn unchecked(written: &[Text], it: &mut Reading<'_>) -> Option<Vec<String>> {
    let parts = it.texts(written)?;
    for (part, written) in parts.iter().zip(written) {
        if part.trim().is_empty() {
            it.wrong(written.span(), "this says nothing", "say what the check does not look at");
        }
    }
    parts.iter().all(|part| !part.trim().is_empty()).then_some(parts)
}

fn conditions(when: &raw::When, it: &mut Reading<'_>) -> Option<When> {
    const SYSTEMS: [&str; 2] = ["linux", "macos"];
    let systems = it.texts(&when.os)?;
    for (os, written) in systems.iter().zip(&when.os) {
        if !SYSTEMS.contains(&os.as_str()) {
            let near = nearest(os, SYSTEMS.map(str::to_owned));
            let hint =
                near.map_or_else(|| "linux or macos".to_owned(), |near| format!("did you mean `{near}`?"));
            it.wrong(written.span(), format!("`{os}` is no system"), hint);
        }
    }
    Some(When { os: systems, host: it.texts(&when.host)?, env: it.texts(&when.env)? })
}

fn mended(name: &Text, fix: Spanned<Box<raw::Fix>>, it: &mut Reading<'_>) -> Option<fixes::declared::Fix> {
    let place = fix.span();
    let mut fix = fix.into_inner();
    let safety = match fix.safety.get_ref().as_str() {
        "safe" => Some(Safety::Safe),
        "risky" => Some(Safety::Risky),
        other => {
            it.wrong(fix.safety.span(), format!("`{other}` is no safety"), "safe or risky");
            None
        }
    };
    let title = match &fix.title {
        Some(title) => it.text(title)?,
        None => format!("mend {}", name.get_ref()),
    };
    let deadline = it.duration(fix.timeout.as_ref()).unwrap_or(FIX);
    let within = it.duration(fix.within.as_ref()).unwrap_or_default();
    let launch = fix.launch().read(place, it)?;
    Some(fixes::declared::Fix {
        check: name.get_ref().clone(),
        title,
        launch,
        deadline,
        safety: safety?,
        within,
    })
}

/// A name that can be said on the command line, and that nothing else has.
fn is_name(name: &Text, what: &str, it: &mut Reading<'_>) -> bool {
    let text = name.get_ref();
    let odd = |it: char| !(it.is_alphanumeric() || "-_.".contains(it));
    if text.is_empty() || text.len() > LONGEST || text.starts_with(['-', '.']) || text.contains(odd) {
        let hint = "letters, digits, `-`, `_` and `.`";
        it.wrong(name.span(), format!("`{text}` cannot name {what}"), hint);
        return false;
    }
    // Two names that look the same would be two checks.
    let plain = words::composed(text);
    if plain != *text {
        it.wrong(
            name.span(),
            format!("`{text}` has letters that look like others"),
            format!("write `{plain}`"),
        );
        return false;
    }
    let is_group = Group::ALL.iter().any(|group| group.name() == text);
    let taken = match what {
        // A check may be listed under a link of our chain.
        "a group" => checks::by_id(text).map(|_| "a check"),
        _ if is_group || text == GROUP => Some("a group"),
        _ if checks::by_id(text).is_some() => Some("a check"),
        _ if fixes::ALL.iter().any(|fix| fix.id == text) => Some("a fix"),
        _ => None,
    };
    if let Some(taken) = taken {
        it.wrong(name.span(), format!("`{text}` is {taken} of Housecall's own"), "take another name");
    }
    taken.is_none()
}
