//! `env`: a variable of the caller's environment.

use schemars::JsonSchema;
use serde::Deserialize;
use std::ffi::OsStr;
use std::ops::Range;
use std::time::Duration;
use toml::Spanned;

use super::Question;
use super::text::{self, Text};
use crate::config::{self, Reading};
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::unit::Pace;
use crate::verdict::{Seen, Verdict};

/// A variable, and what is asked of it.
#[derive(Debug, Clone)]
pub struct Env {
    /// Its name.
    pub name: String,
    /// Whether it must be set to something, or must not.
    pub set: bool,
    /// What its value must say.
    pub value: Text,
}

/// As it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Written {
    /// Its name.
    #[schemars(with = "String")]
    pub name: config::Text,
    /// Whether it must be set to something; default true.
    pub set: Option<bool>,
    /// What its value must say.
    #[schemars(with = "Option<text::Written>")]
    pub value: Option<Spanned<text::Written>>,
}

impl Written {
    /// What it means; mistakes are written down.
    pub fn read(self, _: Range<usize>, it: &mut Reading<'_>) -> Option<Env> {
        let set = self.set.unwrap_or(true);
        if !set && self.value.is_some() {
            it.wrong(self.name.span(), "a variable that must not be set has no value", "leave `value` out");
            return None;
        }
        Some(Env { name: it.text(&self.name)?, set, value: text::read(self.value.as_ref(), it)? })
    }
}

impl Question for Env {
    fn summary(&self) -> String {
        let Self { name, set, .. } = self;
        if *set { format!("{name} is set as it should be") } else { format!("{name} is not set") }
    }

    /// Looks at the environment that Housecall was called with.
    ///
    /// # Errors
    /// Its value is no text, and a text is asked of it.
    fn look(&self, cx: &Cx, _: Duration) -> Seen {
        cx.machine("env")?;
        let value = cx.config().caller.get(OsStr::new(&self.name)).filter(|value| !value.is_empty());
        let name = &self.name;
        Ok(match (value, self.set) {
            (None, true) => Verdict::fail(format!("{name} is not set")),
            (Some(_), false) => Verdict::fail(format!("{name} is set")),
            (None, false) => Verdict::pass(),
            (Some(_), true) if self.value.is_empty() => Verdict::pass(),
            (Some(value), true) => {
                let text = value.to_str().ok_or_else(|| ProbeError::unreadable(name, &"it is no UTF-8"))?;
                self.value.failure(name, text).unwrap_or_else(Verdict::pass)
            }
        })
    }

    fn pace(&self) -> Pace {
        Pace::Quick
    }
}
