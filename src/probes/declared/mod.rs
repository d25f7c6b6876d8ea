//! What only the checks of a configuration ask of the machine.

pub mod disk;
pub mod dns;
pub mod file;
pub mod interfaces;
pub mod kernel;
pub mod packages;
pub mod tool;
