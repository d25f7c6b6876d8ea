//! What is shared to be helped: a report and the facts behind it, in files that a person can read first.
//!
//! Every file goes through the redactor, and nothing else puts one into the archive.

mod facts;

use std::sync::Arc;

use serde::Serialize;

use crate::config::Config;
use crate::cx::Cx;
use crate::error::StepError;
use crate::probes::jobs::Keeping;
use crate::probes::logs;
use crate::redact::{Redactor, written};
use crate::report::words::{Colours, harmless};
use crate::report::{Report, json, markdown};

/// The folder that every file of a bundle lies in.
const FOLDER: &str = "housecall-bundle";
/// How many of the last lines of a log are shared.
const LINES: usize = 200;

/// What is in a bundle, as `manifest.json` says.
#[derive(Debug, Serialize)]
pub struct Manifest {
    schema: &'static str,
    version: &'static str,
    at: String,
    /// Each file, in order.
    pub files: Vec<Named>,
    /// What is not in it, and why.
    pub absent: Vec<String>,
    /// How often something was taken out, by the mark that stands in its place.
    pub redacted: std::collections::BTreeMap<String, usize>,
}

/// A file of a bundle.
#[derive(Debug, Serialize)]
pub struct Named {
    /// Its name, within the bundle's folder.
    pub name: String,
    /// Its size.
    pub bytes: usize,
}

/// The files of a bundle, each redacted as it is added.
struct Collected<'a> {
    redactor: &'a Redactor,
    files: Vec<(String, String)>,
    absent: Vec<String>,
}

/// Puts a bundle together: what is in it, and the archive.
///
/// # Errors
/// The archive cannot be written to memory.
pub fn bundle(cx: &Arc<Cx>, report: &Report, redactor: &Redactor) -> Result<(Manifest, Vec<u8>), StepError> {
    let config = cx.config();
    let mut collected = Collected { redactor, files: Vec::new(), absent: Vec::new() };
    // What a definition gives its program is known before anything is written.
    let jobs = definitions(cx, &mut collected);
    collected.add_report(report);
    collected.add_json("facts.json", facts::of(cx));
    for (at, (file, text)) in config.sources.iter().enumerate() {
        let included = || file.file_name().map_or_else(String::new, |it| it.to_string_lossy().into_owned());
        let name = if at == 0 { "config.toml".to_owned() } else { format!("config/{at}-{}", included()) };
        collected.add(&name, &written::hidden(text));
    }
    let state = |name: &str| config.state.join(name);
    for name in ["sync.json", "last-sync.env", "keeper.json", "install.json", "events.log", "journal.jsonl"] {
        collected.add_end(&format!("state/{name}"), &state(name), LINES);
    }
    for role in ["sync", "serve"] {
        collected.add_end(&format!("logs/{role}.log"), &config.log_file(role), LINES);
    }
    for (name, text) in jobs {
        collected.add(&name, &text);
    }
    let Collected { mut files, absent, .. } = collected;
    let sizes = files.iter().map(|(name, text)| Named { name: name.clone(), bytes: text.len() });
    let manifest = Manifest {
        schema: "housecall.bundle/1",
        version: env!("CARGO_PKG_VERSION"),
        at: cx.now().to_string(),
        files: sizes.collect(),
        absent,
        redacted: redactor.taken(),
    };
    let failed = |error: &dyn std::fmt::Display| StepError::failed("put the bundle together", error);
    let text = serde_json::to_string_pretty(&manifest).map_err(|error| failed(&error))?;
    files.insert(0, ("manifest.json".to_owned(), json::safe(&text)));
    let archive = packed(&files, cx.now().as_second()).map_err(|error| failed(&error))?;
    Ok((manifest, archive))
}

impl Collected<'_> {
    fn add(&mut self, name: &str, text: &str) {
        let lines = text.lines().map(|line| harmless(line, Colours::Dropped) + "\n");
        let text = self.redactor.text(&lines.collect::<String>());
        self.files.push((self.redactor.text(name), text));
    }

    fn add_json(&mut self, name: &str, mut document: serde_json::Value) {
        self.redactor.json(&mut document);
        self.files.push((name.to_owned(), json::safe(&format!("{document:#}"))));
    }

    fn add_report(&mut self, report: &Report) {
        match serde_json::to_value(report) {
            Ok(mut document) => {
                document["mirror"]["host"] = "[redacted:host]".into();
                self.add_json("report.json", document);
            }
            Err(error) => self.absent.push(format!("report.json: {error}")),
        }
        self.add("report.md", &markdown::render(report));
    }

    /// The last lines of a file, taken after it was redacted: a key goes over several lines.
    fn add_end(&mut self, name: &str, path: &std::path::Path, count: usize) {
        match logs::end_of_own(path) {
            Ok(Some(text)) => {
                self.add(name, &text);
                if let Some((_, text)) = self.files.last_mut() {
                    let skipped = text.lines().count().saturating_sub(count);
                    *text = text.split_inclusive('\n').skip(skipped).collect();
                }
            }
            Ok(None) => self.absent.push(format!("{name}: there is none")),
            Err(error) => self.absent.push(self.redactor.text(&format!("{name}: {error}"))),
        }
    }
}

/// The definitions of the jobs, as their files are; a binary property list as text.
fn definitions(cx: &Cx, collected: &mut Collected<'_>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for kept in cx.config().kept() {
        let subject = kept.subject();
        let files = match cx.keeping(&kept).as_deref() {
            Ok(Keeping::Managed(managed)) => cx.job_files(managed),
            Ok(Keeping::Unmanaged(why)) => {
                collected.absent.push(format!("jobs/{subject}: {why}"));
                continue;
            }
            Err(error) => Err(error.clone()),
        };
        match files {
            Ok(files) => {
                for file in files.iter() {
                    let Some(content) = &file.content else { continue };
                    // As this redactor is a copy, it learns for itself.
                    collected.redactor.learn_definition(content.bytes());
                    let name = file.path.file_name().map(|it| it.to_string_lossy().into_owned());
                    found.push((
                        format!("jobs/{}", name.unwrap_or(subject.clone())),
                        readable(content.bytes()),
                    ));
                }
            }
            Err(error) => collected.absent.push(collected.redactor.text(&format!("jobs/{subject}: {error}"))),
        }
    }
    found
}

fn readable(bytes: &[u8]) -> String {
    let mut text = Vec::new();
    let is_binary = bytes.starts_with(b"bplist");
    let read = plist::from_bytes::<plist::Value>(bytes).ok().filter(|_| is_binary);
    match read.map(|value| value.to_writer_xml(&mut text)) {
        Some(Ok(())) => String::from_utf8_lossy(&text).into_owned(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// The archive: no owner, no machine, one time for all.
fn packed(files: &[(String, String)], at: i64) -> std::io::Result<Vec<u8>> {
    let encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let mut archive = tar::Builder::new(encoder);
    for (name, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o600);
        header.set_mtime(at.unsigned_abs());
        archive.append_data(&mut header, format!("{FOLDER}/{name}"), text.as_bytes())?;
    }
    archive.into_inner()?.finish()
}

/// What a bundle may not tell of whoever shares it, besides what no output tells.
#[must_use]
pub fn redactor(config: &Config, surroundings: &crate::config::Surroundings) -> Redactor {
    let redactor = config.redactor.for_strangers(surroundings);
    redactor.hide_host(&crate::probes::machine::host_name());
    redactor
}
