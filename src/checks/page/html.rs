//! The little of HTML that the looks at pages need: its text entities, its title and its meta elements.

use std::sync::LazyLock;

use regex::{Captures, Regex};

static ENTITY: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|(amp|lt|gt|quot|apos|nbsp));").ok());
static META: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?is)<meta\s([^>]*)>").ok());
static ATTRIBUTE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?s)([a-zA-Z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))"#).ok());
static TITLE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?is)<title[^>]*>(.*?)</title>").ok());

/// The text with its commonest entities resolved: `l&#39;id&#xe9;e` is "l'idée".
pub(super) fn decoded(text: &str) -> String {
    let Some(entity) = &*ENTITY else { return text.to_owned() };
    let character = |captures: &Captures<'_>| {
        let number = captures.get(1).and_then(|it| it.as_str().parse().ok());
        let number =
            number.or_else(|| captures.get(2).and_then(|it| u32::from_str_radix(it.as_str(), 16).ok()));
        let named = captures.get(3).map(|it| match it.as_str() {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => '\u{a0}',
        });
        named.or_else(|| char::from_u32(number?)).map_or_else(|| captures[0].to_owned(), String::from)
    };
    entity.replace_all(text, character).into_owned()
}

/// The content of the first meta element with one of these names, in the order of the names.
pub(super) fn meta(body: &str, names: &[&str]) -> Option<(String, String)> {
    let (meta, attribute) = (META.as_ref()?, ATTRIBUTE.as_ref()?);
    let mut found: Vec<(usize, String, String)> = Vec::new();
    for element in meta.captures_iter(body) {
        let value = |wanted: &str| {
            let mut all = attribute.captures_iter(element.get(1).map_or("", |it| it.as_str()));
            let one = all.find(|it| it[1].eq_ignore_ascii_case(wanted))?;
            (2..=4).find_map(|group| one.get(group)).map(|it| it.as_str().to_owned())
        };
        if let (Some(name), Some(content)) = (value("name"), value("content"))
            && let Some(rank) = names.iter().position(|it| it.eq_ignore_ascii_case(&name))
        {
            found.push((rank, name, content));
        }
    }
    found.into_iter().min_by_key(|(rank, ..)| *rank).map(|(_, name, content)| (name, content))
}

/// What a page says of itself, one short line: its title, or else its first line of text.
pub(super) fn says(body: &str) -> Option<String> {
    let title = TITLE.as_ref()?.captures(body).and_then(|it| it.get(1)).map(|it| it.as_str());
    let line =
        title.or_else(|| body.lines().map(str::trim).find(|it| !it.is_empty() && !it.starts_with('<')))?;
    let line = decoded(line).split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = line.chars().filter(|it| !it.is_control()).take(120).collect();
    (!short.is_empty()).then_some(short)
}
