//! What each command takes of the options for all, and the help that lists exactly that.
//!
//! Parsing takes them everywhere, so that they may stand before a command's name; it is refused later what means nothing.

use std::fmt::Write as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory as _, Error};

use super::Cli;
use crate::report::words::wrap;

/// What an examination takes.
const EXAMINES: &[&str] = &[
    "directory",
    "config",
    "format",
    "json",
    "only",
    "skip",
    "fail_on",
    "offline",
    "timeout",
    "wait",
    "quiet",
    "verbose",
];
/// What a command takes that asks nothing but the configuration.
const CONFIGURED: &[&str] = &["directory", "config"];
/// The same, where probes look.
const PROBES: &[&str] = &["directory", "config", "timeout"];

/// The program is not wider than this, however wide the terminal is.
const WIDEST: usize = 100;

/// What the options for all commands are listed under.
pub const GLOBAL: &str = "Global options";

const EXAMPLES: &[(&str, &str)] = &[
    ("housecall", "examine this mirror"),
    ("housecall --fix", "show the plan, mend what is safe, look again"),
    ("housecall --fix --dry-run", "show the plan, change nothing"),
    ("housecall --only worktree", "one group, a check, or CHECK:SUBJECT"),
    ("housecall --json", "the same report for programs; see also --format"),
    ("housecall --wait 60s", "a gate: look again until healthy, or the time is over"),
    ("housecall explain listener-cwd", "what a check means, and how to look yourself"),
    ("housecall who 4321", "who answers on a port; needs no configuration"),
];

const EXIT_CODES: &[(&str, &str)] = &[
    ("0", "healthy"),
    ("1", "unhealthy, or stopped by its user"),
    ("2", "the command line or the configuration makes no sense; nothing was done"),
    ("3", "undetermined: something could not be seen or has not settled, or another mend is at work"),
];

/// The options for all commands, but `--color`, that mean something to the one with these names.
#[must_use]
pub fn taken(path: &[&str]) -> &'static [&'static str] {
    match path {
        [] | ["check" | "install"] => EXAMINES,
        ["bundle"] => &["directory", "config", "only", "skip", "fail_on", "offline", "timeout", "quiet"],
        ["lint"] => &["directory", "format", "json", "fail_on", "timeout", "quiet"],
        ["who"] => &["directory", "format", "json"],
        ["checks"] => &["directory", "config", "format", "json"],
        ["explain" | "logs" | "open" | "trust"] => CONFIGURED,
        ["rescued"] | ["rescued", "show" | "drop"] => &["directory", "config", "format", "json", "timeout"],
        ["sync"] => &["directory", "config", "timeout", "quiet"],
        ["serve" | "uninstall" | "up" | "down" | "restart" | "stop" | "start" | "reload"]
        | ["rescued", "restore"] => PROBES,
        ["init" | "import"] | ["import", _] => &["directory"],
        _ => &[],
    }
}

/// Whether a command is written for people or as JSON, and in no other format.
#[must_use]
pub fn is_list(path: &[&str]) -> bool {
    matches!(path, ["who" | "lint" | "checks" | "rescued", ..])
}

/// Whether an option is one of those for all commands.
#[must_use]
pub fn is_global(option: &Arg) -> bool {
    option.get_help_heading() == Some(GLOBAL)
}

/// An option as it is typed.
#[must_use]
pub fn typed(option: &Arg) -> String {
    option.get_long().map_or_else(
        || option.get_short().map_or_else(String::new, |short| format!("-{short}")),
        |long| format!("--{long}"),
    )
}

/// Reads a port.
///
/// # Errors
/// Anything else, in one sentence.
pub fn port(text: &str) -> Result<u16, String> {
    let port = text.parse().ok().filter(|port| *port > 0);
    port.ok_or_else(|| format!("`{text}` is no port: write a number from 1 to 65535, such as 4321"))
}

/// What to write where a command lacks something that it must have.
#[must_use]
pub fn helped(mut error: Error) -> Error {
    let Some(ContextValue::Strings(lacks)) = error.get(ContextKind::InvalidArg) else { return error };
    let tip = match lacks.first().map(String::as_str) {
        _ if error.kind() != ErrorKind::MissingRequiredArgument => None,
        Some("<ID>") => Some("`housecall checks` lists them: housecall explain listener-cwd"),
        Some("<PORT>") => Some("such as: housecall who 4321"),
        Some("<NAME>") => Some("`housecall rescued` lists the names"),
        Some("<FILE>...") => Some("such as: housecall lint ~/Library/LaunchAgents/*.plist"),
        Some("<SHELL>") => Some("one of bash, elvish, fish, powershell, zsh"),
        Some("<OF>") => Some("one of report, lines, config"),
        _ => None,
    };
    if let Some(tip) = tip {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

/// The command line as it is told: each command lists what it takes, no line is longer than the terminal is wide.
///
/// Where there is no terminal, each option and each command has one line, however long.
#[must_use]
pub fn narrowed(width: Option<usize>) -> Command {
    let command = Cli::command();
    let global: Vec<Arg> = command.get_arguments().filter(|it| it.is_global_set()).cloned().collect();
    let command = command.mut_args(|it| it.global(false));
    let names: Vec<String> = command.get_subcommands().map(|it| it.get_name().to_owned()).collect();
    let width = width.map(|it| it.min(WIDEST));
    let command = names
        .into_iter()
        .fold(command, |command, name| command.mut_subcommand(&name, |it| told(it, &[&name], &global)));
    command.term_width(width.unwrap_or(0)).after_help(ending(width.unwrap_or(usize::MAX)))
}

/// A command with those of the options for all that it takes.
fn told(command: Command, path: &[&str], global: &[Arg]) -> Command {
    let takes = taken(path);
    // What the output looks like counts wherever something is written.
    let own = global.iter().filter(|it| it.get_id() == "color" || takes.contains(&it.get_id().as_str()));
    let own = own.cloned().map(|it| {
        let it = it.global(false);
        match it.get_id().as_str() {
            "format" if is_list(path) => it.help("How it is written: human or json"),
            "fail_on" if path == ["lint"] => {
                it.help("The severity from which a finding fails: error, warning or info")
            }
            _ => it,
        }
    });
    let command = command.args(own);
    let names: Vec<String> = command.get_subcommands().map(|it| it.get_name().to_owned()).collect();
    names.into_iter().fold(command, |command, name| {
        command.mut_subcommand(&name, |it| told(it, &[path, &[&name]].concat(), global))
    })
}

/// What stands beneath the options: examples and exit codes.
fn ending(width: usize) -> String {
    format!("Examples:\n{}\nExit codes:\n{}", table(EXAMPLES, width), table(EXIT_CODES, width).trim_end())
}

/// Two columns, the second of which wraps beside the first, or beneath it where there is no room for that.
fn table(rows: &[(&str, &str)], width: usize) -> String {
    let first = rows.iter().map(|(first, _)| first.len()).max().unwrap_or(0);
    let beside = width.saturating_sub(first + 4);
    let mut text = String::new();
    for (head, told) in rows {
        if beside < 24 {
            let beneath = wrap(told, width.saturating_sub(6)).join("\n      ");
            let _ = writeln!(text, "  {head}\n      {beneath}");
        } else {
            let indent = format!("\n{:1$}", "", first + 4);
            let _ = writeln!(text, "  {head:first$}  {}", wrap(told, beside).join(&indent));
        }
    }
    text
}
