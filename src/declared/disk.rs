//! `disk`: how much room a volume has left.

use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::Question;
use super::number::{Count, Number};
use crate::config::{self, Reading};
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::probes::declared::disk::{self, Room};
use crate::verdict::{Fact, Seen, Verdict};

/// A volume, and the room that it must have.
#[derive(Debug, Clone)]
pub struct Disk {
    path: PathBuf,
    free: Option<Amount>,
    inodes: Option<Amount>,
    used: Option<Number>,
}

/// So many, or such a part of all.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Amount {
    Number(u64),
    Percent(u32),
}

/// As it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Written {
    /// Anything on the volume.
    #[schemars(with = "String")]
    pub path: config::Text,
    /// What must be free, for those who are not root: "10 GiB", or "10%".
    #[schemars(with = "Option<String>")]
    pub free: Option<config::Text>,
    /// How many files can still be made: "5%", or "100000".
    #[schemars(with = "Option<String>")]
    pub inodes: Option<config::Text>,
    /// The bounds of the part that is used of all, in whole percent: `{ max = 90 }`.
    #[schemars(with = "Option<Count>")]
    pub used: Option<Spanned<Count>>,
}

impl Written {
    /// What it means; mistakes are written down.
    pub fn read(self, _: Range<usize>, it: &mut Reading<'_>) -> Option<Disk> {
        if self.free.is_none() && self.inodes.is_none() && self.used.is_none() {
            it.wrong(self.path.span(), "nothing is asked of the volume", "add free = \"10%\"");
            return None;
        }
        Some(Disk {
            path: it.path(&self.path)?,
            free: it.maybe(self.free.as_ref(), Amount::read)?,
            inodes: it.maybe(self.inodes.as_ref(), Amount::read)?,
            used: match &self.used {
                Some(used) => Some(Count::read(used, (0, 100), "every volume is used to such a part", it)?),
                None => None,
            },
        })
    }
}

impl Amount {
    fn read(it: &mut Reading<'_>, written: &config::Text) -> Option<Self> {
        let amount = Self::any(it, written)?;
        if matches!(amount, Self::Number(0) | Self::Percent(0)) {
            it.wrong(written.span(), "every volume has that much", "write 10% or 10 GiB, or leave it out");
            return None;
        }
        Some(amount)
    }

    fn any(it: &mut Reading<'_>, written: &config::Text) -> Option<Self> {
        if !written.get_ref().trim_end().ends_with('%') {
            return it.bytes(written).map(Self::Number);
        }
        let percent = it.shaped(Some(written), "part of the whole", "write 10%", |text| {
            let number = text.trim_end().strip_suffix('%')?.trim_end().parse().ok()?;
            (number <= 100).then_some(number)
        });
        percent.flatten().map(Self::Percent)
    }

    /// The number that it means of so many.
    fn of(self, all: u64) -> u64 {
        match self {
            Self::Number(number) => number,
            Self::Percent(percent) => {
                u64::try_from(u128::from(all) * u128::from(percent) / 100).unwrap_or(u64::MAX)
            }
        }
    }
}

impl Question for Disk {
    fn summary(&self) -> String {
        format!("the volume of {} has room", self.path.display())
    }

    /// Asks the volume.
    ///
    /// # Errors
    /// It does not answer, or does not count what is asked for.
    fn look(&self, cx: &Cx, deadline: Duration) -> Seen {
        let name = cx.config().tilde(&self.path);
        let Some(room) = disk::look(cx.machine("disk")?, cx.config(), &self.path, deadline)? else {
            return Ok(Verdict::fail(format!("{name} is not there")).with("path", &*self.path));
        };
        let failure = match self.failure(&name, room)? {
            Some(failure) => failure,
            None => Verdict::pass().with("free", Fact::Bytes(room.free)),
        };
        Ok(failure.with("path", &*self.path))
    }
}

impl Disk {
    fn failure(&self, name: &str, room: Room) -> Result<Option<Verdict>, ProbeError> {
        let uncounted =
            || ProbeError::failed(format!("ask for the room at {name}"), &"it does not count that");
        if let Some(free) = self.free {
            let wanted = free.of(room.bytes);
            if room.bytes == 0 && wanted == 0 {
                return Err(uncounted());
            }
            if room.free < wanted {
                let failure = Verdict::fail(format!("the volume of {name} has too little room"));
                let failure = failure.with("expected", Fact::Bytes(wanted));
                return Ok(Some(failure.with("actual", Fact::Bytes(room.free))));
            }
        }
        if let Some(bounds) = &self.used {
            let used = percent(room).ok_or_else(uncounted)?;
            if !bounds.has(used.into()) {
                let failure = Verdict::fail(format!("the volume of {name} is {used}% full"));
                return Ok(Some(
                    failure.with("expected", bounds.to_string()).with("actual", used.to_string()),
                ));
            }
        }
        let Some(inodes) = self.inodes else { return Ok(None) };
        if room.inodes == 0 {
            return Err(uncounted());
        }
        let wanted = inodes.of(room.inodes);
        let failure = || {
            let failure = Verdict::fail(format!("the volume of {name} can hold few more files"));
            failure.with("expected", format!("{wanted} inodes")).with("actual", room.free_inodes.to_string())
        };
        Ok((room.free_inodes < wanted).then(failure))
    }
}

/// How much of the whole is used, to the nearest percent; `None` where nothing is counted.
fn percent(room: Room) -> Option<u32> {
    let (used, size) = (u128::from(room.used), u128::from(room.size));
    let rounded = (used * 200 + size).checked_div(size * 2)?;
    u32::try_from(rounded).ok()
}
