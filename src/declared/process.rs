//! `process`: how many processes of a sort run.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Question;
use super::who::Who;
use crate::config::{self, Reading};
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::probes::processes;
use crate::unit::Pace;
use crate::verdict::{Fact, Seen, Verdict};

/// The most processes that a verdict names.
const NAMED: usize = 5;

/// Why it cannot be told, and what rules such a process out.
const ANOTHERS: &str = "it is another user's: add `owner`, or `command`";

/// Processes of a sort, and how many there must be.
#[derive(Debug, Clone)]
pub struct Process {
    name: Option<String>,
    command: Option<regex::Regex>,
    owner: Option<Who>,
    directory: Option<PathBuf>,
    at_least: usize,
    at_most: Option<usize>,
}

/// As it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Written {
    /// The name of its executable, or of the program that its command line begins with.
    #[schemars(with = "Option<String>")]
    pub name: Option<config::Text>,
    /// A pattern that its whole command line matches.
    #[schemars(with = "Option<String>")]
    pub command: Option<config::Text>,
    /// Whose it is, by name or number.
    #[schemars(with = "Option<String>")]
    pub owner: Option<config::Text>,
    /// Where it runs.
    #[schemars(with = "Option<String>")]
    pub directory: Option<config::Text>,
    /// How many there must be; default: at least one.
    pub count: Option<Count>,
    /// Whether there must be none; default false.
    pub absent: Option<bool>,
}

/// How many.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// At least; default 1.
    pub min: Option<usize>,
    /// At most.
    pub max: Option<usize>,
}

impl Written {
    /// What it means; mistakes are written down.
    pub fn read(self, place: Range<usize>, it: &mut Reading<'_>) -> Option<Process> {
        let absent = self.absent.unwrap_or(false);
        let name = it.maybe(self.name.as_ref(), Reading::text)?;
        let is_vain = |name: &String| name.is_empty() || name.contains('/');
        let wrong = match (&self.count, self.name.is_some() || self.command.is_some()) {
            _ if name.as_ref().is_some_and(is_vain) => {
                Some(("no process has such a name", "write the last part of its path, or use `command`"))
            }
            (Some(Count { min: Some(0), max: None }), true) => {
                Some(("there are always that many", "add `max`, or write absent = true"))
            }
            (_, false) => Some(("no process is named", "add `name` or `command`")),
            (Some(_), true) if absent => {
                Some(("of what must be absent there is no count", "keep one of them"))
            }
            (Some(Count { min: Some(min), max: Some(max) }), true) if min > max => {
                Some(("`min` is more than `max`", ""))
            }
            (Some(Count { min: None, max: Some(0) }), true) => {
                Some(("`min` is 1 where it is not written", "write absent = true"))
            }
            _ => None,
        };
        if let Some((message, hint)) = wrong {
            it.wrong(place, message, hint);
            return None;
        }
        let count = self.count.unwrap_or(Count { min: None, max: None });
        Some(Process {
            name,
            // Of one user, or in one directory, any process may be meant.
            command: if self.owner.is_some() || self.directory.is_some() {
                it.maybe(self.command.as_ref(), Reading::any_pattern)?
            } else {
                it.maybe(self.command.as_ref(), Reading::pattern)?
            },
            owner: Who::read(self.owner.as_ref(), it)?,
            directory: it.maybe(self.directory.as_ref(), Reading::path)?,
            at_least: if absent { 0 } else { count.min.unwrap_or(1) },
            at_most: if absent { Some(0) } else { count.max },
        })
    }
}

impl Question for Process {
    fn summary(&self) -> String {
        let name = self.title();
        match (self.at_least, self.at_most) {
            (_, Some(0)) => format!("no `{name}` process runs"),
            (0 | 1, None) => format!("a `{name}` process runs"),
            _ => format!("{} `{name}` processes run", self.expected()),
        }
    }

    /// Looks at all processes but Housecall's own, which are read once for all such checks.
    ///
    /// # Errors
    /// They cannot be read, or it cannot be known of one whether it counts.
    fn look(&self, cx: &Cx, _: Duration) -> Seen {
        let all = cx.processes()?;
        let owner = match &self.owner {
            None => None,
            Some(owner) => match owner.uid(cx)? {
                None => return Ok(Verdict::fail(format!("there is no user {owner}"))),
                uid => uid,
            },
        };
        // The kernel tells of the place itself, and not of the links that lead there.
        let real = match &self.directory {
            None => None,
            Some(directory) => Some(cx.machine("process")?.mounts()?.resolved(directory)),
        };
        let (mut found, mut unclear): (Vec<&processes::Process>, _) = (Vec::new(), None);
        let mut hidden = Vec::new();
        for it in &all.list {
            // It may be too many; whoever asks for one means one that can be seen.
            if self.may_be_hidden(it) {
                hidden.extend((Self::is_meant(it, owner, real.as_deref()) != Some(false)).then_some(it.pid));
                continue;
            }
            let called = self.is_called(it);
            if called == Some(false) {
                continue;
            }
            match Self::is_meant(it, owner, real.as_deref()) {
                Some(true) if called.is_some() => found.push(it),
                Some(false) => {}
                _ => unclear = Some((unclear.map_or(0, |(count, _)| count) + 1, it.pid)),
            }
        }
        let first = (0, hidden.first().copied().unwrap_or_default());
        let (mut maybe, pid) = unclear.unwrap_or(first);
        if !all.is_whole {
            maybe = usize::MAX / 2;
        }
        let too_few = found.len() + maybe < self.at_least;
        let too_many = self.at_most.is_some_and(|most| found.len() > most);
        let certain = found.len() >= self.at_least
            && self.at_most.is_none_or(|most| found.len() + maybe + hidden.len() <= most);
        if !certain && !too_few && !too_many {
            return Err(if all.is_whole {
                ProbeError::failed(format!("tell what process {pid} is, or where"), &ANOTHERS)
            } else {
                ProbeError::failed("see all processes", &"/proc hides those of other users")
            });
        }
        let name = self.title();
        let verdict = match found.len() {
            _ if certain => Verdict::pass(),
            0 => Verdict::fail(format!("no `{name}` process runs")),
            1 => Verdict::fail(format!("a `{name}` process runs")),
            count => Verdict::fail(format!("{count} `{name}` processes run")),
        };
        let verdict = verdict.with("expected", self.expected()).with("actual", found.len().to_string());
        let named = |verdict: Verdict, it: &&processes::Process| {
            verdict.with("who", Fact::Pid(it.pid)).with("command", Fact::Text(it.command()))
        };
        Ok(found.iter().take(NAMED).fold(verdict, named))
    }

    fn pace(&self) -> Pace {
        Pace::Quick
    }
}

impl Process {
    fn title(&self) -> String {
        let pattern = self.command.as_ref().map(regex::Regex::as_str);
        self.name.as_deref().or(pattern).unwrap_or_default().to_owned()
    }

    fn expected(&self) -> String {
        match (self.at_least, self.at_most) {
            (least, None) => format!("at least {least}"),
            (least, Some(most)) if least == most => most.to_string(),
            (least, Some(most)) => format!("{least} to {most}"),
        }
    }

    /// Whether its command line is hidden, as macOS does with those of other users, and its name does not rule it out.
    fn may_be_hidden(&self, it: &processes::Process) -> bool {
        // Linux shows it, an empty one too, wherever it shows the executable.
        let is_shown = cfg!(not(target_os = "macos")) && it.executable.is_some();
        let is_hidden = it.argv.is_empty() && it.name.is_some() && !is_shown;
        let by_name = || Self { command: None, ..self.clone() }.is_called(it);
        self.command.is_some() && is_hidden && by_name() != Some(false)
    }

    /// Whether it is called that; `None` where the system does not say.
    fn is_called(&self, it: &processes::Process) -> Option<bool> {
        if self.command.as_ref().is_some_and(|pattern| !pattern.is_match(&it.argv.join(" "))) {
            return Some(false);
        }
        let Some(wanted) = self.name.as_deref() else { return Some(true) };
        if it.names().any(|it| it == wanted) {
            return Some(true);
        }
        // The executable of another user's process is hidden; what the kernel calls it may be cut.
        let name = it.name.as_deref().filter(|_| it.executable.is_none()).unwrap_or_default();
        if name.len() >= processes::NAME && wanted.len() > name.len() && wanted.starts_with(name) {
            return None;
        }
        if name == wanted { Some(true) } else { (!it.is_renamed()).then_some(false) }
    }

    /// Whether it is of that owner and runs there; `None` where the system does not say.
    fn is_meant(it: &processes::Process, owner: Option<u32>, directory: Option<&Path>) -> Option<bool> {
        let is_own = owner.map_or(Some(true), |owner| it.uid.map(|uid| uid == owner))?;
        let is_here = |wanted: &Path| it.directory.as_deref().map(|place| place == wanted);
        if is_own { directory.map_or(Some(true), is_here) } else { Some(false) }
    }
}

impl processes::Process {
    /// Whether it may be another program than it says: its executable is hidden, and its own two names disagree.
    ///
    /// A whole path is what it was started by, and so is a plain word before further arguments: a program that rewrites its
    /// command line makes one text of it, and one that only names its main thread (node's is `MainThread`) leaves it as it
    /// is. The kernel calls a script by the script's name, which its interpreter is given.
    fn is_renamed(&self) -> bool {
        let Some(name) = self.name.as_deref().filter(|_| self.executable.is_none()) else { return false };
        let agrees = |word: &String| {
            let last = word.rsplit('/').next().unwrap_or(word).trim_start_matches(['-', '@']);
            let plain = last.split([' ', ':']).next().unwrap_or(last);
            !plain.is_empty() && (plain.starts_with(name) || name.starts_with(plain))
        };
        let is_plain = |it: &String| !it.is_empty() && !it.contains([' ', ':']);
        let is_as_started = match self.argv.as_slice() {
            [first, more, ..] => first.starts_with('/') || is_plain(first) && !more.is_empty(),
            [first] => first.starts_with('/'),
            [] => false,
        };
        !is_as_started && !self.argv.iter().take(3).any(agrees)
    }

    /// What it may be called: its executable's name, and that of the program its command line begins with.
    fn names(&self) -> impl Iterator<Item = &str> {
        let executable = self.executable.as_deref().and_then(Path::file_name).and_then(|it| it.to_str());
        let executable = executable.map(|it| it.strip_suffix(processes::DELETED).unwrap_or(it));
        let first = self.argv.first().map(|it| it.rsplit('/').next().unwrap_or(it));
        // A login shell is `-bash`, and a daemon may write `nginx: master process`.
        let first = first.map(|it| it.strip_prefix('-').unwrap_or(it));
        executable.into_iter().chain(first)
    }
}

#[cfg(test)]
mod tests {
    use crate::probes::processes::Process;

    #[test]
    fn a_process_that_calls_itself_something_else_may_be_anything() {
        for (name, argv, is_renamed) in [
            ("nginx", &["nginx: master process /usr/sbin/nginx"][..], false),
            ("sshd", &["sshd: /usr/sbin/sshd -D"], false),
            ("bash", &["-bash"], false),
            ("dbus-daemon", &["@dbus-daemon", "--system"], false),
            ("php-fpm8.2", &["php-fpm: pool www"], false),
            ("unattended-upgr", &["python3", "-u", "/usr/share/unattended-upgrade-shutdown"], false),
            ("systemd", &["/sbin/init"], false),
            ("(udev-worker)", &["/usr/lib/systemd/systemd-udevd"], false),
            ("rvsleep", &["worker: idle"], true),
            ("MainThread", &["node", "server.js"], false),
            ("MainThread", &["node"], true),
            ("hidden", &["worker", ""], true),
            ("hidden", &["worker: idle", "x"], true),
            ("hidden", &[], true),
            ("hidden", &[""], true),
        ] {
            let process = Process {
                pid: 7,
                parent: None,
                uid: Some(1),
                executable: None,
                name: Some(name.to_owned()),
                argv: argv.iter().map(|it| (*it).to_owned()).collect(),
                directory: None,
                started: jiff::Timestamp::UNIX_EPOCH,
                identity: 0,
            };
            assert_eq!(process.is_renamed(), is_renamed, "{name} {argv:?}");
            let seen = Process { executable: Some("/bin/x".into()), ..process };
            assert!(!seen.is_renamed(), "what is seen is known");
        }
    }

    /// macOS hides what another user's process was started with: it may be the one that must not run.
    #[test]
    fn a_hidden_command_line_may_be_the_one_that_is_asked_for() {
        let asked = |name: Option<&str>, command: Option<&str>| super::Process {
            name: name.map(str::to_owned),
            command: command.map(|it| regex::Regex::new(it).expect("a pattern")),
            owner: None,
            directory: None,
            at_least: 0,
            at_most: Some(0),
        };
        let other = |name: Option<&str>, argv: &[&str]| Process {
            pid: 7,
            parent: None,
            uid: Some(1),
            executable: None,
            name: name.map(str::to_owned),
            argv: argv.iter().map(|it| (*it).to_owned()).collect(),
            directory: None,
            started: jiff::Timestamp::UNIX_EPOCH,
            identity: 0,
        };
        for (asked, process, hidden) in [
            (asked(None, Some("^celery")), other(Some("python3"), &[]), true),
            (asked(Some("python3"), Some("^celery")), other(Some("python3"), &[]), true),
            (asked(None, Some("^celery")), other(Some("python3"), &["python3", "x"]), false),
            (asked(None, Some("^celery")), other(None, &[]), false),
            (asked(Some("python3"), None), other(Some("python3"), &[]), false),
        ] {
            assert_eq!(asked.may_be_hidden(&process), hidden, "{asked:?} {process:?}");
        }
    }
}
