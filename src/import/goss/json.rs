//! goss's `gjson`: what values of a JSON text must be.

use super::super::yaml::{Node, Value};
use super::super::{Item, template};
use super::matcher::{self, Of, Reason};

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
        let path = path(&key.text)?;
        if let Ok(("have-key", inner)) = matcher::matcher(node) {
            let key = named(&matcher::text(inner)?).ok_or("a key that is no plain name")?;
            // That it is there is all that is asked.
            json.says.push((path + &key, Item::Table(Vec::new())));
            continue;
        }
        match value(node) {
            Some(value) => json.is.push((path, value)),
            None => json.says.push((path, says(node)?)),
        }
    }
    Ok(json)
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

/// What its text says; goss counts the parts of a list, and our `length` bytes.
fn says(node: &Node) -> Result<Item, Reason> {
    let said = matcher::said(node, Of::Value)?;
    if said.is_of_lines_or_length() {
        return Err("lists within JSON have no counterpart".to_owned());
    }
    said.item().ok_or_else(|| "it says nothing".to_owned())
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
