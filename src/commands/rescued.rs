//! `housecall rescued`: what was set aside, and how to get it back.

use super::Call;
use crate::config::ConfigError;
use crate::exit::Exit;
use crate::fixes::hands::commands::shell;
use crate::probes::git;
use crate::report::words::clean;

/// Lists what was set aside, each with the commands that show it and bring it back.
pub(super) fn run(call: &mut Call<'_, '_>) -> Result<Exit, ConfigError> {
    let config = call.load()?;
    let Some(mirror) = config.mirror.as_deref() else {
        call.console.error("no [mirror] is configured");
        return Ok(Exit::Usage);
    };
    let found = git::rescued(&config, mirror).and_then(|refs| Ok((refs, git::places(&config)?)));
    let (refs, places) = match found {
        Ok(found) => found,
        Err(error) => {
            call.console.error(error);
            return Ok(Exit::Undetermined);
        }
    };
    if refs.is_empty() && places.is_empty() {
        call.console.print("nothing was set aside\n");
        return Ok(Exit::Healthy);
    }
    let repository = shell(&config.tilde(&mirror.repository));
    for name in refs {
        let branch = name.rsplit('/').next().unwrap_or(&name);
        let text = format!(
            "{name}\n  show  git -C {repository} show --stat {name}\n  back  git -C {repository} branch rescued-{branch} {name}\n"
        );
        call.console.print(&text);
    }
    for place in places {
        let place = shell(&config.tilde(&place));
        let text = format!(
            "{place}\n  show  ls -lAR {place}\n  back  it lies there whole: move what you want to keep"
        );
        call.console.print(&format!("{}\n", clean(&text)));
    }
    Ok(Exit::Healthy)
}
