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
    let browsers = call.surroundings.variable("BROWSER").map(str::to_owned);
    Ok(match browsers.filter(|it| !it.trim().is_empty()) {
        Some(browsers) => of_choice(call, &browsers, &url),
        None => of_system(call, &url),
    })
}

/// Opens it with the first of `$BROWSER` that does: commands with a colon between, `%s` or their end for the address.
fn of_choice(call: &mut Call<'_, '_>, browsers: &str, url: &str) -> Exit {
    let mut why = StepError::Refused("$BROWSER names no browser".to_owned());
    for browser in browsers.split(':').filter(|it| !it.trim().is_empty()) {
        let mut words: Vec<String> = browser.split_whitespace().map(|word| word.replace("%s", url)).collect();
        if !browser.contains("%s") {
            words.push(url.to_owned());
        }
        // One that draws on the terminal has it.
        match Command::new(&words[0]).args(&words[1..]).status() {
            Ok(status) if status.success() => return Exit::Healthy,
            Ok(status) => why = StepError::failed(format!("open {url}"), &format!("{browser}: {status}")),
            Err(error) => why = StepError::failed(format!("run {browser}, which $BROWSER names"), &error),
        }
    }
    refused(call, &why)
}

fn of_system(call: &mut Call<'_, '_>, url: &str) -> Exit {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = Command::new(program);
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.status() {
        Ok(status) if status.success() => Exit::Healthy,
        Ok(status) => {
            refused(call, &StepError::failed(format!("open {url}"), &format!("{program}: {status}")))
        }
        Err(error) => refused(call, &StepError::failed(format!("run {program}"), &error)),
    }
}
