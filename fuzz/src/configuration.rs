//! A configuration is taken, or every mistake in it has its place.

use housecall::config::ConfigError;
use housecall::selection::{Selection, Wanted};

use crate::configured;
use crate::terminal::assert_harmless;

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
        Err(ConfigError::Invalid(found)) => {
            assert!(!found.mistakes.is_empty(), "refused, and no mistake is named");
            for mistake in &found.mistakes {
                assert!(!mistake.message.is_empty(), "a mistake without a word");
                assert!(text.get(mistake.at.clone()).is_some(), "no place in the file: {mistake:?}");
            }
            let _ = found.render(true);
            assert_harmless(&found.render(false));
        }
        Err(other) => panic!("a text alone cannot be {other:?}"),
    }
}
