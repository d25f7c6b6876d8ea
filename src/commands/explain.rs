//! `housecall explain ID`: the page of a check, with this mirror's paths in its commands.

use std::fmt::Write as _;

use super::Call;
use crate::check::Check;
use crate::checks;
use crate::config::{Config, ConfigError};
use crate::declared::Declared;
use crate::exit::Exit;
use crate::fixes;
use crate::fixes::hands::commands::shell;
use crate::redact::written;
use crate::report::page::render;
use crate::selection::nearest;

/// Shows the page; without a configuration the placeholders stay.
pub(super) fn run(call: &mut Call<'_, '_>, id: &str) -> Result<Exit, ConfigError> {
    let name = id.split(':').next().unwrap_or(id);
    let config = match call.load() {
        Err(ConfigError::Absent { .. }) => None,
        other => Some(other?),
    };
    let text = match checks::by_id(name) {
        Some(check) => Some(page(check, config.as_deref())),
        // `sync` is both.
        None => [config.as_deref().and_then(|config| own(name, config)), of_group(name), of_fix(name)]
            .into_iter()
            .flatten()
            .reduce(|group, fix| format!("{group}\n{fix}")),
    };
    let Some(text) = text else {
        let groups = checks::ALL.iter().map(|check| check.group.to_string());
        let fixes = fixes::ALL.iter().map(|fix| fix.id.to_owned());
        let own = config.iter().flat_map(|config| &config.declared).map(|it| it.name.clone());
        let ours = checks::ALL.iter().map(|check| check.id.to_string());
        let near = nearest(name, ours.chain(groups).chain(fixes).chain(own));
        let hint = near.map_or_else(
            || "`housecall checks` lists them all".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        call.console.error(format!("there is no check `{name}`: {hint}"));
        return Ok(Exit::Usage);
    };
    let shown = render(&text, call.console.terminal.width.unwrap_or(100), &call.console.styles());
    call.console.print(&shown);
    Ok(Exit::Healthy)
}

/// The page of a check that the user declared: as it is written, and what it would run.
fn own(name: &str, config: &Config) -> Option<String> {
    let declared = config.declared.iter().find(|it| it.name == name)?;
    let Declared { summary, group, severity, tags, needs, origin, .. } = &**declared;
    let (_, text) = config.sources.iter().find(|(file, _)| *file == origin.file)?;
    let line = text[..origin.at].lines().count();
    let written = written::hidden(excerpt(text, origin.at));
    let tags = if tags.is_empty() { String::new() } else { format!(", tagged {}", tags.join(", ")) };
    let mut page = format!(
        "# {name}: {summary}\n{group}, {severity}{tags}\n\n## What it checks\n\n{}, line {line}:\n\n```toml\n{written}\n```\n",
        config.tilde(&origin.file)
    );
    if !declared.unchecked.is_empty() {
        page += "\nIt never passes while `unchecked` names what it does not look at: write a check of that, or of all of it, \
                 then take it out of the list.\n";
    }
    if let Some(help) = &declared.help {
        let _ = write!(page, "\n{help}\n");
    }
    if !needs.is_empty() {
        let _ = write!(page, "\nIts answer is worth nothing before these hold: {}.\n", needs.join(", "));
    }
    if let Some(fix) = &declared.fix {
        let (title, safety, line) = (&fix.title, fix.safety.name(), fix.launch.line(config));
        let _ = write!(page, "\n## How it is fixed\n\nTo {title} is {safety}:\n\n```sh\n{line}\n```\n");
    }
    if let Some(line) = declared.question.runs(config) {
        let _ = write!(page, "\n## Look yourself\n\n```sh\n{line}\n```\n");
    }
    Some(page)
}

/// The lines of a section, from its heading to the next one.
fn excerpt(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let section = &text[start..];
    let heading = section.find('\n').map_or(section.len(), |end| end + 1);
    let next = section[heading..].match_indices('\n').map(|(end, _)| heading + end + 1);
    let end = next.into_iter().find(|&line| section[line..].trim_start().starts_with('['));
    section[..end.unwrap_or(section.len())].trim_end()
}

/// The checks of a group.
fn of_group(name: &str) -> Option<String> {
    let checks: Vec<&Check> = checks::ALL.iter().copied().filter(|it| it.group.to_string() == name).collect();
    let first = checks.first()?;
    let title = format!("# {}: a group of {} checks\n\n", first.group, checks.len());
    let items: Vec<String> = checks
        .iter()
        .map(|check| format!("- {} ({}): {}", check.id, check.severity, check.summary))
        .collect();
    let items = items.join("\n");
    Some(format!("{title}{items}\n\n`housecall --only {name}` examines them, and what they need.\n"))
}

/// What a fix does, and for which checks.
fn of_fix(name: &str) -> Option<String> {
    let fix = fixes::ALL.iter().find(|fix| fix.id == name)?;
    // One may mend a single unit of a check whose others have another fix.
    let named = |check: &Check| {
        let fix = check.fix?;
        let is_of = |unit: &str| unit.split(':').next() == Some(check.id.0);
        let of_one = fix.but.iter().find(|(unit, it)| it.id == name && is_of(unit));
        let of_one = of_one.map(|(unit, _)| (*unit).to_owned());
        of_one.or_else(|| (fix.id == name).then(|| check.id.to_string()))
    };
    let mended = checks::ALL.iter().filter_map(|check| Some((check, named(check)?)));
    let items: Vec<String> = mended.map(|(check, name)| format!("- {name}: {}", check.summary)).collect();
    let items = items.join("\n");
    Some(format!(
        "# {}: a fix\n\nIt is to {}. `housecall --fix --dry-run` shows its steps, `housecall --fix` takes those that are \
         safe. It mends what keeps these from holding:\n\n{items}\n",
        fix.id, fix.title
    ))
}

fn page(check: &Check, config: Option<&Config>) -> String {
    let fix = check.fix.map_or_else(
        || "no fix: what mends it is a person's to do".to_owned(),
        |fix| format!("fix: {} ({})", fix.id, fix.title),
    );
    let (group, severity) = (check.group, check.severity);
    let docs = filled(check.docs.trim(), config);
    format!("# {}: {}\n{group}, {severity}, {fix}\n\n{docs}\n", check.id, check.summary)
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
