//! What each command does: from the command line to an exit code. Nothing here prints but through the console.

pub mod console;
mod apart;
mod bundle;
mod check;
mod checks;
mod cycle;
mod demo;
mod explain;
mod import;
mod lint;
pub mod logs;
pub mod fix;
mod init;
mod install;
mod mending;
mod rescued;
mod summary;
pub mod open;
pub mod promises;
mod reload;
pub mod serve;
mod serving;
pub mod sync;
mod trust;
mod wait;
mod watched;
mod who;
pub mod up;

use std::sync::Arc;

pub use console::{Console, Terminal};

use crate::cli::{Cli, Command, Format, GlobalOptions, ImportFrom};
use crate::config::{Config, ConfigError, Options, Surroundings, Trust};
use crate::demo::Keep;
use crate::exit::Exit;
use crate::probes::files;
use crate::probes::machine::Machine;
use crate::probes::program::at_work;
use crate::redact::Redactor;
use crate::report::unstarted::{self, Obstacle};

/// One call of the program.
pub struct Call<'a, 'b> {
    /// What every command takes.
    pub global: GlobalOptions,
    /// What surrounds the process.
    pub surroundings: Surroundings,
    /// Where it writes.
    pub console: &'a mut Console<'b>,
}

/// Does what the command line says.
pub fn run(cli: Cli, console: &mut Console<'_>) -> Exit {
    let surroundings = match Surroundings::of_process(cli.global.directory.as_deref()) {
        Ok(surroundings) => surroundings,
        Err(error) => {
            console.error(&error);
            return Exit::Usage;
        }
    };
    console.redactor = Redactor::of(&surroundings);
    if matches!(
        cli.command,
        None | Some(
            Command::Check(_) | Command::Bundle { .. } | Command::Sync { .. } | Command::Install { .. }
        )
    ) {
        at_work::share_fate();
    }
    let mut call = Call { global: cli.global, surroundings, console };
    let done = match cli.command {
        None => check::run(&mut call, &cli.mend),
        Some(Command::Check(mend)) => check::run(&mut call, &mend.and(&cli.mend)),
        Some(Command::Bundle { output }) => bundle::run(&mut call, output.as_deref()),
        Some(Command::Man) => Ok(promises::man(call.console)),
        Some(Command::Checks) => checks::run(&mut call),
        Some(Command::Explain { id }) => explain::run(&mut call, &id),
        Some(Command::Import { from: ImportFrom::Goss(options) }) => Ok(import::run(&mut call, &options)),
        Some(Command::Init { here }) => init::run(&mut call, here),
        Some(Command::Lint { files }) => Ok(lint::run(&mut call, &files)),
        Some(Command::Sync { scheduled, patient }) => {
            let who = match (scheduled, patient) {
                (true, _) => mending::Caller::Job,
                (false, true) => mending::Caller::Keeper,
                (false, false) => mending::Caller::Person,
            };
            mending::sync(&mut call, who)
        }
        Some(Command::Install { adopt, dry_run }) => {
            install::install(&mut call, install::Wish { adopt, dry_run })
        }
        Some(Command::Uninstall { dry_run }) => {
            install::uninstall(&mut call, install::Wish { adopt: false, dry_run })
        }
        Some(Command::Serve) => serve::run(&mut call),
        Some(Command::Up { detach: true, .. }) => up::up(&mut call, up::Place::Detached),
        Some(Command::Up { session: true, .. }) => up::up(&mut call, up::Place::OwnSession),
        Some(Command::Up { .. }) => up::up(&mut call, up::Place::Here),
        Some(Command::Down) => up::down(&mut call),
        Some(Command::Rescued { command }) => rescued::run(&mut call, command),
        Some(Command::Reload(options)) => reload::run(&mut call, &options),
        Some(Command::Restart) => up::restart(&mut call),
        Some(Command::Stop) => up::stop(&mut call),
        Some(Command::Start) => up::start(&mut call),
        Some(Command::Logs { role, follow, lines }) => {
            let follow = if follow { logs::Following::Yes } else { logs::Following::No };
            logs::run(&mut call, role, lines, follow)
        }
        Some(Command::Open) => open::run(&mut call),
        Some(Command::Who { port }) => Ok(who::run(&mut call, port)),
        Some(Command::Trust) => trust::run(&mut call),
        Some(Command::Completions { shell }) => Ok(promises::completions(shell, call.console)),
        Some(Command::Schema { of }) => Ok(promises::schema(of, call.console)),
        Some(Command::Demo { scene, keep }) => {
            let keep = if keep { Keep::Files } else { Keep::Nothing };
            Ok(demo::run(scene, keep, call.console))
        }
        Some(Command::Look { arguments }) => Ok(promises::look(&arguments, call.console)),
    };
    done.unwrap_or_else(|error| call.misconfigured(&error))
}

impl Call<'_, '_> {
    /// Loads the configuration.
    ///
    /// # Errors
    /// See [`Config::load`].
    pub fn load(&mut self) -> Result<Arc<Config>, ConfigError> {
        let config = Config::load(&self.options(), &self.surroundings)?;
        files::learn_carried(&Machine::default(), &config);
        // What its looks learn is secret for whatever is told from now on.
        self.console.redactor = config.redactor.clone();
        Ok(Arc::new(config))
    }

    /// What loads it again later, as it is then; it must be trusted.
    pub fn loader(&self) -> impl Fn() -> Result<Arc<Config>, String> + use<> {
        let (options, surroundings) = (self.options(), self.surroundings.clone());
        move || {
            let config = Config::load(&options, &surroundings).map_err(|error| error.to_string())?;
            if config.trust == Trust::Untrusted {
                return Err("nobody trusts it: `housecall trust` does".to_owned());
            }
            files::learn_carried(&Machine::default(), &config);
            Ok(Arc::new(config))
        }
    }

    fn options(&self) -> Options {
        let (file, timeout) = (self.global.config.clone(), self.global.timeout);
        Options { file, timeout, offline: self.global.offline }
    }

    /// How the report is written.
    #[must_use]
    pub const fn format(&self) -> Format {
        if self.global.json { Format::Json } else { self.global.format }
    }

    /// Whether a list is for programs.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.format() == Format::Json
    }

    /// How this program is called for this mirror: what a command to paste begins with.
    #[must_use]
    pub fn command(&self) -> String {
        let quoted = |path: &std::path::Path| crate::fixes::hands::commands::shell(&path.to_string_lossy());
        let directory = self.global.directory.as_deref().map(|it| format!(" -C {}", quoted(it)));
        let config = self.global.config.as_deref().map(|it| format!(" --config {}", quoted(it)));
        let command = format!("housecall{}{}", directory.unwrap_or_default(), config.unwrap_or_default());
        self.console.redactor.command(&command)
    }

    /// Writes what stands in the place of a report, in the formats of which silence would be taken for health.
    fn cannot_start(&mut self, mut obstacles: Vec<Obstacle>, whole: &str) {
        let redactor = &self.console.redactor;
        for it in &mut obstacles {
            it.why = redactor.text(&it.why);
        }
        let text = unstarted::render(self.format(), &obstacles, &redactor.text(whole));
        self.console.publish(&text);
    }

    fn misconfigured(&mut self, error: &ConfigError) -> Exit {
        let obstacles = error.obstacles(&self.surroundings);
        self.cannot_start(obstacles, error.render(false).trim_end());
        let text = error.render(self.console.terminal.colour_err);
        self.console.tell(&text);
        if matches!(error, ConfigError::Absent { .. }) {
            let instead = init::instead(self);
            self.console.tell(&instead);
        }
        Exit::Usage
    }
}
