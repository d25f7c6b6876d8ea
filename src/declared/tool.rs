//! `tool`: whether a program is found, where, and in which version.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Question;
use super::launch::Launch;
use crate::config::{self, Config, Limits, Reading};
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::probes::{declared, tools};
use crate::verdict::{Fact, Seen, Verdict};
use crate::version;

/// A program, and what is asked of it.
#[derive(Debug, Clone)]
pub struct Tool {
    name: String,
    version: Option<nodejs_semver::Range>,
    path: Option<PathBuf>,
    arguments: Option<Vec<String>>,
}

/// As it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Written {
    /// Its name, looked for in `runtime.path` and then on the caller's PATH.
    #[schemars(with = "String")]
    pub name: config::Text,
    /// The range in which its version must be: ">=22 <23".
    #[schemars(with = "Option<String>")]
    pub version: Option<config::Text>,
    /// Where it must be found: its own path, or the one that it is a link to.
    #[schemars(with = "Option<String>")]
    pub path: Option<config::Text>,
    /// What it is asked for its version with; default `["--version"]`.
    #[schemars(with = "Option<Vec<String>>")]
    pub args: Option<Vec<config::Text>>,
}

impl Written {
    /// What it means; mistakes are written down.
    pub fn read(self, _: Range<usize>, it: &mut Reading<'_>) -> Option<Tool> {
        if self.args.is_some() && self.version.is_none() {
            it.wrong(
                self.name.span(),
                "`args` are for asking the version, which nobody does",
                "add `version`",
            );
            return None;
        }
        Some(Tool {
            name: it.shaped(
                Some(&self.name),
                "program's name",
                "write its name, as it is typed",
                |name| {
                    (!name.is_empty() && !name.contains('/') && !name.starts_with('-'))
                        .then(|| name.to_owned())
                },
            )??,
            version: it.maybe(self.version.as_ref(), Reading::narrow_range)?,
            path: it.maybe(self.path.as_ref(), Reading::path)?,
            arguments: match &self.args {
                Some(arguments) => Some(it.texts(arguments)?),
                None => None,
            },
        })
    }
}

impl Question for Tool {
    fn summary(&self) -> String {
        let name = &self.name;
        self.version.as_ref().map_or_else(|| format!("{name} is here"), |range| format!("{name} is {range}"))
    }

    /// Looks for it, and asks it where a version is wanted.
    ///
    /// # Errors
    /// It may not be run, does not answer in time, or names no version.
    fn look(&self, cx: &Cx, deadline: Duration) -> Seen {
        let (machine, name) = (cx.machine("tool")?, &self.name);
        let Some(path) = declared::tool::find(machine, cx.config(), name, deadline)? else {
            return Ok(Verdict::fail(format!("there is no program {name} on the PATH")));
        };
        if let Some(wanted) = self.path.as_ref().filter(|wanted| **wanted != path) {
            let real = declared::tool::real(machine, &path);
            if real != **wanted {
                let failure = Verdict::fail(format!("{name} is found elsewhere"));
                return Ok(failure.with("expected", &**wanted).with("actual", &*path));
            }
        }
        let Some(range) = &self.version else {
            return Ok(Verdict::pass().with("path", &*path));
        };
        let version = self.asked(cx, &path, deadline)?;
        let verdict = match version::read(&version) {
            None => return Err(ProbeError::unreadable(format!("the version of {name}"), &version)),
            Some(plain) if range.satisfies(&plain) => Verdict::pass(),
            Some(_) => Verdict::fail(format!("{name} has a version that is out of range"))
                .with("expected", range.to_string()),
        };
        Ok(verdict.with("actual", Fact::Version(version)).with("path", &*path))
    }

    fn runs(&self, _: &Config) -> Option<String> {
        self.version.as_ref()?;
        let arguments = self.arguments.as_deref().map_or_else(|| "--version".to_owned(), |it| it.join(" "));
        Some(format!("{} {arguments}", self.name))
    }
}

impl Tool {
    fn asked(&self, cx: &Cx, path: &Path, deadline: Duration) -> Result<String, ProbeError> {
        let machine = cx.machine("tool")?;
        let Some(arguments) = &self.arguments else {
            return tools::answered_version_of(machine, &within(cx.config(), deadline), path);
        };
        let argv = [path.to_string_lossy().into_owned()].into_iter().chain(arguments.iter().cloned());
        let launch = Launch { argv: argv.collect(), directory: "/".into(), environment: BTreeMap::new() };
        let said = declared::tool::said(machine, path, &launch.program(cx.config(), deadline)?)?;
        let unreadable = || {
            ProbeError::unreadable(
                format!("what {} says of its version", self.name),
                &super::text::excerpt(&said),
            )
        };
        version::first_in(&said).map(|it| it.to_string()).ok_or_else(unreadable)
    }
}

/// The configuration with another deadline for its probes.
pub(super) fn within(config: &Config, deadline: Duration) -> Cow<'_, Config> {
    if config.limits.timeout == deadline {
        return Cow::Borrowed(config);
    }
    let limits = Limits { timeout: deadline, ..config.limits };
    Cow::Owned(Config { limits, ..config.clone() })
}
