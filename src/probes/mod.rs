//! The only code that reads the machine. One file per kind of fact, each with a deadline of its own.
//!
//! An answer is remembered, failures included: [`Probe`] for what a look knows once, [`Keyed`] for what
//! it knows by name.

pub mod accounts;
pub mod away;
pub mod built;
pub mod clock;
pub mod declared;
pub mod deps;
pub mod files;
pub mod git;
pub mod ground;
pub mod http;
pub mod import;
pub mod installation;
pub mod job_file;
pub mod jobs;
pub mod keeper;
pub mod kin;
pub mod link;
pub mod logs;
pub mod machine;
pub mod mounts;
pub mod names;
pub mod processes;
pub mod program;
pub mod project;
pub mod rivals;
pub mod size;
pub mod sockets;
pub mod state;
pub mod tools;
pub mod whereabouts;

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::error::ProbeError;

/// The shared answer of a probe.
pub type Answer<T> = Result<Arc<T>, ProbeError>;

/// One fact, read once, with its failure if that is what came of it.
#[derive(Debug)]
pub struct Probe<T>(OnceLock<Answer<T>>);

/// One fact for each key, read once.
#[derive(Debug)]
pub struct Keyed<K, T>(Mutex<HashMap<K, Arc<Probe<T>>>>);

impl<T> Probe<T> {
    /// A fact that a test gives.
    #[must_use]
    pub fn given(answer: Result<T, ProbeError>) -> Self {
        Self(OnceLock::from(answer.map(Arc::new)))
    }

    /// The fact, read now if nobody has asked yet; whoever asks meanwhile waits for the same answer.
    ///
    /// # Errors
    /// What reading came to, as often as it is asked for.
    pub fn get(&self, read: impl FnOnce() -> Result<T, ProbeError>) -> Answer<T> {
        self.0.get_or_init(|| read().map(Arc::new)).clone()
    }

    /// The same fact for another look: the answer, if there is one already.
    #[must_use]
    pub fn kept(&self) -> Self {
        Self(self.0.get().cloned().map_or_else(OnceLock::new, OnceLock::from))
    }
}

impl<K: Eq + Hash, T> Keyed<K, T> {
    /// Facts that a test gives.
    #[must_use]
    pub fn given(answers: impl IntoIterator<Item = (K, Result<T, ProbeError>)>) -> Self {
        Self(Mutex::new(
            answers.into_iter().map(|(key, answer)| (key, Arc::new(Probe::given(answer)))).collect(),
        ))
    }

    /// The fact of that key, read now if nobody has asked yet.
    ///
    /// # Errors
    /// As for [`Probe::get`].
    pub fn get(&self, key: K, read: impl FnOnce() -> Result<T, ProbeError>) -> Answer<T> {
        let probe = Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
        probe.get(read)
    }
}

impl<T> Default for Probe<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<K, T> Default for Keyed<K, T> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}
