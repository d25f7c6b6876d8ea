//! A keeper follows its configuration: when it is told to, before a sync, and before it starts a server.

use std::sync::Arc;

use super::{Keeping, State};
use crate::checks::runtime::runtime_version;
use crate::config::Config;
use crate::cx::Cx;
use crate::error::{ProbeError, StepError};
use crate::plain;
use crate::probes::declared::disk;
use crate::probes::keeper::{Keeps, Unfollowed};
use crate::probes::{built, clock};
use crate::serve::kept::is_there;

impl Keeping<'_> {
    /// Whether a sync is due, and its configuration is to be read before that.
    pub(super) fn is_to_follow(&self) -> bool {
        self.sync.is_none() && clock::instant() >= self.next_sync && self.differs()
    }

    /// Whether its configuration says something else than when it was read, or made no sense then. By its text: a file
    /// that is put in place may bring any time with it. One that cannot be seen is taken for unchanged.
    pub(super) fn differs(&self) -> bool {
        let sources = &self.config.sources;
        let is_another = || sources.iter().any(|(path, text)| plain::text(path).ok().as_ref() != Some(text));
        self.silent().is_none() && (self.unfollowed.is_some() || is_another())
    }

    /// Why its configuration cannot be seen, where its volume does not answer: whoever touches that may hang for ever.
    pub(super) fn silent(&self) -> Option<String> {
        let deadline = self.config.limits.timeout;
        self.config.sources.iter().find_map(|(path, _)| {
            match disk::look(&self.machine, &self.config, path, deadline) {
                Err(error @ ProbeError::Stuck { .. }) => Some(error.to_string()),
                // In the same words, which are told once.
                Err(ProbeError::TimedOut { what, .. }) => Some(format!("{what} does not answer")),
                // Whoever reads it tells what else is wrong.
                _ => None,
            }
        })
    }

    /// Reads the configuration again and goes by it; says whether the server is to be another than the one that runs.
    /// What was read before holds where that cannot be.
    pub(super) fn follow(&mut self) -> bool {
        let config = self.read_again();
        self.go_by(config)
    }

    /// The same, by itself: a server that runs is not ended for a runtime that does not start. Who restarts it says so.
    pub(super) fn follow_with_care(&mut self) -> bool {
        let config = self.read_again().and_then(|config| self.may_end_for(&config).map(|()| config));
        self.go_by(config)
    }

    fn may_end_for(&self, config: &Arc<Config>) -> Result<(), String> {
        let State::Started(role) = &self.server else { return Ok(()) };
        if config.server.is_none() || role.settings == built::settings(config) {
            return Ok(());
        }
        // What was seen of a tool before may have been mended without a trace of its own.
        let cx = Cx::new(Arc::clone(config), Arc::default());
        match runtime_version::failure(&cx) {
            Some(why) => Err(format!("the server that runs would not start again: {why}")),
            None => Ok(()),
        }
    }

    fn go_by(&mut self, config: Result<Arc<Config>, String>) -> bool {
        let config = match config {
            Ok(config) => config,
            Err(why) => {
                self.leave(&why);
                return false;
            }
        };
        self.unfollowed = None;
        let before = std::mem::replace(&mut self.keeps, Keeps::of(&config));
        // The server waits for the first sync of a mirror.
        self.synced &= self.config.mirror.is_some() || config.mirror.is_none();
        let place = |config: &Config| config.mirror.as_ref().map(|it| it.worktree.clone());
        if place(&self.config) != place(&config) {
            self.was_there = has_worktree(&config);
        }
        self.config = config;
        if before != self.keeps {
            self.say("the configuration has changed, and is followed");
            if let Some(mirror) = self.config.mirror.as_ref() {
                self.next_sync = self.next_sync.min(clock::instant() + mirror.every);
            }
        }
        match &self.server {
            State::Started(role) => role.settings != self.keeps.settings,
            _ => before.settings != self.keeps.settings,
        }
    }

    fn read_again(&self) -> Result<Arc<Config>, String> {
        if let Some(why) = self.silent() {
            return Err(why);
        }
        let config = (self.reread)()?;
        if config.state == self.config.state {
            Ok(config)
        } else {
            Err("its `state` is another folder now".to_owned())
        }
    }

    /// Goes on without its configuration, and tells why: in its log once, and whoever asked it to follow.
    pub(super) fn leave(&mut self, why: &str) {
        let why = self.config.redactor.text(why);
        if self.unfollowed.as_ref().is_none_or(|it| it.why != why) {
            self.say(&format!("the configuration is not followed: {why}"));
        }
        self.unfollowed = Some(Unfollowed { at: clock::now(), why });
    }

    /// Has the server be the configured one.
    pub(super) fn renew(&mut self) -> Result<(), StepError> {
        match &self.server {
            State::None => self.server = State::Waiting,
            State::Waiting => {}
            State::Started(_) | State::BackingOff { .. } => self.restart()?,
        }
        Ok(())
    }
}

/// Whether the worktree is there, where there is to be one.
pub(super) fn has_worktree(config: &Config) -> bool {
    config.mirror.as_ref().is_none_or(|it| is_there(&it.worktree.join(".git")))
}
