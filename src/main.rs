//! Parse, call, print, exit: the only file that prints.
#![expect(clippy::disallowed_methods, reason = "what a terminal wants is read at the edge")]

use std::io::{IsTerminal, stderr, stdin, stdout};
use std::process::ExitCode;

use housecall::cli::{Color, strict};
use housecall::commands::{self, Console, Terminal};
use housecall::progress::Audience;
use housecall::redact::Redactor;

fn main() -> ExitCode {
    let cli = match strict::parse(std::env::args_os(), columns) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    silence_looks();
    survive_limits();
    let terminal = terminal(cli.global.color, cli.global.quiet);
    let (mut out, mut err, mut input) = (stdout().lock(), stderr(), stdin().lock());
    let mut console =
        Console { out: &mut out, err: &mut err, input: &mut input, terminal, redactor: Redactor::default() };
    commands::run(cli, &mut console).into()
}

/// A look that crashes is a result, which the report tells; its thread says nothing of it.
fn silence_looks() {
    let loud = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let is_look = std::thread::current().name().is_some_and(|name| name.starts_with("look "));
        if !is_look {
            loud(panic);
        }
    }));
}

/// A file that may not grow is an error to tell, not the end; programs that are run meet the limit as ever.
fn survive_limits() {
    let seen = std::sync::Arc::default();
    // Where it cannot be had, the limit ends the process as it always did.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, seen);
}

/// Whether an agent or CI reads, by what they set: some of them give a terminal to what they run.
fn is_agent() -> bool {
    let marks = ["AI_AGENT", "CI", "CLAUDECODE", "CODEX_CI", "CODEX_THREAD_ID", "CURSOR_AGENT", "GEMINI_CLI"];
    let is_mark = |name: &str| marks.contains(&name) || name.starts_with("CODEX_SANDBOX");
    let says_no = |value: &str| matches!(value, "" | "0" | "false");
    std::env::vars_os()
        .any(|(name, value)| name.to_str().is_some_and(is_mark) && !value.to_str().is_some_and(says_no))
}

/// How wide the terminal is that shows stdout, if one does.
fn columns() -> Option<usize> {
    let width = |size: rustix::termios::Winsize| usize::from(size.ws_col);
    rustix::termios::tcgetwinsize(stdout()).map(width).ok().filter(|width| *width > 0)
}

fn terminal(color: Color, quiet: bool) -> Terminal {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let takes_colour = |is_terminal: bool| match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => is_terminal && !set("NO_COLOR") && !is_dumb,
    };
    let shows_progress = stderr().is_terminal() && !quiet && !is_dumb && !is_agent();
    Terminal {
        colour_out: takes_colour(stdout().is_terminal()),
        colour_err: takes_colour(stderr().is_terminal()),
        width: columns().map(|it| it.clamp(40, 120)),
        can_ask: stdin().is_terminal() && stderr().is_terminal(),
        audience: if shows_progress { Audience::Terminal } else { Audience::Nobody },
    }
}
