//! What stands between `{{` and `}}`: a variable becomes one of ours, anything else is remembered as it is.

use std::collections::BTreeMap;

/// Around the name of a variable; characters that no text has by chance.
const VARIABLE: [char; 2] = ['\u{E000}', '\u{E001}'];
/// Around the number of what is not turned.
const HOLE: [char; 2] = ['\u{E002}', '\u{E003}'];

/// A text without templates.
#[derive(Debug, Default)]
pub(super) struct Filled {
    pub(super) text: String,
    /// What is not turned, by its number.
    pub(super) holes: Vec<String>,
    /// The `[variables]` that are used, with their values.
    pub(super) variables: BTreeMap<String, String>,
}

/// Takes the templates out of a text; `vars` are the values that `.Vars` is known to have.
///
/// # Errors
/// A template that says what is there at all: its line, and itself.
pub(super) fn fill(text: &str, vars: &BTreeMap<String, String>) -> Result<Filled, (usize, String)> {
    let mut filled = Filled::default();
    let mut rest = text;
    let mut line = 1;
    while let Some((before, after)) = rest.split_once("{{") {
        line += before.matches('\n').count();
        push(&mut filled.text, before);
        let Some((inner, after)) = after.split_once("}}") else { return Err((line, "{{".to_owned())) };
        let action = inner.trim_start_matches('-').trim_end_matches('-').trim();
        let word = action.split_whitespace().next().unwrap_or_default();
        let steers =
            ["if", "else", "end", "range", "with", "define", "block", "template", "break", "continue"];
        if steers.contains(&word) || action.contains(":=") {
            return Err((line, format!("{{{{{inner}}}}}")));
        }
        if !action.starts_with("/*") {
            let mark = mark(action, vars, &mut filled);
            filled.text.push_str(&mark);
        }
        line += inner.matches('\n').count();
        rest = after;
    }
    push(&mut filled.text, rest);
    Ok(filled)
}

/// Whoever writes such a character means none of ours.
fn push(text: &mut String, plain: &str) {
    text.extend(plain.chars().map(|it| if is_mark(it) { char::REPLACEMENT_CHARACTER } else { it }));
}

fn is_mark(it: char) -> bool {
    VARIABLE.contains(&it) || HOLE.contains(&it)
}

fn mark(action: &str, vars: &BTreeMap<String, String>, filled: &mut Filled) -> String {
    let [open, close] = VARIABLE;
    let is_name =
        |name: &str| !name.is_empty() && name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_');
    let quoted = |text: &str| Some(text.trim().strip_prefix('"')?.strip_suffix('"')?.to_owned());
    let variable = action.strip_prefix(".Env.").map(str::to_owned);
    let variable = variable.or_else(|| quoted(action.strip_prefix("getEnv ")?)).filter(|it| is_name(it));
    if let Some(name) = variable {
        return format!("{open}{name}{close}");
    }
    if let Some((name, value)) = action.strip_prefix(".Vars.").and_then(|name| vars.get_key_value(name)) {
        let own: String = name.chars().map(|it| if it.is_ascii_alphanumeric() { it } else { '_' }).collect();
        filled.variables.insert(own.clone(), value.clone());
        return format!("{open}{own}{close}");
    }
    let [open, close] = HOLE;
    filled.holes.push(format!("{{{{{action}}}}}"));
    format!("{open}{}{close}", filled.holes.len() - 1)
}

/// The first template in a text that was not turned.
pub(super) fn hole<'a>(text: &str, holes: &'a [String]) -> Option<&'a str> {
    let [open, close] = HOLE;
    let (_, after) = text.split_once(open)?;
    let number: usize = after.split_once(close)?.0.parse().ok()?;
    holes.get(number).map(String::as_str)
}

/// Whether a variable stands in a text.
pub(super) fn is_open(text: &str) -> bool {
    text.contains(VARIABLE[0])
}

/// The text as a person reads it.
pub(super) fn shown(text: &str) -> String {
    let [open, close] = VARIABLE;
    text.replace(open, "${").replace(close, "}")
}

/// The text as a configuration writes it: `${NAME}` for a variable, `$${` for what only looks like one.
pub(super) fn written(text: &str) -> String {
    let [open, close] = VARIABLE;
    let plain = text.replace("${", "$${");
    plain.replace(open, "${").replace(close, "}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{fill, hole, is_open, written};

    #[test]
    fn variables_are_turned_and_the_rest_is_remembered() {
        let vars = BTreeMap::from([("a.b".to_owned(), "1".to_owned())]);
        let filled = fill("{{.Env.HOME}}/${x} {{- .Vars.a.b -}} {{ .Vars.c | upper }}{{/* no */}}", &vars);
        let filled = filled.expect("it is plain");
        assert_eq!(written(&filled.text).split('\u{E002}').next(), Some("${HOME}/$${x} ${a_b} "));
        assert!(is_open(&filled.text));
        assert_eq!(hole(&filled.text, &filled.holes), Some("{{.Vars.c | upper}}"));
        assert_eq!(filled.variables["a_b"], "1");
        assert_eq!(fill("a\n{{range .Vars.x}}", &vars).expect_err("it steers").0, 2);
        assert_eq!(fill("{{ .x", &vars).expect_err("it is open").0, 1);
    }
}
