//! What is set aside again and again: a program that writes where a person is meant to.
#![expect(clippy::disallowed_methods, reason = "probes are where files are read")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{LEFT, REFS};
use crate::config::{Config, Mirror};
use crate::error::ProbeError;
use crate::git;
use crate::probes::program;

/// How many of the latest rescues are looked at.
const LATEST: usize = 20;

/// How a folder is called, before its number, in which something is kept whose path in a place was taken.
pub const AGAIN: &str = "again-";

/// The directories of a place for what git does not keep whole, and for what was saved meanwhile.
const KINDS: [&str; 2] = ["as-it-was", "saved"];

/// How many files of a place are looked at; more are a directory that was moved whole.
const FILES: usize = 200;

/// A file that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeated {
    /// Its path in the mirror, as text.
    pub path: String,
    /// In how many of the latest rescues it is.
    pub times: usize,
    /// When that was last.
    pub last: Timestamp,
}

/// The files of the latest rescues, those that are in most of them first.
///
/// # Errors
/// git cannot say.
pub fn repeated(config: &Config, mirror: &Mirror) -> Result<Vec<Repeated>, ProbeError> {
    let mut rescues: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let edits = of_refs(config, mirror)?.into_iter();
    for (rescue, path) in edits.chain(of_places(mirror, &config.state.join("rescued"))) {
        rescues.entry(path).or_default().insert(rescue);
    }
    let of_one = |(path, rescues): (String, BTreeSet<String>)| {
        let last = time_of(rescues.last()?)?;
        Some(Repeated { path, times: rescues.len(), last })
    };
    let mut found: Vec<Repeated> = rescues.into_iter().filter_map(of_one).collect();
    found.sort_by_key(|it| std::cmp::Reverse(it.times));
    Ok(found)
}

/// What differed in each of the latest refs from what it began as: the name of the rescue, and a path.
fn of_refs(config: &Config, mirror: &Mirror) -> Result<Vec<(String, String)>, ProbeError> {
    let count = format!("--count={LATEST}");
    let format = "--format=%(objectname) %(refname:lstrip=3) %(contents:subject)";
    let listed = ask(config, mirror, &["for-each-ref", "--sort=-refname", &count, format, REFS])?;
    let mut made = BTreeMap::new();
    for line in listed.lines() {
        let mut parts = line.splitn(3, ' ');
        if let (Some(sha), Some(name), Some(subject)) = (parts.next(), parts.next(), parts.next())
            && subject.starts_with(LEFT)
            && time_of(name).is_some()
        {
            made.insert(sha, name);
        }
    }
    if made.is_empty() {
        return Ok(Vec::new());
    }
    let how = ["log", "--no-walk=unsorted", "-m", "--first-parent", "--no-show-signature", "--no-renames"];
    let what = ["--no-ext-diff", "--name-only", "-z", "--format=%x01%H"];
    let commits: Vec<&str> = made.keys().copied().collect();
    let changed = ask(config, mirror, &[&how[..], &what, &commits].concat())?;
    let (mut rescue, mut found) = (None, Vec::new());
    for word in changed.split('\0').map(|word| word.trim_start_matches('\n')) {
        if let Some(sha) = word.strip_prefix('\u{1}') {
            rescue = made.get(sha.trim());
        } else if let (Some(&rescue), false) = (rescue, word.is_empty()) {
            found.push((rescue.to_owned(), word.to_owned()));
        }
    }
    Ok(found)
}

/// What lies in each of the latest directories of what was moved away or copied, such as own versions of carried files.
fn of_places(mirror: &Mirror, rescued: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(rescued).into_iter().flatten().filter_map(Result::ok);
    let named = |entry: fs::DirEntry| entry.file_name().into_string().ok();
    let is_place = |name: &String| time_of(name).is_some() && rescued.join(name).is_dir();
    let mut places: Vec<String> = entries.filter_map(named).filter(is_place).collect();
    places.sort();
    let mut found = Vec::new();
    for rescue in places.into_iter().rev().take(LATEST) {
        let place = rescued.join(&rescue);
        let mut files = Vec::new();
        files_in(&place, &mut files);
        for file in files.iter().filter_map(|file| file.strip_prefix(&place).ok()) {
            let (number, path) = own_path(mirror, &place, file);
            found.push((format!("{rescue}{number}"), path.to_string_lossy().into_owned()));
        }
    }
    found
}

/// The path in the mirror of what lies there in a place, and a number where several of that path are of one second.
///
/// The project may have folders of the same names: a carried file is taken at its word, and a folder of a number counts as
/// one only where something was in the way.
fn own_path<'a>(mirror: &Mirror, place: &Path, file: &'a Path) -> (String, &'a Path) {
    if mirror.carry.iter().any(|carried| carried == file) {
        return (String::new(), file);
    }
    let kind = KINDS.into_iter().find(|kind| file.starts_with(kind)).unwrap_or_default();
    let path = file.strip_prefix(kind).unwrap_or(file);
    let mut parts = path.components();
    let first = parts.next().map(|it| it.as_os_str().to_string_lossy().into_owned()).unwrap_or_default();
    let is_digits = |rest: &&str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    let own = parts.as_path();
    // A file where this has a directory is in the way too.
    let is_in_the_way = |path: &Path| {
        let found = fs::symlink_metadata(place.join(kind).join(path));
        found.is_ok_and(|found| path == own || !found.is_dir())
    };
    match first.strip_prefix(AGAIN).filter(is_digits) {
        Some(number) if own.ancestors().any(is_in_the_way) => (format!("-{number}"), own),
        _ => (String::new(), path),
    }
}

/// The files beneath a directory, as many as are looked at; a link is one.
fn files_in(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok) {
        if found.len() >= FILES {
            return;
        }
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files_in(&entry.path(), found),
            _ => found.push(entry.path()),
        }
    }
}

/// The time that a rescue has for its name: `2026-03-16T20-29-43`, and more where there were several.
fn time_of(name: &str) -> Option<Timestamp> {
    let time = DateTime::strptime("%Y-%m-%dT%H-%M-%S", name.get(..19)?).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn ask(config: &Config, mirror: &Mirror, arguments: &[&str]) -> Result<String, ProbeError> {
    let output = program::run(&git::command(config, &mirror.repository, arguments))?;
    if output.succeeded() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(ProbeError::failed("list what was set aside", &git::complaint(&output)))
}
