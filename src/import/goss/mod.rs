//! goss's gossfiles: every resource becomes a check of ours, or is named with the reason.

mod check;
mod http;
mod json;
mod kinds;
mod matcher;
mod resource;
mod said;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

use check::{Check, Place, comment, unchecked_key};
use kinds::{KINDS, Turn};
use resource::{Draft, Resource};

use super::template::{self, Filled};
use super::yaml::{self, Key, Node, Value};
use super::{Imported, Item, Named};
use crate::checks;
use crate::git::without_credentials;
use crate::redact::Redactor;
use crate::selection::nearest;

/// More files than this are nobody's intention.
const MOST: usize = 200;
/// The longest name of a check, in characters.
const NAME: usize = 60;
/// The attributes that say when to look, or how it is called, and not at what.
const BESIDE: [&str; 5] = ["title", "meta", "skip", "timeout", "retry_count"];

/// What is asked of whoever calls: nothing here reads the machine.
pub struct World<'a> {
    /// The values that `.Vars` has, by their paths: "users.admin".
    pub vars: BTreeMap<String, String>,
    /// The text of a file.
    pub read: &'a dyn Fn(&Path) -> Result<String, String>,
    /// The files that are like a pattern, whose last part may have `*`.
    pub like: &'a dyn Fn(&Path) -> Result<Vec<PathBuf>, String>,
    /// The directory in which all begins.
    pub directory: &'a Path,
    /// Why a text is no configuration of ours, if it is none.
    pub refuses: &'a dyn Fn(&str) -> Option<String>,
}

struct Import<'a> {
    world: &'a World<'a>,
    seen: BTreeSet<PathBuf>,
    names: BTreeSet<String>,
    variables: BTreeMap<String, String>,
    checks: Vec<Check>,
    named: Vec<Named>,
}

/// Turns a gossfile, and those that it includes.
///
/// # Errors
/// It cannot be read as YAML or JSON at all: where, and why.
pub fn turn(file: &Path, text: &str, world: &World<'_>) -> Result<Imported, Named> {
    let file = &plain_path(&world.directory.join(file));
    let mut import = Import {
        world,
        seen: BTreeSet::from([file.clone()]),
        names: BTreeSet::new(),
        variables: BTreeMap::new(),
        checks: Vec::new(),
        named: Vec::new(),
    };
    import.file(file, text)?;
    Ok(import.finish())
}

/// The values of a file of variables, by their paths.
///
/// # Errors
/// It cannot be read as YAML or JSON.
pub fn vars(file: &Path, text: &str) -> Result<BTreeMap<String, String>, Named> {
    fn flat(path: &str, node: &Node, vars: &mut BTreeMap<String, String>) {
        match &node.value {
            Value::Map(map) => {
                for (key, node) in map {
                    let path =
                        if path.is_empty() { key.text.clone() } else { format!("{path}.{}", key.text) };
                    flat(&path, node, vars);
                }
            }
            Value::Text(text) | Value::Number(text) => drop(vars.insert(path.to_owned(), text.clone())),
            Value::Bool(it) => drop(vars.insert(path.to_owned(), it.to_string())),
            Value::Null | Value::List(_) => {}
        }
    }
    let node = yaml::parse(text).map_err(|it| broken(file, &it))?;
    let mut vars = BTreeMap::new();
    flat("", &node, &mut vars);
    Ok(vars)
}

fn broken(file: &Path, it: &yaml::Broken) -> Named {
    let why = format!("it cannot be read: {}", it.why);
    Named { file: file.display().to_string(), line: it.line, what: "the file".to_owned(), why }
}

impl Import<'_> {
    fn file(&mut self, file: &Path, text: &str) -> Result<(), Named> {
        let shown = self.shown(file);
        let filled = template::fill(text, &self.world.vars).map_err(|(line, template)| Named {
            file: shown.clone(),
            line,
            what: template,
            why: "what it makes of the file is not known: turn what `goss render` prints".to_owned(),
        })?;
        self.variables.extend(filled.variables.clone());
        let whole = yaml::parse(&filled.text).or_else(|error| {
            // JSON may be indented with tabs, which YAML forbids.
            let json = serde_json::from_str::<serde_json::Value>(&filled.text).ok();
            json.and_then(|json| yaml::parse(&json.to_string()).ok()).ok_or(error)
        });
        let whole = whole.map_err(|it| broken(Path::new(&shown), &it))?;
        let map = match &whole.value {
            Value::Map(map) => map.as_slice(),
            Value::Null => &[],
            _ => {
                let (what, why) = ("the file".to_owned(), "it is no map".to_owned());
                return Err(Named { file: shown, line: whole.line, what, why });
            }
        };
        for (kind, node) in map {
            match (KINDS.iter().find(|(name, _)| *name == kind.text), &node.value) {
                (_, Value::Null) => {}
                (Some((name, turn)), Value::Map(all)) => {
                    for (key, node) in all {
                        self.resource(&shown, name, *turn, (key, node), &filled);
                    }
                }
                (None, Value::Map(all)) if kind.text == "gossfile" => self.included(file, all, &filled),
                (Some(_), _) => self.miss(&shown, kind.line, &kind.text, "it is no map"),
                (None, _) if kind.text == "gossfile" => {
                    self.miss(&shown, kind.line, "gossfile", "it is no map");
                }
                (None, _) => {
                    let names = KINDS.iter().map(|(name, _)| (*name).to_owned());
                    let near = nearest(&kind.text, names.chain(["gossfile".to_owned()]));
                    let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                    self.miss(&shown, kind.line, &kind.text, &format!("goss has no such resource{near}"));
                }
            }
        }
        Ok(())
    }

    fn shown(&self, file: &Path) -> String {
        file.strip_prefix(self.world.directory).unwrap_or(file).display().to_string()
    }

    /// Names what is not turned at all, and leaves a check of its name that cannot pass.
    fn miss(&mut self, file: &str, line: usize, what: &str, why: &str) {
        let place = Place { file: file.to_owned(), line, what: what.to_owned() };
        let gap = format!("# {}\n[check.{}]\n", comment(what), self.name(what));
        let text = format!("{gap}{}", place.unchecked(why));
        self.named.push(place.named(why.to_owned()));
        self.checks.push(Check { text, gap, place });
    }

    fn included(&mut self, from: &Path, all: &[(Key, Node)], filled: &Filled) {
        let shown = self.shown(from);
        for (key, node) in all {
            let what = format!("gossfile {}", key.text);
            let mut it = Resource::new(key, node, &filled.holes);
            let is_skipped = it.flag("skip") == Some(true);
            let place = it.name("file");
            it.drop(&["title", "meta"]);
            it.left();
            for (line, attribute, why) in it.named {
                self.miss(&shown, line, &format!("{what} ({attribute})"), &why);
            }
            if is_skipped {
                continue;
            }
            if template::is_open(&place) || template::hole(&place, &filled.holes).is_some() {
                self.miss(&shown, key.line, &what, "a template in the name of a file");
                continue;
            }
            let path = plain_path(&from.parent().unwrap_or(Path::new("")).join(&place));
            let files = if place.contains('*') { (self.world.like)(&path) } else { Ok(vec![path]) };
            match files {
                Err(why) => self.miss(&shown, key.line, &what, &why),
                Ok(files) if files.is_empty() => self.miss(&shown, key.line, &what, "no file is like that"),
                Ok(files) => {
                    for file in files {
                        self.include(&shown, key.line, &what, &file);
                    }
                }
            }
        }
    }

    fn include(&mut self, from: &str, line: usize, what: &str, file: &Path) {
        if self.seen.len() > MOST {
            return self.miss(from, line, what, "too many files are included");
        }
        if !self.seen.insert(file.to_owned()) {
            return;
        }
        match (self.world.read)(file) {
            Err(why) => self.miss(from, line, what, &why),
            Ok(text) => {
                if let Err(Named { file, line, what, why }) = self.file(file, &text) {
                    self.miss(&file, line, &what, &why);
                }
            }
        }
    }

    fn resource(
        &mut self,
        file: &str,
        kind: &'static str,
        turn: Turn,
        (key, node): (&Key, &Node),
        filled: &Filled,
    ) {
        let what = without_credentials(&format!("{kind} {}", template::shown(&key.text)));
        if let Some(hole) = template::hole(&key.text, &filled.holes) {
            return self.miss(file, key.line, kind, &format!("the template {hole} is not turned"));
        }
        let mut it = Resource::new(key, node, &filled.holes);
        if !it.named.is_empty() {
            return self.miss(file, key.line, &what, "it is no map");
        }
        let title = it.exactly("title").filter(|title| *title != Item::text(""));
        let meta = it.read("meta", |node| Ok(plain(node)));
        let is_off = it.flag("skip") == Some(true);
        it.without("retry_count", "what is not green is looked at again with `housecall --wait 60s`");
        it.drop(&["retry_delay"]);
        let drafts = turn(&mut it);
        it.left();
        let mut unchecked = Vec::new();
        for (line, attribute, why) in it.named {
            let (mut part, mut what) = (why.clone(), what.clone());
            if !attribute.is_empty() {
                part = format!("{attribute}: {why}");
                let _ = write!(what, " ({attribute})");
            }
            let place = Place { file: file.to_owned(), line, what };
            if !BESIDE.contains(&attribute.as_str()) {
                unchecked.push(place.gap(&part));
            }
            self.named.push(place.named(why));
        }
        let mut head = format!("# {}\n", comment(&what));
        if let Some(meta) = &meta {
            let _ = writeln!(head, "# meta: {}", comment(&meta.to_string()));
        }
        let mut keys = title.map(|title| format!("summary = {title}\n")).unwrap_or_default();
        if is_off {
            keys += "severity = \"off\"\n";
        }
        let place = Place { file: file.to_owned(), line: key.line, what: what.clone() };
        // What is not looked at is said once, though a resource may become several checks.
        let mut unchecked = unchecked_key(&unchecked);
        if drafts.is_empty() {
            let name = self.name(&what);
            let gap = format!("{head}[check.{name}]\n{keys}");
            self.checks.push(Check { text: format!("{gap}{unchecked}"), gap, place: place.clone() });
        }
        for Draft { kind: ours, table, timeout } in drafts {
            let name = self.name(&what);
            let gap = format!("{head}[check.{name}]\n{keys}");
            let mut text = format!("{gap}{}", std::mem::take(&mut unchecked));
            if let Some(timeout) = timeout {
                let _ = writeln!(text, "timeout = \"{timeout}ms\"");
            }
            let _ = writeln!(text, "{ours} = {}", Item::Table(table));
            self.checks.push(Check { text, gap, place: place.clone() });
        }
    }

    /// A name that no other check has, made of what it is about: "kernel-param vm.swappiness".
    fn name(&mut self, what: &str) -> String {
        // A name is shown wherever the check is.
        let what = Redactor::default().name(&template::shown(what)).to_ascii_lowercase();
        let mut words =
            what.split(|it: char| !it.is_ascii_alphanumeric()).filter(|it| !it.is_empty()).peekable();
        let kind = words.next().unwrap_or("goss");
        words.next_if_eq(&kind);
        let whole: String = [kind].into_iter().chain(words).collect::<Vec<_>>().join("-");
        let whole: String = whole.chars().take(NAME).collect();
        let whole = whole.trim_end_matches('-');
        let is_free = |name: &String| checks::by_id(name).is_none() && !self.names.contains(name);
        let mut name = whole.to_owned();
        let mut number = 2;
        while !is_free(&name) {
            name = format!("{whole}-{number}");
            number += 1;
        }
        self.names.insert(name.clone());
        name
    }

    /// The whole, without what would not load.
    fn finish(mut self) -> Imported {
        let mut head = String::new();
        if !self.variables.is_empty() {
            head += "[variables]\n";
            for (name, value) in &self.variables {
                let _ = writeln!(head, "{} = {}", super::name(name), Item::Plain(value.clone()));
            }
            head += "\n";
        }
        let joined = |checks: &[Check]| {
            let texts: Vec<&str> = checks.iter().map(|it| it.text.as_str()).collect();
            format!("{head}{}", texts.join("\n"))
        };
        let mut text = joined(&self.checks);
        if !self.checks.is_empty() && (self.world.refuses)(&text).is_some() {
            let mut checks = std::mem::take(&mut self.checks);
            for check in &mut checks {
                let Some(why) = (self.world.refuses)(&format!("{head}{}", check.text)) else { continue };
                check.text = format!("{}{}", check.gap, check.place.unchecked(&why));
                self.named.push(check.place.named(why));
            }
            text = joined(&checks);
            self.checks = checks;
        }
        Imported { text, checks: self.checks.len(), named: self.named }
    }
}

/// Without `.` and `..`, so that each file has one name.
fn plain_path(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

/// What no attribute means anything to, to be kept as a comment.
fn plain(node: &Node) -> Item {
    match &node.value {
        Value::Null => Item::Plain(String::new()),
        Value::Bool(it) => Item::Bool(*it),
        Value::Number(it) | Value::Text(it) => Item::Plain(it.clone()),
        Value::List(list) => Item::List(list.iter().map(plain).collect()),
        Value::Map(map) => {
            Item::Table(map.iter().map(|(key, node)| (key.text.clone(), plain(node))).collect())
        }
    }
}
