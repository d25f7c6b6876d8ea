//! `file`: whether something is at a path, and what it is, holds, and whose.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::Question;
use super::several::{AnyText, or};
use super::text::{self, Text};
use super::who::Who;
use crate::config::{self, Reading};
use crate::cx::Cx;
use crate::error::{ProbeError, human_duration};
use crate::probes::clock;
use crate::probes::declared::file::{self, Found, Order};
use crate::unit::Pace;
use crate::verdict::{Fact, Seen, Verdict};

/// How far ahead of ours the clock of a volume may be.
const AHEAD: Duration = Duration::from_secs(2);

/// A path, and what is asked of it.
#[derive(Debug, Clone)]
pub struct File {
    path: PathBuf,
    exists: bool,
    kind: Kind,
    follows: bool,
    mode: Vec<u32>,
    owner: Vec<Who>,
    group: Vec<Who>,
    content: Text,
    md5: Option<String>,
    sha256: Option<String>,
    sha512: Option<String>,
    target: Option<PathBuf>,
    at_least: Option<u64>,
    at_most: Option<u64>,
    max_age: Option<Duration>,
}

/// What is at a path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Anything at all.
    #[default]
    Any,
    /// A plain file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link itself; all others are followed.
    Symlink,
    /// A socket.
    Socket,
    /// A named pipe.
    Fifo,
}

/// As it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Written {
    /// Where it is; a relative path begins at this file.
    #[schemars(with = "String")]
    pub path: config::Text,
    /// What it is; default: anything.
    pub r#type: Option<Kind>,
    /// Whether a link is followed; default true, but for one that is asked for itself.
    pub follow: Option<bool>,
    /// Whether something must be there, or nothing; default true.
    pub exists: Option<bool>,
    /// Its permission bits: "0644", or several any of which are right.
    #[schemars(with = "Option<AnyText>")]
    pub mode: Option<Spanned<AnyText>>,
    /// Its owner, by name or number, or several any of whom is right.
    #[schemars(with = "Option<AnyText>")]
    pub owner: Option<Spanned<AnyText>>,
    /// Its group, by name or number, or several any of which is right.
    #[schemars(with = "Option<AnyText>")]
    pub group: Option<Spanned<AnyText>>,
    /// What it must say; at most 16 MiB are read.
    #[schemars(with = "Option<text::Written>")]
    pub content: Option<Spanned<text::Written>>,
    /// The oldest digest of its content, hexadecimal: it tells an accident, and no forgery.
    #[schemars(with = "Option<String>")]
    pub md5: Option<config::Text>,
    /// The digest of its content, hexadecimal.
    #[schemars(with = "Option<String>")]
    pub sha256: Option<config::Text>,
    /// The longer digest of it, hexadecimal.
    #[schemars(with = "Option<String>")]
    pub sha512: Option<config::Text>,
    /// Where a symbolic link leads, as it is written in it.
    #[schemars(with = "Option<String>")]
    pub target: Option<config::Text>,
    /// Its size.
    #[schemars(with = "Option<Size>")]
    pub size: Option<Spanned<Size>>,
    /// How long ago it was modified at most: "24h".
    #[schemars(with = "Option<String>")]
    pub max_age: Option<config::Text>,
}

/// The size of a file.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// At least: "1 KiB".
    #[schemars(with = "Option<String>")]
    pub min: Option<config::Text>,
    /// At most: "10 MiB".
    #[schemars(with = "Option<String>")]
    pub max: Option<config::Text>,
}

impl Written {
    /// What it means; mistakes are written down.
    pub fn read(self, _: Range<usize>, it: &mut Reading<'_>) -> Option<File> {
        let (at_least, at_most) = match &self.size {
            Some(size) => bounds(size, it)?,
            None => (None, None),
        };
        let is_link = self.target.is_some() && self.r#type.is_none();
        let exists = self.exists.unwrap_or(true);
        let file = File {
            path: it.path(&self.path)?,
            exists,
            kind: if is_link { Kind::Symlink } else { self.r#type.unwrap_or_default() },
            // A link to nothing is there.
            follows: self.follow.unwrap_or(exists && !is_link && self.r#type != Some(Kind::Symlink)),
            mode: AnyText::read(self.mode.as_ref(), it, |text, it| {
                it.shaped(Some(text), "mode", "four octal digits: \"0644\"", |text| {
                    u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777)
                })?
            })?,
            owner: AnyText::read(self.owner.as_ref(), it, |text, it| Who::read(Some(text), it)?)?,
            group: AnyText::read(self.group.as_ref(), it, |text, it| Who::read(Some(text), it)?)?,
            content: text::read(self.content.as_ref(), it)?,
            md5: it.shaped(self.md5.as_ref(), "MD5 digest", "32 hexadecimal digits", |it| digest(it, 32))?,
            sha256: it
                .shaped(self.sha256.as_ref(), "SHA-256", "64 hexadecimal digits", |it| digest(it, 64))?,
            sha512: it
                .shaped(self.sha512.as_ref(), "SHA-512", "128 hexadecimal digits", |it| digest(it, 128))?,
            target: it.shaped(self.target.as_ref(), "path", "", |text| Some(PathBuf::from(text)))?,
            at_least,
            at_most,
            max_age: it.maybe(self.max_age.as_ref(), |it, age| it.duration(Some(age)))?,
        };
        let holds = file.asks_content();
        let (message, hint) = match file.kind {
            _ if !file.exists && file.asks_more() => ("of what must not be there nothing can be asked", ""),
            Kind::Symlink if file.follows => ("a link that is followed is none", "leave `follow` out"),
            Kind::Symlink if holds => {
                ("a link has no content", "leave `type` and `target` out: links are followed")
            }
            Kind::Directory | Kind::Socket | Kind::Fifo if holds => ("only a plain file has a content", ""),
            Kind::Any | Kind::File | Kind::Directory | Kind::Socket | Kind::Fifo if file.target.is_some() => {
                ("only a link has a target", "write type = \"symlink\"")
            }
            _ => return Some(file),
        };
        it.wrong(self.path.span(), message, hint);
        None
    }
}

/// The least and the most, one of which asks something.
fn bounds(size: &Spanned<Size>, it: &mut Reading<'_>) -> Option<(Option<u64>, Option<u64>)> {
    let Size { min, max } = size.get_ref();
    let bounds = (it.maybe(min.as_ref(), Reading::bytes)?, it.maybe(max.as_ref(), Reading::bytes)?);
    let (message, hint) = match bounds {
        (None | Some(0), None) => ("every file is of that size", "add `min` or `max`"),
        (Some(least), Some(most)) if least > most => ("`min` is more than `max`", ""),
        bounds => return Some(bounds),
    };
    it.wrong(size.span(), message, hint);
    None
}

impl Question for File {
    fn summary(&self) -> String {
        let path = self.path.display();
        match (self.exists, self.asks_more()) {
            (false, _) => format!("{path} is not there"),
            (true, false) => format!("{path} is there"),
            (true, true) => format!("{path} is as it should be"),
        }
    }

    /// Looks at the path, away from this process where its volume may hang.
    ///
    /// # Errors
    /// It may not be looked at or read, its content is too long, or the volume does not answer.
    fn look(&self, cx: &Cx, deadline: Duration) -> Seen {
        let order = Order {
            path: self.path.clone(),
            follow: self.follows,
            content: !self.content.is_empty(),
            old_digest: self.md5.is_some(),
            digest: self.sha256.is_some(),
            long_digest: self.sha512.is_some(),
            within: deadline,
        };
        let found = file::look(cx.machine("file")?, cx.config(), &order, deadline)?;
        let name = cx.config().tilde(&self.path);
        let verdict = match (found, self.exists) {
            (None, false) => Verdict::pass(),
            (None, true) => Verdict::fail(format!("{name} is not there")),
            (Some(found), false) => Verdict::fail(format!("{name} is there")).with("actual", found.kind),
            (Some(found), true) => self.failure(cx, &name, &found)?.unwrap_or_else(Verdict::pass),
        };
        Ok(verdict.with("path", &*self.path))
    }

    fn pace(&self) -> Pace {
        Pace::Quick
    }
}

impl File {
    fn asks_more(&self) -> bool {
        self.kind != Kind::Any
            || !self.mode.is_empty()
            || !self.owner.is_empty()
            || !self.group.is_empty()
            || self.asks_content()
            || self.at_least.is_some()
            || self.at_most.is_some()
            || self.max_age.is_some()
    }

    fn asks_content(&self) -> bool {
        !self.content.is_empty() || self.md5.is_some() || self.sha256.is_some() || self.sha512.is_some()
    }

    fn failure(&self, cx: &Cx, name: &str, found: &Found) -> Result<Option<Verdict>, ProbeError> {
        let wrong = |message: &str, expected: Fact, actual: Fact| {
            let failure = Verdict::fail(format!("{name} {message}"));
            Ok(Some(failure.with("expected", expected).with("actual", actual)))
        };
        let kind = self.kind.name();
        if self.kind != Kind::Any && found.kind != kind {
            return wrong(&format!("is no {kind}"), kind.into(), found.kind.clone().into());
        }
        if let Some(target) = self.target.as_deref()
            && found.target.as_deref() != Some(target)
        {
            let actual = found.target.as_deref().unwrap_or(Path::new(""));
            return wrong("leads elsewhere", target.into(), actual.into());
        }
        if !self.mode.is_empty() && !self.mode.contains(&found.mode) {
            let octal: Vec<String> = self.mode.iter().map(|mode| format!("{mode:04o}")).collect();
            return wrong("has another mode", or(&octal).into(), format!("{:04o}", found.mode).into());
        }
        let owners: Vec<_> = self.owner.iter().map(|it| it.uid(cx)).collect::<Result<_, _>>()?;
        if !owners.is_empty() && !owners.contains(&Some(found.uid)) {
            return wrong("has another owner", or(&self.owner).into(), file::owner(found).into());
        }
        let groups: Vec<_> = self.group.iter().map(|it| it.gid(cx)).collect::<Result<_, _>>()?;
        if !groups.is_empty() && !groups.contains(&Some(found.gid)) {
            return wrong("has another group", or(&self.group).into(), file::group(found).into());
        }
        if let Some(least) = self.at_least.filter(|least| found.size < *least) {
            return wrong("is too small", Fact::Bytes(least), Fact::Bytes(found.size));
        }
        if let Some(most) = self.at_most.filter(|most| found.size > *most) {
            return wrong("is too large", Fact::Bytes(most), Fact::Bytes(found.size));
        }
        if let Some(most) = self.max_age {
            let age = age(name, found)?;
            if age > most {
                return wrong("was modified too long ago", Fact::Age(most), Fact::Age(age));
            }
        }
        if self.asks_content() && found.kind != "file" {
            return wrong("has no content", "file".into(), found.kind.clone().into());
        }
        let digests = [
            (&self.md5, &found.old_digest),
            (&self.sha256, &found.digest),
            (&self.sha512, &found.long_digest),
        ];
        for (wanted, digest) in digests {
            if let Some(wanted) = wanted.as_deref().filter(|it| digest.as_deref() != Some(*it)) {
                let actual = digest.clone().unwrap_or_default();
                return wrong("holds something else", wanted.into(), actual.into());
            }
        }
        found.content.as_deref().map_or(Ok(None), |content| self.content.judge(name, content, true))
    }
}

fn digest(text: &str, length: usize) -> Option<String> {
    let is_digest = text.len() == length && text.bytes().all(|it| it.is_ascii_hexdigit());
    is_digest.then(|| text.to_ascii_lowercase())
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Any => "thing",
            Self::File => "file",
            Self::Directory => "directory",
            Self::Symlink => "symlink",
            Self::Socket => "socket",
            Self::Fifo => "fifo",
        }
    }
}

/// How long ago it was modified; nothing can be said of what lies in the future.
fn age(name: &str, found: &Found) -> Result<Duration, ProbeError> {
    let age = clock::now().duration_since(found.modified);
    match Duration::try_from(age) {
        Ok(age) => Ok(age),
        Err(_) if age.unsigned_abs() <= AHEAD => Ok(Duration::ZERO),
        Err(_) => {
            let why = format!("it was modified {} in the future", human_duration(age.unsigned_abs()));
            Err(ProbeError::failed(format!("tell the age of {name}"), &why))
        }
    }
}
