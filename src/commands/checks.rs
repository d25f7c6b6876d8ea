//! `housecall checks`: every check, and whether it applies here.

use std::fmt::Write as _;

use super::Call;
use crate::check::{Check, Look};
use crate::checks::ALL;
use crate::config::{Config, ConfigError, Override};
use crate::exit::Exit;

/// Lists them; without a configuration, without saying whether they apply.
pub(super) fn run(call: &mut Call<'_, '_>) -> Result<Exit, ConfigError> {
    let config = match call.load() {
        Err(ConfigError::Absent { .. }) => None,
        other => Some(other?),
    };
    if call.is_json() {
        let checks: Vec<_> = ALL.iter().map(|check| as_json(check, config.as_deref())).collect();
        let document = serde_json::json!({ "schema": "housecall.checks/1", "checks": checks });
        call.console.print(&format!("{document:#}\n"));
        return Ok(Exit::Healthy);
    }
    let styles = call.console.styles();
    let id_width = ALL.iter().map(|check| check.id.0.len()).max().unwrap_or(0);
    let mut text = String::new();
    let mut group = None;
    for check in ALL {
        if group != Some(check.group) {
            let space = if group.is_some() { "\n" } else { "" };
            let _ = writeln!(text, "{space}{}", check.group);
            group = Some(check.group);
        }
        let id = styles.unit.paint(format!("{:id_width$}", check.id.0));
        let severity = severity(check, config.as_deref());
        let fix = check.fix.map_or("-", |fix| fix.id);
        let told = match config.as_deref().map(|config| applies(check, config)) {
            Some(Err(why)) => styles.quiet.paint(format!("does not apply: {why}")),
            _ => check.summary.to_owned(),
        };
        let _ = writeln!(text, "  {id}  {severity:7}  {fix:5}  {told}");
    }
    if config.is_none() {
        text.push_str("\nNo mirror is configured here; with one, this says which of them apply.\n");
    }
    call.console.print(&text);
    Ok(Exit::Healthy)
}

fn severity(check: &Check, config: Option<&Config>) -> String {
    match config.and_then(|config| config.overrides.get(check.id.0)) {
        Some(Override::Off) => "off".to_owned(),
        Some(Override::Severity(severity)) => severity.to_string(),
        None => check.severity.to_string(),
    }
}

/// Whether a check applies to this mirror; else why not.
fn applies(check: &Check, config: &Config) -> Result<(), &'static str> {
    if config.overrides.get(check.id.0) == Some(&Override::Off) {
        return Err("the configuration switches it off");
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

fn as_json(check: &Check, config: Option<&Config>) -> serde_json::Value {
    let applies = config.map(|config| applies(check, config));
    serde_json::json!({
        "id": check.id.0,
        "group": check.group,
        "summary": check.summary,
        "severity": severity(check, config),
        "fix": check.fix.map(|fix| fix.id),
        "applies": applies.map(|it| it.is_ok()),
        "why_not": applies.and_then(Result::err),
    })
}
