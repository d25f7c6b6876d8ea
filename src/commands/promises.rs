//! What programs read: completions, schemas, and the child's side of a look.

use clap::CommandFactory as _;

use super::Console;
use crate::cli::{Cli, SchemaOf};
use crate::config::raw;
use crate::exit::Exit;
use crate::probes::away;
use crate::report::json;

/// The completions of a shell.
pub(super) fn completions(shell: clap_complete::Shell, console: &mut Console<'_>) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "housecall", &mut script);
    console.publish(&String::from_utf8_lossy(&script));
    Exit::Healthy
}

/// A JSON schema.
pub(super) fn schema(of: SchemaOf, console: &mut Console<'_>) -> Exit {
    let text = match of {
        SchemaOf::Report => json::schema(),
        SchemaOf::Config => format!("{:#}\n", schemars::schema_for!(raw::File).to_value()),
    };
    console.publish(&text);
    Exit::Healthy
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
