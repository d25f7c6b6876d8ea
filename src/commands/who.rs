//! `who PORT`: who answers there. It needs no configuration, and works wherever it is called.

use jiff::tz::TimeZone;

use super::Call;
use crate::exit::Exit;
use crate::probes::clock;
use crate::probes::machine::Machine;
use crate::report::json;
use crate::who::{Reader, look, render};

/// Says who answers on a port.
pub(super) fn run(call: &mut Call<'_, '_>, port: u16) -> Exit {
    let who = match look(&Machine::default(), &call.surroundings.directory, port) {
        Ok(who) => who,
        Err(error) => {
            call.console.error(error);
            return Exit::Undetermined;
        }
    };
    if call.is_json() {
        match serde_json::to_value(&who) {
            Ok(mut document) => {
                call.console.redactor.json(&mut document);
                call.console.publish(&json::safe(&format!("{document:#}")));
            }
            Err(error) => {
                call.console.error(error);
                return Exit::Undetermined;
            }
        }
    } else {
        let home = call.surroundings.home.clone();
        let width = call.console.terminal.width;
        let reader = Reader { home, now: clock::now(), zone: TimeZone::system(), width };
        call.console.print(&render(&who, &reader));
    }
    who.exit()
}
