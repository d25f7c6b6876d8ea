//! A user or a group, by name or by number.

use crate::config::{Reading, Text};
use crate::cx::Cx;
use crate::error::ProbeError;

/// How somebody is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// By number.
    Id(u32),
    /// By name.
    Name(String),
}

impl Who {
    /// What is written; digits are a number.
    pub fn read(written: Option<&Text>, it: &mut Reading<'_>) -> Option<Option<Self>> {
        let Some(written) = written else { return Some(None) };
        let text = it.text(written)?;
        if text.is_empty() {
            it.wrong(written.span(), "a name is empty", "write a name or a number");
            return None;
        }
        Some(Some(text.parse().map_or(Self::Name(text), Self::Id)))
    }

    /// The user's number; `None` where there is no such user.
    ///
    /// # Errors
    /// The name service fails.
    pub fn uid(&self, cx: &Cx) -> Result<Option<u32>, ProbeError> {
        match self {
            Self::Id(uid) => Ok(Some(*uid)),
            Self::Name(name) => Ok(cx.user(name)?.as_ref().as_ref().map(|it| it.uid)),
        }
    }

    /// The group's number; `None` where there is no such group.
    ///
    /// # Errors
    /// The name service fails.
    pub fn gid(&self, cx: &Cx) -> Result<Option<u32>, ProbeError> {
        match self {
            Self::Id(gid) => Ok(Some(*gid)),
            Self::Name(name) => Ok(*cx.group(name)?),
        }
    }
}

impl std::fmt::Display for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}
