//! The real parts that tests stand on: homes, git servers, nodes, a site, mounts that hang, the binary itself.
//!
//! Everything here is a real thing in a temporary place: nothing is mocked, nothing touches the user's own
//! home, and what a value started ends with it.

#![expect(clippy::disallowed_methods, reason = "tests make the world that the product only looks at")]

pub mod harness;
pub mod parts;
mod run;
pub mod folder;
pub mod home;
pub mod processes;
pub mod housecall;
pub mod report;
pub mod schema;
pub mod snapshots;
pub mod git;
pub mod remotes;
pub mod servers;
pub mod proxy;
pub mod mirror;
pub mod mounts;
pub mod terminal;
pub mod launchd;
pub mod systemd;

pub use folder::Folder;
pub use harness::Test;
pub use home::Home;
pub use housecall::Ran;
pub use mirror::Mirror;
pub use parts::Part;
pub use report::Report;
pub use schema::Schema;
