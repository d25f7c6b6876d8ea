//! `open`: the page in the browser.
#![expect(
    clippy::disallowed_methods,
    reason = "the user's own browser is opened with the user's own environment"
)]

use std::process::{Command, Stdio};

use super::Call;
use super::serve::refused;
use crate::config::ConfigError;
use crate::error::StepError;
use crate::exit::Exit;

/// Opens the mirror's page, and says its address.
///
/// # Errors
/// The configuration makes no sense.
pub fn run(call: &mut Call<'_, '_>) -> Result<Exit, ConfigError> {
    let config = call.load()?;
    let Some(server) = &config.server else {
        return Ok(refused(call, &StepError::Refused("no [serve] is configured".to_owned())));
    };
    let url = server.url(&server.ready.path);
    call.console.print(&format!("{url}\n"));
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = Command::new(program);
    command.arg(&url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(match command.status() {
        Ok(status) if status.success() => Exit::Healthy,
        Ok(status) => {
            refused(call, &StepError::failed(format!("open {url}"), &format!("{program}: {status}")))
        }
        Err(error) => refused(call, &StepError::failed(format!("run {program}"), &error)),
    })
}
