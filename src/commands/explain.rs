//! `housecall explain ID`: the page of a check, with this mirror's paths in its commands.

use super::Call;
use crate::check::Check;
use crate::checks;
use crate::config::{Config, ConfigError};
use crate::exit::Exit;
use crate::fixes::hands::commands::shell;
use crate::report::words::clean;
use crate::selection::nearest;

/// Shows the page; without a configuration the placeholders stay.
pub(super) fn run(call: &mut Call<'_, '_>, id: &str) -> Result<Exit, ConfigError> {
    let name = id.split(':').next().unwrap_or(id);
    let Some(check) = checks::by_id(name) else {
        let near = nearest(name, checks::ALL.iter().map(|check| check.id.to_string()));
        let hint = near.map_or_else(
            || "`housecall checks` lists them all".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        call.console.error(format!("there is no check `{name}`: {hint}"));
        return Ok(Exit::Usage);
    };
    let config = match call.load() {
        Err(ConfigError::Absent { .. }) => None,
        other => Some(other?),
    };
    let text = clean(&page(check, config.as_deref()));
    let styles = call.console.styles();
    let painted = text.lines().map(|line| match line.strip_prefix("## ") {
        Some(heading) => format!("{}\n", styles.unit.paint(heading)),
        None => format!("{line}\n"),
    });
    let painted: String = painted.collect();
    call.console.print(&painted);
    Ok(Exit::Healthy)
}

fn page(check: &Check, config: Option<&Config>) -> String {
    let fix = check.fix.map_or_else(
        || "no fix: what mends it is a person's to do".to_owned(),
        |fix| format!("fix: {} ({})", fix.id, fix.title),
    );
    let (group, severity) = (check.group, check.severity);
    let docs = filled(check.docs.trim(), config);
    format!("{}: {}\n{group}, {severity}, {fix}\n\n{docs}\n", check.id, check.summary)
}

/// The page's placeholders, as this mirror fills them.
fn filled(docs: &str, config: Option<&Config>) -> String {
    let Some(config) = config else { return docs.to_owned() };
    let path = |path: &std::path::Path| shell(&config.tilde(path));
    let mut text = docs.replace("{state}", &path(&config.state)).replace("{name}", &config.name);
    text = text.replace("{config}", &path(&config.file));
    let jobs_path: Vec<String> = config.jobs_path().iter().map(|place| place.display().to_string()).collect();
    text = text.replace("{path}", &jobs_path.join(":"));
    if let Some(mirror) = &config.mirror {
        text = text
            .replace("{worktree}", &path(&mirror.worktree))
            .replace("{repository}", &path(&mirror.repository))
            .replace("{remote}", &mirror.remote)
            .replace("{upstream}", &mirror.upstream)
            .replace("{branch}", &mirror.branch);
    }
    if let Some(server) = &config.server {
        text = text
            .replace("{listen}", &server.listen.to_string())
            .replace("{port}", &server.listen.port().to_string());
    }
    text
}
