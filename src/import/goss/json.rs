//! goss's `gjson`: what values of a JSON text must be.

use super::super::yaml::{Key, Node, Value};
use super::super::{Item, template};
use super::matcher::{self, Of, Reason, Said};

/// Values by their paths: what they are, and what they say.
#[derive(Debug, Default)]
pub(super) struct Json {
    pub(super) is: Vec<(String, Item)>,
    pub(super) says: Vec<(String, Item)>,
}

/// Reads the map of paths and matchers.
pub(super) fn json(node: &Node) -> Result<Json, Reason> {
    let Value::Map(map) = &node.value else { return Err("`gjson` wants a map".to_owned()) };
    let mut json = Json::default();
    for (key, node) in map {
        match key.text.rsplit_once('#') {
            Some((list, "")) => counted(path(list.trim_end_matches('.'))?, node, &mut json)?,
            Some((list, part)) => each(&path(list.trim_end_matches('.'))?, part, node, &mut json)?,
            None => one(path(&key.text)?, node, &mut json)?,
        }
    }
    Ok(json)
}

/// What one value must be.
fn one(path: String, node: &Node, json: &mut Json) -> Result<(), Reason> {
    match matcher::matcher(node) {
        // That it is there is all that is asked.
        Ok(("have-key", inner)) => {
            let key = named(&matcher::text(inner)?).ok_or("a key that is no plain name")?;
            json.says.push((path + &key, Item::Table(Vec::new())));
        }
        Ok(("equal", Node { value: Value::List(_) | Value::Map(_), .. })) => {
            let (_, inner) = matcher::matcher(node)?;
            json.is.push((path, whole(inner).ok_or("a number or a template in what is compared")?));
        }
        Ok(("consist-of", inner)) => {
            let (elements, count) = elements(inner)?;
            if count == 0 {
                json.is.push((path, Item::List(Vec::new())));
                return Ok(());
            }
            json.is_list(&path);
            let elements = elements.and(Said::long("min", count.to_string()))?;
            json.says.extend(elements.and(Said::long("max", count.to_string()))?.item().map(|it| (path, it)));
        }
        _ if matches!(node.value, Value::List(_)) => {
            json.is_list(&path);
            json.says.extend(elements(node)?.0.item().map(|it| (path, it)));
        }
        _ => {
            if let Some(value) = value(node) {
                json.is.push((path, value));
            } else {
                let said = matcher::said(node, Of::Value)?;
                json.says.push((path, said.item().ok_or("it says nothing")?));
            }
        }
    }
    Ok(())
}

/// How many elements a list has; what is none has no number of them.
fn counted(path: String, node: &Node, json: &mut Json) -> Result<(), Reason> {
    if let Ok(("equal", _)) = matcher::matcher(node) {
        return Err("to goss no number of JSON's equals one that is written".to_owned());
    }
    let count = matcher::within(node)?;
    if count == Item::Number("0".to_owned()) {
        json.is.push((path, Item::List(Vec::new())));
        return Ok(());
    }
    let is_some = |(key, bound): &(String, Item)| match (key.as_str(), bound) {
        ("min", Item::Number(least)) => least != "0",
        ("above", Item::Number(_)) => true,
        _ => false,
    };
    if matches!(&count, Item::Table(bounds) if !bounds.iter().any(is_some)) {
        return Err("there may be none, so that it is not known to be a list".to_owned());
    }
    json.is_list(&path);
    json.says.push((path, Item::Table(vec![("length".to_owned(), count)])));
    Ok(())
}

/// What some elements of a list have in one place.
fn each(path: &str, part: &str, node: &Node, json: &mut Json) -> Result<(), Reason> {
    let part: Option<String> = part.strip_prefix('.').and_then(|it| it.split('.').map(named).collect());
    let part = part.ok_or("the path is more than names, numbers and `#`")?;
    let texts = match matcher::matcher(node) {
        Ok(("contain-element", one)) => vec![one],
        Ok(("contain-elements", Node { value: Value::List(list), .. })) => list.iter().collect(),
        _ => match &node.value {
            Value::List(list) => list.iter().collect(),
            _ => return Err("of elements is only asked what some of them are".to_owned()),
        },
    };
    for text in texts {
        let Value::Text(text) = &text.value else { return Err("an element that is no text".to_owned()) };
        if template::is_open(text) || text.contains(['\'', '\\']) || text.contains(char::is_control) {
            return Err("an element that is no plain text".to_owned());
        }
        json.is_list(path);
        json.says.push((format!("{path}[?@{part} == '{text}']"), Item::Table(Vec::new())));
    }
    Ok(())
}

/// What elements of a list must be, each another one; and how many.
fn elements(node: &Node) -> Result<(Said, usize), Reason> {
    let Value::List(list) = &node.value else { return Err("it is no list".to_owned()) };
    let all = matcher::lines(list)?;
    Ok((all, list.len()))
}

impl Json {
    /// What it is only where it is a list that has an element: no other value is chosen from by numbers.
    fn is_list(&mut self, path: &str) {
        let first = format!("{path}[0]");
        if self.says.iter().all(|(other, _)| *other != first) {
            self.says.push((first, Item::Table(Vec::new())));
        }
    }
}

/// A path of gjson's that is names and numbers only.
fn path(text: &str) -> Result<String, Reason> {
    let mut path = String::from("$");
    if text == "@this" {
        return Ok(path);
    }
    for part in text.split('.') {
        match named(part) {
            _ if !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit()) => {
                path.extend(["[", part, "]"]);
            }
            Some(name) => path.push_str(&name),
            None => return Err(format!("the path `{text}` is more than names and numbers")),
        }
    }
    Ok(path)
}

fn named(part: &str) -> Option<String> {
    let is_name =
        !part.is_empty() && part.bytes().all(|it| it.is_ascii_alphanumeric() || b"_-".contains(&it));
    is_name.then(|| format!("['{part}']"))
}

/// One value, and nothing else.
fn value(node: &Node) -> Option<Item> {
    match &node.value {
        Value::Bool(it) => Some(Item::Bool(*it)),
        Value::Text(text) if !template::is_open(text) => Some(Item::text(text)),
        Value::Number(number) => Some(Item::Number(matcher::decimal(number))),
        _ => None,
    }
}

/// The same of lists and maps of them. No number: goss finds 1 and 1.0 different there.
fn whole(node: &Node) -> Option<Item> {
    match &node.value {
        Value::List(list) => list.iter().map(whole).collect::<Option<_>>().map(Item::List),
        Value::Map(map) => {
            let member = |(key, node): &(Key, Node)| {
                whole(node).filter(|_| !template::is_open(&key.text)).map(|it| (key.text.clone(), it))
            };
            map.iter().map(member).collect::<Option<_>>().map(Item::Table)
        }
        Value::Number(_) => None,
        _ => value(node),
    }
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn paths_are_plain() {
        assert_eq!(path("a.0.b-c").as_deref(), Ok("$['a'][0]['b-c']"));
        assert_eq!(path("@this").as_deref(), Ok("$"));
        assert!(path("a.#.b").is_err());
    }
}
