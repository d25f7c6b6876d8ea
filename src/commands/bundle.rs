//! `housecall bundle`: one redacted file to share, with the report and the facts behind it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Call, check};
use crate::bundle::{self, Manifest};
use crate::config::ConfigError;
use crate::cx::Cx;
use crate::exit::Exit;
use crate::fixes::hands::files;
use crate::probes::machine::Machine;
use crate::progress::Progress;
use crate::report::style::Look;
use crate::report::words::{self, hang};

/// Examines, and writes what was seen into a file that was not there, or to stdout.
///
/// # Errors
/// No configuration, or one that makes no sense.
pub(super) fn run(call: &mut Call<'_, '_>, output: Option<&Path>) -> Result<Exit, ConfigError> {
    let config = call.load()?;
    let selection = match check::select(call, &config) {
        Ok(selection) => selection,
        Err(error) => {
            call.console.error(error);
            return Ok(Exit::Usage);
        }
    };
    let cx = Arc::new(Cx::new(Arc::clone(&config), Arc::new(Machine::default())));
    let mut progress = Progress::new(&selection, call.console.terminal.audience);
    let report = check::report(call, &config, &cx, &selection, &mut progress);
    drop(progress);
    let redactor = bundle::redactor(&config, &call.surroundings);
    let (manifest, archive) = match bundle::bundle(&cx, &report, &redactor) {
        Ok(made) => made,
        Err(error) => {
            call.console.error(error);
            return Ok(Exit::Undetermined);
        }
    };
    if output == Some(Path::new("-")) {
        let written = call.console.out.write_all(&archive).and_then(|()| call.console.out.flush());
        call.console.tell(&listed(&manifest, call.console.terminal.width));
        return Ok(if written.is_ok() { Exit::Healthy } else { Exit::Undetermined });
    }
    let named = output.map_or_else(|| default_name(cx.now()), Path::to_owned);
    let path = call.surroundings.directory.join(&named);
    if let Err(error) = files::write_new_private(&path, &archive) {
        call.console.error(format!("cannot write {}: {error}", named.display()));
        return Ok(Exit::Undetermined);
    }
    let size = words::bytes(archive.len() as u64);
    let shown = words::clean_line(&named.to_string_lossy());
    let mut text = format!(
        "{shown}, {size}, which only you can read; in it\n{}",
        listed(&manifest, call.console.terminal.width)
    );
    let _ = writeln!(text, "\nlook before you share it: tar -xzf {} -O | less", shell(&named));
    call.console.print(&text);
    Ok(Exit::Healthy)
}

fn shell(path: &Path) -> String {
    crate::fixes::hands::commands::shell(&path.to_string_lossy())
}

fn default_name(now: jiff::Timestamp) -> PathBuf {
    PathBuf::from(format!("housecall-bundle-{}.tar.gz", now.strftime("%Y%m%dT%H%M%SZ")))
}

/// What is in it, what is not, and what was taken out.
fn listed(manifest: &Manifest, width: Option<usize>) -> String {
    let mut text = String::new();
    for file in &manifest.files {
        let _ = writeln!(text, "  {:<24} {}", words::clean_line(&file.name), words::bytes(file.bytes as u64));
    }
    for absent in &manifest.absent {
        text.push_str(&hang("  not in it: ", 13, &words::clean_line(absent), width, Look::default()));
    }
    let taken = manifest.redacted.iter().map(|(mark, count)| format!("{count} × {mark}"));
    let taken = taken.collect::<Vec<_>>().join(", ");
    let taken = if taken.is_empty() { "nothing" } else { &taken };
    text + &hang("taken out: ", 11, taken, width, Look::default())
}
