//! The command line: what can be said, and nothing of what it does.

pub mod help;
mod import;
mod scope;
pub mod strict;

pub use import::{ImportFrom, ImportOptions};
pub use scope::JobScope;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

use crate::check::Severity;
use crate::config::values;

/// A doctor for a local mirror of a site: says which link broke first, and mends it.
#[derive(Debug, Parser)]
#[command(
    name = "housecall",
    version,
    about = "A doctor for a local mirror of a site: says which link broke first, and mends it",
    infer_subcommands = false,
    disable_help_subcommand = true
)]
pub struct Cli {
    /// What to do; nothing said: check.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What may be changed by an examination.
    #[command(flatten)]
    pub mend: MendOptions,
    /// What every command takes.
    #[command(flatten)]
    pub global: GlobalOptions,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[command(next_help_heading = help::GLOBAL)]
pub struct GlobalOptions {
    /// Work as if called in this directory
    #[arg(short = 'C', value_name = "DIR", global = true, value_hint = ValueHint::DirPath)]
    pub directory: Option<PathBuf>,
    /// The configuration; default: housecall.toml here or in a parent, else the registered mirror that this is
    #[arg(long, value_name = "FILE", global = true, value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// How the report is written: human, json, ndjson, junit, tap, prometheus, github or markdown
    #[arg(long, value_name = "FORMAT", global = true, default_value = "human", hide_default_value = true)]
    #[arg(hide_possible_values = true)]
    pub format: Format,
    /// The same as --format json
    #[arg(long, global = true)]
    pub json: bool,
    /// Examine only these: a check, a group, or CHECK:SUBJECT; what they need is examined too
    #[arg(long, value_name = "ID", global = true, value_delimiter = ',')]
    pub only: Vec<String>,
    /// Leave these out
    #[arg(long, value_name = "ID", global = true, value_delimiter = ',')]
    pub skip: Vec<String>,
    /// The severity from which a failure makes the mirror unhealthy: error, warning or info
    #[arg(long, value_name = "SEVERITY", global = true, default_value = "error")]
    #[arg(hide_possible_values = true)]
    pub fail_on: FailOn,
    /// Leave the network alone; parity is against the last fetch
    #[arg(long, global = true)]
    pub offline: bool,
    /// How long one probe may take: 90s, 5m [default: 5s]
    #[arg(long, value_name = "DURATION", global = true, value_parser = values::duration)]
    pub timeout: Option<Duration>,
    /// Look again until it is healthy, or this time is over: 60s
    #[arg(long, value_name = "DURATION", global = true, value_parser = values::duration)]
    pub wait: Option<Duration>,
    /// Whether the output has colour: auto, always or never
    #[arg(long, value_name = "WHEN", global = true, default_value = "auto", hide_default_value = true)]
    #[arg(hide_possible_values = true)]
    pub color: Color,
    /// Say the last line only
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say everything: each check, its facts, exact times
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
}

/// What may be changed by an examination.
#[derive(Debug, Clone, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[command(next_help_heading = "Mending")]
pub struct MendOptions {
    /// Show the plan, mend what is safe, look again
    #[arg(long)]
    pub fix: bool,
    /// Show the steps known now, change nothing
    #[arg(long, requires = "fix")]
    pub dry_run: bool,
    /// Allow risky steps too; a terminal asks for each
    #[arg(long, requires = "fix")]
    pub risky: bool,
    /// Answer yes to each question
    #[arg(short, long, requires = "fix")]
    pub yes: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Examine this mirror and print the verdict (the default)
    #[command(visible_aliases = ["status", "doctor"])]
    Check(MendOptions),
    /// Infer a configuration from this repository and write it
    Init {
        /// Write it into the repository, for a team
        #[arg(long)]
        here: bool,
    },
    /// Align the mirror once: what the sync job runs
    Sync {
        /// Leave a remote alone that is away, and keep apart from other mirrors: how the jobs call this
        #[arg(long, hide = true)]
        scheduled: bool,
        /// Leave a build alone that fails: how the keeper calls this, which has its own time for all else
        #[arg(long, hide = true)]
        patient: bool,
    },
    /// Become the dev server, from the worktree, with the right runtime: what the serve job runs
    Serve,
    /// Write and load the two jobs, so that the mirror is there after every login
    Install {
        /// Take the place of a job of somebody else's that does the same, and keep its file beside
        #[arg(long)]
        adopt: bool,
        /// Show what would change, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Unload and remove them, and bring back what was there before
    Uninstall {
        /// Show what it would do, change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Keep both, sync and server, in one process
    Up {
        /// Do it in the background
        #[arg(long)]
        detach: bool,
        /// Lead a session of its own: how `--detach` calls this program again
        #[arg(long, hide = true, conflicts_with = "detach")]
        session: bool,
    },
    /// End what `up` keeps
    Down,
    /// What was set aside, and how to get it back
    Rescued {
        /// What to do with it; nothing said: list all
        #[command(subcommand)]
        command: Option<RescuedCommand>,
    },
    /// Restart the server, and believe it only when it answers
    Restart,
    /// Have a job's definition read again, and believe it only when the service answers
    Reload(ReloadOptions),
    /// Stop the mirror durably: no repair undoes it
    Stop,
    /// End a durable stop
    Start,
    /// Show the logs, merged by time
    Logs {
        /// Only this one: sync or serve
        #[arg(hide_possible_values = true)]
        role: Option<Role>,
        /// Go on as they grow
        #[arg(short, long)]
        follow: bool,
        /// How many lines of the past
        #[arg(short = 'n', long, value_name = "N", default_value_t = 50)]
        lines: usize,
    },
    /// Open the page in the browser: `$BROWSER`, else the system's
    Open,
    /// Say who answers on a port: both address families, process, directory, worktree, commit
    Who {
        /// The port
        #[arg(value_parser = help::port)]
        port: u16,
    },
    /// Lint launchd jobs or systemd units by themselves
    Lint {
        /// Property lists, XML or binary; units
        #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
        files: Vec<PathBuf>,
    },
    /// List every check: severity, fix, whether it applies here and why not
    Checks,
    /// Show the page of a check, with this mirror's paths; or what a group or a fix is about
    Explain {
        /// Of a check, a group or a fix
        id: String,
    },
    /// Put the report and the facts behind it into one file to share, without secrets
    Bundle {
        /// Where; it must not be there yet; `-`: stdout
        #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        output: Option<PathBuf>,
    },
    /// Turn another tool's checks into checks of your own, and name what could not be turned
    Import {
        /// Whose they are
        #[command(subcommand)]
        from: ImportFrom,
    },
    /// Allow a configuration found in a repository to run its programs
    Trust,
    /// Build a throwaway mirror, break it and mend it before your eyes
    Demo {
        /// Only this one of its scenes, counted from 1
        scene: Option<usize>,
        /// Leave its files, to look around
        #[arg(long)]
        keep: bool,
    },
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the man page
    Man,
    /// Print the JSON schema of the report, of its lines or of the configuration
    Schema {
        /// Which: report, lines or config
        #[arg(hide_possible_values = true)]
        of: SchemaOf,
    },
    #[command(name = "__look", hide = true)]
    #[doc(hidden)]
    Look {
        #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
        arguments: Vec<String>,
    },
}

/// What to do with what was set aside. NAME is its time, or the beginning of it.
#[derive(Debug, Subcommand)]
pub enum RescuedCommand {
    /// Show what is in it
    Show {
        /// Its name, or the beginning of it
        name: String,
    },
    /// Copy it into a new directory, and say how it goes on from there; nothing else is touched
    Restore {
        /// Its name, or the beginning of it
        name: String,
        /// The directory, which must not be there [default: rescued-NAME]
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        to: Option<PathBuf>,
    },
    /// Delete it for good
    Drop {
        /// Its name, or the beginning of it
        name: String,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
}

/// What is reloaded, and how.
#[derive(Debug, Clone, Args)]
pub struct ReloadOptions {
    /// Services of the configuration, or any label or unit; none: the mirror's own jobs
    #[arg(value_name = "SERVICE|LABEL", conflicts_with = "all")]
    pub names: Vec<String>,
    /// All that the configuration declares
    #[arg(long)]
    pub all: bool,
    /// Whose job a bare label is: agent (the user's) or daemon (the system's)
    #[arg(long, value_name = "SCOPE", default_value = "agent", hide_possible_values = true)]
    pub scope: JobScope,
    /// Start nothing: what is loaded starts by itself, and is not restarted when it does not serve
    #[arg(long)]
    pub skip_kickstart: bool,
    /// Print the commands; ask and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// How the report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Human,
    /// One JSON document, alone on stdout.
    Json,
    /// A JSON document a line: a unit each.
    Ndjson,
    /// `JUnit` XML, for CI systems.
    Junit,
    /// The Test Anything Protocol, version 14.
    Tap,
    /// Metrics for the textfile collector of Prometheus.
    Prometheus,
    /// Annotations and a step summary for GitHub Actions.
    Github,
    /// Markdown, for an issue.
    Markdown,
}

/// From which severity a failure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Errors only.
    Error,
    /// Warnings too.
    Warning,
    /// Everything.
    Info,
}

/// Whether the output has colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// Where a terminal reads it, and `NO_COLOR` is not set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// One of the two jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// What aligns the worktree.
    Sync,
    /// What serves it.
    Serve,
}

/// A machine-readable promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// What `--json` prints.
    Report,
    /// A line of `--format ndjson`.
    Lines,
    /// `housecall.toml`.
    Config,
}

impl From<FailOn> for Severity {
    fn from(fail_on: FailOn) -> Self {
        match fail_on {
            FailOn::Error => Self::Error,
            FailOn::Warning => Self::Warning,
            FailOn::Info => Self::Info,
        }
    }
}

impl Role {
    /// Its name, as in the log files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Serve => "serve",
        }
    }
}
