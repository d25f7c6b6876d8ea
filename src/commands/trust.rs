//! `housecall trust`: shows what a configuration would run, and allows it by its content.
use std::fmt::Write as _;

use super::Call;
use super::install::diff;
use crate::config::{Config, ConfigError, Serving, Trust};
use crate::exit::Exit;
use crate::fixes::hands::commands::shell;
use crate::report::words::clean;
use crate::trust;

/// Shows and allows.
pub(super) fn run(call: &mut Call<'_, '_>) -> Result<Exit, ConfigError> {
    let config = call.load()?;
    let file = call.surroundings.tilde(&config.file);
    // What is shown is what is allowed: the very texts that were read.
    let mut told = programs(&config, &file);
    if config.trust == Trust::Trusted {
        call.console.print(&format!("{told}It is trusted already.\n"));
        return Ok(Exit::Healthy);
    }
    for (file, text) in &config.sources {
        if let Some(before) = trust::allowed_before(file, text.as_bytes(), &call.surroundings) {
            let file = call.surroundings.tilde(file);
            let _ = write!(told, "\nIt was allowed as another one:\n{}", clean(&diff(&file, &before, text)));
        }
    }
    call.console.print(&told);
    if call.console.terminal.can_ask && !call.console.ask("may it run them?") {
        call.console.error("it is not trusted");
        return Ok(Exit::Undetermined);
    }
    let mut files = config.sources.iter();
    match files.try_for_each(|(file, text)| trust::allow(file, text.as_bytes(), &call.surroundings)) {
        Ok(()) => {
            let next = call.command();
            call.console.print(&format!("It is trusted now; a change asks again.\n\nnext  {next}\n"));
            Ok(Exit::Healthy)
        }
        Err(error) => {
            call.console.error(error);
            Ok(Exit::Usage)
        }
    }
}

fn programs(config: &Config, file: &str) -> String {
    let mut text = format!("{file} runs\n");
    let mut row = |label: &str, told: &str| {
        // A script's lines stay lines: what follows a comment is no part of it.
        for (at, line) in clean(told).lines().enumerate() {
            let label = if at == 0 { label } else { "" };
            let _ = writeln!(text, "  {label:9} {line}");
        }
    };
    let command = |argv: &[String]| argv.iter().map(|it| shell(it)).collect::<Vec<_>>().join(" ");
    if let Some(mirror) = &config.mirror {
        for (label, argv) in [("install", &mirror.install), ("build", &mirror.build)] {
            if !argv.is_empty() {
                row(label, &command(argv));
            }
        }
    }
    if let Some(server) = &config.server {
        match &server.run {
            Serving::Program(argv) => row("serve", &command(argv)),
            Serving::Static(_) => row("serve", "nothing: Housecall serves the files itself"),
        }
        for (name, value) in &server.env {
            row("with", &format!("{name}={value}"));
        }
    }
    for directory in &config.runtime_path {
        row("from", &config.tilde(directory));
    }
    for declared in &config.declared {
        if let Some(line) = declared.question.needs_trust(config) {
            row("check", &format!("{}: {line}", declared.name));
        }
        if let Some(fix) = &declared.fix {
            row("fix", &format!("{}: {}", declared.name, fix.launch.line(config)));
        }
    }
    if let Some(mirror) = &config.mirror {
        row("in", &config.tilde(&mirror.worktree));
        row("git of", &config.tilde(&mirror.repository));
    }
    text
}
