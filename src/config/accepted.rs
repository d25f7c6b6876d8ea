//! Findings that the user lives with for a while: `[[accept]]`.

use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};
use toml::Spanned;

use super::{Reading, raw};

/// A finding that counts for nothing until its day is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The unit: a check's name, or `CHECK:SUBJECT`.
    pub unit: String,
    /// Why it is lived with.
    pub reason: String,
    /// The last day on which it is, in UTC.
    pub until: Date,
}

impl Accepted {
    /// Whether it still counts at that time.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        now.to_zoned(TimeZone::UTC).date() <= self.until
    }
}

/// What it means; mistakes are written down.
pub(super) fn read(written: &raw::Accept, it: &mut Reading<'_>) -> Option<Accepted> {
    let reason = it.text(&written.reason)?;
    if reason.trim().is_empty() {
        it.wrong(written.reason.span(), "an accepted finding has no reason", "say why it is lived with");
        return None;
    }
    let until = date(&written.until);
    if until.is_none() {
        it.wrong(written.until.span(), "`until` is no day", "write a date such as 2026-12-31");
    }
    Some(Accepted { unit: it.text(&written.check)?, reason, until: until? })
}

fn date(written: &Spanned<toml::value::Datetime>) -> Option<Date> {
    let written = written.get_ref();
    let date = written.date.filter(|_| written.time.is_none() && written.offset.is_none())?;
    let part = |number: u8| i8::try_from(number).ok();
    Date::new(i16::try_from(date.year).ok()?, part(date.month)?, part(date.day)?).ok()
}
