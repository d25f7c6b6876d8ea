//! `housecall lint FILE…`: what is wrong with launchd jobs, or systemd units, by themselves.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Call;
use crate::check::Severity;
use crate::exit::Exit;
use crate::lint::{lint, render, unit};
use crate::probes::job_file;

/// systemd reads all the units that one names.
const VERIFYING: Duration = Duration::from_secs(20);

/// Lints each file; one that cannot be read is told, and the rest are linted.
pub(super) fn run(call: &mut Call<'_, '_>, paths: &[PathBuf]) -> Exit {
    let mut files = Vec::with_capacity(paths.len());
    let mut exit = Exit::Healthy;
    for path in paths {
        match one(call, path) {
            Ok(file) => files.push(file),
            Err(error) => {
                call.console.error(error);
                exit = Exit::Undetermined;
            }
        }
    }
    let text = if call.is_json() {
        match render::json(&files) {
            Ok(text) => text,
            Err(error) => {
                call.console.error(error);
                return Exit::Undetermined;
            }
        }
    } else if call.global.quiet {
        render::summary(&files)
    } else {
        render::human(&files, call.console.terminal.colour_out)
    };
    call.console.print(&text);
    let least: Severity = call.global.fail_on.into();
    let fails = files.iter().flat_map(|it| &it.findings).any(|it| it.severity >= least);
    if fails { Exit::Unhealthy } else { exit }
}

fn one(call: &Call<'_, '_>, path: &Path) -> Result<render::File, String> {
    let surroundings = &call.surroundings;
    let absolute: PathBuf = surroundings.directory.join(path).components().collect();
    if unit::is_unit(&absolute) {
        let deadline = call.global.timeout.unwrap_or(VERIFYING);
        let (bytes, said) = job_file::read_unit(&absolute, &surroundings.environment, deadline)
            .map_err(|error| error.to_string())?;
        let findings = unit::findings(&absolute, unit::is_installed(&absolute, &surroundings.home), &said);
        return Ok(render::File { path: path.display().to_string(), findings, bytes });
    }
    let job = job_file::read(&absolute, &surroundings.home, surroundings.uid).map_err(|it| it.to_string())?;
    let findings = lint(&absolute.to_string_lossy(), &job.bytes, &job.place)
        .map_err(|error| format!("cannot lint {}: {error}", path.display()))?;
    Ok(render::File { path: path.display().to_string(), findings, bytes: job.bytes })
}
