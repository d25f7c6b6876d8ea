//! What may not be shown: secrets and the home directory, taken out of every text before anybody reads it.
//!
//! It errs on the side of silence. What it takes out is replaced by a mark that says what stood there:
//! `[redacted:API_TOKEN]` for the value of that variable, `[redacted:password]` for what has its shape, `~` for home.

pub mod names;
pub mod shapes;
mod view;
pub mod written;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::config::Surroundings;
use view::View;

/// Takes out of texts what may not be shown. Its copies share what they learn.
#[derive(Clone, Default)]
pub struct Redactor {
    known: Arc<RwLock<Known>>,
}

/// What is secret here, whatever its shape.
#[derive(Default)]
struct Known {
    /// The values, each with the name of what holds it.
    values: BTreeMap<String, String>,
    /// The home directory, and where that really is.
    homes: Vec<String>,
    /// Words that nobody else is to know, each with what it is: the user's name, this machine's.
    words: BTreeMap<String, &'static str>,
    /// How often something was taken out, by its mark.
    taken: BTreeMap<String, usize>,
    /// Finds all values at once; made when it is first needed after they changed.
    finder: OnceLock<Finder>,
}

/// Finds all known values in one pass over a text, however many they are.
struct Finder {
    /// As they are.
    plain: Option<AhoCorasick>,
    /// With every escape undone.
    decoded: Option<AhoCorasick>,
    /// What holds each of them.
    names: Vec<String>,
}

/// A part of a text, and what is shown instead.
struct Found {
    at: Range<usize>,
    mark: String,
}

impl Redactor {
    /// Knows the secrets of the environment, and the home directory.
    #[must_use]
    pub fn of(surroundings: &Surroundings) -> Self {
        let redactor = Self::default();
        redactor.hide_home(&surroundings.home);
        for (name, value) in &surroundings.environment {
            redactor.learn(name, value);
        }
        redactor
    }

    /// Writes this directory `~` from now on.
    pub fn hide_home(&self, home: &Path) {
        let home = home.to_string_lossy().trim_end_matches('/').to_owned();
        // A home at the root is no secret, and would turn every path into nonsense.
        if home.len() > 1 {
            self.change(|known| {
                if !known.homes.contains(&home) {
                    known.homes.push(home);
                    known.homes.sort_by_key(|home| std::cmp::Reverse(home.len()));
                }
            });
        }
    }

    /// Hides the user's name too, for what leaves this machine: a redactor of its own, with a count of its own.
    #[must_use]
    pub fn for_strangers(&self, surroundings: &Surroundings) -> Self {
        let (values, homes) = self.with(|known| (known.values.clone(), known.homes.clone()));
        let of_home = surroundings.home.file_name().map(|it| it.to_string_lossy().into_owned());
        let user = surroundings.variable("USER").map(str::to_owned).or(of_home);
        let user = user.filter(|it| names::is_persons(it));
        let words = user.map(|user| (user, "user")).into_iter().collect();
        let known = Known { values, homes, words, ..Known::default() };
        Self { known: Arc::new(RwLock::new(known)) }
    }

    /// Hides this machine's name from now on.
    pub fn hide_host(&self, host: &str) {
        let short = host.split('.').next().unwrap_or(host);
        for name in [host, short].into_iter().filter(|it| names::is_persons(it) && *it != "localhost") {
            self.change(|known| _ = known.words.insert(name.to_owned(), "host"));
        }
    }

    /// Remembers the value of a variable whose name says that it is secret.
    pub fn learn(&self, name: &str, value: &str) {
        self.remember(name, names::secrets_of(name, value));
    }

    /// Remembers a value that is secret whatever its name says.
    pub fn learn_secret(&self, name: &str, value: &str) {
        self.remember(name, names::hideable_of(value));
    }

    /// Remembers who logs in with what, also as a request says it: the basic way.
    pub fn learn_login(&self, user: &str, password: &str) {
        let login = format!("{user}:{password}");
        for secret in [password, &BASE64_STANDARD.encode(&login), &login] {
            self.learn_secret("password", secret);
        }
    }

    /// Remembers the value of a header that is sent, with and without what says its kind: `Bearer`, `session=`.
    pub fn learn_header(&self, name: &str, value: &str) {
        if names::is_plain_header(name) {
            return;
        }
        self.learn_secret(name, value);
        if let Some((_, secret)) = value.trim().split_once(' ') {
            self.learn_secret(name, secret);
            let login = BASE64_STANDARD.decode(secret).ok().and_then(|it| String::from_utf8(it).ok());
            if let Some((user, password)) = login.as_deref().and_then(|it| it.split_once(':')) {
                self.learn_login(user, password);
            }
        }
        for (_, secret) in value.split(';').filter_map(|it| it.split_once('=')) {
            self.learn_secret(name, secret);
        }
    }

    fn remember(&self, name: &str, secrets: Vec<String>) {
        let is_new = |known: &Known| secrets.iter().any(|it| !known.values.contains_key(it));
        if self.with(is_new) {
            self.change(|known| {
                known.finder = OnceLock::new();
                for secret in secrets {
                    known.values.entry(secret).or_insert_with(|| name.to_owned());
                }
            });
        }
    }

    /// Remembers the secrets that the definition of a job gives its program: a property list, or a unit.
    pub fn learn_definition(&self, bytes: &[u8]) {
        if let Ok(value) = plist::from_bytes::<plist::Value>(bytes) {
            self.learn_all(&value);
            return;
        }
        for line in String::from_utf8_lossy(bytes).lines() {
            let Some(assigned) = line.trim().strip_prefix("Environment=") else { continue };
            for word in assigned.split_inclusive(['"', '\'', ' ']) {
                if let Some((name, value)) = word.trim_matches(['"', '\'', ' ']).split_once('=') {
                    self.learn(name, value);
                }
            }
        }
    }

    fn learn_all(&self, value: &plist::Value) {
        for (name, value) in value.as_dictionary().into_iter().flatten() {
            match value.as_string() {
                Some(text) => self.learn(name, text),
                None => self.learn_all(value),
            }
        }
    }

    /// Makes what the first text would make, where there is time for it: while others are waited for.
    pub fn prepare(&self) {
        let _ = self.secrets("");
    }

    /// The text without what may not be shown. What was redacted before stays as it is.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let mut found = self.secrets(text);
        self.with(|known| {
            for home in &known.homes {
                found.extend(homes(text, home));
            }
            for (word, label) in &known.words {
                found.extend(words(text, word, label));
            }
        });
        self.replaced(text, found)
    }

    /// The same for a command to paste, where a quoted home would not be expanded.
    #[must_use]
    pub fn command(&self, command: &str) -> String {
        let homes = self.with(|known| known.homes.clone());
        let opened = homes
            .iter()
            .fold(command.to_owned(), |command, home| command.replace(&format!("'{home}/"), "~/'"));
        self.text(&opened)
    }

    /// The same for a name that is addressed by: only what has the shape of a secret.
    #[must_use]
    pub fn name(&self, name: &str) -> String {
        let found = shapes::find(name).into_iter().map(|(at, label)| Found { at, mark: mark(label) });
        self.replaced(name, found.collect())
    }

    /// Every text of a JSON document; its keys stay.
    pub fn json(&self, value: &mut serde_json::Value) {
        match value {
            serde_json::Value::String(text) => *text = self.text(text),
            serde_json::Value::Array(items) => items.iter_mut().for_each(|it| self.json(it)),
            serde_json::Value::Object(members) => members.values_mut().for_each(|it| self.json(it)),
            _ => {}
        }
    }

    /// How often something was taken out by this redactor and its copies, by its mark.
    #[must_use]
    pub fn taken(&self) -> BTreeMap<String, usize> {
        self.with(|known| known.taken.clone())
    }

    fn secrets(&self, text: &str) -> Vec<Found> {
        let mut found = self.secrets_in(&View::plain(text));
        // A secret that is written in another way is one all the same: `p%40ss`, `a\/b`, `gh<colour>p_…`.
        if let Some(view) = View::decoded(text) {
            found.extend(self.secrets_in(&view));
        }
        found
    }

    fn secrets_in(&self, view: &View<'_>) -> Vec<Found> {
        let text = view.text();
        let mut found = Vec::new();
        self.with(|known| {
            let finder = known.finder.get_or_init(|| Finder::of(&known.values));
            let values = if view.is_decoded() { &finder.decoded } else { &finder.plain };
            match values {
                Some(values) => found.extend(values.find_overlapping_iter(text).map(|it| Found {
                    at: view.place(it.range()),
                    mark: mark(&finder.names[it.pattern().as_usize()]),
                })),
                // More values than can be looked for: nothing is shown rather than one of them.
                None => found.push(Found { at: view.place(0..text.len()), mark: mark("text") }),
            }
        });
        let shaped = shapes::find(text).into_iter();
        found.extend(shaped.map(|(at, label)| Found { at: view.place(at), mark: mark(label) }));
        found
    }

    /// The text with each found part replaced; parts that overlap become one, with the mark of the first.
    fn replaced(&self, text: &str, mut found: Vec<Found>) -> String {
        let marks = marks(text);
        found.retain(|it| {
            let before = marks.partition_point(|mark| mark.start <= it.at.start);
            before.checked_sub(1).is_none_or(|last| it.at.end > marks[last].end)
        });
        if found.is_empty() {
            return text.to_owned();
        }
        found.sort_by_key(|it| (it.at.start, std::cmp::Reverse(it.at.end)));
        let mut merged: Vec<Found> = Vec::new();
        for next in found {
            match merged.last_mut() {
                Some(last) if next.at.start < last.at.end => last.at.end = last.at.end.max(next.at.end),
                _ => merged.push(next),
            }
        }
        let mut shown = String::with_capacity(text.len());
        let mut from = 0;
        for part in &merged {
            shown.push_str(&text[from..part.at.start]);
            shown.push_str(&part.mark);
            from = part.at.end;
        }
        shown.push_str(&text[from..]);
        self.change(|known| {
            for part in merged {
                *known.taken.entry(part.mark).or_default() += 1;
            }
        });
        shown
    }

    fn with<T>(&self, read: impl FnOnce(&Known) -> T) -> T {
        read(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.known.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Finder {
    fn of(values: &BTreeMap<String, String>) -> Self {
        let values: Vec<_> = values.iter().filter(|(value, _)| !value.is_empty()).collect();
        let decoded = values.iter().map(|(value, _)| {
            let view = View::decoded(value).filter(|view| !view.text().is_empty());
            view.map_or_else(|| (*value).clone(), |view| view.text().to_owned())
        });
        let mut finder = AhoCorasick::builder();
        // What would be chosen for a few takes longer to make than most texts to read.
        let _ = finder.kind(Some(AhoCorasickKind::ContiguousNFA));
        Self {
            decoded: finder.build(decoded).ok(),
            plain: finder.build(values.iter().map(|(value, _)| value)).ok(),
            names: values.into_iter().map(|(_, name)| name.clone()).collect(),
        }
    }
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor")
    }
}

/// How every mark begins.
const MARK: &str = "[redacted:";

fn mark(label: &str) -> String {
    let label: String = label.chars().filter(|it| is_of_label(*it)).collect();
    format!("{MARK}{label}]")
}

fn is_of_label(character: char) -> bool {
    character.is_ascii_alphanumeric() || "_.-".contains(character)
}

/// Where something was taken out before, in order.
fn marks(text: &str) -> Vec<Range<usize>> {
    let mut marks: Vec<Range<usize>> = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find(MARK).map(|it| from + it) {
        let label = &text[at + MARK.len()..];
        let length = label.find(|it: char| !is_of_label(it)).unwrap_or(label.len());
        from = at + MARK.len() + length;
        // What only begins like a mark hides nothing: it could stand before any secret.
        if length > 0 && text[from..].starts_with(']') {
            from += 1;
            marks.push(at..from);
        }
    }
    marks
}

/// Where a path begins with the home directory; `/home/ann` is not in `/home/anna` or `/mnt/home/ann`.
fn homes<'a>(text: &'a str, home: &'a str) -> impl Iterator<Item = Found> + 'a {
    let all = text.match_indices(home).filter(move |(at, _)| {
        let goes_on = |it: char| it.is_alphanumeric() || "_-~".contains(it);
        let mut after = text[at + home.len()..].chars();
        let ends = match after.next() {
            Some('.') => !after.next().is_some_and(goes_on),
            Some(next) => !goes_on(next),
            None => true,
        };
        ends && !text[..*at].ends_with(|it| goes_on(it) || it == '.')
    });
    all.map(move |(at, _)| Found { at: at..at + home.len(), mark: "~".to_owned() })
}

/// Where a name stands as a word.
fn words<'a>(text: &'a str, word: &'a str, label: &'a str) -> impl Iterator<Item = Found> + 'a {
    let all = text.match_indices(word).filter(move |(at, _)| {
        let goes_on = |it: char| it.is_alphanumeric();
        !text[..*at].ends_with(goes_on) && !text[at + word.len()..].starts_with(goes_on)
    });
    all.map(move |(at, _)| Found { at: at..at + word.len(), mark: mark(label) })
}
