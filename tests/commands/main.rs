//! The binary as its users run it, command by command, in a home of the test's own.
//!
//! A test belongs here if it runs `housecall` and looks at what it prints, leaves and harms; what needs a part that a machine
//! may lack belongs to `e2e`.

mod init;
mod demo;
mod install;
mod jobs;
mod keeper;
mod follow;
mod reload;
mod progress;
mod gate;
mod wait;
mod bundle;
mod hostile;
