//! A job as systemd reads it: units that `systemd-analyze verify` has nothing to say about.
//!
//! Only keys that systemd 245 knows already. Three grammars meet in one file: words with quotes, lines that are taken
//! whole, and specifiers (`%`) in both.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Units;
use crate::config::Config;
use crate::services::{Definition, Keep, MARKER, Rendered, Scope};

/// What becomes the program that follows.
pub(super) const THROUGH_SHELL: [&str; 4] = ["/bin/sh", "-c", "exec \"$@\"", "housecall"];

pub(super) fn render(config: &Config, definition: &Definition) -> Vec<Rendered> {
    let units = Units::of(&definition.job);
    let folder = folder(config, definition.job.scope);
    let service = Rendered { path: folder.join(&units.service), content: service(config, definition) };
    match (definition.keep, units.timer) {
        (Keep::Every(period), Some(timer)) => {
            let content = timer_of(config, definition, period);
            vec![service, Rendered { path: folder.join(timer), content }]
        }
        _ => vec![service],
    }
}

/// Where a user's own units are, or the system's.
fn folder(config: &Config, scope: Scope) -> PathBuf {
    let named = config.environment.get("XDG_CONFIG_HOME").map(PathBuf::from);
    match scope {
        Scope::Agent => {
            let home = named.filter(|it| it.is_absolute()).unwrap_or_else(|| config.home.join(".config"));
            home.join("systemd/user")
        }
        Scope::Daemon => PathBuf::from("/etc/systemd/system"),
    }
}

/// Our mark, with the configuration's path as it is: below, it may be quoted.
fn head(config: &Config, definition: &Definition) -> String {
    let file = config.file.display().to_string().replace('\n', " ");
    let description = line(&definition.description);
    format!("# {MARKER} for {file}\n[Unit]\nDescription=Housecall {description}\n")
}

fn service(config: &Config, definition: &Definition) -> String {
    let mut text = head(config, definition);
    match definition.keep {
        // It is never given up: a volume may come back after hours. How often it failed, Housecall counts itself.
        Keep::Alive => text.push_str("StartLimitIntervalSec=0\n\n[Service]\nType=exec\n"),
        Keep::Every(_) => text.push_str("StartLimitIntervalSec=0\n\n[Service]\nType=oneshot\n"),
    }
    let _ = writeln!(text, "ExecStart={}", command(&definition.argv));
    let _ = writeln!(text, "WorkingDirectory={}", path(&definition.directory));
    for (name, value) in &definition.environment {
        let _ = writeln!(text, "Environment={}", word(&format!("{name}={value}")));
    }
    let _ = writeln!(text, "StandardOutput=append:{}", path(&definition.stdout));
    let _ = writeln!(text, "StandardError=append:{}", path(&definition.stderr));
    text.push_str("KillMode=control-group\n");
    match definition.keep {
        Keep::Alive => text.push_str(
            "TimeoutStopSec=20s\nRestart=on-failure\nRestartForceExitStatus=SIGTERM SIGINT SIGHUP SIGPIPE\n\
             RestartSec=2s\n\n[Install]\nWantedBy=default.target\n",
        ),
        Keep::Every(_) => text.push_str("TimeoutStartSec=1h\nTimeoutStopSec=60s\n"),
    }
    text
}

/// The line that runs it. With a colon systemd leaves every `$` alone; only then, since few people know it.
fn command(argv: &[String]) -> String {
    let mut words: Vec<&str> = argv.iter().map(String::as_str).collect();
    // systemd takes no program of such a name, however it is quoted; a shell does, and is gone by then.
    if argv.first().is_some_and(|it| it.contains(['"', '\'', '\\'])) {
        words.splice(0..0, THROUGH_SHELL);
    }
    let verbatim = if words.iter().any(|it| it.contains('$')) { ":" } else { "" };
    let words: Vec<String> = words.into_iter().map(word).collect();
    format!("{verbatim}{}", words.join(" "))
}

fn timer_of(config: &Config, definition: &Definition, period: Duration) -> String {
    let accuracy = (period / 10).clamp(Duration::from_millis(50), Duration::from_secs(1));
    let units = Units::of(&definition.job);
    format!(
        "{}\n[Timer]\nOnActiveSec=0\nOnUnitActiveSec={}\nAccuracySec={}\nUnit={}\n\n\
         [Install]\nWantedBy=timers.target\n",
        head(config, definition),
        span(period.max(Duration::from_millis(100))),
        span(accuracy),
        line(&units.service),
    )
}

/// A time span in whole seconds where it is one.
fn span(time: Duration) -> String {
    match time.subsec_millis() {
        0 => format!("{}s", time.as_secs()),
        _ => format!("{}ms", time.as_millis()),
    }
}

/// One word of `ExecStart=` or `Environment=`: quoted wherever it is not plain.
fn word(text: &str) -> String {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "-_./:=@+,~".contains(it);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    let mut quoted = String::from('"');
    for it in text.chars() {
        match it {
            '"' | '\\' => quoted.extend(['\\', it]),
            '%' => quoted.push_str("%%"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            it if it.is_control() && it.is_ascii() => {
                let _ = write!(quoted, "\\x{:02x}", u32::from(it));
            }
            it => quoted.push(it),
        }
    }
    quoted.push('"');
    quoted
}

/// A value that is the rest of its line, where only specifiers mean something.
fn line(text: &str) -> String {
    // A line cannot be broken, and must not be: what came after would be a key of its own.
    let one: String = text.chars().map(|it| if it.is_control() { ' ' } else { it }).collect();
    one.replace('%', "%%")
}

/// A path that is the rest of its line; a dot keeps what systemd would take for the line's end.
fn path(path: &Path) -> String {
    let text = line(&path.to_string_lossy());
    if text.ends_with(['\\', ' ']) { format!("{text}/.") } else { text }
}
