//! Runs the fix that the configuration declares for a check of its own.

use crate::config::Config;
use crate::declared::text::excerpt;
use crate::error::StepError;
use crate::fixes::declared::Fix;
use crate::probes::program::{self, Ended};

/// Runs it to its end, and tells how it ended.
///
/// # Errors
/// The configuration is not trusted, it cannot be run, or it did not end well in its time: its own words.
pub(super) fn run(config: &Config, fix: &Fix, on_output: &mut dyn FnMut(&[u8])) -> Result<String, StepError> {
    let program = fix.launch.program(config, fix.deadline)?;
    let output = program::run_observed(&program, on_output)?;
    match output.ended {
        Ended::Code(0) => Ok(format!("ran {}", fix.launch.argv.first().map_or("", String::as_str))),
        ended => {
            let ended = match ended {
                Ended::Code(code) => format!("exit status {code}"),
                Ended::Signal(signal) => format!("signal {signal}"),
            };
            let said = [output.stderr, output.stdout].map(|it| excerpt(&String::from_utf8_lossy(&it)));
            let said = said.iter().find(|said| *said != "nothing").map_or("it said nothing", String::as_str);
            Err(StepError::failed(&fix.title, &format!("{ended}: {said}")))
        }
    }
}
