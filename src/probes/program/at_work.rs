//! Whether a program is at work: it has a deadline, and explains why nothing else goes on.

use std::sync::atomic::{AtomicUsize, Ordering};

static AT_WORK: AtomicUsize = AtomicUsize::new(0);

/// Counts one, for as long as this lives.
#[derive(Debug)]
pub(super) struct One;

impl One {
    pub(super) fn begin() -> Self {
        AT_WORK.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for One {
    fn drop(&mut self) {
        AT_WORK.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether any is that this process began.
pub(crate) fn any() -> bool {
    AT_WORK.load(Ordering::Relaxed) > 0
}
