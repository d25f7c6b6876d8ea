//! What a person who watches a mend is told while it happens.

use std::sync::Arc;

use super::Console;
use crate::config::Config;
use crate::fixes::Event;
use crate::progress::work::Work;
use crate::report::words::clean_line;

/// A console, and the line of the step that is under way.
pub(super) struct Watched<'a, 'b> {
    /// Where it is told.
    pub(super) console: &'a mut Console<'b>,
    config: Arc<Config>,
    work: Option<Work>,
}

impl<'a, 'b> Watched<'a, 'b> {
    /// Begins to tell.
    pub(super) fn new(console: &'a mut Console<'b>, config: &Arc<Config>) -> Self {
        Self { console, config: Arc::clone(config), work: None }
    }

    /// Something happens.
    pub(super) fn hear(&mut self, event: &Event<'_>) {
        match event {
            Event::Began(fix, action) => {
                // One line after the other: the last one is taken away first.
                self.work = None;
                self.work = Work::of(fix, action, &self.config, self.console.terminal.audience);
            }
            Event::Output(chunk) => {
                if let Some(work) = &self.work {
                    work.hear(chunk);
                }
            }
            Event::Waiting(Some(holder)) => {
                let doing = clean_line(&holder.doing);
                self.console.tell(&format!("waiting for pid {}, `{doing}`\n", holder.pid));
            }
            Event::Waiting(None) => self.console.tell("waiting for another one at work on this mirror\n"),
            Event::Ended(..) => self.work = None,
            _ => {}
        }
    }
}
