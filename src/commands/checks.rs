//! `housecall checks`: every check, ours and the user's own, and whether it applies here.

use std::fmt::Write as _;

use super::Call;
use crate::check::{Check, Look};
use crate::checks::ALL;
use crate::config::{Config, ConfigError, Override};
use crate::declared::Declared;
use crate::exit::Exit;
use crate::report::style;
use crate::report::words::hang;

/// A sentence is broken into lines of no less than this, in characters.
const BESIDE: usize = 32;

/// A check as it is listed.
struct Row<'a> {
    id: &'a str,
    group: &'a str,
    tags: &'a [String],
    summary: &'a str,
    severity: String,
    fix: Option<&'a str>,
    /// What it does not look at, though it should.
    unchecked: &'a [String],
    /// Whether it applies here, else why not; `None` where nothing is configured.
    applies: Option<Result<(), String>>,
}

/// Lists them; without a configuration, without saying whether they apply.
pub(super) fn run(call: &mut Call<'_, '_>) -> Result<Exit, ConfigError> {
    let config = match call.load() {
        Err(ConfigError::Absent { .. }) => None,
        other => Some(other?),
    };
    let config = config.as_deref();
    let declared = config.map(|config| config.declared.as_slice()).unwrap_or_default();
    let mut rows: Vec<Row<'_>> = ALL.iter().map(|check| built(check, config)).collect();
    rows.extend(declared.iter().filter_map(|it| Some(own(it, config?))));
    if call.is_json() {
        let checks: Vec<_> = rows.iter().map(as_json).collect();
        let document = serde_json::json!({ "schema": "housecall.checks/1", "checks": checks });
        call.console.print(&format!("{document:#}\n"));
        return Ok(Exit::Healthy);
    }
    let (styles, width) = (call.console.styles(), call.console.terminal.width);
    let id_width = rows.iter().map(|row| row.id.chars().count()).max().unwrap_or(0).min(32);
    let mut groups: Vec<&str> = Vec::new();
    for row in &rows {
        if !groups.contains(&row.group) {
            groups.push(row.group);
        }
    }
    let mut text = String::new();
    for (at, group) in groups.iter().enumerate() {
        let space = if at > 0 { "\n" } else { "" };
        let _ = writeln!(text, "{space}{group}");
        for row in rows.iter().filter(|row| row.group == *group) {
            let id = format!("{:id_width$}", row.id);
            // The fix of a check of one's own has the check's name.
            let fix = row.fix.map_or("-", |fix| if fix == row.id { "own" } else { fix });
            let (told, look) = match &row.applies {
                Some(Err(why)) => (format!("does not apply: {why}"), styles.quiet),
                _ if row.unchecked.is_empty() => (row.summary.to_owned(), style::Look::default()),
                _ => {
                    let unchecked = row.unchecked.join("; ");
                    (format!("{} (unchecked: {unchecked})", row.summary), style::Look::default())
                }
            };
            let columns = format!("{:7}  {fix:7}", row.severity);
            let indent = id.chars().count() + columns.chars().count() + 6;
            let lead = format!("  {}  {columns}", styles.unit.paint(&id));
            // Where there is no room beside, what is read most goes beneath.
            if width.is_some_and(|width| width < indent + BESIDE) {
                let _ = writeln!(text, "{}", lead.trim_end());
                text.push_str(&hang("      ", 6, &told, width, look));
            } else {
                text.push_str(&hang(&format!("{lead}  "), indent, &told, width, look));
            }
        }
    }
    if config.is_none() {
        let told = "No mirror is configured here; with one, this says which of them apply.";
        text.push_str(&hang("\n", 0, told, width, style::Look::default()));
    }
    call.console.print(&text);
    Ok(Exit::Healthy)
}

fn built<'a>(check: &'static Check, config: Option<&Config>) -> Row<'a> {
    Row {
        id: check.id.0,
        group: check.group.name(),
        tags: &[],
        summary: check.summary,
        severity: severity(check.id.0, check.severity.to_string(), config),
        fix: check.fix.map(|fix| fix.id),
        unchecked: &[],
        applies: config.map(|config| applies(check, config).map_err(str::to_owned)),
    }
}

fn own<'a>(declared: &'a Declared, config: &Config) -> Row<'a> {
    let off = is_off(&declared.name, config).then(|| OFF.to_owned());
    Row {
        id: &declared.name,
        group: &declared.group,
        tags: &declared.tags,
        summary: &declared.summary,
        severity: severity(&declared.name, declared.severity.to_string(), Some(config)),
        fix: declared.fix.as_ref().map(|fix| fix.check.as_str()),
        unchecked: &declared.unchecked,
        applies: Some(off.or_else(|| declared.when.not_here(config)).map_or(Ok(()), Err)),
    }
}

const OFF: &str = "the configuration switches it off";

fn is_off(id: &str, config: &Config) -> bool {
    config.overrides.get(id) == Some(&Override::Off)
}

fn severity(id: &str, own: String, config: Option<&Config>) -> String {
    match config.and_then(|config| config.overrides.get(id)) {
        Some(Override::Off) => "off".to_owned(),
        Some(Override::Severity(severity)) => severity.to_string(),
        None => own,
    }
}

/// Whether a check of ours applies to this mirror; else why not.
fn applies(check: &Check, config: &Config) -> Result<(), &'static str> {
    if is_off(check.id.0, config) {
        return Err(OFF);
    }
    match check.look {
        Look::Mirror(_) if config.mirror.is_none() => Err("no [mirror] is configured"),
        Look::Server(_) if config.server.is_none() => Err("no [serve] is configured"),
        Look::Tool(_) if config.tools.is_empty() => Err("the jobs run no known tool"),
        Look::Job(_) if config.kept().is_empty() => Err("no job is configured"),
        Look::Page(_) if config.pages.is_empty() => Err("no [[page]] is configured"),
        _ => Ok(()),
    }
}

fn as_json(row: &Row<'_>) -> serde_json::Value {
    let applies = row.applies.as_ref();
    serde_json::json!({
        "id": row.id,
        "group": row.group,
        "tags": row.tags,
        "summary": row.summary,
        "severity": row.severity,
        "fix": row.fix,
        "applies": applies.map(Result::is_ok),
        "unchecked": row.unchecked,
        "why_not": applies.and_then(|it| it.as_ref().err()),
    })
}
