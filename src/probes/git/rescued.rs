//! What was set aside: the refs that a mend left behind.

use crate::config::{Config, Mirror};
use crate::error::ProbeError;
use crate::git;
use crate::probes::program;

/// Lists the refs of what was set aside, oldest first.
///
/// # Errors
/// git cannot say.
pub fn rescued(config: &Config, mirror: &Mirror) -> Result<Vec<String>, ProbeError> {
    let arguments = ["for-each-ref", "--format=%(refname)", "refs/housecall/rescued"];
    let output = program::run(&git::command(config, &mirror.repository, &arguments))?;
    if output.succeeded() {
        return Ok(git::said(&output).lines().map(str::to_owned).collect());
    }
    Err(ProbeError::failed("list what was set aside", &git::complaint(&output)))
}
