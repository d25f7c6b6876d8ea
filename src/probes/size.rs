//! How large a tree is by now.
#![expect(clippy::disallowed_methods, reason = "probes are where files are read")]

use std::fs;
use std::path::Path;

/// The bytes of all files beneath a directory; links are not followed, and what goes meanwhile is not counted.
///
/// `None`: it is not there, or `may_go_on` said no; it is asked before each directory.
#[must_use]
pub fn of_tree(top: &Path, may_go_on: &mut dyn FnMut() -> bool) -> Option<u64> {
    let mut waiting = vec![top.to_owned()];
    let mut size = None;
    while let Some(directory) = waiting.pop() {
        if !may_go_on() {
            return None;
        }
        let Ok(entries) = fs::read_dir(directory) else { continue };
        let size = size.get_or_insert(0_u64);
        for entry in entries.flatten() {
            // Of the entry itself: a link is as long as its text.
            let Ok(found) = entry.metadata() else { continue };
            if found.is_dir() {
                waiting.push(entry.path());
            } else {
                *size = size.saturating_add(found.len());
            }
        }
    }
    size
}
