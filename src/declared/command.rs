//! `command`: how a program ends, and what it writes.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::Question;
use super::launch::{self, Launch};
use super::number::Number;
use super::text::{self, Text, excerpt};
use crate::config::{self, Config, Reading};
use crate::cx::Cx;
use crate::probes::program::{self, Ended};
use crate::verdict::{Fact, Seen, Verdict};

/// A program, and what is asked of its run.
#[derive(Debug, Clone)]
pub struct Command {
    /// What is run.
    pub launch: Launch,
    /// The exit codes that are right.
    pub exit: Exit,
    /// What its standard output must say.
    pub stdout: Text,
    /// What its standard error must say.
    pub stderr: Text,
}

/// As it is written: `run` or `script`, and what is asked of it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Written {
    /// The program and its arguments; no shell is involved.
    #[schemars(with = "Option<Vec<String>>")]
    pub run: Option<Spanned<Vec<config::Text>>>,
    /// A script for `/bin/sh`; nothing in it is expanded by Housecall.
    #[schemars(with = "Option<String>")]
    pub script: Option<config::Text>,
    /// Where it runs; default: the configuration's own directory.
    #[schemars(with = "Option<String>")]
    pub directory: Option<config::Text>,
    /// Variables added to the caller's environment.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub env: BTreeMap<String, config::Text>,
    /// The exit codes that are right; default `[0]`.
    #[schemars(with = "Option<Exit>")]
    pub exit: Option<Spanned<Exit>>,
    /// What its standard output must say.
    #[schemars(with = "Option<text::Written>")]
    pub stdout: Option<Spanned<text::Written>>,
    /// What its standard error must say.
    #[schemars(with = "Option<text::Written>")]
    pub stderr: Option<Spanned<text::Written>>,
}

/// Exit codes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected [0, 1], or { min, max, above, below }")]
pub enum Exit {
    /// Any of them.
    Any(Vec<i32>),
    /// All within.
    Within(Number),
}

impl Exit {
    fn has(&self, code: i32) -> bool {
        match self {
            Self::Any(any) => any.contains(&code),
            Self::Within(number) => number.has(code.into()),
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any(any) => {
                let any: Vec<String> = any.iter().map(ToString::to_string).collect();
                write!(f, "exit status {}", any.join(" or "))
            }
            Self::Within(number) => write!(f, "exit status {number}"),
        }
    }
}

impl Written {
    /// What it means; mistakes are written down.
    pub fn read(self, place: Range<usize>, it: &mut Reading<'_>) -> Option<Command> {
        if let Some(exit) = &self.exit {
            let right = (0..=255).filter(|code| exit.get_ref().has(*code)).count();
            let message = match (right, exit.get_ref()) {
                (0, _) => Some("no exit code is right"),
                (256, Exit::Within(_)) => Some("every exit code is right"),
                _ => None,
            };
            if let Some(message) = message {
                it.wrong(exit.span(), message, "write exit = [0], or leave it out");
                return None;
            }
        }
        let launch =
            launch::Written { run: self.run, script: self.script, directory: self.directory, env: self.env };
        Some(Command {
            launch: launch.read(place, it)?,
            exit: self.exit.map_or_else(|| Exit::Any(vec![0]), Spanned::into_inner),
            stdout: text::read(self.stdout.as_ref(), it)?,
            stderr: text::read(self.stderr.as_ref(), it)?,
        })
    }
}

impl Question for Command {
    fn summary(&self) -> String {
        match self.launch.argv.as_slice() {
            [shell, dash_c, _] if shell == "/bin/sh" && dash_c == "-c" => "the script is content".to_owned(),
            argv => format!("`{}` is content", argv.join(" ")),
        }
    }

    /// Runs it, and looks at how it ended and what it wrote.
    ///
    /// # Errors
    /// It cannot be run, or did not end in time.
    fn look(&self, cx: &Cx, deadline: Duration) -> Seen {
        cx.machine("command")?;
        let output = program::run_observed(&self.launch.program(cx.config(), deadline)?, &mut |_| ())?;
        let command = || Fact::Command(self.launch.line(cx.config()));
        let (stdout, stderr) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let ended = match output.ended {
            Ended::Code(code) if self.exit.has(code) => None,
            Ended::Code(code) => Some(format!("exit status {code}")),
            Ended::Signal(signal) => Some(format!("signal {signal}")),
        };
        if let Some(ended) = ended {
            let said = if stderr.trim().is_empty() { &stdout } else { &stderr };
            return Ok(Verdict::fail(format!("it ended with {ended}"))
                .with("expected", self.exit.to_string())
                .with("actual", ended)
                .with("command", command())
                .with("said", excerpt(said)));
        }
        let [out_is_whole, err_is_whole] = output.cut.map(|is_cut| !is_cut);
        let failure = match self.stdout.judge("its output", &stdout, out_is_whole)? {
            None => self.stderr.judge("its standard error", &stderr, err_is_whole)?,
            failure => failure,
        };
        Ok(failure.unwrap_or_else(Verdict::pass).with("command", command()))
    }

    fn runs(&self, config: &Config) -> Option<String> {
        Some(self.launch.line(config))
    }
}
