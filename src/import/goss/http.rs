//! What a resource `http` becomes.

use super::super::Item;
use super::super::template;
use super::super::yaml::{Node, Value};
use super::matcher::{self, Of, Reason, Said};
use super::resource::{Draft, Resource};

/// How many redirects goss follows.
const REDIRECTS: &str = "10";

pub(super) fn http(it: &mut Resource<'_>) -> Vec<Draft> {
    let mut draft = Draft::new("http");
    let url = it.name("url");
    draft.say("url", Item::text(url.clone()));
    draft.maybe("method", it.exactly("method").filter(|it| *it != Item::text("")));
    draft.maybe("status", it.read("status", status));
    let stays = it.flag("no-follow-redirects") == Some(true);
    draft.maybe("redirects", (!stays).then(|| Item::Number(REDIRECTS.to_owned())));
    let request = it.read("request-headers", pairs).unwrap_or_default();
    let mut said = |attribute| it.exactly(attribute).filter(|it| *it != Item::text(""));
    let (user, password) = (said("username"), said("password"));
    // Go logs in where either is there.
    draft.maybe("user", user.or_else(|| password.as_ref().map(|_| Item::text(""))));
    draft.maybe("password", password);
    draft.maybe("proxy", said("proxy"));
    let tls = [
        ("ca", said("ca-file")),
        ("client-certificate", said("cert-file")),
        ("client-key", said("key-file")),
        ("insecure", it.flag("allow-insecure").filter(|it| *it).map(Item::Bool)),
    ];
    // Where nothing is encrypted, goss looks at none of them.
    if url.starts_with("https:") || !stays || template::is_open(&url) {
        for (key, said) in tls {
            draft.maybe(key, said);
        }
    }
    draft.maybe("headers", (!request.is_empty()).then_some(Item::Table(request)));
    draft.maybe("body", it.exactly("request-body").filter(|it| *it != Item::text("")));
    match it.read("headers", answered) {
        Some(Answered::Named(headers)) if !headers.is_empty() => draft.say("header", Item::Table(headers)),
        Some(Answered::All(said)) => draft.maybe("head", said.item()),
        Some(Answered::Named(_)) | None => {}
    }
    match it.read("body", body) {
        Some(Body::Text(said)) => draft.maybe("page", said.item()),
        Some(Body::Json(values)) => draft.say("json", Item::Table(values)),
        None => {}
    }
    draft.timeout = it.timeout();
    vec![draft]
}

fn status(node: &Node) -> Result<Item, Reason> {
    let Ok(any) = matcher::any_count(node) else { return matcher::within(node) };
    Ok(Item::List(any.iter().map(|it| Item::Number(it.to_string())).collect()))
}

/// `Name: value` each; of a name that is there twice, the first.
fn pairs(node: &Node) -> Result<Vec<(String, Item)>, Reason> {
    let (all, _) = matcher::several(node)?;
    let mut pairs: Vec<(String, Item)> = Vec::new();
    for text in all {
        let (name, value) = pair(&text).ok_or_else(|| format!("`{text}` is no header"))?;
        if pairs.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
            return Err(format!("the header `{name}` is there twice"));
        }
        pairs.push((name.to_owned(), Item::text(value)));
    }
    Ok(pairs)
}

enum Answered {
    Named(Vec<(String, Item)>),
    All(Box<Said>),
}

/// What headers of the answer say; a pattern that begins with a whole name is one of that header.
fn answered(node: &Node) -> Result<Answered, Reason> {
    let plain = match &node.value {
        Value::List(list) => list.iter().map(named).collect::<Option<Vec<_>>>(),
        _ => None,
    };
    let Some(plain) = plain else {
        return matcher::said(node, Of::Output).map(|said| Answered::All(Box::new(said)));
    };
    let mut headers: Vec<(String, Vec<String>)> = Vec::new();
    for (name, value) in plain {
        let name = name.to_ascii_lowercase();
        match headers.iter_mut().find(|(other, _)| *other == name) {
            Some((_, values)) => values.push(value.to_owned()),
            None => headers.push((name, vec![value.to_owned()])),
        }
    }
    let contains = |all: Vec<String>| Item::Table(vec![("contains".to_owned(), Item::texts(all))]);
    Ok(Answered::Named(headers.into_iter().map(|(name, all)| (name, contains(all))).collect()))
}

/// `Name: value`; an escape or a pattern is none.
fn named(node: &Node) -> Option<(&str, &str)> {
    let Value::Text(text) = &node.value else { return None };
    pair(text).filter(|_| !text.starts_with(['!', '/', '\\']))
}

fn pair(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once(':')?;
    let is_name =
        !name.is_empty() && name.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_".contains(&it));
    is_name.then(|| (name, value.trim()))
}

enum Body {
    Text(Box<Said>),
    Json(Vec<(String, Item)>),
}

fn body(node: &Node) -> Result<Body, Reason> {
    match matcher::matcher(node) {
        Ok(("gjson", Node { value: Value::Map(map), .. })) => {
            let values = map.iter().map(|(key, node)| Ok((path(&key.text)?, value(node)?)));
            Ok(Body::Json(values.collect::<Result<_, Reason>>()?))
        }
        _ => matcher::said(node, Of::Output).map(|said| Body::Text(Box::new(said))),
    }
}

/// A path of gjson's that is names and numbers only.
fn path(text: &str) -> Result<String, Reason> {
    let mut path = String::from("$");
    for part in text.split('.') {
        let is_name = !part.is_empty() && part.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
        match (is_name, part.bytes().all(|it| it.is_ascii_digit())) {
            (false, _) => return Err(format!("the path `{text}` is more than names and numbers")),
            (true, true) => path.extend(["[", part, "]"]),
            (true, false) => path.extend(["['", part, "']"]),
        }
    }
    Ok(path)
}

fn value(node: &Node) -> Result<Item, Reason> {
    match &node.value {
        Value::Bool(it) => Ok(Item::Bool(*it)),
        Value::Text(text) if !template::is_open(text) => Ok(Item::Plain(text.clone())),
        Value::Number(number) if number.parse::<i64>().is_ok() => Ok(Item::Number(number.clone())),
        _ => Err("only texts, whole numbers, true and false of JSON are compared".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn paths_are_plain() {
        assert_eq!(path("a.0.b").as_deref(), Ok("$['a'][0]['b']"));
        assert!(path("a.#.b").is_err());
    }
}
