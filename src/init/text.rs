//! The file that `init` writes: what was inferred, with comments for whoever reads it next.

use std::fmt::Write as _;
use std::path::Path;

use super::{Inferred, Place};
use crate::cli::Role;
use crate::config::Surroundings;
use crate::config::service::is_word;

/// The whole file.
pub(super) fn toml(it: &Inferred, surroundings: &Surroundings, place: Place) -> String {
    let path = |path: &Path| quoted(&surroundings.tilde(path));
    let is_team = place == Place::Repository;
    // Editors check it as it is written; a team's file has no such place that is everybody's.
    let schema = if is_team { "" } else { "#:schema ../config.schema.json\n" };
    let mut text = format!(
        "{schema}# Housecall keeps a local mirror of {upstream}: a worktree of its own, and a server that runs from it.\n\
         # `housecall` examines it, `housecall --fix` mends it. Every key: docs/configuration.md of Housecall.\n\n\
         name = {name}\n\n",
        upstream = one_line(&it.repository.upstream()),
        name = quoted(&it.name),
    );
    runtime(&mut text, it, surroundings, is_team);
    let repository = if is_team { quoted(".") } else { path(&it.repository.top) };
    let _ = write!(
        text,
        "[mirror]\n\
         # Where people work; it is never written to.\n\
         repository = {repository}\n\
         # {from}.\n\
         upstream = {upstream}\n",
        from = one_line(&it.repository.from),
        upstream = quoted(&it.repository.upstream()),
    );
    if is_team {
        text.push_str("# worktree, state: each developer's own, beneath ~/.local/state/housecall\n");
    } else {
        let _ = write!(
            text,
            "# The mirror's own worktree: what is edited there is set aside.\n\
             worktree = {}\n\
             # State, logs, journal.\n\
             state = {}\n",
            path(&it.worktree.0),
            path(&it.state),
        );
    }
    text.push_str("branch = \"localhost-sync\"\nevery = \"60s\"\n");
    if let Some(installer) = &it.project.installer {
        let _ = write!(
            text,
            "# From {}; run when the lockfile or the runtime's major version changed.\ninstall = {}\n",
            installer.from,
            list(&installer.argv),
        );
    }
    if !it.repository.carry.is_empty() {
        let files: Vec<String> = it.repository.carry.iter().map(|it| it.display().to_string()).collect();
        let _ = write!(
            text,
            "# git ignores these, so they are copied from the repository.\ncarry = {}\n",
            list(&files)
        );
    }
    serve(&mut text, it);
    jobs(&mut text, it);
    text
}

fn runtime(text: &mut String, it: &Inferred, surroundings: &Surroundings, is_team: bool) {
    if it.path.is_empty() && it.project.ranges.is_empty() {
        return;
    }
    text.push_str("[runtime]\n");
    for (range, from) in &it.project.ranges {
        let _ = writeln!(text, "# {}: {from}; read live from the worktree", one_line(range));
    }
    if !it.path.is_empty() {
        let directories: Vec<String> = it.path.iter().map(|(path, _)| surroundings.tilde(path)).collect();
        // What one machine has where is nothing for a team.
        let mark = if is_team { "# " } else { "" };
        for (path, from) in &it.path {
            let _ = writeln!(text, "# {}", one_line(&format!("{}: {from}", surroundings.tilde(path))));
        }
        let _ = writeln!(text, "{mark}path = {}", list(&directories));
    }
    text.push('\n');
}

fn serve(text: &mut String, it: &Inferred) {
    let Some(serving) = &it.serving else {
        text.push_str(
            "\n# Nothing here says how this site is served. For example:\n\
             # [serve]\n\
             # run = [\"npm\", \"run\", \"dev\"]\n\
             # listen = \"127.0.0.1:3000\"\n",
        );
        return;
    };
    let _ = writeln!(text, "\n[serve]\n# {}: {}.", serving.what, serving.from);
    match &serving.run {
        Ok(argv) => {
            let _ = writeln!(text, "run = {}", list(argv));
            if let Some(command) = &serving.unwatched {
                let _ = writeln!(
                    text,
                    "# `{}` is not known to serve what its files are now: each new commit restarts it. Not needed where it does.\n\
                     watches = false",
                    one_line(command)
                );
            }
        }
        Err(directory) => {
            let _ = writeln!(text, "static = {}", quoted(&directory.display().to_string()));
        }
    }
    let _ = writeln!(
        text,
        "# {}; the one address at which it must answer.\nlisten = \"127.0.0.1:{}\"",
        one_line(&serving.port_from),
        serving.port
    );
    if let Some(lang) = it.jobs.iter().filter(|job| job.role == Role::Serve).find_map(|job| job.lang.as_ref())
    {
        let _ = writeln!(text, "env = {{ LANG = {} }}", quoted(lang));
    }
    text.push_str(
        "ready = { path = \"/\", within = \"60s\" }\n\n\
         # What a page must show. A text that only the newest version has proves the most.\n\
         [[page]]\n\
         path = \"/\"\n\
         # contains = [\"a text of the page\"]\n",
    );
}

fn jobs(text: &mut String, it: &Inferred) {
    let mut labels: Vec<(&str, &str)> = Vec::new();
    for job in &it.jobs {
        // A label that no configuration can hold is for a person to change.
        if is_word(&job.label) && labels.iter().all(|(role, _)| *role != job.role.name()) {
            labels.push((job.role.name(), &job.label));
        }
    }
    if labels.is_empty() {
        return;
    }
    let labels: Vec<String> =
        labels.iter().map(|(role, label)| format!("{role} = {}", quoted(label))).collect();
    let _ = write!(text, "\n[jobs]\n# Jobs that are there already.\nlabels = {{ {} }}\n", labels.join(", "));
}

fn list(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    format!("[{}]", words.join(", "))
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// As a comment may hold it: what breaks a line would end the comment.
fn one_line(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { ' ' } else { it }).collect()
}
