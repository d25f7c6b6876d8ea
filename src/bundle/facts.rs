//! The facts behind a report, as the probes answered: those of the examination, not asked again.

use std::fmt::Debug;

use serde_json::{Map, Value, json};

use crate::cx::Cx;
use crate::probes::Answer;
use crate::probes::jobs::Keeping;
use crate::probes::mounts::Mounts;
use crate::who;

/// Each fact under its name: what was read, line by line, or why that could not be.
pub(super) fn of(cx: &Cx) -> Value {
    let config = cx.config();
    let mut facts = Map::new();
    if config.mirror.is_some() {
        put(&mut facts, "canonical", &cx.canonical());
        put(&mut facts, "worktree", &cx.worktree());
        put(&mut facts, "changes", &cx.changes());
        put(&mut facts, "distance", &cx.distance());
        put(&mut facts, "remote", &cx.remote());
        put(&mut facts, "project", &cx.project());
        put(&mut facts, "installed", &cx.installed());
    }
    put(&mut facts, "state", &cx.state());
    put(&mut facts, "keeper", &cx.keeper());
    for tool in &config.tools {
        put(&mut facts, &format!("tool:{}", tool.name), &cx.tool(&tool.name));
    }
    for kept in config.kept() {
        let observed = match cx.keeping(&kept).as_deref() {
            Ok(Keeping::Managed(managed)) => cx.observed(managed),
            _ => continue,
        };
        put(&mut facts, &format!("job:{}", kept.subject()), &observed);
    }
    for page in config.pages.iter().filter(|page| page.service.is_none()) {
        put(&mut facts, &config.redactor.text(&format!("page:{}", page.path)), &cx.page(&page.url));
    }
    facts.insert("mounts".to_owned(), told(Mounts::read().as_ref()));
    let port = config.server.as_ref().map(|server| server.listen.port());
    let directory = config.mirror.as_ref().map_or(&config.state, |mirror| &mirror.worktree);
    let who = port.zip(cx.real_machine()).map(|(port, machine)| who::look(machine, directory, port));
    let who = who.map(|it| match it {
        Ok(who) => serde_json::to_value(&who).unwrap_or_default(),
        Err(error) => json!({ "unknown": error.to_string() }),
    });
    json!({ "schema": "housecall.facts/1", "facts": facts, "who": who })
}

fn put<T: Debug>(facts: &mut Map<String, Value>, name: &str, answer: &Answer<T>) {
    facts.insert(name.to_owned(), told(answer.as_ref()));
}

fn told(answer: Result<&impl Debug, &crate::error::ProbeError>) -> Value {
    match answer {
        Ok(fact) => format!("{fact:#?}").lines().map(str::to_owned).collect(),
        Err(error) => json!({ "unknown": error.to_string() }),
    }
}
