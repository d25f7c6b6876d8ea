//! What the remote says of the one ref, told apart by git's own words: it is there, it refuses, it is out of reach.

use super::{Canonical, Remote};
use crate::config::{Config, Mirror, Trust};
use crate::error::ProbeError;
use crate::git;
use crate::probes::machine::Machine;
use crate::probes::program;

/// What git, ssh and curl say when nobody answered, or nobody fit to answer.
const UNREACHABLE: [&str; 27] = [
    "Could not resolve",
    "unable to look up",
    "Name or service not known",
    "Temporary failure in name resolution",
    "Connection refused",
    "Connection timed out",
    "Operation timed out",
    "Connection reset",
    "Connection closed by",
    "No route to host",
    "Host is down",
    "Network is unreachable",
    "Network is down",
    "Failed to connect",
    "Couldn't connect",
    "unable to connect",
    "Operation too slow",
    "Empty reply from server",
    "kex_exchange_identification",
    "hung up unexpectedly",
    "returned error: 5",
    "unexpected disconnect",
    "early EOF",
    "transfer closed with",
    "bytes of body are still expected",
    "Recv failure",
    "closed by remote host",
];

/// What they say when somebody answered, and said no.
const REFUSED: [&str; 15] = [
    "does not appear to be a git repository",
    "not found",
    "access denied",
    "Access denied",
    "Permission denied",
    "Authentication failed",
    "could not read Username",
    "could not read Password",
    "Host key verification failed",
    "returned error: 4",
    "not allowed",
    "dubious ownership",
    "not valid: is this a git repository",
    "does not exist",
    "Invalid username",
];

/// Asks the remote for the one ref.
///
/// # Errors
/// No answer in time, git cannot be run, or it says something unheard of.
pub fn remote(
    machine: &Machine,
    config: &Config,
    mirror: &Mirror,
    canonical: &Canonical,
) -> Result<Remote, ProbeError> {
    let Canonical::Present(repository) = canonical else {
        return Err(ProbeError::failed("ask the remote", &"the repository is not there"));
    };
    let Some(url) = &repository.remote_url else {
        return Ok(Remote::Refused(format!("the repository has no remote named `{}`", mirror.remote)));
    };
    if config.trust == Trust::Untrusted {
        return Err(ProbeError::NotTrusted { what: "git".to_owned() });
    }
    machine.guard(&repository.common_dir)?;
    let wanted = mirror.remote_ref();
    let arguments = ["ls-remote", "--exit-code", "--", &mirror.remote, &wanted];
    let mut command = git::command(config, &repository.top, &arguments);
    if git::is_ssh(url) {
        git::never_ask_over_ssh(config, &repository.top, &mut command);
    }
    let output = program::run(&command).map_err(|error| match error {
        ProbeError::TimedOut { after, .. } => ProbeError::TimedOut { what: host(url), after },
        other => other,
    })?;
    if output.succeeded() {
        // The pattern also matches longer names that end with it.
        let said = git::said(&output);
        let line = said.lines().filter_map(|line| line.split_once('\t')).find(|(_, name)| *name == wanted);
        return Ok(
            line.map_or(Remote::NoSuchRef, |(sha, _)| Remote::At { sha: sha.to_owned(), took: output.took })
        );
    }
    if output.ended == program::Ended::Code(2) {
        return Ok(Remote::NoSuchRef);
    }
    failure(mirror, &output)
}

/// What it means that a command which talks to the remote failed, by git's own words.
///
/// # Errors
/// It says something unheard of.
pub fn failure(mirror: &Mirror, output: &program::Output) -> Result<Remote, ProbeError> {
    let complaints = String::from_utf8_lossy(&output.stderr);
    let why = git::complaint(output);
    let has = |words: &[&str]| words.iter().any(|word| complaints.contains(word));
    if has(&["couldn't find remote ref"]) {
        return Ok(Remote::NoSuchRef);
    }
    match (has(&UNREACHABLE), has(&REFUSED)) {
        // Somebody who says no closes the connection too.
        (true, true) if complaints.contains("Permission denied") => Ok(Remote::Refused(why)),
        (true, _) => Ok(Remote::Unreachable(git::complaint_with(output, &UNREACHABLE).unwrap_or(why))),
        (false, true) => Ok(Remote::Refused(why)),
        (false, false) => Err(ProbeError::failed(format!("ask {}", mirror.remote), &why)),
    }
}

/// Whom an address means, as people write it: `git@example.org`, `example.org`, or the path of a local one.
#[must_use]
pub(super) fn host(url: &str) -> String {
    if let Some((scheme, rest)) = url.split_once("://") {
        let authority = rest.split('/').next().unwrap_or_default();
        return if authority.is_empty() || scheme == "file" { rest.to_owned() } else { authority.to_owned() };
    }
    match url.split_once(':') {
        Some((host, _)) if !host.contains('/') => host.to_owned(),
        _ => url.to_owned(),
    }
}
