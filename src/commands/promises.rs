//! What programs read: completions, schemas, and the child's side of a look.

use clap::Arg;
use clap_mangen::roff::{Roff, roman};

use super::Console;
use crate::cli::SchemaOf;
use crate::cli::help::{is_global, narrowed, typed};
use crate::config::raw;
use crate::exit::Exit;
use crate::probes::away;
use crate::report::{json, ndjson};

/// The completions of a shell.
pub(super) fn completions(shell: clap_complete::Shell, console: &mut Console<'_>) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut narrowed(None), "housecall", &mut script);
    console.publish(&String::from_utf8_lossy(&script));
    Exit::Healthy
}

/// A JSON schema.
pub(super) fn schema(of: SchemaOf, console: &mut Console<'_>) -> Exit {
    let text = match of {
        SchemaOf::Report => json::schema(),
        SchemaOf::Lines => ndjson::schema(),
        SchemaOf::Config => config_schema(),
    };
    console.publish(&text);
    Exit::Healthy
}

/// The man page.
pub(super) fn man(console: &mut Console<'_>) -> Exit {
    console.publish(&man_page());
    Exit::Healthy
}

/// The man page, in roff: the program's, and the help of each of its commands.
#[must_use]
pub fn man_page() -> String {
    let mut command = narrowed(None);
    command.build();
    let mut page = Vec::new();
    // What is written to memory is written.
    let _ = clap_mangen::Man::new(command.clone()).render(&mut page);
    let mut details = Roff::new();
    details.control("SH", ["EACH COMMAND"]);
    for command in command.get_subcommands().filter(|it| !it.is_hide_set()) {
        details.control("SS", [format!("housecall {}", command.get_name()).as_str()]);
        let is_told = |it: &&Arg| !it.is_hide_set() && it.get_id() != "help";
        let (global, own): (Vec<&Arg>, Vec<&Arg>) =
            command.get_arguments().filter(is_told).partition(|it| is_global(it));
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        details.text([roman(format!("{about}."))]);
        if !own.is_empty() {
            details.control("nf", []);
            for argument in own {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                details.text([roman(format!("  {argument}  {help}"))]);
            }
            details.control("fi", []);
        }
        let global: Vec<String> = global.into_iter().map(typed).collect();
        details.control("br", []);
        details.text([roman(format!("Global options: {}", global.join(", ")))]);
    }
    // Examples keep their lines, and a command has no page of its own: it is told of in this one.
    let mut page = String::from_utf8_lossy(&page).replace(".SH EXTRA\n", ".SH EXTRA\n.nf\n");
    page = page.replace(".SH VERSION\n", ".fi\n.SH VERSION\n");
    for name in command.get_subcommands().map(clap::Command::get_name) {
        page = page.replace(&format!("housecall\\-{name}(1)"), &format!("housecall {name}"));
    }
    page + &details.render()
}

/// The JSON schema of `housecall.toml`.
#[must_use]
pub fn config_schema() -> String {
    format!("{:#}\n", schemars::schema_for!(raw::File).to_value())
}

/// What `__look` prints: one fact, for the process that started this one.
pub(super) fn look(arguments: &[String], console: &mut Console<'_>) -> Exit {
    match away::look_in_child(arguments) {
        Ok(fact) => {
            console.publish(&fact);
            Exit::Healthy
        }
        Err(error) => {
            console.error(error);
            Exit::Usage
        }
    }
}
