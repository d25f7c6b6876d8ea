//! A job as launchd reads it: a property list that the linter has nothing to say about.

use plist::{Dictionary, Value};

use super::file_of;
use crate::config::Config;
use crate::services::{Definition, Keep, MARKER, Rendered};

/// launchd's own pause between two starts, in seconds; said here since a crash loop is bounded by it alone.
const THROTTLE: u64 = 10;
/// How long a server has between SIGTERM and SIGKILL, in seconds.
const ENDING: u64 = 20;
/// The same for a sync, which ends between two of its steps.
const ENDING_SYNC: u64 = 60;

pub(super) fn render(config: &Config, definition: &Definition) -> Vec<Rendered> {
    let mut root = Dictionary::new();
    let mut set = |key: &str, value: Value| drop(root.insert(key.to_owned(), value));
    set("Label", text(&definition.job.label));
    set("ProgramArguments", Value::Array(definition.argv.iter().map(|it| text(it)).collect()));
    let environment = definition.environment.iter().map(|(name, value)| (name.clone(), text(value)));
    set("EnvironmentVariables", Value::Dictionary(environment.collect()));
    set("WorkingDirectory", text(&definition.directory.to_string_lossy()));
    set("RunAtLoad", Value::Boolean(true));
    match definition.keep {
        Keep::Alive => {
            let failures = [("SuccessfulExit".to_owned(), Value::Boolean(false))];
            set("KeepAlive", Value::Dictionary(failures.into_iter().collect()));
            set("ThrottleInterval", THROTTLE.into());
            set("ExitTimeOut", ENDING.into());
            // A page that somebody waits for is not throttled.
            set("ProcessType", text("Interactive"));
        }
        Keep::Every(period) => {
            let seconds = period.as_secs().max(1);
            set("StartInterval", seconds.into());
            set("ThrottleInterval", THROTTLE.min(seconds).into());
            set("ExitTimeOut", ENDING_SYNC.into());
            set("ProcessType", text("Standard"));
        }
    }
    set("StandardOutPath", text(&definition.stdout.to_string_lossy()));
    set("StandardErrorPath", text(&definition.stderr.to_string_lossy()));

    let mut xml = Vec::new();
    // Writing into memory does not fail; should it, an empty file says so at once.
    let written = Value::Dictionary(root).to_writer_xml(&mut xml);
    let xml = if written.is_ok() { String::from_utf8_lossy(&xml).into_owned() } else { String::new() };
    let content = marked(&xml, &definition.description);
    vec![Rendered { path: file_of(config, &definition.job), content }]
}

fn text(value: &str) -> Value {
    Value::String(value.to_owned())
}

/// The same with our mark as a comment after the head; strict parsers allow no `--` in one.
fn marked(xml: &str, description: &str) -> String {
    let description = description.replace("--", "- -");
    let comment = format!("<!-- {MARKER}: {description}. `housecall install` writes it again. -->\n");
    let head = "<plist version=\"1.0\">\n";
    let mut content = xml.replacen(head, &format!("{head}{comment}"), 1);
    if !content.ends_with('\n') {
        content.push('\n');
    }
    content
}
