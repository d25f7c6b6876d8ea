//! What only the checks of a configuration ask of the machine.

pub mod disk;
pub mod file;
pub mod kernel;
pub mod packages;
pub mod tool;
