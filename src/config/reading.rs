//! What the parts of a configuration are read with: variables, paths, durations, patterns; mistakes are collected.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::Mistake;
use super::raw::Text;
use super::{Surroundings, vain, values};
use crate::redact::Redactor;

/// One file while its declared checks are read.
///
/// Whatever reads a value answers `None` once its mistake is written down.
#[derive(Debug)]
pub struct Reading<'a> {
    pub(super) surroundings: &'a Surroundings,
    /// The `[variables]` of all files.
    pub(super) variables: &'a BTreeMap<String, String>,
    /// The file that says it.
    pub(super) file: &'a Path,
    pub(super) mistakes: Vec<Mistake>,
    /// Learns the secrets that are read.
    pub(crate) redactor: &'a Redactor,
    /// How many bytes the variables of all files have added so far.
    pub(super) spent: &'a mut usize,
}

/// More than this is not added by variables, in bytes.
const MOST: usize = 64 << 20;

impl Reading<'_> {
    /// Writes a mistake down; the hint may be empty.
    pub fn wrong(&mut self, at: Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        self.mistakes.push(Mistake::new(message, at, hint));
    }

    /// The directory of the file, where relative paths begin.
    #[must_use]
    pub fn directory(&self) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("/")).to_owned()
    }

    /// The user's home directory.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.surroundings.home
    }

    /// A text with its variables expanded: the file's own first, then the caller's environment.
    pub fn text(&mut self, written: &Text) -> Option<String> {
        let (surroundings, variables) = (self.surroundings, self.variables);
        let value = |name: &str| {
            let own = variables.get(name).map(String::as_str);
            own.or_else(|| surroundings.variable(name))
        };
        let expanded = values::expand(written.get_ref(), value).and_then(|text| {
            // What is written once may be meant in many places.
            *self.spent += text.len().saturating_sub(written.get_ref().len());
            let within = *self.spent <= MOST;
            let message =
                "the texts of this configuration are longer than 64 MiB once their variables are expanded";
            if within { Ok(text) } else { Err((message.to_owned(), String::new())) }
        });
        match expanded {
            Ok(text) => Some(text),
            Err((message, hint)) => {
                self.wrong(written.span(), message, hint);
                None
            }
        }
    }

    /// Several texts.
    pub fn texts(&mut self, written: &[Text]) -> Option<Vec<String>> {
        let texts: Vec<Option<String>> = written.iter().map(|text| self.text(text)).collect();
        texts.into_iter().collect()
    }

    /// Texts that others have or lack: an empty one is in every text.
    pub fn parts(&mut self, written: &[Text]) -> Option<Vec<String>> {
        let texts = self.texts(written)?;
        let empty = written.iter().zip(&texts).find(|(_, text)| text.is_empty());
        if let Some((written, _)) = empty {
            self.wrong(written.span(), vain::EMPTY_TEXT, vain::LOOKED_FOR);
            return None;
        }
        Some(texts)
    }

    /// A path, absolute: a relative one begins at the file's directory.
    pub fn path(&mut self, written: &Text) -> Option<PathBuf> {
        let text = self.text(written)?;
        match values::place(&text, self.surroundings) {
            Ok(path) => Some(values::lexical(&self.directory().join(path))),
            Err((message, hint)) => {
                self.wrong(written.span(), message, hint);
                None
            }
        }
    }

    /// A value that need not be written: then there is none, and no mistake.
    pub fn maybe<T>(
        &mut self,
        written: Option<&Text>,
        read: impl FnOnce(&mut Self, &Text) -> Option<T>,
    ) -> Option<Option<T>> {
        written.map_or(Some(None), |written| read(self, written).map(Some))
    }

    /// A value of a shape of its own, if one is written; its noun has no article: "mode".
    pub fn shaped<T>(
        &mut self,
        written: Option<&Text>,
        noun: &str,
        hint: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<Option<T>> {
        self.maybe(written, |it, written| {
            let text = it.text(written)?;
            let value = parse(&text);
            if value.is_none() {
                it.wrong(written.span(), format!("`{text}` is no {noun}"), hint);
            }
            value
        })
    }

    /// A duration such as `90s`, if one is written.
    pub fn duration(&mut self, written: Option<&Text>) -> Option<Duration> {
        let written = written?;
        let text = self.text(written)?;
        match values::duration(&text) {
            Ok(duration) => Some(duration),
            Err(why) => {
                self.wrong(written.span(), why, "");
                None
            }
        }
    }

    /// Regular expressions that something of each text does not match.
    pub fn patterns(&mut self, written: &[Text]) -> Option<Vec<regex::Regex>> {
        let patterns: Vec<Option<regex::Regex>> = written.iter().map(|text| self.pattern(text)).collect();
        patterns.into_iter().collect()
    }

    /// A regular expression that is not found in every text.
    pub fn pattern(&mut self, written: &Text) -> Option<regex::Regex> {
        let pattern = self.any_pattern(written)?;
        if vain::pattern(pattern.as_str()) {
            self.wrong(written.span(), vain::found_everywhere(pattern.as_str()), vain::LOOKED_FOR);
            return None;
        }
        Some(pattern)
    }

    /// A regular expression, in the syntax of the crate `regex`; `(?i)`, `(?m)` and `(?s)` are its flags.
    pub fn any_pattern(&mut self, written: &Text) -> Option<regex::Regex> {
        let text = self.text(written)?;
        match regex::Regex::new(&text) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                let why = error.to_string();
                let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                self.wrong(written.span(), format!("`{text}` is no regular expression"), why);
                None
            }
        }
    }

    /// A range of versions that some are not in.
    pub fn narrow_range(&mut self, written: &Text) -> Option<nodejs_semver::Range> {
        let range = self.range(written)?;
        if vain::range(&range) {
            let message = format!("every release is in the range `{}`", written.get_ref());
            self.wrong(written.span(), message, "write a range such as \">=22 <23\", or leave it out");
            return None;
        }
        Some(range)
    }

    /// A range of versions such as `>=22 <23`.
    pub fn range(&mut self, written: &Text) -> Option<nodejs_semver::Range> {
        let text = self.text(written)?;
        match values::range(&text) {
            Ok(range) => Some(range),
            Err((message, hint)) => {
                self.wrong(written.span(), message, hint);
                None
            }
        }
    }

    /// A number of bytes: `512 MiB`, `10GB`, `4096`.
    pub fn bytes(&mut self, written: &Text) -> Option<u64> {
        let text = self.text(written)?;
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let unit = match text[digits..].trim().to_ascii_lowercase().as_str() {
            "" | "b" => Some(1_u64),
            "kb" => Some(1_000),
            "mb" => Some(1_000_000),
            "gb" => Some(1_000_000_000),
            "tb" => Some(1_000_000_000_000),
            "k" | "kib" => Some(1 << 10),
            "m" | "mib" => Some(1 << 20),
            "g" | "gib" => Some(1 << 30),
            "t" | "tib" => Some(1 << 40),
            _ => None,
        };
        let bytes =
            text[..digits].parse::<u64>().ok().zip(unit).and_then(|(number, unit)| number.checked_mul(unit));
        if bytes.is_none() {
            self.wrong(written.span(), format!("`{text}` is no size"), "write 512 MiB or 10 GB");
        }
        bytes
    }
}
