//! How many commits lie between HEAD and the remote-tracking branch.

use super::{Checkout, Distance, Repository};
use crate::config::{Config, Trust};
use crate::error::ProbeError;
use crate::git;
use crate::probes::machine::Machine;
use crate::probes::program;

/// Asks git how far HEAD and the remote-tracking branch are apart.
///
/// # Errors
/// Where git cannot say: not trusted, no answer in time, a commit that is missing.
pub fn distance(
    machine: &Machine,
    config: &Config,
    repository: &Repository,
    checkout: &Checkout,
) -> Result<Distance, ProbeError> {
    if config.trust == Trust::Untrusted {
        return Err(ProbeError::NotTrusted { what: "git".to_owned() });
    }
    let absent = |what: &dyn std::fmt::Display| ProbeError::failed("count commits", what);
    let head = checkout.head.as_deref().ok_or_else(|| absent(&"HEAD names no commit"))?;
    let of = repository.tracking.clone().ok_or_else(|| absent(&"nothing was fetched"))?;
    machine.guard(&checkout.common_dir)?;
    let range = format!("{head}...{of}");
    let arguments = ["rev-list", "--left-right", "--count", &range, "--"];
    let output = program::run(&git::command(config, &checkout.top, &arguments))?;
    let said = git::said(&output);
    let counts =
        said.split_once('\t').and_then(|(ahead, behind)| Some((ahead.parse().ok()?, behind.parse().ok()?)));
    match counts {
        Some((ahead, behind)) if output.succeeded() => Ok(Distance { of, ahead, behind }),
        _ => Err(absent(&git::complaint(&output))),
    }
}
