//! How git is called: never prompting, never translated, deaf to what a hook or a shell left in the environment.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Duration;

use crate::config::Config;
use crate::probes::program::{self, Ended, Output, Program};

/// How long a git command of ours may write: a first fetch, a checkout of everything.
const WRITING: Duration = Duration::from_mins(10);

/// The most that is kept of what git says.
const LIMIT: usize = 16 * 1024 * 1024;

/// git's words for a repository of another user, which it does not read.
pub const DUBIOUS: &str = "dubious ownership";

/// The variables of git's own that a user may set for all repositories; every other `GIT_…` is about one
/// command or one repository, such as those that a hook finds, and would make git look elsewhere.
const KEPT: [&str; 10] = [
    "GIT_ALLOW_PROTOCOL",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_SYSTEM",
    "GIT_EXEC_PATH",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
];

/// The transports that run no program of the remote's choosing, unless the user's `GIT_ALLOW_PROTOCOL` says otherwise.
///
/// The variable outranks `protocol.*.allow`, which the repository's own configuration could set.
const TRANSPORTS: &str = "file:ftp:ftps:git:http:https:ssh";

/// A git command that looks, in that directory, with the deadline of one probe.
///
/// `LC_ALL=C`, `GIT_TERMINAL_PROMPT=0`, an askpass that says no, ssh in batch mode with a connect timeout, no
/// `GIT_DIR` and the like; `GIT_OPTIONAL_LOCKS=0`, so that looking writes nothing; no fsmonitor and no hooks.
/// git itself changes into the directory, since a child that hangs there before its start would hang its parent.
#[must_use]
pub fn command<A: AsRef<OsStr>>(config: &Config, directory: &Path, arguments: &[A]) -> Program {
    let slow = slow(1000, config.limits.timeout);
    let options = ["core.fsmonitor=false", "core.hooksPath=/dev/null", &slow[0], &slow[1]];
    let mut command = build(config, directory, &options, arguments, config.limits.timeout);
    command.environment.insert("GIT_OPTIONAL_LOCKS".into(), "0".into());
    command
}

/// A git command that writes, in that directory, with the same hygiene and time enough for a first fetch.
///
/// Filters run as the repository is configured; nothing goes on in the background after its end.
#[must_use]
pub fn writing_command<A: AsRef<OsStr>>(config: &Config, directory: &Path, arguments: &[A]) -> Program {
    let slow = slow(1, silence(config));
    let options = ["gc.auto=0", "maintenance.auto=false", &slow[0], &slow[1]];
    build(config, directory, &options, arguments, WRITING)
}

/// How long a git that talks to a remote may say nothing: many times what an examination waits for an answer, since a
/// large pack is put together first.
#[must_use]
pub const fn silence(config: &Config) -> Duration {
    config.limits.timeout.saturating_mul(6)
}

/// What it said, without the white space around it; bytes that are not UTF-8 are replaced.
#[must_use]
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Why it failed: the one line of its complaints that tells most, without credentials.
#[must_use]
pub fn complaint(output: &Output) -> String {
    let complaints = String::from_utf8_lossy(&output.stderr);
    // A line of progress ends where it is written over.
    let all = || complaints.split(['\n', '\r']).map(str::trim);
    let mut lines: Vec<&str> = all().filter(|line| tells(line)).collect();
    if lines.is_empty() {
        lines = all().filter(|line| !line.is_empty()).collect();
    }
    let last = lines.iter().rposition(|line| is_fatal(line)).or_else(|| lines.len().checked_sub(1));
    let Some(at) = last else {
        return match output.ended {
            Ended::Code(code) => format!("git ended with exit status {code} and said nothing"),
            Ended::Signal(signal) => format!("git was ended by signal {signal}"),
        };
    };
    let mut line = lines[at].to_owned();
    if let (true, Some(next)) = (line.ends_with(':'), lines.get(at + 1)) {
        line = format!("{line} {next}");
    }
    bare(&line)
}

/// The last line of its complaints with one of these words, without credentials.
#[must_use]
pub fn complaint_with(output: &Output, words: &[&str]) -> Option<String> {
    let complaints = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = complaints.split(['\n', '\r']).map(str::trim).collect();
    let line = lines.into_iter().rfind(|line| words.iter().any(|word| line.contains(word)))?;
    Some(bare(line))
}

/// A line of git's without its first word, its full stop, and credentials.
fn bare(line: &str) -> String {
    let bare = ["fatal: ", "error: ", "ERROR: ", "remote: "]
        .iter()
        .fold(line, |line, prefix| line.strip_prefix(prefix).unwrap_or(line));
    let bare = without_credentials(bare.trim_end_matches('.'));
    // The one failure of git's whose remedy is a setting of the user's.
    if bare.starts_with("transport '") && bare.ends_with("' not allowed") {
        return format!("{bare}; GIT_ALLOW_PROTOCOL in your environment allows one");
    }
    bare
}

/// The text with the user, the password and the query of web addresses taken out, and the password of any other.
#[must_use]
pub fn without_credentials(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        cleaned.push_str(before);
        let end = after
            .find(|it: char| it == '/' || it == '?' || it.is_whitespace() || it == '\'')
            .unwrap_or(after.len());
        let (authority, further) = after.split_at(end);
        let web = before.ends_with("http://") || before.ends_with("https://");
        match authority.rsplit_once('@') {
            Some((_, host)) if web => cleaned.push_str(host),
            Some((user, host)) => {
                cleaned.push_str(user.split(':').next().unwrap_or_default());
                cleaned.push('@');
                cleaned.push_str(host);
            }
            None => cleaned.push_str(authority),
        }
        // A query may hold a token.
        rest = match further.find(|it: char| it == '?' || it.is_whitespace() || it == '\'') {
            Some(at) if web && further[at..].starts_with('?') => {
                cleaned.push_str(&further[..at]);
                cleaned.push_str("?…");
                further[at..].trim_start_matches(|it: char| !it.is_whitespace() && it != '\'')
            }
            _ => further,
        };
    }
    cleaned.push_str(rest);
    cleaned
}

/// When git gives up on a web server: fewer bytes a second than that, for that long.
fn slow(bytes: u32, within: Duration) -> [String; 2] {
    let seconds = within.as_secs().max(1);
    [format!("http.lowSpeedLimit={bytes}"), format!("http.lowSpeedTime={seconds}")]
}

fn build<A: AsRef<OsStr>>(
    config: &Config,
    directory: &Path,
    options: &[&str],
    arguments: &[A],
    deadline: Duration,
) -> Program {
    let mut argv: Vec<OsString> = vec!["git".into(), "-C".into(), directory.into(), "--no-pager".into()];
    for option in options.iter().copied().chain(["color.ui=false"]) {
        argv.extend(["-c".into(), option.into()]);
    }
    argv.extend(arguments.iter().map(|it| it.as_ref().to_owned()));
    Program { argv, directory: None, environment: environment(config), deadline, limit: LIMIT }
}

fn environment(config: &Config) -> BTreeMap<OsString, OsString> {
    let kept = |name: &str| !name.starts_with("GIT_") || KEPT.contains(&name);
    let mut environment: BTreeMap<OsString, OsString> = config
        .environment
        .iter()
        .filter(|(name, _)| kept(name) && *name != "PWD" && *name != "LANGUAGE")
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    let path = std::env::join_paths(config.jobs_path()).unwrap_or_else(|_| "/usr/bin:/bin".into());
    let fixed: [(&str, OsString); 7] = [
        ("PATH", path),
        ("LC_ALL", "C".into()),
        ("GIT_TERMINAL_PROMPT", "0".into()),
        ("GIT_ASKPASS", "false".into()),
        ("SSH_ASKPASS", "false".into()),
        ("SSH_ASKPASS_REQUIRE", "force".into()),
        ("GCM_INTERACTIVE", "never".into()),
    ];
    environment.extend(fixed.map(|(name, value)| (name.into(), value)));
    environment.entry("GIT_ALLOW_PROTOCOL".into()).or_insert_with(|| TRANSPORTS.into());
    environment
}

/// Has ssh ask nobody and give up in time: its options go behind the command that the user has configured.
///
/// A command that is not plainly ssh is left as it is: its options are its own, and the deadline holds for it too.
/// It costs a question to git, so it is for remotes that are reached over ssh: [`is_ssh`].
pub fn never_ask_over_ssh(config: &Config, directory: &Path, program: &mut Program) {
    let environment = &mut program.environment;
    let given = environment.get(OsStr::new("GIT_SSH_COMMAND")).map(|it| it.to_string_lossy().into_owned());
    let configured = || {
        let output =
            program::run(&command(config, directory, &["config", "--get", "core.sshCommand"])).ok()?;
        output.succeeded().then(|| said(&output)).filter(|it| !it.is_empty())
    };
    let ssh = match given.or_else(configured) {
        Some(ssh) => ssh,
        None if environment.contains_key(OsStr::new("GIT_SSH")) => return,
        None => "ssh".to_owned(),
    };
    let name =
        ssh.split_whitespace().next().and_then(|word| word.trim_matches(['"', '\'']).rsplit('/').next());
    if name == Some("ssh") {
        let seconds = config.limits.timeout.as_secs().max(1);
        let quiet = format!("{ssh} -o BatchMode=yes -o ConnectTimeout={seconds}");
        environment.insert("GIT_SSH_COMMAND".into(), quiet.into());
    }
}

/// Whether git reaches this address over ssh: `ssh://…`, or `host:path` with no slash before the colon.
#[must_use]
pub fn is_ssh(url: &str) -> bool {
    match url.split_once("://") {
        Some((scheme, _)) => scheme.contains("ssh"),
        None => url.split_once(':').is_some_and(|(host, _)| !host.contains('/')),
    }
}

/// Whether a line says more than what git adds to every failure.
fn tells(line: &str) -> bool {
    let idle = ["Please make sure you have the correct access rights", "and the repository exists."];
    let hint = [
        "hint:",
        "warning:",
        "fatal: Could not read from remote repository",
        "fatal: the remote end hung up",
        "fatal: unpack-objects failed",
        "fatal: Could not reset index file to revision",
        "fatal: failed to write object",
        "fatal: failed to write commit object",
        "fatal: git-write-tree: error building trees",
        "fatal: fetch-pack: invalid index-pack output",
        "fatal: adding files failed",
        "fatal: updating files failed",
        "error: unable to index file",
    ];
    let is_sequel = line.ends_with(": failed to insert into database");
    !line.is_empty()
        && !is_sequel
        && !idle.contains(&line)
        && !hint.iter().any(|start| line.starts_with(start))
}

fn is_fatal(line: &str) -> bool {
    ["fatal: ", "error: ", "ERROR: "].iter().any(|start| line.starts_with(start))
}
