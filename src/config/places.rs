//! Where a mirror keeps its state, its logs and its journal.

use std::path::PathBuf;

use super::Config;

impl Config {
    /// The lock of whoever mends or syncs; its content names the holder.
    #[must_use]
    pub fn lock_file(&self) -> PathBuf {
        self.state.join("lock")
    }

    /// The mark of a durable stop.
    #[must_use]
    pub fn stop_file(&self) -> PathBuf {
        self.state.join("stopped")
    }

    /// What the last sync came to, for us.
    #[must_use]
    pub fn sync_file(&self) -> PathBuf {
        self.state.join("sync.json")
    }

    /// The same, for scripts.
    #[must_use]
    pub fn last_sync_file(&self) -> PathBuf {
        self.state.join("last-sync.env")
    }

    /// What was last built, and what the server was last seen to serve.
    #[must_use]
    pub fn built_file(&self) -> PathBuf {
        self.state.join("built.json")
    }

    /// The lock that a keeper holds for as long as it lives.
    #[must_use]
    pub fn keeper_lock(&self) -> PathBuf {
        self.state.join("keeper.lock")
    }

    /// What the keeper says of itself.
    #[must_use]
    pub fn keeper_file(&self) -> PathBuf {
        self.state.join("keeper.json")
    }

    /// The journal of mends, one JSON value a line.
    #[must_use]
    pub fn journal_file(&self) -> PathBuf {
        self.state.join("journal.jsonl")
    }

    /// What `install` installed, and whose files it keeps beside.
    #[must_use]
    pub fn install_file(&self) -> PathBuf {
        self.state.join("install.json")
    }

    /// The log of a role: "sync" or "serve".
    #[must_use]
    pub fn log_file(&self, role: &str) -> PathBuf {
        self.state.join("logs").join(format!("{role}.log"))
    }
}
