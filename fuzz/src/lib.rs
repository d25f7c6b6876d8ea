//! What must hold of Housecall's readers, whatever they are given: one property for each fuzz target.
//!
//! A property panics where it does not hold. `dev/fuzz` runs each for some seconds, from the seeds on.

mod configuration;
mod git;
mod looks;
mod outside;
mod plist;
mod print;
mod systemd;
mod terminal;

pub use configuration::{configuration, gossfile, included};
pub use git::{git_status, mountinfo};
pub use looks::{page, state};
pub use outside::{allowed, dns, output, redactor};
pub use plist::plist_lint;
pub use print::launchctl_print;
pub use systemd::systemctl_show;
pub use terminal::log_line;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use housecall::config::{Config, Limits, Surroundings};

/// A home that is nobody's: nothing there is read.
const HOME: &str = "/nobody/home";

/// The surroundings of every look here.
static SURROUNDINGS: LazyLock<Surroundings> = LazyLock::new(|| Surroundings {
    home: HOME.into(),
    directory: HOME.into(),
    environment: BTreeMap::from([
        ("HOME".to_owned(), HOME.to_owned()),
        ("WORK".to_owned(), "work".to_owned()),
    ]),
    odd: [].into(),
    uid: 501,
});

fn configured(text: &str) -> Result<Config, housecall::config::ConfigError> {
    let file = Path::new(HOME).join(".config/housecall/site.toml");
    Config::of_text(text, &file, &SURROUNDINGS, Limits::default())
}
