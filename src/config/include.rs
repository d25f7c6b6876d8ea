//! A configuration of several files: what the first one includes, and what each says of checks.
#![expect(clippy::disallowed_methods, reason = "the configuration is read at the edge")]

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::error::{Mistake, Mistakes};
use super::load::read;
use super::raw::{self, Text};
use super::{Config, ConfigError, Reading, Surroundings, accepted, declare, parse};
use crate::redact::{Redactor, written};
use crate::selection::{Names, circles};
use crate::trust;

/// More files than this are a circle of links, or nobody's intention.
const MOST: usize = 200;

/// Why a name stands in a file.
enum Named {
    Need,
    Accepted,
}

/// One file of a configuration, as it is read.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) file: PathBuf,
    pub(super) text: String,
    pub(super) raw: raw::File,
    pub(super) mistakes: Vec<Mistake>,
}

impl Source {
    pub(super) fn new(file: &Path, text: &str) -> Self {
        let (raw, mistakes) = parse::parse(text);
        Self { file: file.to_owned(), text: text.to_owned(), raw, mistakes }
    }

    fn error(&self, mistakes: Vec<Mistake>, surroundings: &Surroundings) -> ConfigError {
        let file = surroundings.tilde(&self.file);
        ConfigError::Invalid(Box::new(Mistakes { file, text: written::masked(&self.text), mistakes }))
    }
}

/// Reads what a file includes, and what those include: each once, in the order in which they are named.
pub(super) fn gather(first: Source, surroundings: &Surroundings) -> Result<Vec<Source>, ConfigError> {
    // Most include nothing, and need not be asked whose they are.
    let includes = !first.raw.include.is_empty();
    let tree = if includes { trust::tree_of(&first.file, surroundings) } else { None };
    let mut sources = vec![first];
    let mut at = 0;
    while at < sources.len() {
        let mut mistakes = Vec::new();
        let mut found = Vec::new();
        for written in &sources[at].raw.include {
            match files(written, &sources[at].file, tree.as_deref(), surroundings) {
                Ok(files) => found.extend(files),
                Err((message, hint)) => mistakes.push(Mistake::new(message, written.span(), hint)),
            }
        }
        if !mistakes.is_empty() {
            return Err(sources[at].error(mistakes, surroundings));
        }
        for file in found {
            if sources.iter().any(|source| source.file == file) {
                continue;
            }
            let source = Source::new(&file, &read(&file, surroundings)?);
            sources.push(source);
        }
        if sources.len() > MOST {
            let mistake = Mistake::new(format!("more than {MOST} files are included"), 0..0, "");
            return Err(sources[0].error(vec![mistake], surroundings));
        }
        at += 1;
    }
    Ok(sources)
}

/// The files that one `include` means; `*` stands for anything in the last part. All lie in the tree, if one is given.
fn files(
    written: &Text,
    from: &Path,
    tree: Option<&Path>,
    surroundings: &Surroundings,
) -> Result<Vec<PathBuf>, super::values::Wrong> {
    let path = super::values::path(written.get_ref(), surroundings)?;
    let path = super::values::lexical(&from.parent().unwrap_or(Path::new("/")).join(path));
    let inside = |path: &Path| match tree {
        // The whole way there counts, for a link may lead anywhere.
        Some(tree) if path.canonicalize().is_ok_and(|real| !real.starts_with(tree)) => Err((
            format!("{} leads out of its own tree", surroundings.tilde(path)),
            "what came with a repository includes files from there alone".to_owned(),
        )),
        _ => Ok(()),
    };
    inside(path.parent().unwrap_or(Path::new("/")))?;
    inside(&path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if !name.contains('*') {
        if !path.is_file() {
            return Err((
                format!("there is no file {}", surroundings.tilde(&path)),
                "write its path from here".to_owned(),
            ));
        }
        return Ok(vec![path]);
    }
    let directory = path.parent().unwrap_or(Path::new("/"));
    let failed = |error| (format!("cannot read {}: {error}", surroundings.tilde(directory)), String::new());
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let found = entry.file_name();
        let found = found.to_string_lossy();
        // As in a shell, a name that begins with a dot is meant only where that is written.
        let is_hidden = found.starts_with('.') && !name.starts_with('.');
        if is_hidden || !crate::declared::is_like(&found, &name) {
            continue;
        }
        let path = entry.path();
        if !path.is_file() {
            let message = format!("{} is like it, and is no file", surroundings.tilde(&path));
            return Err((message, "take it away, or write a pattern that leaves it out".to_owned()));
        }
        files.push(path);
    }
    files.sort();
    files.iter().try_for_each(|file| inside(file))?;
    if files.is_empty() {
        return Err((
            format!("no file is like {}", surroundings.tilde(&path)),
            "write a path such as checks/*.toml".to_owned(),
        ));
    }
    Ok(files)
}

/// Adds to a configuration what its files say of checks.
///
/// # Errors
/// The mistakes of the first file that has any.
pub(super) fn add_checks(
    config: &mut Config,
    sources: &mut [Source],
    surroundings: &Surroundings,
) -> Result<(), ConfigError> {
    let redactor = config.redactor.clone();
    let variables = variables(sources, surroundings, &redactor)?;
    for (name, value) in &variables {
        redactor.learn(name, value);
    }
    let mut places: BTreeMap<String, (usize, Range<usize>)> = BTreeMap::new();
    let (mut needs, mut needed) = (Vec::new(), BTreeMap::<String, Vec<Range<usize>>>::new());
    let mut spent = 0;
    for (at, source) in sources.iter_mut().enumerate() {
        let (file, mistakes) = (&*source.file, Vec::new());
        let redactor = &redactor;
        let mut it =
            Reading { surroundings, variables: &variables, file, mistakes, redactor, spent: &mut spent };
        if at > 0 {
            only_checks(&source.raw, &mut it);
        }
        for (name, check) in &source.raw.check {
            if let Some((earlier, _)) = places.insert(name.get_ref().clone(), (at, name.span()))
                && earlier != at
            {
                it.wrong(
                    name.span(),
                    format!("`{}` is said in two files", name.get_ref()),
                    "keep one of them",
                );
            }
            let of_check = check.get_ref().needs.iter().map(Spanned::span).collect();
            needed.insert(name.get_ref().clone(), of_check);
        }
        let checks = declare::read(std::mem::take(&mut source.raw.check), &mut it);
        for check in &checks.declared {
            let spans: &[Range<usize>] = needed.get(&check.name).map_or(&[], Vec::as_slice);
            let of_check = spans.iter().cloned().zip(check.needs.iter().cloned());
            needs.extend(of_check.map(|(span, need)| (at, span, need, Named::Need)));
        }
        config.overrides.extend(checks.overrides);
        config.declared.extend(checks.declared);
        for written in &source.raw.accept {
            if let Some(accepted) = accepted::read(written.get_ref(), &mut it) {
                needs.push((at, written.get_ref().check.span(), accepted.unit.clone(), Named::Accepted));
                config.accepted.push(accepted);
            }
        }
        source.mistakes.extend(it.mistakes);
    }
    told(sources, surroundings)?;
    for (name, kind) in names_that_are_more(config) {
        if let Some((at, place)) = places.get(&name) {
            let message = format!("`{name}` is the name of a check and of a {kind}");
            sources[*at].mistakes.push(Mistake::new(message, place.clone(), "take another name"));
        }
    }
    // All names are gathered only where one is said.
    let names = if needs.is_empty() { Names::default() } else { Names::of(config) };
    for (at, place, name, kind) in needs {
        let wrong = match kind {
            Named::Need => names.wrong_need(&name),
            Named::Accepted => names.wrong_unit(&name),
        };
        if let Some((message, hint)) = wrong {
            sources[at].mistakes.push(Mistake::new(message, place, hint));
        }
    }
    for (name, message) in circles(config) {
        if let Some((at, place)) = places.get(&name) {
            sources[*at].mistakes.push(Mistake::new(message, place.clone(), "take one of these needs away"));
        }
    }
    told(sources, surroundings)
}

/// The declared checks whose name is a group's or a tag's too.
fn names_that_are_more(config: &Config) -> Vec<(String, &'static str)> {
    let groups: HashSet<&str> = config.declared.iter().map(|it| it.group.as_str()).collect();
    let tags: HashSet<&str> = config.declared.iter().flat_map(|it| &it.tags).map(String::as_str).collect();
    let kind = |name: &str| {
        let group = groups.contains(name).then_some("group");
        group.or_else(|| tags.contains(name).then_some("tag"))
    };
    config.declared.iter().filter_map(|it| Some((it.name.clone(), kind(&it.name)?))).collect()
}

/// The mistakes of the first file that has any.
fn told(sources: &mut [Source], surroundings: &Surroundings) -> Result<(), ConfigError> {
    match sources.iter_mut().find(|source| !source.mistakes.is_empty()) {
        Some(source) => {
            let mut mistakes = std::mem::take(&mut source.mistakes);
            mistakes.sort_by_key(|mistake| mistake.at.start);
            Err(source.error(mistakes, surroundings))
        }
        None => Ok(()),
    }
}

/// The variables of all files; the first that says one wins, so that a file can be included and bent.
fn variables(
    sources: &[Source],
    surroundings: &Surroundings,
    redactor: &Redactor,
) -> Result<BTreeMap<String, String>, ConfigError> {
    let mut variables: BTreeMap<String, String> = BTreeMap::new();
    let mut spent = 0;
    for source in sources {
        let (nothing, file, mistakes) = (BTreeMap::new(), &*source.file, Vec::new());
        let mut it =
            Reading { surroundings, variables: &nothing, file, mistakes, redactor, spent: &mut spent };
        for (name, value) in &source.raw.variables {
            if let Some(value) = it.text(value) {
                variables.entry(name.get_ref().clone()).or_insert(value);
            }
        }
        if !it.mistakes.is_empty() {
            return Err(source.error(it.mistakes, surroundings));
        }
    }
    Ok(variables)
}

/// An included file speaks of checks alone.
fn only_checks(raw: &raw::File, it: &mut Reading<'_>) {
    let place = |span: Option<Range<usize>>| span.unwrap_or(0..0);
    let others = [
        ("name", raw.name.as_ref().map(Spanned::span)),
        ("runtime", raw.runtime.as_ref().map(Spanned::span)),
        ("mirror", raw.mirror.as_ref().map(Spanned::span)),
        ("serve", raw.serve.as_ref().map(Spanned::span)),
        ("page", raw.page.first().map(Spanned::span)),
        ("service", raw.service.keys().next().map(Spanned::span)),
        ("jobs", raw.jobs.as_ref().map(|_| 0..0)),
    ];
    for (key, span) in others {
        if span.is_some() {
            let hint = "write it into the file that includes this one";
            it.wrong(place(span), format!("an included file says nothing of `{key}`"), hint);
        }
    }
}
