//! A configuration is taken, or every mistake in it has its place.

use std::path::Path;

use housecall::config::{Config, ConfigError, Limits, Surroundings};
use housecall::import::goss::{self, World};
use housecall::selection::{Selection, Wanted};

use crate::terminal::assert_harmless;
use crate::{HOME, SURROUNDINGS, configured};

/// Whatever the text: a configuration whose checks can be selected, or mistakes that lie within it and can be shown.
///
/// # Panics
/// Where that does not hold.
pub fn configuration(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match configured(text) {
        Ok(config) => {
            // Everything may be switched off, and nothing else stands in the way.
            let _ = Selection::new(&config, &Wanted::default());
            assert!(!config.name.is_empty(), "a mirror without a name");
        }
        Err(error) => assert_placed(&error, &[text]),
    }
}

/// Every mistake lies within one of these texts, and can be shown.
fn assert_placed(error: &ConfigError, texts: &[&str]) {
    let ConfigError::Invalid(found) = error else { panic!("a text alone cannot be {error:?}") };
    let shown = &found.text;
    assert!(texts.iter().any(|it| shows(shown, it)), "a mistake in another file: {}:\n{shown}", found.file);
    assert!(!found.mistakes.is_empty(), "refused, and no mistake is named");
    for mistake in &found.mistakes {
        assert!(!mistake.message.is_empty(), "a mistake without a word");
        assert!(found.text.get(mistake.at.clone()).is_some(), "no place in the file: {mistake:?}");
    }
    let _ = found.render(true);
    assert_harmless(&found.render(false));
    for obstacle in error.obstacles(&SURROUNDINGS) {
        let place = obstacle.place.expect("a mistake has a place");
        assert!(place.line > 0 && place.column > 0, "{place:?}");
        assert!(place.line <= found.text.matches('\n').count() + 1, "{place:?}");
    }
}

/// Whether what is shown is this text, with at most asterisks in the place of its secrets.
fn shows(shown: &str, text: &str) -> bool {
    shown.len() == text.len()
        && shown.bytes().zip(text.bytes()).all(|(shown, it)| shown == it || shown == b'*')
}

/// Whatever an included file says: of anything but checks, accepted findings and variables it says nothing, and mistakes
/// are told of the file in which they stand.
///
/// # Panics
/// Where that does not hold.
pub fn included(data: &[u8]) {
    const FIRST: &str =
        "name = \"site\"\n[check.own]\nenv = { name = \"HOME\" }\n[variables]\nBENT = \"1\"\n";
    let Ok(text) = std::str::from_utf8(data) else { return };
    let place = Path::new(HOME).join(".config/housecall");
    let (first, more) = (place.join("site.toml"), place.join("more.toml"));
    match Config::of_texts(&[(&first, FIRST), (&more, text)], &SURROUNDINGS, Limits::default()) {
        Ok(config) => {
            let _ = Selection::new(&config, &Wanted::default());
            assert_eq!(config.name, "site");
            assert!(config.mirror.is_none() && config.server.is_none() && config.services.is_empty());
            assert!(config.tools.is_empty() && config.runtime_path.is_empty(), "it changes the runtime");
            assert!(config.declared.iter().any(|it| it.name == "own"), "it takes a check away");
        }
        Err(error) => assert_placed(&error, &[FIRST, text]),
    }
}

/// Whatever a gossfile says: what it becomes is a configuration of so many checks, and all else is named at its line.
///
/// # Panics
/// Where that does not hold.
pub fn gossfile(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let loaded = |text: &str| {
        let mut surroundings = Surroundings::clone(&SURROUNDINGS);
        for name in text.split("${").skip(1).filter_map(|it| it.split_once('}')).map(|(name, _)| name) {
            surroundings.environment.entry(name.to_owned()).or_insert_with(|| "1".to_owned());
        }
        let file = Path::new(HOME).join("housecall.toml");
        Config::of_text(text, &file, &surroundings, Limits::default())
    };
    let world = World {
        vars: [("word".to_owned(), "set".to_owned())].into(),
        read: &|_| Err("it is not there".to_owned()),
        like: &|_| Ok(Vec::new()),
        directory: Path::new(HOME),
        refuses: &|text| loaded(text).err().map(|error| error.to_string()),
    };
    // YAML's lines end with a lone carriage return as well.
    let lines = text.split_inclusive(['\n', '\r']).count().max(1);
    let named = match goss::turn(Path::new("goss.yaml"), text, &world) {
        Ok(imported) => {
            let checks = loaded(&imported.text).map(|config| config.declared.len());
            let told = || format!("{}\n{:?}", imported.text, imported.named);
            assert!(checks.is_ok_and(|checks| checks == imported.checks), "{}", told());
            imported.named
        }
        Err(named) => vec![named],
    };
    for it in named {
        assert!((1..=lines).contains(&it.line) && !it.why.is_empty(), "{it:?} of {lines} lines");
        assert!(!it.to_string().contains(char::is_control), "{it:?}");
    }
}
