//! Truth under attack: what came from others runs nothing, leaves no path, steers no terminal and ends nothing.
#![expect(clippy::disallowed_methods, reason = "a test makes a world and looks at it")]

mod configuration;
mod included;
mod page;
mod processes;
mod programs;
mod repository;
mod state;
mod swapped;
mod world;
