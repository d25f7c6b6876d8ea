//! `mount`: what is mounted at a place.

use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Question;
use crate::config::{self, Reading};
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::unit::Pace;
use crate::verdict::{Seen, Verdict};

/// A place, and what must be mounted there.
#[derive(Debug, Clone)]
pub struct Mount {
    path: PathBuf,
    exists: bool,
    filesystem: Option<String>,
    source: Option<String>,
    options: Vec<String>,
    superblock: Vec<String>,
}

/// As it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Written {
    /// Where it is mounted.
    #[schemars(with = "String")]
    pub path: config::Text,
    /// Whether something must be mounted there, or nothing; default true.
    pub exists: Option<bool>,
    /// Its filesystem, in the system's word: "ext4", "apfs".
    #[schemars(with = "Option<String>")]
    pub filesystem: Option<config::Text>,
    /// What is mounted: a device, or `host:path`.
    #[schemars(with = "Option<String>")]
    pub source: Option<config::Text>,
    /// Options that it has, such as "ro"; there may be more.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub options: Vec<config::Text>,
    /// Options that the filesystem itself has, wherever it is mounted; there may be more. Linux tells them apart.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub superblock: Vec<config::Text>,
}

impl Written {
    /// What it means; mistakes are written down.
    pub fn read(self, _: Range<usize>, it: &mut Reading<'_>) -> Option<Mount> {
        let mount = Mount {
            path: it.path(&self.path)?,
            exists: self.exists.unwrap_or(true),
            filesystem: it.maybe(self.filesystem.as_ref(), Reading::text)?,
            source: it.maybe(self.source.as_ref(), Reading::text)?,
            options: it.texts(&self.options)?,
            superblock: it.texts(&self.superblock)?,
        };
        let asks_options = !mount.options.is_empty() || !mount.superblock.is_empty();
        let asks_more = mount.filesystem.is_some() || mount.source.is_some() || asks_options;
        if !mount.exists && asks_more {
            it.wrong(self.path.span(), "of what must not be mounted nothing can be asked", "");
            return None;
        }
        Some(mount)
    }
}

impl Question for Mount {
    fn summary(&self) -> String {
        let path = self.path.display();
        if self.exists { format!("{path} is mounted as it should be") } else { format!("{path} is no mount") }
    }

    /// Looks into the mount table; no volume is touched.
    ///
    /// # Errors
    /// The table cannot be read, or does not tell what is asked.
    fn look(&self, cx: &Cx, _: Duration) -> Seen {
        let name = cx.config().tilde(&self.path);
        let table = cx.machine("mounts")?.mounts()?;
        let found = match (table.at(&table.resolved(&self.path)), self.exists) {
            (None, false) => return Ok(Verdict::pass()),
            (None, true) => return Ok(Verdict::fail(format!("nothing is mounted at {name}"))),
            (Some(found), false) => {
                let failure = Verdict::fail(format!("something is mounted at {name}"));
                return Ok(failure.with("actual", format!("{} ({})", found.source, found.filesystem)));
            }
            (Some(found), true) => found,
        };
        let asked =
            [("filesystem", &self.filesystem, &found.filesystem), ("source", &self.source, &found.source)];
        for (what, expected, actual) in asked {
            if let Some(expected) = expected.as_ref().filter(|expected| *expected != actual) {
                let failure = Verdict::fail(format!("{name} has another {what}"));
                return Ok(failure.with("expected", &**expected).with("actual", &**actual));
            }
        }
        if let Some(missing) = self.options.iter().find(|option| !found.options.contains(option)) {
            let failure = Verdict::fail(format!("{name} is mounted without {missing}"));
            return Ok(failure.with("expected", &**missing).with("actual", found.options.join(",")));
        }
        if self.superblock.is_empty() {
            return Ok(Verdict::pass());
        }
        let Some(has) = &found.superblock else {
            let what = format!("tell the options of the filesystem at {name}");
            return Err(ProbeError::failed(what, &"this system does not tell them apart from the mount's"));
        };
        let missing = self.superblock.iter().find(|option| !has.contains(option));
        Ok(missing.map_or_else(Verdict::pass, |missing| {
            let failure = Verdict::fail(format!("the filesystem at {name} is without {missing}"));
            failure.with("expected", &**missing).with("actual", has.join(","))
        }))
    }

    fn pace(&self) -> Pace {
        Pace::Quick
    }
}
