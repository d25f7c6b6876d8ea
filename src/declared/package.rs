//! `package`: whether a package is installed, and in which version.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::Question;
use super::launch::Launch;
use crate::config::{self, Config, Reading};
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::fixes::hands::commands::shell;
use crate::probes::declared::packages::{self, Asked, Database, Found};
use crate::verdict::{Fact, Seen, Verdict};
use crate::version;

/// A package, and what is asked of it.
#[derive(Debug, Clone)]
pub struct Package {
    name: String,
    manager: Manager,
    installed: bool,
    version: Option<nodejs_semver::Range>,
    exact: Vec<String>,
}

/// Who installs packages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Manager {
    /// The one of this system.
    #[default]
    Auto,
    /// Debian's and Ubuntu's.
    Dpkg,
    /// Red Hat's, Fedora's and SUSE's.
    Rpm,
    /// Alpine's.
    Apk,
    /// Arch's.
    Pacman,
    /// Homebrew: formulas and casks.
    Brew,
    /// Node's, its global packages.
    Npm,
    /// Python's: those of the `python3` on the PATH.
    Pip,
}

/// Where it is known what is installed.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// A file of the manager's.
    File(Database),
    /// Folders of Homebrew's.
    Brew,
    /// What the manager answers.
    Program(Asked),
}

/// As it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Written {
    /// Its name, as its manager knows it.
    #[schemars(with = "String")]
    pub name: config::Text,
    /// Who installs it; default: the manager of this system.
    pub manager: Option<Manager>,
    /// Whether it must be installed, or must not; default true.
    pub installed: Option<bool>,
    /// The range in which its version must be, without the distribution's own revision: ">=2.30".
    #[schemars(with = "Option<String>")]
    pub version: Option<config::Text>,
    /// Its whole version, as its manager writes it: "7.88.1-10+deb12u8"; several are installed beside each other.
    #[schemars(with = "Option<Exact>")]
    pub exact: Option<Spanned<Exact>>,
}

/// One version, or several.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a version, or a list of versions")]
pub enum Exact {
    /// One.
    One(String),
    /// Each of them.
    All(Vec<String>),
}

impl Exact {
    /// Each, all at one place.
    fn all(written: Spanned<Self>) -> Vec<config::Text> {
        let place = written.span();
        let all = match written.into_inner() {
            Self::One(one) => vec![one],
            Self::All(all) => all,
        };
        all.into_iter().map(|it| Spanned::new(place.clone(), it)).collect()
    }
}

impl Written {
    /// What it means; mistakes are written down.
    pub fn read(self, _: Range<usize>, it: &mut Reading<'_>) -> Option<Package> {
        let installed = self.installed.unwrap_or(true);
        let place = self.exact.as_ref().map(Spanned::span);
        let exact = self.exact.map(Exact::all).unwrap_or_default();
        if let (Some(place), true) = (place, exact.is_empty()) {
            it.wrong(place, "no version is named", "write exact = \"1.2-3\", or leave it out");
            return None;
        }
        if let (false, Some(version)) = (installed, self.version.as_ref().or(exact.first())) {
            it.wrong(version.span(), "what must not be installed has no version", "leave `version` out");
            return None;
        }
        let name = it.shaped(Some(&self.name), "package", "write its plain name", |name| {
            (!name.is_empty() && !name.starts_with(['-', '.']) && !name.contains(char::is_whitespace))
                .then(|| name.to_owned())
        })??;
        let version = it.maybe(self.version.as_ref(), Reading::narrow_range)?;
        let exact = it.texts(&exact)?;
        Some(Package { name, manager: self.manager.unwrap_or_default(), installed, version, exact })
    }
}

impl Question for Package {
    fn summary(&self) -> String {
        let name = &self.name;
        match (&self.version, self.installed) {
            (_, false) => format!("{name} is not installed"),
            (None, true) => format!("{name} is installed"),
            (Some(version), true) => format!("{name} is installed, {version}"),
        }
    }

    /// Looks into the manager's database, or asks it.
    ///
    /// # Errors
    /// There is no such manager here, it may not be run, or it does not say.
    fn look(&self, cx: &Cx, deadline: Duration) -> Seen {
        cx.machine("packages")?;
        let name = &self.name;
        let found = self.found(cx, deadline)?;
        let (version, older) = match (found, self.installed) {
            (None, false) => return Ok(Verdict::pass()),
            (None, true) => return Ok(Verdict::fail(format!("{name} is not installed"))),
            (Some(Found { version, .. }), false) => {
                let failure = Verdict::fail(format!("{name} is installed"));
                return Ok(failure.with("actual", Fact::Version(version)));
            }
            (Some(Found { partly: Some(state), .. }), true) => {
                let failure = Verdict::fail(format!("{name} is only partly installed"));
                return Ok(failure.with("expected", "installed").with("actual", state));
            }
            (Some(Found { version, older, partly: None }), true) => (version, older),
        };
        if let Some(exact) = self.exact.iter().find(|exact| **exact != version && !older.contains(exact)) {
            let failure = Verdict::fail(format!("{name} is installed in another version"));
            let actual = [&[version], &*older].concat().join(", ");
            return Ok(failure.with("expected", exact.as_str()).with("actual", Fact::Version(actual)));
        }
        let Some(range) = &self.version else {
            return Ok(Verdict::pass().with("actual", Fact::Version(version)));
        };
        let passed = Verdict::pass()
            .with("expected", range.to_string())
            .with("actual", Fact::Version(version.clone()));
        for version in std::iter::once(version).chain(older) {
            let Some(plain) = upstream(&version, self.manager) else {
                return Err(ProbeError::unreadable(format!("the version of {name}"), &version));
            };
            if !range.satisfies(&plain) {
                let failure = Verdict::fail(format!("{name} is installed in a version that is out of range"));
                let failure = failure.with("expected", range.to_string());
                return Ok(failure.with("actual", Fact::Version(version)));
            }
        }
        Ok(passed)
    }

    fn runs(&self, _: &Config) -> Option<String> {
        let Source::Program(manager) = self.source() else { return None };
        Some(format!("{} {}", manager.argv().join(" "), shell(&self.name)))
    }
}

impl Package {
    fn found(&self, cx: &Cx, deadline: Duration) -> Result<Option<Found>, ProbeError> {
        let whole = |version: Option<String>| {
            Ok(version.map(|version| Found { version, older: Vec::new(), partly: None }))
        };
        let read = |database: Database| Ok(packages::named(&*cx.packages(database)?, &self.name).cloned());
        let ask = |manager: Asked| {
            let launch = Launch {
                argv: manager.argv().iter().map(|it| (*it).to_owned()).collect(),
                directory: "/".into(),
                environment: BTreeMap::new(),
            };
            let environment = launch.program(cx.config(), deadline)?.environment;
            packages::ask(manager, &self.name, &environment, deadline)
        };
        match self.source() {
            Source::File(database) => read(database),
            Source::Brew => whole(packages::brew(&self.name)?),
            Source::Program(manager) => ask(manager),
        }
    }

    fn source(&self) -> Source {
        match self.manager {
            Manager::Dpkg => Source::File(Database::Dpkg),
            Manager::Apk => Source::File(Database::Apk),
            Manager::Brew => Source::Brew,
            Manager::Pacman => Source::Program(Asked::Pacman),
            Manager::Npm => Source::Program(Asked::Npm),
            Manager::Pip => Source::Program(Asked::Pip),
            Manager::Auto if cfg!(target_os = "macos") => Source::Brew,
            Manager::Auto if Database::Dpkg.is_here() => Source::File(Database::Dpkg),
            Manager::Auto if Database::Apk.is_here() => Source::File(Database::Apk),
            Manager::Auto if packages::is_arch() => Source::Program(Asked::Pacman),
            Manager::Rpm | Manager::Auto => Source::Program(Asked::Rpm),
        }
    }
}

/// The version as its makers wrote it: without the epoch and the revision of the distribution.
fn upstream(version: &str, manager: Manager) -> Option<nodejs_semver::Version> {
    if manager == Manager::Npm {
        return nodejs_semver::Version::parse(version).ok();
    }
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    let version = match manager {
        Manager::Pip | Manager::Brew => version,
        _ => version.rsplit_once('-').map_or(version, |(upstream, _)| upstream),
    };
    version::read(version)
}

#[cfg(test)]
mod tests {
    use super::{Manager, upstream};

    #[test]
    fn a_distribution_adds_to_a_version_and_a_candidate_is_no_release() {
        for (version, manager, plain) in [
            ("1:2.39.5-0+deb12u1", Manager::Dpkg, "2.39.5"),
            ("3.0.15-1~deb12u1", Manager::Auto, "3.0.15"),
            ("3.0~rc1-1", Manager::Dpkg, "3.0.0-rc1"),
            ("20230311", Manager::Dpkg, "20230311.0.0"),
            ("1.1.1w-0+deb11u1", Manager::Dpkg, "1.1.1"),
            ("1.2.4_git20230717-r4", Manager::Apk, "1.2.4"),
            ("1.2.4_rc1-r4", Manager::Apk, "1.2.4-rc1"),
            ("25.0.1", Manager::Pip, "25.0.1"),
            ("2.0.0rc1", Manager::Pip, "2.0.0-rc1"),
            ("2.0.0.post1", Manager::Pip, "2.0.0"),
            ("10.9.2-beta.1", Manager::Npm, "10.9.2-beta.1"),
            ("3.12.1_1", Manager::Brew, "3.12.1"),
        ] {
            assert_eq!(
                upstream(version, manager).map(|it| it.to_string()).as_deref(),
                Some(plain),
                "{version}"
            );
        }
        assert!(upstream("latest", Manager::Brew).is_none());
    }
}
