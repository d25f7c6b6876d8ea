//! `git`: what a repository is on, whether it is clean, and whether it is what its remote says.

use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Question;
use super::tool::within;
use crate::config::{self, Config, Mirror, Reading};
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::probes::git::{self, Canonical, Checkout, Remote, Worktree};
use crate::probes::machine::Machine;
use crate::verdict::{Fact, Seen, Verdict};

/// The most changed files that a verdict names.
const NAMED: usize = 5;

/// A repository, and what is asked of it.
#[derive(Debug, Clone)]
pub struct Git {
    repository: PathBuf,
    branch: Option<String>,
    head: Option<String>,
    clean: bool,
    untracked: bool,
    operation: Option<Operation>,
    /// The remote and its branch.
    parity: Option<(String, String)>,
    remote: bool,
}

/// What may be under way in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Nothing: no merge, rebase, cherry-pick or bisection.
    None,
}

/// As it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Written {
    /// The top of a worktree.
    #[schemars(with = "String")]
    pub repository: config::Text,
    /// The branch that it is on.
    #[schemars(with = "Option<String>")]
    pub branch: Option<config::Text>,
    /// The commit that it is on, or the beginning of it.
    #[schemars(with = "Option<String>")]
    pub head: Option<config::Text>,
    /// Whether no file may differ from HEAD; default false.
    pub clean: Option<bool>,
    /// Whether files that git does not track count as unclean; default true.
    pub untracked: Option<bool>,
    /// `none`: no merge, rebase or the like may be under way.
    pub operation: Option<Operation>,
    /// The remote's branch that HEAD must be equal to: "origin/main".
    #[schemars(with = "Option<String>")]
    pub parity: Option<config::Text>,
    /// Whether the remote itself is asked for it, rather than what was fetched last; default false.
    pub remote: Option<bool>,
}

impl Written {
    /// What it means; mistakes are written down.
    pub fn read(self, _: Range<usize>, it: &mut Reading<'_>) -> Option<Git> {
        let lone = match (&self.parity, self.clean) {
            (None, _) if self.remote.is_some() => Some("`remote` is about `parity`, which is not asked"),
            (_, None | Some(false)) if self.untracked.is_some() => {
                Some("`untracked` is about `clean`, which is not asked")
            }
            _ => None,
        };
        if let Some(message) = lone {
            it.wrong(self.repository.span(), message, "add it, or leave this out");
            return None;
        }
        Some(Git {
            repository: it.path(&self.repository)?,
            branch: it.maybe(self.branch.as_ref(), Reading::text)?,
            head: it.shaped(
                self.head.as_ref(),
                "commit",
                "write at least four hexadecimal digits",
                |text| {
                    let is_sha =
                        (4..=64).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_hexdigit());
                    is_sha.then(|| text.to_ascii_lowercase())
                },
            )?,
            clean: self.clean.unwrap_or(false),
            untracked: self.untracked.unwrap_or(true),
            operation: self.operation,
            parity: it.shaped(
                self.parity.as_ref(),
                "branch of a remote",
                "write \"origin/main\"",
                |text| {
                    let (remote, branch) = text.split_once('/')?;
                    let is_name = |it: &str| {
                        !it.is_empty() && !it.starts_with('-') && !it.contains(char::is_whitespace)
                    };
                    (is_name(remote) && is_name(branch)).then(|| (remote.to_owned(), branch.to_owned()))
                },
            )?,
            remote: self.remote.unwrap_or(false),
        })
    }
}

impl Question for Git {
    fn summary(&self) -> String {
        let path = self.repository.display();
        match (&self.parity, &self.branch) {
            (Some((remote, branch)), _) => format!("{path} is {remote}/{branch}"),
            (None, Some(branch)) => format!("{path} is on {branch}"),
            (None, None) => format!("{path} is as it should be"),
        }
    }

    /// Looks into the repository, with no hook, no fsmonitor, and no filter before the configuration is trusted.
    ///
    /// # Errors
    /// It cannot be read, git may not be run, or the remote cannot be reached.
    fn look(&self, cx: &Cx, deadline: Duration) -> Seen {
        let machine = cx.machine("git")?;
        let config = within(cx.config(), deadline);
        let mirror = self.as_mirror();
        let name = config.tilde(&self.repository);
        // Most ask only for what a worktree says of itself: the repository is opened once.
        let alone = if self.parity.is_none() { git::checkout(machine, &config, &mirror)? } else { None };
        let verdict = match alone {
            Some(checkout) => self.local(machine, &config, &name, &checkout)?.unwrap_or_else(Verdict::pass),
            None => self.whole(machine, &config, &mirror, &name)?,
        };
        Ok(verdict.with("repository", &*self.repository))
    }

    fn needs_trust(&self, config: &Config) -> Option<String> {
        let place = config.tilde(&self.repository);
        let asked = self.parity.as_ref().filter(|_| self.remote);
        let asks = asked.map(|(remote, branch)| format!("git ls-remote {remote} {branch}"));
        let filters = self.clean.then(|| "the filters that the repository names".to_owned());
        let all: Vec<String> = asks.into_iter().chain(filters).collect();
        (!all.is_empty()).then(|| format!("{}, in {place}", all.join(" and ")))
    }
}

impl Git {
    /// The probes of a mirror know all that is asked here.
    fn as_mirror(&self) -> Mirror {
        let (remote, upstream) = self.parity.clone().unwrap_or(("origin".to_owned(), "main".to_owned()));
        Mirror {
            repository: self.repository.clone(),
            worktree: self.repository.clone(),
            remote,
            upstream,
            branch: self.branch.clone().unwrap_or_default(),
            every: Duration::ZERO,
            install: Vec::new(),
            build: Vec::new(),
            carry: Vec::new(),
        }
    }

    /// The same of a repository that its remote is compared with, or that is none: why, it says itself.
    fn whole(&self, machine: &Machine, config: &Config, mirror: &Mirror, name: &str) -> Seen {
        let canonical = git::canonical(machine, config, mirror)?;
        let checkout = match &canonical {
            Canonical::Absent | Canonical::Unmounted(_) => {
                return Ok(Verdict::fail(format!("{name} is not there")));
            }
            Canonical::NotGit(why) => return Ok(no_repository(name, why)),
            Canonical::Present(_) => match git::worktree(machine, config, mirror, &canonical)? {
                Worktree::Present(checkout) => checkout,
                Worktree::NotGit(why) => return Ok(no_repository(name, &why)),
                _ => return Ok(no_repository(name, "it has no files of its own")),
            },
        };
        match self.local(machine, config, name, &checkout)? {
            Some(failure) => Ok(failure),
            None => self.parity(machine, config, mirror, &canonical, (name, &checkout)),
        }
    }

    fn local(
        &self,
        machine: &Machine,
        config: &Config,
        name: &str,
        checkout: &Checkout,
    ) -> Result<Option<Verdict>, ProbeError> {
        let wrong = |message: &str, expected: Fact, actual: Fact| {
            let failure = Verdict::fail(format!("{name} {message}"));
            Ok(Some(failure.with("expected", expected).with("actual", actual)))
        };
        if let Some(branch) = self.branch.as_ref().filter(|it| checkout.branch.as_ref() != Some(it)) {
            let actual = checkout.branch.clone().unwrap_or_else(|| "no branch".to_owned());
            return wrong("is on another branch", branch.clone().into(), actual.into());
        }
        if let Some(head) = &self.head
            && !checkout.head.as_ref().is_some_and(|it| it.starts_with(head))
        {
            return wrong("is on another commit", head.clone().into(), sha(checkout.head.as_deref()));
        }
        if let (Some(Operation::None), Some(operation)) = (self.operation, &checkout.operation) {
            return wrong("is in the middle of something", "no operation".into(), operation.clone().into());
        }
        if !self.clean {
            return Ok(None);
        }
        let changes = git::changes(machine, config, checkout)?;
        if let Some(why) = changes.corrupt {
            return Err(ProbeError::failed(format!("compare the files of {name}"), &why));
        }
        let mut files = changes.tracked;
        files.extend(changes.untracked.into_iter().filter(|_| self.untracked));
        if files.is_empty() {
            return Ok(None);
        }
        let more =
            if files.len() > NAMED { format!(" and {} more", files.len() - NAMED) } else { String::new() };
        files.truncate(NAMED);
        wrong("is not clean", "no changes".into(), format!("{}{more}", files.join(", ")).into())
    }

    fn parity(
        &self,
        machine: &Machine,
        config: &Config,
        mirror: &Mirror,
        canonical: &Canonical,
        (name, checkout): (&str, &Checkout),
    ) -> Seen {
        let Some((remote, branch)) = &self.parity else { return Ok(Verdict::pass()) };
        let upstream = format!("{remote}/{branch}");
        let wanted = match canonical {
            _ if self.remote && config.limits.offline => {
                return Ok(Verdict::not_applicable("the remote is not asked with --offline"));
            }
            _ if self.remote => match git::remote(machine, config, mirror, canonical)? {
                Remote::At { sha, .. } => Some(sha),
                Remote::NoSuchRef => None,
                Remote::Refused(why) | Remote::Unreachable(why) => {
                    return Err(ProbeError::failed(format!("ask {remote}"), &why));
                }
            },
            Canonical::Present(repository) => repository.tracking.clone(),
            _ => None,
        };
        let Some(wanted) = wanted else {
            return Ok(Verdict::fail(format!("there is no {upstream}")));
        };
        if checkout.head.as_ref() == Some(&wanted) {
            return Ok(Verdict::pass().with("commit", Fact::Sha(wanted)));
        }
        let failure = Verdict::fail(format!("{name} is not {upstream}"));
        Ok(failure.with("expected", Fact::Sha(wanted)).with("actual", sha(checkout.head.as_deref())))
    }
}

fn no_repository(name: &str, why: &str) -> Verdict {
    Verdict::fail(format!("{name} is no worktree of git")).with("actual", why)
}

fn sha(head: Option<&str>) -> Fact {
    head.map_or_else(|| Fact::Text("no commit".to_owned()), |head| Fact::Sha(head.to_owned()))
}
