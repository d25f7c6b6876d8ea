//! `kernel-param`: a parameter of the running kernel, as `sysctl` names it.

use std::ops::Range;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::Question;
use super::text::{self, Text};
use crate::config::{self, Reading};
use crate::cx::Cx;
use crate::probes::declared::kernel;
use crate::verdict::{Seen, Verdict};

/// A parameter, and what its value must say.
#[derive(Debug, Clone)]
pub struct KernelParam {
    key: String,
    value: Text,
}

/// As it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Written {
    /// Its name: `vm.max_map_count`.
    #[schemars(with = "String")]
    pub key: config::Text,
    /// What its value must say; one space stands between its parts.
    #[schemars(with = "text::Written")]
    pub value: Spanned<text::Written>,
}

impl Written {
    /// What it means; mistakes are written down.
    pub fn read(self, _: Range<usize>, it: &mut Reading<'_>) -> Option<KernelParam> {
        let value = text::read(Some(&self.value), it)?;
        let key =
            it.shaped(Some(&self.key), "kernel parameter", "write a name such as vm.swappiness", |key| {
                let is_plain = |it: char| it.is_ascii_alphanumeric() || "._-/:".contains(it);
                let is_name = key.chars().all(is_plain) && key.split(['.', '/']).all(|part| !part.is_empty());
                is_name.then(|| key.to_owned())
            })??;
        Some(KernelParam { key, value })
    }
}

impl Question for KernelParam {
    fn summary(&self) -> String {
        format!("the kernel's {} is as it should be", self.key)
    }

    /// Asks the kernel.
    ///
    /// # Errors
    /// It does not tell.
    fn look(&self, cx: &Cx, deadline: Duration) -> Seen {
        cx.machine("kernel")?;
        let key = &self.key;
        let Some(value) = kernel::parameter(key, deadline)? else {
            return Ok(Verdict::fail(format!("the kernel has no parameter {key}")));
        };
        Ok(self.value.failure(key, &value).unwrap_or_else(Verdict::pass))
    }
}
