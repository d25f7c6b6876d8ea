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
    draft.maybe("status", it.read("status", matcher::any_or_within));
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
    draft.maybe("page", it.said("body", Of::Output));
    draft.timeout = it.timeout();
    vec![draft]
}

/// `Name: value` each; of a name that is there twice, the first.
fn pairs(node: &Node) -> Result<Vec<(String, Item)>, Reason> {
    let (all, _) = matcher::several(node)?;
    let mut pairs: Vec<(String, Item)> = Vec::new();
    for text in all {
        let (name, value) = pair(&text).ok_or("a header has no name")?;
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
