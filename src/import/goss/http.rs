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
    draft.say("url", Item::text(it.name("url")));
    draft.maybe("method", it.exactly("method").filter(|it| *it != Item::text("")));
    if let Some(status) = it.read("status", matcher::any_count) {
        draft.say("status", Item::List(status.iter().map(|it| Item::Number(it.to_string())).collect()));
    }
    let stays = it.flag("no-follow-redirects") == Some(true);
    draft.maybe("redirects", (!stays).then(|| Item::Number(REDIRECTS.to_owned())));
    let mut request = it.read("request-headers", pairs).unwrap_or_default();
    let (user, password) = (it.read("username", matcher::exactly), it.read("password", matcher::exactly));
    if let Some(user) = user.filter(|it| !it.is_empty()) {
        let secret = format!("{user}:{}", password.unwrap_or_default());
        if template::is_open(&secret) {
            it.miss(it.line, "username", "a template inside of what is encoded");
        } else {
            let basic = format!("Basic {}", base64(secret.as_bytes()));
            request.push(("Authorization".to_owned(), Item::text(basic)));
        }
    }
    draft.maybe("headers", (!request.is_empty()).then_some(Item::Table(request)));
    draft.maybe("body", it.exactly("request-body").filter(|it| *it != Item::text("")));
    draft.maybe("header", it.read("headers", answered).filter(|it| !it.is_empty()).map(Item::Table));
    match it.read("body", body) {
        Some(Body::Text(said)) => draft.maybe("page", said.item()),
        Some(Body::Json(values)) => draft.say("json", Item::Table(values)),
        None => {}
    }
    draft.maybe("ca", it.exactly("ca-file").filter(|it| *it != Item::text("")));
    it.without(
        "allow-insecure",
        "a certificate that does not hold is never overlooked: trust its root with `ca`",
    );
    it.without("cert-file", "no certificate of the client's is shown");
    it.without("key-file", "no certificate of the client's is shown");
    it.without("proxy", "no proxy is used");
    draft.timeout = it.timeout();
    vec![draft]
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

/// What headers of the answer say; a pattern that begins with a whole name is one of that header.
fn answered(node: &Node) -> Result<Vec<(String, Item)>, Reason> {
    let Value::List(list) = &node.value else {
        return Err("only a list of `Name: value` has a counterpart".to_owned());
    };
    let mut headers: Vec<(String, Vec<String>)> = Vec::new();
    for node in list {
        let text = matcher::text(node)?;
        let is_plain = !text.starts_with(['!', '/', '\\']);
        let Some((name, value)) = pair(&text).filter(|_| is_plain) else {
            return Err(format!("`{text}` is no `Name: value`"));
        };
        let name = name.to_ascii_lowercase();
        match headers.iter_mut().find(|(other, _)| *other == name) {
            Some((_, values)) => values.push(value.to_owned()),
            None => headers.push((name, vec![value.to_owned()])),
        }
    }
    let contains = |all: Vec<String>| Item::Table(vec![("contains".to_owned(), Item::texts(all))]);
    Ok(headers.into_iter().map(|(name, all)| (name, contains(all))).collect())
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

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().enumerate().fold(0_u32, |bits, (at, byte)| bits | u32::from(*byte) << (16 - 8 * at));
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{base64, path};

    #[test]
    fn credentials_are_encoded_and_paths_are_plain() {
        for (text, encoded) in
            [("", ""), ("a", "YQ=="), ("ab", "YWI="), ("Aladdin:open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ==")]
        {
            assert_eq!(base64(text.as_bytes()), encoded);
        }
        assert_eq!(path("a.0.b").as_deref(), Ok("$['a'][0]['b']"));
        assert!(path("a.#.b").is_err());
    }
}
