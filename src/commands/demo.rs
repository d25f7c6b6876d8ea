//! `housecall demo`: a throwaway mirror, broken and mended before one's eyes. It needs no configuration.

use super::Console;
use crate::demo::{self, Keep, Options};
use crate::exit::Exit;
use crate::report::human::{Detail, View};

/// Plays it.
pub(super) fn run(only: Option<usize>, keep: Keep, console: &mut Console<'_>) -> Exit {
    let view = View { width: console.terminal.width, styles: console.styles(), detail: Detail::Normal };
    match demo::play(Options { only, keep }, &view, &mut |text| console.print(text)) {
        Ok(()) => Exit::Healthy,
        Err(error) => {
            console.error(&error);
            error.exit()
        }
    }
}
