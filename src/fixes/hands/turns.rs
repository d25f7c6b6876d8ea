//! Few fetches at once: where many mirrors of one user sync in the same minute, they take turns.

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::Config;
use crate::fixes::hands::files;
use crate::probes::clock;

/// How many fetches of one user may go on at the same time.
pub const AT_ONCE: usize = 4;
/// How long a turn is waited for. A fetch that takes longer is no reason to fall behind.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often is asked again.
const EVERY: Duration = Duration::from_millis(15);

/// A turn, until it is dropped: the kernel ends it with whoever holds it.
#[derive(Debug)]
pub struct Turn {
    _held: Option<File>,
}

/// Waits for a turn, and goes on without one after a while, or where nobody can write down whose turn it is.
#[must_use]
pub fn wait(config: &Config) -> Turn {
    let start = clock::instant();
    loop {
        for number in 0..AT_ONCE {
            let Ok(file) = files::open_private(&place(config).join(format!("fetch-{number}"))) else {
                return Turn { _held: None };
            };
            if file.try_lock().is_ok() {
                return Turn { _held: Some(file) };
            }
        }
        if start.elapsed() >= PATIENCE {
            return Turn { _held: None };
        }
        std::thread::sleep(EVERY);
    }
}

/// What all mirrors of this user share.
fn place(config: &Config) -> PathBuf {
    let named = config.environment.get("XDG_STATE_HOME").map(PathBuf::from);
    let state = named.filter(|it| it.is_absolute()).unwrap_or_else(|| config.home.join(".local/state"));
    state.join("housecall/turns")
}
