//! `raw::File` to `Config`: every value judged by its text alone, every mistake at its place.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use toml::Spanned;

use super::error::Mistake;
use super::values::{self, Wrong};
use super::{Config, Jobs, Limits, Manager, Mirror, Surroundings, Tool, Written, raw};
use crate::redact::Redactor;
use crate::report::words::is_dangerous;

/// No name of a mirror is longer, in bytes: files are named after it.
const LONGEST: usize = 100;

/// The work: what is read, and the mistakes found on the way.
pub(super) struct Validation<'a> {
    pub(super) surroundings: &'a Surroundings,
    pub(super) file: &'a Path,
    pub(super) mistakes: Vec<Mistake>,
}

/// The configuration that the file means; `None` where too much is missing. Mistakes are added to those known.
pub(super) fn validate(
    raw: raw::File,
    surroundings: &Surroundings,
    file: &Path,
    limits: Limits,
    mistakes: Vec<Mistake>,
) -> (Option<Config>, Vec<Mistake>) {
    let mut it = Validation { surroundings, file, mistakes };
    let config = it.config(raw, limits);
    it.mistakes.sort_by_key(|mistake| mistake.at.start);
    (config, it.mistakes)
}

impl Validation<'_> {
    fn config(&mut self, raw: raw::File, limits: Limits) -> Option<Config> {
        let jobs = self.jobs(raw.jobs);
        let mut as_written = Written::default();
        let (ranges, runtime_path) = self.runtime(raw.runtime, &mut as_written);
        let place = raw.mirror.as_ref().map(Spanned::span);
        let written = raw.mirror.map(Spanned::into_inner);
        as_written.worktree = written.as_ref().and_then(|it| Some(it.worktree.as_ref()?.get_ref().clone()));
        let repository = written.as_ref().and_then(|mirror| self.repository(mirror, place.clone()));
        let name = self.name(raw.name.as_ref(), repository.as_deref());
        let default_state = self.surroundings.state_home().join(&name);
        let state = match written.as_ref().and_then(|mirror| mirror.state.as_ref()) {
            Some(state) => self.own_path(state, "state"),
            None => Some(default_state.clone()),
        };
        let is_mirror = written.is_some();
        let mirror = match (written, repository) {
            (Some(written), Some(repository)) => {
                self.mirror(&written, repository, state.as_ref().unwrap_or(&default_state))
            }
            _ => None,
        };
        let server = raw.serve.and_then(|serve| self.server(serve, mirror.as_ref(), is_mirror));
        let services: Vec<_> = self.services(raw.service).into_iter().map(Arc::new).collect();
        let pages = self.pages(&raw.page, server.as_ref(), &services);

        let redactor = Redactor::of(self.surroundings);
        for (name, value) in server.iter().flat_map(|server| &server.env) {
            redactor.learn(name, value);
        }
        let commands = mirror.as_ref().map(|mirror| [&*mirror.install, &*mirror.build]);
        let run: &[String] = match server.as_ref().map(|server| &server.run) {
            Some(super::Serving::Program(argv)) => argv,
            _ => &[],
        };
        let commands: Vec<&[String]> = commands.into_iter().flatten().chain([run]).collect();
        let mut names: BTreeSet<String> = values::tools_of(&commands);
        names.extend(ranges.keys().cloned());
        let tools = names
            .into_iter()
            .map(|name| Arc::new(Tool { range: ranges.get(&name).cloned(), name }))
            .collect();
        Some(Config {
            environment: self.surroundings.kept_environment(),
            caller: self.surroundings.whole(),
            runtime_path,
            written: as_written,
            system_path: self.surroundings.system_path(),
            tools,
            mirror: mirror.map(Arc::new),
            server: server.map(Arc::new),
            pages: pages.into_iter().map(Arc::new).collect(),
            jobs,
            services,
            limits,
            redactor,
            ..Config::empty(&name, self.file.to_owned(), self.surroundings.home.clone(), state?)
        })
    }

    pub(super) fn wrong(&mut self, at: Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        self.mistakes.push(Mistake::new(message, at, hint));
    }

    /// The value, or its mistake written down.
    pub(super) fn or_wrong<T>(&mut self, at: Range<usize>, value: Result<T, Wrong>) -> Option<T> {
        value.map_err(|(message, hint)| self.wrong(at, message, hint)).ok()
    }

    pub(super) fn duration(&mut self, text: Option<&raw::Text>, default: Duration) -> Duration {
        let Some(text) = text else { return default };
        let value = values::duration(text.get_ref()).map_err(|why| (why, String::new()));
        self.or_wrong(text.span(), value).unwrap_or(default)
    }

    fn name(&mut self, name: Option<&raw::Text>, repository: Option<&Path>) -> String {
        let given = name.filter(|name| {
            let text = name.get_ref();
            let bad = text.is_empty()
                || text.len() > LONGEST
                || text.starts_with(['.', '-'])
                || text.contains('/')
                || text.contains(is_dangerous);
            if bad {
                self.wrong(
                    name.span(),
                    format!("`{text}` cannot name a mirror"),
                    "write a word such as \"site\"",
                );
            }
            !bad
        });
        let directory = repository.or_else(|| self.file.parent()).and_then(Path::file_name);
        let inferred = || {
            let name = directory.map(|name| name.to_string_lossy().into_owned());
            name.map(|name| name.trim_end_matches(".git").replace(is_dangerous, "-"))
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| "mirror".to_owned())
        };
        given.map_or_else(inferred, |name| name.get_ref().clone())
    }

    fn runtime(
        &mut self,
        runtime: Option<Spanned<BTreeMap<String, Spanned<raw::RangeOrPath>>>>,
        as_written: &mut Written,
    ) -> (BTreeMap<String, nodejs_semver::Range>, Vec<PathBuf>) {
        let (mut ranges, mut path) = (BTreeMap::new(), Vec::new());
        for (name, value) in runtime.map(Spanned::into_inner).unwrap_or_default() {
            let at = value.span();
            match (name.as_str(), value.into_inner()) {
                ("path", raw::RangeOrPath::Path(directories)) => {
                    for directory in directories {
                        let expanded = values::path(&directory, self.surroundings);
                        let Some(expanded) = self.or_wrong(at.clone(), expanded) else { continue };
                        if expanded.is_absolute() {
                            path.push(expanded);
                            as_written.runtime_path.push(directory);
                        } else {
                            self.wrong(
                                at.clone(),
                                format!("`{directory}` is a relative path"),
                                "start it with / or ~",
                            );
                        }
                    }
                }
                ("path", raw::RangeOrPath::Range(_)) => {
                    self.wrong(at, "`path` is a list of directories", "put it in brackets");
                }
                (_, raw::RangeOrPath::Range(_)) if !is_tool(&name) => {
                    self.wrong(at, format!("`{name}` names no tool"), "write a program's name: node");
                }
                (_, raw::RangeOrPath::Range(range)) => {
                    if let Some(range) = self.or_wrong(at, values::range(&range)) {
                        ranges.insert(name, range);
                    }
                }
                (_, raw::RangeOrPath::Path(_)) => {
                    self.wrong(at, format!("`{name}` is one version range"), "leave the brackets out");
                }
            }
        }
        (ranges, path)
    }

    fn repository(&mut self, mirror: &raw::Mirror, place: Option<Range<usize>>) -> Option<PathBuf> {
        let Some(written) = &mirror.repository else {
            // A mistake in the key itself is told already.
            if self.mistakes.is_empty() {
                let hint = "add `repository = \"~/…\"`, where you develop";
                self.wrong(place.unwrap_or(0..0), "[mirror] names no repository", hint);
            }
            return None;
        };
        let path = values::path(written.get_ref(), self.surroundings);
        let path = self.or_wrong(written.span(), path)?;
        let beside = self.file.parent().unwrap_or(Path::new("/"));
        Some(values::lexical(&beside.join(path)))
    }

    /// A place of ours: absolute by its text.
    fn own_path(&mut self, written: &raw::Text, key: &str) -> Option<PathBuf> {
        let path = values::path(written.get_ref(), self.surroundings);
        let path = self.or_wrong(written.span(), path)?;
        if path.is_relative() {
            let message = format!("`{key}` is a relative path, which means another place in a job");
            self.wrong(written.span(), message, format!("start it with / or ~: \"~/{}\"", written.get_ref()));
            return None;
        }
        Some(path)
    }

    fn mirror(&mut self, written: &raw::Mirror, repository: PathBuf, state: &Path) -> Option<Mirror> {
        let place = |it: &Option<raw::Text>| it.as_ref().map_or(0..0, Spanned::span);
        let worktree = match &written.worktree {
            Some(worktree) => self.own_path(worktree, "worktree")?,
            None => state.join("worktree"),
        };
        let home = self.surroundings.home.clone();
        let at = if written.worktree.is_some() { place(&written.worktree) } else { place(&written.state) };
        let hint = "give the mirror a directory of its own, such as ~/.local/state/housecall/NAME/worktree";
        if worktree == repository {
            self.wrong(at, "the worktree is the repository itself, where people work", hint);
        } else if worktree.starts_with(&repository) {
            self.wrong(at, "the worktree lies inside the repository", hint);
        } else if repository.starts_with(&worktree) {
            self.wrong(at, "the worktree lies around the repository", hint);
        } else if home.starts_with(&worktree) {
            self.wrong(at, "the worktree lies around your home directory", hint);
        } else if state.starts_with(&worktree) {
            let hint = "put it outside: what git does not know in the worktree is cleaned away";
            self.wrong(place(&written.state), "the state lies inside the worktree", hint);
        } else if state.starts_with(&repository) {
            let hint = "put it outside: the repository is never written to";
            self.wrong(place(&written.state), "the state lies inside the repository", hint);
        }
        let upstream = written.upstream.as_ref().map_or("origin/main", |upstream| upstream.get_ref());
        let upstream = upstream.split_once('/').filter(|(remote, branch)| is_ref(remote) && is_ref(branch));
        if upstream.is_none() {
            let hint = "write the remote and its branch: \"origin/main\"";
            self.wrong(place(&written.upstream), "`upstream` names no branch of a remote", hint);
        }
        let branch = written.branch.as_ref().map_or("localhost-sync", |branch| branch.get_ref());
        if !is_ref(branch) {
            self.wrong(
                place(&written.branch),
                format!("`{branch}` is no name of a branch"),
                "such as \"localhost-sync\"",
            );
        } else if upstream.is_some_and(|(_, upstream)| upstream == branch) {
            let message = format!("`{branch}` is the branch that people work on");
            self.wrong(
                place(&written.branch),
                message,
                "give the mirror a branch of its own: \"localhost-sync\"",
            );
        }
        let argv = |it: &Option<Spanned<Vec<String>>>| {
            it.as_ref().map(|it| it.get_ref().clone()).unwrap_or_default()
        };
        let every = self.duration(written.every.as_ref(), Duration::from_mins(1));
        let carry = written.carry.iter().filter_map(|file| self.carried(file)).collect();
        let (remote, upstream) = upstream?;
        Some(Mirror {
            repository,
            remote: remote.to_owned(),
            upstream: upstream.to_owned(),
            worktree,
            branch: branch.to_owned(),
            every,
            install: argv(&written.install),
            build: argv(&written.build),
            carry,
        })
    }

    fn carried(&mut self, file: &raw::Text) -> Option<PathBuf> {
        let text = file.get_ref();
        let path = values::lexical(Path::new(text));
        let inside = path.is_relative() && !path.starts_with("..") && path.file_name().is_some();
        if !inside || path.iter().any(values::is_gits_own) {
            self.wrong(
                file.span(),
                format!("`{text}` is no file inside the repository"),
                "write it relative to the repository",
            );
            return None;
        }
        Some(path)
    }

    fn jobs(&mut self, jobs: Option<raw::Jobs>) -> Jobs {
        let jobs = jobs.unwrap_or_default();
        let manager = match jobs.manager.as_ref().map(|manager| manager.get_ref().as_str()) {
            None | Some("auto") => Manager::Auto,
            Some("launchd") => Manager::Launchd,
            Some("systemd") => Manager::Systemd,
            Some("embedded") => Manager::Embedded,
            Some(other) => {
                let at = jobs.manager.as_ref().map_or(0..0, Spanned::span);
                self.wrong(at, format!("`{other}` is no manager"), "one of auto, launchd, systemd, embedded");
                Manager::Auto
            }
        };
        let mut labels = BTreeMap::new();
        for (role, label) in jobs.labels {
            if !["sync", "serve"].contains(&role.get_ref().as_str()) {
                self.wrong(role.span(), format!("`{}` is no job", role.get_ref()), "one of sync, serve");
            }
            if let Some(label) = self.word(&label, "label") {
                labels.insert(role.into_inner(), label);
            }
        }
        let label = jobs.label.as_ref().and_then(|label| self.word(label, "label"));
        Jobs { manager, label, labels }
    }
}

/// Whether it can be the name of a program on a PATH.
fn is_tool(name: &str) -> bool {
    let plain = |it: char| it.is_ascii_alphanumeric() || "-_.+@".contains(it);
    !name.is_empty() && !name.starts_with(['-', '.']) && name.chars().all(plain)
}

/// Whether git would take it for part of a ref's name.
fn is_ref(name: &str) -> bool {
    let odd = |it: char| is_dangerous(it) || " ~^:?*[\\".contains(it);
    !name.is_empty()
        && !name.starts_with(['-', '/', '.'])
        && !name.ends_with(['/', '.'])
        && Path::new(name).extension().is_none_or(|it| it != "lock")
        && !name.contains("..")
        && !name.contains("//")
        && !name.contains("@{")
        && !name.contains(odd)
}
