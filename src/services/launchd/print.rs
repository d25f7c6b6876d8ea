//! `launchctl print`, read by its grammar.
//!
//! It says of itself that it is no interface, so everything here degrades: what is missing, cut off, said
//! twice or not understood is `None`, never a guess. Only lines at the top level are looked at; a coalition
//! or an endpoint has a `state` of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

/// What launchd has loaded under a label.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Print {
    /// As the header has it: `gui/501/com.example.job`, or a label alone on old systems.
    pub target: String,
    /// Without its domain.
    pub label: String,
    /// `gui/501`, `user/501`, `system`.
    pub domain: Option<String>,
    /// The property list; `None` too for a job that another program submitted.
    pub path: Option<PathBuf>,
    /// `LaunchAgent`, `LaunchDaemon`, `Submitted`.
    pub kind: Option<String>,
    /// What is executed; a job started from a bundle says none.
    pub program: Option<PathBuf>,
    /// The arguments, the program's name first.
    pub arguments: Option<Vec<String>>,
    /// Where it runs.
    pub working_directory: Option<PathBuf>,
    /// Where its output goes.
    pub stdout_path: Option<PathBuf>,
    /// Where its errors go.
    pub stderr_path: Option<PathBuf>,
    /// The job's own variables, with those that launchd adds (`XPC_SERVICE_NAME`).
    pub environment: Option<BTreeMap<String, String>>,
    /// What it has from the session.
    pub inherited_environment: Option<BTreeMap<String, String>>,
    /// What launchd gives to all.
    pub default_environment: Option<BTreeMap<String, String>>,
    /// Where it is in its life.
    pub state: Option<State>,
    /// Newer systems say it a second time, in other words.
    pub job_state: Option<JobState>,
    /// Its process, if there is one.
    pub pid: Option<u32>,
    /// How often it was started.
    pub runs: Option<u64>,
    /// How many processes it made; known only while it runs.
    pub forks: Option<u64>,
    /// How often it became another program; 0 is a program that never began.
    pub execs: Option<u64>,
    /// How it ended the last time; stale while it runs.
    pub last_exit: Option<LastExit>,
    /// How often it crashed in a row.
    pub successive_crashes: Option<u64>,
    /// Why it runs: `semaphore`, `inefficient`, `one-shot`.
    pub immediate_reason: Option<String>,
    /// `StartInterval`.
    pub run_interval: Option<Duration>,
    /// The pause between two starts.
    pub minimum_runtime: Option<Duration>,
    /// How long it has between SIGTERM and SIGKILL.
    pub exit_timeout: Option<Duration>,
    /// `keepalive`, `runatload`, `penalty box` …
    pub properties: Option<BTreeSet<String>>,
    /// The closing brace was read; else the output was cut off.
    pub is_complete: bool,
}

/// Where a job is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// No process, and none due.
    NotRunning,
    /// The next start waits for the throttle.
    SpawnScheduled,
    /// Being started.
    Spawning,
    /// launchd's own helper is about to become the program.
    Xpcproxy,
    /// Started, not yet seen running.
    Spawned,
    /// It has a process.
    Running,
    /// Asked to end, not yet gone.
    Sigtermed,
    /// Killed, not yet gone.
    Sigkilled,
    /// Killed and still there.
    Languishing,
    /// It has ended.
    Exited,
    /// A word that is not known here.
    Other(String),
}

/// The second state that newer systems print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobState {
    /// Never looked at since it was loaded.
    Uninitialized,
    /// It runs.
    Running,
    /// It has ended.
    Exited,
    /// launchd could not start it at all.
    SpawnFailed,
    /// A word that is not known here.
    Other(String),
}

/// How a job ended the last time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LastExit {
    /// It never did.
    Never,
    /// With this code.
    Code(i32),
    /// By a signal.
    Signal {
        /// Its number.
        number: i32,
        /// In the system's words.
        name: String,
    },
    /// The system ended it: `OS_REASON_CODESIGNING`.
    Reason(String),
    /// launchd let go of it.
    Abandoned,
    /// launchd could not learn how.
    FailedReap,
}

impl Print {
    /// Reads the output about one service; `None`: this is none.
    #[must_use]
    pub fn parse(output: &str) -> Option<Self> {
        let mut lines = whole_lines(output);
        let header =
            lines.iter().position(|line| !line.starts_with([' ', '\t']) && line.ends_with(" = {"))?;
        let target = lines[header].strip_suffix(" = {")?.to_owned();
        let (header_domain, label) = split_target(&target)?;
        let body = lines.split_off(header + 1);
        let is_complete = body.contains(&"}");
        let top = Top::read(&body);

        let domain = header_domain.map(str::to_owned).or_else(|| top.value("domain").and_then(domain_of));
        Some(Self {
            label: label.to_owned(),
            domain,
            path: top.path("path"),
            kind: top.text("type"),
            program: top.path("program"),
            arguments: top.arguments(),
            working_directory: top.path("working directory"),
            stdout_path: top.path("stdout path"),
            stderr_path: top.path("stderr path"),
            environment: top.environment("environment"),
            inherited_environment: top.environment("inherited environment"),
            default_environment: top.environment("default environment"),
            state: top.value("state").map(State::of),
            job_state: top.value("job state").map(JobState::of),
            pid: top.number("pid").and_then(|it| u32::try_from(it).ok()).filter(|&pid| pid > 0),
            runs: top.number("runs"),
            forks: top.number("forks"),
            execs: top.number("execs"),
            last_exit: top.last_exit(),
            successive_crashes: top.number("successive crashes"),
            immediate_reason: top.text("immediate reason"),
            run_interval: top.seconds("run interval"),
            minimum_runtime: top.seconds("minimum runtime"),
            exit_timeout: top.seconds("exit timeout"),
            properties: top.properties(),
            is_complete,
            target,
        })
    }

    /// Whether the job has this property; `None`: its properties are not known.
    #[must_use]
    pub fn has_property(&self, name: &str) -> Option<bool> {
        self.properties.as_ref().map(|it| it.contains(name))
    }

    /// Whether launchd has put it aside and does not start it again.
    #[must_use]
    pub fn is_in_penalty_box(&self) -> Option<bool> {
        self.has_property("penalty box")
    }

    /// Whether it was told to end and still has to: a new definition cannot be loaded before it has.
    #[must_use]
    pub const fn is_draining(&self) -> bool {
        matches!(self.state, Some(State::Sigtermed | State::Sigkilled | State::Languishing))
    }
}

impl State {
    fn of(word: &str) -> Self {
        match word {
            "not running" => Self::NotRunning,
            "spawn scheduled" => Self::SpawnScheduled,
            "spawning" => Self::Spawning,
            "xpcproxy" => Self::Xpcproxy,
            "spawned" => Self::Spawned,
            "running" => Self::Running,
            "SIGTERMed" => Self::Sigtermed,
            "SIGKILLed" => Self::Sigkilled,
            "languishing" => Self::Languishing,
            "exited" => Self::Exited,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl JobState {
    fn of(word: &str) -> Self {
        match word {
            "uninitialized" => Self::Uninitialized,
            "running" => Self::Running,
            "exited" => Self::Exited,
            "spawn failed" => Self::SpawnFailed,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl LastExit {
    fn of_code(words: &str) -> Option<Self> {
        match words {
            "(never exited)" => return Some(Self::Never),
            "(abandoned)" => return Some(Self::Abandoned),
            "(failed reap)" => return Some(Self::FailedReap),
            _ => {}
        }
        let code = match words.split_once(": ") {
            Some((code, name)) if name.starts_with("EX_") => code,
            Some(_) => return None,
            None => words,
        };
        code.parse().ok().map(Self::Code)
    }

    fn of_signal(words: &str) -> Option<Self> {
        let (name, number) = words.rsplit_once(": ")?;
        Some(Self::Signal { number: number.parse().ok().filter(|&it| it > 0)?, name: name.to_owned() })
    }
}

/// What stands at the top level: values and blocks, each under its key; one that is said twice is neither.
struct Top<'a> {
    values: BTreeMap<&'a str, Option<&'a str>>,
    blocks: BTreeMap<&'a str, Option<Vec<&'a str>>>,
    indent: &'a str,
}

impl<'a> Top<'a> {
    fn read(body: &[&'a str]) -> Self {
        let indent = body.iter().find_map(|line| indent_of(line)).unwrap_or("\t");
        let mut top = Self { values: BTreeMap::new(), blocks: BTreeMap::new(), indent };
        let mut at = 0;
        while at < body.len() && body[at] != "}" {
            let line = body[at].strip_prefix(indent).filter(|it| !it.starts_with([' ', '\t']));
            at += 1;
            let Some((key, value)) = line.and_then(|it| it.split_once(" = ")) else { continue };
            if matches!(value, "{" | "[") {
                let close = if value == "{" { "}" } else { "]" };
                let rest = &body[at..];
                let end = rest.iter().position(|line| line.strip_prefix(indent) == Some(close));
                // A block that is cut off says nothing, and nothing follows it.
                let block = end.map(|end| rest[..end].to_vec());
                at += end.map_or(rest.len(), |end| end + 1);
                top.blocks.entry(key).and_modify(|it| *it = None).or_insert(block);
            } else {
                let add = |it: &mut Option<&'a str>| *it = it.filter(|&said| said == value);
                top.values.entry(key).and_modify(add).or_insert(Some(value));
            }
        }
        top
    }

    fn value(&self, key: &str) -> Option<&'a str> {
        self.values.get(key).copied().flatten()
    }

    fn text(&self, key: &str) -> Option<String> {
        self.value(key).map(str::to_owned)
    }

    fn path(&self, key: &str) -> Option<PathBuf> {
        self.value(key).filter(|it| it.starts_with('/')).map(PathBuf::from)
    }

    fn number(&self, key: &str) -> Option<u64> {
        self.value(key)?.parse().ok()
    }

    fn seconds(&self, key: &str) -> Option<Duration> {
        let value = self.value(key)?;
        let number =
            value.strip_suffix(" seconds").or_else(|| value.strip_suffix(" second")).unwrap_or(value);
        number.parse().ok().map(Duration::from_secs)
    }

    /// A block's lines; `None` where one is not of the block's own level, as in an argument of many lines.
    fn block(&self, key: &str) -> Option<Vec<&'a str>> {
        let lines = self.blocks.get(key)?.as_ref()?;
        let own = |line: &&'a str| line.strip_prefix(self.indent).and_then(|it| it.strip_prefix(self.indent));
        lines.iter().map(own).collect()
    }

    fn arguments(&self) -> Option<Vec<String>> {
        Some(self.block("arguments")?.into_iter().map(str::to_owned).collect())
    }

    fn environment(&self, key: &str) -> Option<BTreeMap<String, String>> {
        let pair = |line: &str| {
            let (name, value) = line.split_once(" => ").or_else(|| Some((line.strip_suffix(" =>")?, "")))?;
            Some((name.to_owned(), value.to_owned()))
        };
        self.block(key)?.into_iter().map(pair).collect()
    }

    /// A line of flags; before about 2020, a block of ones and zeros.
    fn properties(&self) -> Option<BTreeSet<String>> {
        if self.values.contains_key("properties") {
            let line = self.value("properties").filter(|_| !self.blocks.contains_key("properties"))?;
            return Some(
                line.split('|').map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()).collect(),
            );
        }
        let flag = |line: &str| match line.rsplit_once(" = ")? {
            (name, "1") => Some(Some(name.to_owned())),
            (_, "0") => Some(None),
            _ => None,
        };
        let flags: Option<Vec<_>> = self.block("properties")?.into_iter().map(flag).collect();
        Some(flags?.into_iter().flatten().collect())
    }

    fn last_exit(&self) -> Option<LastExit> {
        let keys = ["last exit code", "last terminating signal", "last exit reason"];
        if keys.iter().filter(|&&key| self.values.contains_key(key)).count() > 1 {
            return None;
        }
        let [code, signal, reason] = keys.map(|key| self.value(key));
        let code = code.and_then(LastExit::of_code);
        let signal = signal.and_then(LastExit::of_signal);
        code.or(signal).or_else(|| Some(LastExit::Reason(reason?.to_owned())))
    }
}

/// The lines; the last is left out if it may have been cut off.
fn whole_lines(output: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = output.split('\n').map(|it| it.strip_suffix('\r').unwrap_or(it)).collect();
    if lines.last().is_some_and(|it| *it != "}") {
        lines.pop();
    }
    lines
}

/// One tab, or as many spaces as a terminal made of it.
fn indent_of(line: &str) -> Option<&str> {
    if line.starts_with('\t') {
        return Some("\t");
    }
    let spaces = line.len() - line.trim_start_matches(' ').len();
    (spaces > 0 && spaces < line.len()).then(|| &line[..spaces])
}

/// `gui/501/label` is a domain and a label; `gui/501` alone is no service.
fn split_target(target: &str) -> Option<(Option<&str>, &str)> {
    let slashes: Vec<usize> = target.match_indices('/').map(|(at, _)| at).collect();
    let depth = match target.split('/').next()? {
        "system" => 1,
        "gui" | "user" | "login" | "session" | "pid" => 2,
        _ => return Some((None, target)),
    };
    let at = *slashes.get(depth - 1)?;
    let label = &target[at + 1..];
    (!label.is_empty()).then_some((Some(&target[..at]), label))
}

/// `gui/501 [100003]`, or what Mojave said.
fn domain_of(words: &str) -> Option<String> {
    let domain = words.split(" [").next()?;
    if domain == "system" || ["gui/", "user/", "login/"].iter().any(|it| domain.starts_with(it)) {
        return Some(domain.to_owned());
    }
    if domain == "com.apple.xpc.launchd.domain.system" {
        return Some("system".into());
    }
    let user = domain.strip_prefix("com.apple.xpc.launchd.user.domain.")?;
    let id = user.split('.').next().filter(|it| it.parse::<u32>().is_ok())?;
    match user.rsplit('.').next()? {
        "Aqua" => Some(format!("gui/{id}")),
        "Background" => Some(format!("user/{id}")),
        _ => None,
    }
}
