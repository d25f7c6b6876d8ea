//! A temporary folder of this test run; if the run is killed, the next one removes it.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::run;

/// Removed when it is dropped, or by the next run.
#[derive(Debug)]
pub struct Folder(Option<TempDir>);

impl Folder {
    /// A fresh one in the temporary directory.
    #[must_use]
    pub fn new() -> Self {
        Self::beneath(&run::temporary())
    }

    /// A fresh one in memory, which is another disk; `None` where the machine has no such disk.
    #[must_use]
    pub fn in_memory() -> Option<Self> {
        let memory = Path::new(run::MEMORY);
        memory.is_dir().then(|| Self::beneath(memory))
    }

    pub(crate) fn beneath(place: &Path) -> Self {
        let (place, _guard) = run::enter(place);
        let folder = tempfile::Builder::new().prefix("").tempdir_in(place);
        Self(Some(folder.expect("a temporary folder")))
    }

    /// Where it is.
    ///
    /// # Panics
    /// Never.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.as_ref().expect("it is there until it is dropped").path()
    }

    /// Keeps it on disk, also for later runs.
    pub(crate) fn keep(mut self) -> Option<PathBuf> {
        run::keep();
        self.0.take().map(TempDir::keep)
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.0 = None;
        run::leave();
    }
}
