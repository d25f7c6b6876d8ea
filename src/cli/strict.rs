//! Which option means something to which command. One that means nothing there is a usage error, and never ignored.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser};

use super::{Cli, Command, Format, GlobalOptions, MendOptions, RescuedCommand};

/// What an examination takes: all but what follows here.
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

/// A command line that names no command.
#[derive(Debug, Parser)]
#[command(name = "housecall", disable_help_flag = true)]
struct Nameless {
    #[command(flatten)]
    mend: MendOptions,
    #[command(flatten)]
    global: GlobalOptions,
}

/// The command line, where each of its parts means something.
///
/// # Errors
/// What makes no sense, and what is asked for instead of doing something: help, the version.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    // Making all commands takes longer than looking at a file; most lines name none of them.
    if arguments.get(1).is_none_or(|it| it.as_encoded_bytes().starts_with(b"-"))
        && let Some(cli) = nameless(&arguments)
    {
        return Ok(cli);
    }
    let mut command = Cli::command();
    let matches = command.try_get_matches_from_mut(arguments)?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    match mistake(&cli, &matches, &command) {
        Some(mistake) => Err(command.error(ErrorKind::ArgumentConflict, mistake)),
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
    let takes = taken(cli.command.as_ref());
    // What the output looks like counts wherever something is written.
    let idle = |id: &str| id != "color" && !takes.contains(&id);
    let mut global = command.get_arguments().filter(|it| it.is_global_set());
    if let Some(option) = global.find(|it| said(it.get_id().as_str()) && idle(it.get_id().as_str())) {
        return Some(format!("`{}` takes no `{}`", name.unwrap_or("check"), shown(option)));
    }
    let is_list = matches!(
        cli.command,
        Some(Command::Who { .. } | Command::Lint { .. } | Command::Checks | Command::Rescued { .. })
    );
    if let (true, Some(name)) = (is_list && !matches!(cli.global.format, Format::Human | Format::Json), name)
    {
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

/// The options for every command that mean something to this one.
const fn taken(command: Option<&Command>) -> &'static [&'static str] {
    match command {
        None | Some(Command::Check(_) | Command::Install { .. }) => EXAMINES,
        Some(Command::Bundle { .. }) => {
            &["directory", "config", "only", "skip", "fail_on", "offline", "timeout", "quiet"]
        }
        Some(Command::Lint { .. }) => &["directory", "format", "json", "fail_on", "timeout", "quiet"],
        Some(Command::Who { .. }) => &["directory", "format", "json"],
        Some(Command::Checks) => &["directory", "config", "format", "json"],
        Some(Command::Explain { .. } | Command::Logs { .. } | Command::Open | Command::Trust) => CONFIGURED,
        Some(Command::Rescued {
            command: None | Some(RescuedCommand::Show { .. } | RescuedCommand::Drop { .. }),
        }) => &["directory", "config", "format", "json", "timeout"],
        Some(Command::Sync { .. }) => &["directory", "config", "timeout", "quiet"],
        Some(
            Command::Serve
            | Command::Uninstall { .. }
            | Command::Up { .. }
            | Command::Down
            | Command::Restart
            | Command::Stop
            | Command::Start
            | Command::Reload(_)
            | Command::Rescued { .. },
        ) => PROBES,
        Some(Command::Init { .. } | Command::Import { .. }) => &["directory"],
        Some(
            Command::Demo { .. }
            | Command::Completions { .. }
            | Command::Man
            | Command::Schema { .. }
            | Command::Look { .. },
        ) => &[],
    }
}

/// An option as it is typed.
fn shown(option: &clap::Arg) -> String {
    option.get_long().map_or_else(
        || option.get_short().map_or_else(String::new, |short| format!("-{short}")),
        |long| format!("--{long}"),
    )
}

/// The first of them that was said.
fn first(mend: &MendOptions) -> Option<&'static str> {
    let flags =
        [(mend.fix, "--fix"), (mend.dry_run, "--dry-run"), (mend.risky, "--risky"), (mend.yes, "--yes")];
    flags.into_iter().find_map(|(said, flag)| said.then_some(flag))
}
