//! One lock per mirror: the kernel's, so that it ends with whoever holds it, and no live one is ever deleted.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use crate::config::Config;
use crate::error::StepError;
use crate::fixes::hands::{files, guard};
use crate::probes::clock;
use crate::probes::state::Holder;

/// How often a waiting one tries again. A look that reads who holds the lock may be in the way for microseconds.
const EVERY: Duration = Duration::from_millis(25);

/// What this process holds: a hand that is left behind on a silent volume gives nothing back by itself.
static HELD: Mutex<Vec<Weak<Held>>> = Mutex::new(Vec::new());

/// Whether hands were left behind: nothing is begun beside them any more.
static IS_ENDING: AtomicBool = AtomicBool::new(false);

/// The mirror's lock, held until this is dropped.
#[derive(Debug)]
pub struct Lock {
    held: Arc<Held>,
}

#[derive(Debug)]
struct Held {
    file: File,
    /// After that the file is another's, who may hold it already.
    is_given_back: AtomicBool,
}

/// Why the lock was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// Another mend is at work; who, as far as it wrote it down.
    #[error("another one is at work on this mirror{}", described(.0.as_ref()))]
    Busy(Option<Holder>),
    /// It could not be asked for.
    #[error(transparent)]
    Failed(#[from] StepError),
}

fn described(holder: Option<&Holder>) -> String {
    holder.map_or_else(String::new, |it| format!(": pid {}, `{}`", it.pid, it.doing))
}

impl Lock {
    /// Takes the lock, waiting that long for another one to end; `on_wait` hears once who that is.
    ///
    /// # Errors
    /// Busy after that time; or the state directory may not be written.
    pub fn take(
        config: &Config,
        doing: &str,
        wait: Duration,
        on_wait: &mut dyn FnMut(Option<&Holder>),
    ) -> Result<Self, NotTaken> {
        if IS_ENDING.load(Ordering::SeqCst) {
            let why = "hands of this very process are left behind on a volume that does not answer";
            return Err(StepError::failed("begin anything more", &why).into());
        }
        let path = config.lock_file();
        let failed = |error: &dyn std::fmt::Display| {
            StepError::failed(format!("take the lock {}", config.tilde(&path)), error)
        };
        let mut file = files::open_private(&path).map_err(|error| failed(&error))?;
        let start = clock::instant();
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) if guard::is_at(&file, &path) => break,
                // The directory was removed while we waited, and made again: that lock is nobody's.
                Ok(()) => file = files::open_private(&path).map_err(|error| failed(&error))?,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(failed(&error).into()),
            }
            let waited = start.elapsed();
            let holder = written(&mut file);
            // A first refusal may be a mere look at the lock.
            if !told && waited >= EVERY * 4 {
                on_wait(holder.as_ref());
                told = true;
            }
            if waited >= wait.max(EVERY * 8) {
                return Err(NotTaken::Busy(holder));
            }
            std::thread::sleep(EVERY);
        }
        let holder = Holder { pid: std::process::id(), doing: doing.to_owned(), since: clock::now() };
        let line = serde_json::to_string(&holder).map_err(|error| failed(&error))?;
        file.set_len(0)
            .and_then(|()| file.write_all(format!("{line}\n").as_bytes()))
            .map_err(|error| failed(&error))?;
        Ok(Self::of(file))
    }

    /// All that this process holds, for the hand that ends it: whoever drops it first gives it back for both. No lock is
    /// taken in this process after that.
    #[must_use]
    pub fn left_behind() -> Vec<Self> {
        IS_ENDING.store(true, Ordering::SeqCst);
        let held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        held.iter().filter_map(Weak::upgrade).map(|held| Self { held }).collect()
    }

    fn of(file: File) -> Self {
        let held = Arc::new(Held { file, is_given_back: AtomicBool::new(false) });
        let mut all = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|it| it.strong_count() > 0);
        all.push(Arc::downgrade(&held));
        Self { held }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.held.is_given_back.swap(true, Ordering::SeqCst) {
            return;
        }
        // An empty file tells a look that nobody holds it; should this fail, the kernel tells it.
        let _ = self.held.file.set_len(0);
        let _ = self.held.file.unlock();
    }
}

fn written(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(4096).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_was_given_back_wipes_no_word_of_the_next_one() {
        let mut file = tempfile::tempfile().expect("a file");
        let lock = Lock::of(file.try_clone().expect("another descriptor"));
        let other = Lock { held: Arc::clone(&lock.held) };
        drop(lock);
        let next = Holder { pid: 1, doing: "sync".to_owned(), since: clock::now() };
        serde_json::to_writer(&file, &next).expect("the next one writes who it is");
        drop(other);
        assert_eq!(written(&mut file), Some(next));
    }
}
