//! Texts that come from outside the process: what was allowed, what programs and pages say, and what may not be shown.

use std::sync::LazyLock;

use housecall::config::{Surroundings, Trust};
use housecall::declared::text::{Text, excerpt};
use housecall::probes::declared::dns::{Record, said_in};
use housecall::redact::Redactor;
use housecall::{trust, version};

use crate::{HOME, SURROUNDINGS, configured};

/// A value that a variable holds, and one with the shape of a token.
const HELD: &str = "planted-4711-\u{e9}/+";
const SHAPED: &str = "ghp_4f9Kq2Zr8Tn1Vb6Xc3Wd7Ly5Hs0Jg";

static REDACTOR: LazyLock<Redactor> = LazyLock::new(|| {
    let mut surroundings = Surroundings::clone(&SURROUNDINGS);
    surroundings.environment.insert("DEPLOY_TOKEN".to_owned(), HELD.to_owned());
    Redactor::of(&surroundings)
});

/// No secret survives between any two texts, what was redacted once stays as it is, and nothing grows without bounds.
///
/// # Panics
/// Where that does not hold.
pub fn redactor(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (before, after) = text
        .split_at(text.len() / 2 - (0..4).find(|it| text.is_char_boundary(text.len() / 2 - it)).unwrap_or(0));
    // What looks like a token in the middle of a word is none.
    for secret in [HELD, SHAPED].into_iter().filter(|it| !text.contains(it)) {
        let whole = format!("{before} {secret} {after}");
        let shown = REDACTOR.text(&whole);
        assert!(!shown.contains(secret), "it survives: {shown:?}");
        assert!(shown.len() <= 16 * whole.len() + 64, "{} bytes of {}", shown.len(), whole.len());
        assert_eq!(REDACTOR.text(&shown), shown, "it is redacted again");
        let _ = (REDACTOR.command(&whole), REDACTOR.name(&whole));
    }
    let home = format!("{HOME}/{text}");
    assert!(!REDACTOR.text(&home).starts_with(HOME), "{home:?}");
}

/// Whatever stands in the file of what is allowed: nothing that it does not name is trusted.
///
/// # Panics
/// Where that does not hold.
pub fn allowed(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(files) = trust::allowed_in(&text) {
        let said = serde_json::from_str(&text).expect("it was read");
        for (file, digest) in files {
            assert!(says(&said, &digest), "a digest from nowhere for {}", file.display());
        }
    }
    let sources = [(format!("{HOME}/nowhere/housecall.toml").into(), text.into_owned())];
    assert_eq!(trust::judge(&sources, &SURROUNDINGS), Trust::Untrusted);
}

/// Whether that text is anywhere in it.
fn says(value: &serde_json::Value, text: &str) -> bool {
    match value {
        serde_json::Value::String(said) => said == text,
        serde_json::Value::Array(list) => list.iter().any(|it| says(it, text)),
        serde_json::Value::Object(map) => map.values().any(|it| says(it, text)),
        _ => false,
    }
}

/// What a program writes: a version in it is one, ranges are read or refused, and an excerpt is short.
///
/// # Panics
/// Where that does not hold.
pub fn output(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    assert!(excerpt(&text).chars().count() <= 202, "a long excerpt");
    if let Some(version) = version::first_in(&text) {
        assert_eq!(version::read(&version.to_string()), Some(version), "it is read in two ways");
    }
    let asked =
        Text { contains: vec!["ready".to_owned()], absent: vec!["error".to_owned()], ..Text::default() };
    let holds = text.contains("ready") && !text.contains("error");
    assert_eq!(asked.failure("stdout", &text).is_none(), holds);
    // As a range and as a JSON path of the configuration, it is taken or has its place.
    let quoted = toml_text(&text);
    let _ = configured(&format!("[runtime]\nnode = {quoted}\n"));
    let http = format!("[check.a.http]\nurl = \"http://127.0.0.1/\"\njson = {{ {quoted} = 1 }}\n");
    let _ = configured(&http);
}

/// What a server of names replies, the kind of record first: records, why there are none, or that it is no reply.
///
/// # Panics
/// Where that does not hold.
pub fn dns(data: &[u8]) {
    use Record::{A, Aaaa, Caa, Cname, Mx, Ns, Ptr, Srv, Txt};
    let Some((kind, reply)) = data.split_first() else { return };
    let all = [A, Aaaa, Caa, Cname, Mx, Ns, Ptr, Srv, Txt];
    match said_in(reply, all[usize::from(*kind) % all.len()]) {
        Ok(Ok(records)) => assert!(!records.is_empty(), "it says nothing"),
        Ok(Err(why)) | Err(why) => assert!(!why.is_empty(), "no word of why"),
    }
}

/// A text as TOML writes it.
fn toml_text(text: &str) -> String {
    let escaped = text.chars().map(|it| match it {
        '"' | '\\' => format!("\\{it}"),
        it if it.is_control() => format!("\\u{:04X}", u32::from(it)),
        it => it.to_string(),
    });
    format!("\"{}\"", escaped.collect::<Vec<_>>().concat())
}
