//! One lock per mirror: the kernel's, so that it ends with whoever holds it, and no live one is ever deleted.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::time::Duration;

use crate::config::Config;
use crate::error::StepError;
use crate::fixes::hands::{files, guard};
use crate::probes::clock;
use crate::probes::state::Holder;

/// How often a waiting one tries again. A look that reads who holds the lock may be in the way for microseconds.
const EVERY: Duration = Duration::from_millis(25);

/// The mirror's lock, held until this is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
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
        Ok(Self { file })
    }
}

impl Lock {
    /// The same lock, for another hand: whoever drops it first gives it back for both.
    ///
    /// # Errors
    /// There is no descriptor left.
    pub fn spare(&self) -> Result<Self, StepError> {
        let file = self.file.try_clone().map_err(|error| StepError::failed("hold the lock", &error))?;
        Ok(Self { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // An empty file tells a look that nobody holds it; should this fail, the kernel tells it.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

fn written(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(4096).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}
