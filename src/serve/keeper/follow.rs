//! A keeper follows its configuration: when it is told to, and before a sync where the files have changed since.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Keeping, State};
use crate::config::Config;
use crate::error::StepError;
use crate::probes::keeper::Keeps;
use crate::probes::{clock, files};

/// When the files of a configuration changed last.
pub(super) fn changed(config: &Config) -> Timestamp {
    files::changed(config.sources.iter().map(|(path, _)| path.as_path()))
}

impl Keeping<'_> {
    /// Whether a sync is due, and its configuration has changed since it was read.
    pub(super) fn is_to_follow(&self) -> bool {
        let is_due =
            self.config.mirror.is_some() && self.sync.is_none() && clock::instant() >= self.next_sync;
        is_due && changed(&self.config) != self.changed
    }

    /// Reads the configuration again and goes by it; says whether the server's part is another. One that makes no sense
    /// is told, and what was read before holds.
    pub(super) fn follow(&mut self) -> bool {
        self.changed = changed(&self.config);
        let config = match (self.reread)() {
            Ok(config) if config.state == self.config.state => config,
            Ok(_) => {
                self.say("the configuration is not followed: its `state` is another folder now");
                return false;
            }
            Err(why) => {
                self.say(&format!("the configuration is not followed: {why}"));
                return false;
            }
        };
        let before = std::mem::replace(&mut self.keeps, Keeps::of(&config));
        self.config = config;
        if before == self.keeps {
            return false;
        }
        self.say("the configuration has changed, and is followed");
        if let Some(mirror) = self.config.mirror.as_ref() {
            self.next_sync = self.next_sync.min(clock::instant() + mirror.every);
        }
        before.settings != self.keeps.settings
    }

    /// Has the server be the configured one; one that was started since the change read it by itself.
    pub(super) fn renew(&mut self) -> Result<(), StepError> {
        match &self.server {
            State::None => self.server = State::Waiting,
            State::Waiting => {}
            State::Started(role) if self.config.server.is_some() && role.at > self.changed => {
                self.answered = Arc::default();
                self.watch_answer();
            }
            State::Started(_) | State::BackingOff { .. } => self.restart()?,
        }
        Ok(())
    }
}
