//! What is not shown of a configuration as it is written, whatever its value: passwords, and the headers of requests.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::{Redactor, names};

/// Of a line that is longer nothing is written anew, in bytes: each mistake in it would cost a pass over it.
const LONGEST: usize = 10_000;

/// The text with a mark in the place of each.
#[must_use]
pub fn hidden(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut from = 0;
    for (at, name) in secrets(text) {
        shown.push_str(&text[from..at.start]);
        shown.push('"');
        shown.push_str(&super::mark(&name));
        shown.push('"');
        from = at.end;
    }
    shown.push_str(&text[from..]);
    shown
}

/// The text with as many asterisks in the place of each: whatever else is in it stays where it is.
#[must_use]
pub fn masked(text: &str) -> String {
    let mut shown = text.to_owned();
    for (at, _) in secrets(text) {
        // The quotes stay, and so do the ends of lines.
        let plain = |it: u8| if matches!(it, b'"' | b'\'' | b'\n' | b'\r') { it } else { b'*' };
        let mask: String = text[at.clone()].bytes().map(|it| char::from(plain(it))).collect();
        shown.replace_range(at, &mask);
    }
    shown
}

/// Whether a value may not be written anew, whatever it is, for what leads to it or for what its line shows there.
///
/// In part, or in another way, it may not be known again for what it is.
#[must_use]
pub fn is_hidden(text: &str, path: &[String], at: &Range<usize>) -> bool {
    let says_secret = |it: &String| it == "password" || names::says_secret(it);
    let above = path.split_last().map_or([].as_slice(), |(_, above)| above);
    if path.iter().any(says_secret) || above.iter().any(|it| matches!(&**it, "env" | "headers")) {
        return true;
    }
    let (Some(before), Some(after)) = (text.get(..at.start), text.get(at.end..)) else { return true };
    let start = before.rfind('\n').map_or(0, |it| it + 1);
    let end = at.end + after.find('\n').unwrap_or(after.len());
    let line = &text[start..end];
    if line.len() > LONGEST {
        return true;
    }
    let redacted = Redactor::default().text(line);
    let same = |pair: &(u8, u8)| pair.0 == pair.1;
    let ahead = line.bytes().zip(redacted.bytes()).take_while(same).count();
    let behind = line.bytes().rev().zip(redacted.bytes().rev()).take_while(same).count();
    line != redacted && start + ahead < at.end && at.start < end - behind
}

/// Where each stands, and its name; in their order.
fn secrets(text: &str) -> Vec<(Range<usize>, String)> {
    // A file that is no TOML is told of all the same.
    let (table, _) = DeTable::parse_recoverable(text);
    let mut found = Vec::new();
    within(table.get_ref(), &mut found);
    found.retain(|(at, _)| text.get(at.clone()).is_some());
    found.sort_by_key(|(at, _)| at.start);
    found.dedup_by(|next, last| next.0.start < last.0.end);
    found
}

fn within(table: &DeTable<'_>, found: &mut Vec<(Range<usize>, String)>) {
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        match value.get_ref() {
            DeValue::String(text) if is_secret(name, text) => found.push((value.span(), name.to_owned())),
            // It is mistaken, and shows what it would be.
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_) if name == "password" => {
                found.push((value.span(), name.to_owned()));
            }
            DeValue::Table(headers) if name == "headers" => {
                let sent = headers.iter().map(|(name, value)| (name.get_ref().as_ref(), value));
                let secret = sent.filter(|(name, value)| {
                    !names::is_plain_header(name)
                        && match value.get_ref() {
                            DeValue::String(text) => !is_reference(text),
                            DeValue::Table(_) | DeValue::Array(_) => false,
                            _ => true,
                        }
                });
                found.extend(secret.map(|(name, value)| (value.span(), name.to_owned())));
            }
            DeValue::Table(inner) => within(inner, found),
            DeValue::Array(items) => {
                for inner in items.iter().filter_map(|it| it.get_ref().as_table()) {
                    within(inner, found);
                }
            }
            _ => {}
        }
    }
}

fn is_secret(name: &str, text: &str) -> bool {
    match name {
        "password" => !is_reference(text),
        "proxy" => text.contains('@'),
        _ => false,
    }
}

/// The name of a variable and nothing else says nothing.
fn is_reference(text: &str) -> bool {
    let name = text.strip_prefix("${").and_then(|it| it.strip_suffix('}'));
    name.is_some_and(|it| !it.contains(['$', '{', '}']))
}

#[cfg(test)]
mod tests {
    use super::{hidden, masked};

    #[test]
    fn whatever_a_password_is_it_is_not_shown_and_a_reference_is() {
        for (written, shown) in [
            ("a = { password = 'abc', x = 1 }", "a = { password = \"[redacted:password]\", x = 1 }"),
            ("[a]\npassword = '''\nadmin'''\n", "[a]\npassword = \"[redacted:password]\"\n"),
            ("a.b.'password' = \"my pass\"", "a.b.'password' = \"[redacted:password]\""),
            ("a = [{ proxy = 'bob:abc@h:1' }]", "a = [{ proxy = \"[redacted:proxy]\" }]"),
            (
                "headers = { X-Team = 'me', Accept = 'a/b' }",
                "headers = { X-Team = \"[redacted:X-Team]\", Accept = 'a/b' }",
            ),
        ] {
            assert_eq!(hidden(written), shown);
        }
        for plain in ["a = { password = '${PW}' }", "proxy = 'http://h:1'", "headers = { A = '${B}' }"] {
            assert_eq!((hidden(plain), masked(plain)), (plain.to_owned(), plain.to_owned()));
        }
        assert_eq!(masked("password = 'grün', x = "), "password = '*****', x = ");
    }
}
