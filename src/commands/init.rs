//! `housecall init`: infers a configuration, writes it, and says what came from where.

use std::fmt::Write as _;

use super::Call;
use crate::config::{Config, ConfigError, Options, Surroundings};
use crate::exit::Exit;
use crate::init::{self, Inferred, Place, write};
use crate::plain;
use crate::report::style::Look;
use crate::report::words::{clean_line, hang};
use crate::trust;

/// Infers and writes.
pub(super) fn run(call: &mut Call<'_, '_>, is_here: bool) -> Result<Exit, ConfigError> {
    let place = if is_here { Place::Repository } else { Place::Registry };
    let surroundings = &call.surroundings;
    let written = init::infer(surroundings).and_then(|mut inferred| {
        let file = write::place(&mut inferred, surroundings, place)?;
        write::write(&file, &inferred.toml(surroundings, place), surroundings)?;
        Ok((inferred, file))
    });
    let (inferred, file) = match written {
        Ok(written) => written,
        Err(error) => {
            call.console.error(error);
            return Ok(Exit::Usage);
        }
    };
    // Committed, it comes with a repository; it is this user's own all the same.
    if place == Place::Repository
        && let Ok(content) = plain::read(&file)
        && let Err(error) = trust::allow(&file, &content, surroundings)
    {
        call.console.error(error);
    }
    let loaded = Config::load(&Options { file: Some(file.clone()), ..Options::default() }, surroundings)?;
    let shown = call.surroundings.tilde(&file);
    let width = call.console.terminal.width;
    let table = table(&inferred, &call.surroundings, width);
    let worktree = loaded.mirror.as_ref().map(|mirror| loaded.tilde(&mirror.worktree)).unwrap_or_default();
    let next = match call.global.directory {
        Some(_) => call.command(),
        None => "housecall".to_owned(),
    };
    let unserved = if inferred.serving.is_none() {
        "\nNothing here says how the site is served: write a [serve] section into it.\n"
    } else {
        ""
    };
    let does = format!("makes the worktree {worktree}, installs, serves");
    let length = format!("next  {next} --fix     {does}").chars().count();
    let does = match width {
        Some(width) if length > width => hang("\n      ", 6, &does, Some(width), Look::default()),
        _ => format!("     {does}\n"),
    };
    call.console.print(&format!("{table}\nwrote {shown}\n{unserved}\nnext  {next} --fix{does}"));
    Ok(Exit::Healthy)
}

/// What, its value, and from where, aligned; the last beneath where the terminal has no room beside.
pub(super) fn table(inferred: &Inferred, surroundings: &Surroundings, terminal: Option<usize>) -> String {
    let rows = inferred.rows(surroundings);
    let width = rows.iter().map(|row| row.value.chars().count()).max().unwrap_or(0).min(60);
    let mut text = format!("{}\n\n", clean_line(&inferred.name));
    let from = rows.iter().map(|row| row.from.chars().count()).max().unwrap_or(0);
    let is_narrow = terminal.is_some_and(|terminal| terminal < 16 + width + from);
    for row in rows {
        let (value, from) = (clean_line(&row.value), clean_line(&row.from));
        if is_narrow {
            let _ = writeln!(text, "  {:<10}  {value}", row.what);
            text.push_str(&hang(&format!("{:16}", ""), 16, &from, terminal, Look::default()));
        } else {
            let _ = writeln!(text, "  {:<10}  {value:<width$}  {from}", row.what);
        }
    }
    text
}

/// What a directory without a configuration shows, and the ways on.
pub(super) fn instead(call: &Call<'_, '_>) -> String {
    let found = match init::infer(&call.surroundings) {
        Ok(inferred) => format!(
            "\nwhat could be inferred here: {}",
            table(&inferred, &call.surroundings, call.console.terminal.width)
        ),
        Err(error) => format!("\n{error}\n"),
    };
    let command = call.command();
    format!(
        "{found}\nnext  {command} init     writes a configuration from what is here\n      housecall demo     shows a mirror that is broken and mended\n"
    )
}
