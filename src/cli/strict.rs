//! Which option means something to which command. One that means nothing there is a usage error, and never ignored.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser};

use super::help::{helped, is_list, narrowed, taken, typed};
use super::{Cli, Command, Format, GlobalOptions, MendOptions};

/// A command line that names no command.
#[derive(Debug, Parser)]
#[command(name = "housecall", disable_help_flag = true)]
struct Nameless {
    #[command(flatten)]
    mend: MendOptions,
    #[command(flatten)]
    global: GlobalOptions,
}

/// The command line, where each of its parts means something; the width is that of the terminal, if there is one.
///
/// # Errors
/// What makes no sense, and what is asked for instead of doing something: help, the version.
pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    width: impl FnOnce() -> Option<usize>,
) -> Result<Cli, clap::Error> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    // Making all commands takes longer than looking at a file; most lines name none of them.
    if arguments.get(1).is_none_or(|it| it.as_encoded_bytes().starts_with(b"-"))
        && let Some(cli) = nameless(&arguments)
    {
        return Ok(cli);
    }
    let mut command = Cli::command();
    let matches = match command.try_get_matches_from_mut(&arguments) {
        Ok(matches) => matches,
        // Only here does it matter what each command lists as its own.
        Err(error) => {
            let own = narrowed(width()).try_get_matches_from(arguments).err();
            return Err(helped(own.unwrap_or(error)));
        }
    };
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    match mistake(&cli, &matches, &command) {
        Some(mistake) => {
            let mut called = narrowed(width());
            called.build();
            let path = path(&matches);
            let called = path.iter().try_fold(&mut called, |at, name| at.find_subcommand_mut(name));
            Err(called.unwrap_or(&mut command).error(ErrorKind::ArgumentConflict, mistake))
        }
        None => Ok(cli),
    }
}

/// The command line, if it names no command and nothing is wrong with it.
fn nameless(arguments: &[OsString]) -> Option<Cli> {
    let mut command = Nameless::command();
    let matches = command.try_get_matches_from_mut(arguments).ok()?;
    let Nameless { mend, global } = Nameless::from_arg_matches(&matches).ok()?;
    let cli = Cli { command: None, mend, global };
    mistake(&cli, &matches, &command).is_none().then_some(cli)
}

impl MendOptions {
    /// What either of two says: before the command's name, and behind it.
    #[must_use]
    pub const fn and(self, other: &Self) -> Self {
        Self {
            fix: self.fix || other.fix,
            dry_run: self.dry_run || other.dry_run,
            risky: self.risky || other.risky,
            yes: self.yes || other.yes,
        }
    }
}

/// What was said that means nothing here.
fn mistake(cli: &Cli, matches: &ArgMatches, command: &clap::Command) -> Option<String> {
    let said = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    let name = matches.subcommand_name();
    let path = path(matches);
    let takes = taken(&path);
    // What the output looks like counts wherever something is written.
    let idle = |id: &str| id != "color" && !takes.contains(&id);
    let mut global = command.get_arguments().filter(|it| it.is_global_set());
    if let Some(option) = global.find(|it| said(it.get_id().as_str()) && idle(it.get_id().as_str())) {
        return Some(format!("`{}` takes no `{}`", name.unwrap_or("check"), typed(option)));
    }
    let is_list = is_list(&path) && !matches!(cli.global.format, Format::Human | Format::Json);
    if let (true, Some(name)) = (is_list, name) {
        return Some(format!("`{name}` is written as human or json, and in no other format"));
    }
    if cli.global.json && said("format") && cli.global.format != Format::Json {
        return Some("`--json` and `--format` name two formats".to_owned());
    }
    let mend = match &cli.command {
        None => cli.mend.clone(),
        Some(Command::Check(mend)) => mend.clone().and(&cli.mend),
        Some(_) => {
            let flag = first(&cli.mend)?;
            return Some(format!("`{}` takes no `{flag}` before it", name.unwrap_or_default()));
        }
    };
    (mend.dry_run && said("wait"))
        .then(|| "a dry run changes nothing that `--wait` could wait for".to_owned())
}

/// The names of the command that was called, outermost first.
fn path(matches: &ArgMatches) -> Vec<&str> {
    let mut path = Vec::new();
    let mut at = matches;
    while let Some((name, beneath)) = at.subcommand() {
        path.push(name);
        at = beneath;
    }
    path
}

/// The first of them that was said.
fn first(mend: &MendOptions) -> Option<&'static str> {
    let flags =
        [(mend.fix, "--fix"), (mend.dry_run, "--dry-run"), (mend.risky, "--risky"), (mend.yes, "--yes")];
    flags.into_iter().find_map(|(said, flag)| said.then_some(flag))
}
