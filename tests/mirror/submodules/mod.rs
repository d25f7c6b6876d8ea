//! Submodules: they follow upstream, and nothing that a person makes inside one is lost, whenever that is.
#![expect(clippy::disallowed_methods, reason = "these tests read and write files of their own")]

mod kept;
mod parts;

mod follow;
mod hidden;
mod killed;
mod leaving;
mod meanwhile;
